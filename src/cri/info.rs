//! The verbose `info` of a status: JSON that every engine writes in its own way. Pure.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::spec::{self, ConfigInfo, RuntimeSpec, part};
use super::weight::heavy_json;
use crate::model::{Id, Spec};

/// The parts of the verbose info that are used. Everything else in it is passed on unchanged.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Info {
    /// The pid as the engine reports it; `None` for 0 and for invalid values.
    pub pid: Option<i32>,
    /// Whether there was any info: cri-dockerd gives none for sandboxes.
    pub given: bool,
    /// Whether the key `pid` exists, with any value: CRI-O leaves it out for a pod without a process.
    pub names_pid: bool,
    /// The sandbox of a container, which its status does not give.
    pub sandbox_id: Option<Id>,
    /// The image's name as the pod's author wrote it.
    pub author_image: Option<String>,
    /// The image's name in the OCI annotations.
    pub annotated_image: Option<String>,
    /// How the container was made.
    pub spec: Spec,
}

/// The wanted keys, each still encoded, so that a malformed one does not affect the others and unwanted ones cost
/// nothing.
#[derive(Deserialize)]
struct Wanted<'a> {
    #[serde(borrow, default)]
    pid: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "sandboxID")]
    sandbox_id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    config: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "runtimeSpec")]
    runtime_spec: Option<&'a RawValue>,
    #[serde(borrow, default)]
    privileged: Option<&'a RawValue>,
}

/// Reads the text under `info` of a *verbose* reply. (containerd 2.3 sends an empty map in replies that are not.)
pub(super) fn read(text: &str) -> Info {
    // serde would also read a list as a struct.
    let object = Some(text).filter(|text| text.trim_start().starts_with('{') && heavy_json(text).is_none());
    let Some(wanted) = object.and_then(|text| serde_json::from_str::<Wanted>(text).ok()) else {
        return Info::default();
    };
    let config: ConfigInfo = part(wanted.config).unwrap_or_default();
    let runtime: RuntimeSpec = part(wanted.runtime_spec).unwrap_or_default();
    Info {
        pid: part::<i64>(wanted.pid).and_then(|n| i32::try_from(n).ok()).filter(|n| *n > 0),
        given: true,
        names_pid: wanted.pid.is_some(),
        sandbox_id: part::<String>(wanted.sandbox_id).filter(|id| !id.is_empty()).map(Id::from),
        author_image: config.author_image(),
        annotated_image: runtime.annotated_image(),
        spec: spec::of_info(&config, &runtime, part(wanted.privileged)),
    }
}

/// The whole `info` map as one flat JSON object: the keys of the text under "info", which all engines have, beside the
/// map's other keys. Values that are JSON texts are parsed, others stay texts.
pub(super) fn as_json(mut map: HashMap<String, String>) -> Value {
    let parsed = |text: String| match heavy_json(&text) {
        Some(why) => Value::String(why),
        None => serde_json::from_str(&text).unwrap_or(Value::String(text)),
    };
    let mut flat = match map.remove("info").map(parsed) {
        Some(Value::Object(object)) => object,
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
        read(text)
    }

    #[test]
    fn a_pid_is_a_positive_number() {
        let it = info(r#"{"sandboxID":"x","pid":4711}"#);
        assert_eq!((it.pid, it.sandbox_id.as_deref()), (Some(4711), Some("x")));
        for nonsense in ["0", "-3", "4294967296", "1.5", "\"7\"", "null"] {
            let it = info(&format!(r#"{{"pid":{nonsense}}}"#));
            assert_eq!((it.pid, it.given, it.names_pid), (None, true, nonsense != "null"), "{nonsense}");
        }
    }

    #[test]
    fn no_pid_at_all_is_another_thing_than_pid_zero() {
        let spoofed = info(r#"{"runtimeSpec":{}}"#);
        assert_eq!((spoofed.given, spoofed.names_pid), (true, false));
        for broken in ["", "[]", "nonsense", "{\"pid\":"] {
            assert_eq!(info(broken), Info::default(), "{broken}");
        }
    }

    #[test]
    fn how_it_was_made_is_read_from_both_engines_info() {
        let containerd = info(
            r#"{"config":{"image":{"image":"sha256:1","user_specified_image":"app:b"},"command":["/run"],"args":["-v"],
            "working_dir":"/srv","linux":{"security_context":{"privileged":true}}},"runtimeSpec":{"process":{"args":["/run","-v"],
            "cwd":"/","user":{"uid":7,"gid":8}},"annotations":{"io.kubernetes.cri.image-name":"docker.io/library/app:b"},
            "linux":{"resources":{"cpu":{"shares":102},"memory":{"limit":4096}}}}}"#,
        );
        assert_eq!(containerd.author_image.as_deref(), Some("app:b"));
        assert_eq!(containerd.annotated_image.as_deref(), Some("docker.io/library/app:b"));
        let spec = &containerd.spec;
        assert_eq!((&*spec.command[0], &*spec.args[0], &*spec.working_dir), ("/run", "-v", "/srv"));
        assert_eq!((spec.privileged, spec.user.as_ref().map(|u| (u.uid, u.gid))), (Some(true), Some((7, 8))));
        let limits = spec.resources.as_ref().unwrap();
        assert_eq!((limits.cpu_shares, limits.memory_limit), (Some(102), Some(4096)));

        let crio = info(
            r#"{"privileged":false,"runtimeSpec":{"process":{"args":["sleep","1","2"],"cwd":"/"},
            "annotations":{"io.kubernetes.cri-o.ImageName":"quay.io/app:1"}}}"#,
        );
        assert_eq!((&*crio.spec.command[0], crio.spec.args.len()), ("sleep", 2));
        assert_eq!((crio.annotated_image.as_deref(), crio.spec.privileged), (Some("quay.io/app:1"), Some(false)));
    }

    #[test]
    fn a_key_that_is_not_as_expected_spoils_no_other() {
        let it =
            info(r#"{"pid":7,"sandboxID":[],"config":{"command":"x","args":["a"]},"runtimeSpec":9,"privileged":"no"}"#);
        assert_eq!((it.pid, it.sandbox_id, it.spec.privileged), (Some(7), None, None));
        assert_eq!(it.spec.args.len(), 1);
    }

    #[test]
    fn the_whole_is_flat() {
        let map = |pairs: &[(&str, &str)]| pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let both =
            as_json(map(&[("info", r#"{"pid":7,"runtimeSpec":{}}"#), ("more", r#"{"a":1}"#), ("text", "no JSON")]));
        assert_eq!(both, json!({"pid": 7, "runtimeSpec": {}, "more": {"a": 1}, "text": "no JSON"}));
        assert_eq!(as_json(map(&[("info", r#"{"pid":7}"#), ("pid", "8")])), json!({"pid": 7}), "the info wins");
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
