//! The verbose `info` of a status: JSON that every engine writes in its own way. Pure.

use std::collections::HashMap;

use serde_json::{Map, Value};

use crate::model::Id;

/// What is read of the verbose info. Everything else in it is passed on as it stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Info {
    /// The pid as the engine says it; 0 and nonsense mean that it did not say.
    pub pid: Option<i32>,
    /// Whether there was an info at all: cri-dockerd has none for sandboxes.
    pub given: bool,
    /// Whether the key `pid` is there, whatever its value: CRI-O leaves it out for a pod without a process.
    pub names_pid: bool,
    /// The sandbox that a container is in; its status does not say.
    pub sandbox_id: Option<Id>,
}

/// Reads the `info` map of a *verbose* reply. (containerd 2.3 sends an empty one in replies that are not.)
pub(super) fn read(map: &HashMap<String, String>) -> Info {
    let Some(Value::Object(info)) = map.get("info").and_then(|text| serde_json::from_str(text).ok()) else {
        return Info::default();
    };
    let pid = info.get("pid");
    Info {
        pid: pid.and_then(Value::as_i64).and_then(|n| i32::try_from(n).ok()).filter(|n| *n > 0),
        given: true,
        names_pid: pid.is_some(),
        sandbox_id: info.get("sandboxID").and_then(Value::as_str).filter(|id| !id.is_empty()).map(Id::from),
    }
}

/// The whole `info` map as one flat JSON object: the keys of the text under "info", where all engines put what they have to
/// say, and beside them whatever else the map holds. Values that are JSON texts are read, others stay texts.
pub(super) fn as_json(mut map: HashMap<String, String>) -> Value {
    let parsed = |text: String| serde_json::from_str(&text).unwrap_or(Value::String(text));
    let mut flat = match map.remove("info").map(parsed) {
        Some(Value::Object(said)) => said,
        Some(other) => Map::from_iter([("info".to_owned(), other)]),
        None => Map::new(),
    };
    for (key, text) in map {
        flat.entry(key).or_insert_with(|| parsed(text));
    }
    Value::Object(flat)
}

const REDACTED: &str = "<redacted>";

/// Hides the values of environment variables, wherever engines show them: `env: ["KEY=value"]` of the OCI runtime
/// spec and `envs: [{key, value}]` of the CRI config.
pub fn redact_environment(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(redact_environment),
        Value::Object(map) => {
            for (key, inner) in map {
                match (key.as_str(), inner) {
                    ("env", Value::Array(items)) => items.iter_mut().for_each(redact_pair),
                    ("envs", Value::Array(items)) => items.iter_mut().for_each(redact_field),
                    (_, inner) => redact_environment(inner),
                }
            }
        }
        _ => {}
    }
}

fn redact_pair(item: &mut Value) {
    if let Value::String(text) = item {
        let key = text.split('=').next().unwrap_or_default();
        *text = format!("{key}={REDACTED}");
    } else {
        redact_field(item);
    }
}

fn redact_field(item: &mut Value) {
    if let Some(value) = item.get_mut("value") {
        *value = REDACTED.into();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn info(text: &str) -> Info {
        read(&HashMap::from([("info".to_owned(), text.to_owned())]))
    }

    #[test]
    fn a_pid_is_a_positive_number() {
        let it = info(r#"{"sandboxID":"x","pid":4711}"#);
        assert_eq!((it.pid, it.sandbox_id.as_deref()), (Some(4711), Some("x")));
        for nonsense in ["0", "-3", "4294967296", "1.5", "\"7\"", "null"] {
            let it = info(&format!(r#"{{"pid":{nonsense}}}"#));
            assert_eq!((it.pid, it.given, it.names_pid), (None, true, true), "{nonsense}");
        }
    }

    #[test]
    fn no_pid_at_all_is_another_thing_than_pid_zero() {
        let spoofed = info(r#"{"runtimeSpec":{}}"#);
        assert_eq!((spoofed.given, spoofed.names_pid), (true, false));
        for broken in ["", "[]", "nonsense", "{\"pid\":"] {
            assert_eq!(info(broken), Info::default(), "{broken}");
        }
        assert_eq!(read(&HashMap::new()), Info::default());
    }

    #[test]
    fn the_whole_is_flat() {
        let map = |pairs: &[(&str, &str)]| pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let both =
            as_json(map(&[("info", r#"{"pid":7,"runtimeSpec":{}}"#), ("more", r#"{"a":1}"#), ("text", "no JSON")]));
        assert_eq!(both, json!({"pid": 7, "runtimeSpec": {}, "more": {"a": 1}, "text": "no JSON"}));
        assert_eq!(as_json(map(&[("info", r#"{"pid":7}"#), ("pid", "8")])), json!({"pid": 7}), "the info stands above");
        assert_eq!(as_json(map(&[("info", "broken")])), json!({"info": "broken"}));
        assert_eq!(as_json(HashMap::new()), json!({}));
    }

    #[test]
    fn environment_values_are_hidden_everywhere() {
        let mut all = json!({
            "info": {
                "config": {"envs": [{"key": "TOKEN", "value": "s3cret"}], "labels": {"env": "prod"}},
                "runtimeSpec": {"process": {"env": ["PATH=/bin", "TOKEN=s3=cret", "ODD"]}},
            }
        });
        redact_environment(&mut all);
        assert!(!all.to_string().contains("s3"), "{all}");
        assert_eq!(all["info"]["runtimeSpec"]["process"]["env"][1], "TOKEN=<redacted>");
        assert_eq!(all["info"]["config"]["envs"][0], json!({"key": "TOKEN", "value": "<redacted>"}));
        assert_eq!(all["info"]["config"]["labels"]["env"], "prod", "a label named env is no environment");
    }
}
