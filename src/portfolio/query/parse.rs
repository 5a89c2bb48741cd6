//! A query's JSON, key by key.

use serde_json::{Map, Value};

use super::{Query, Selector, States, refuse};
use crate::error::Result;
use crate::model::attributes::Schema;
use crate::model::json::CONTAINER_KEYS;
use crate::model::{Kind, State};

/// Puts one key's value into the query. The error says what is allowed.
type Set = fn(&mut Query, &Value) -> Result<(), String>;

const KEYS: &[(&str, Set)] = &[
    ("states", set_states),
    ("all", set_all),
    ("gone", |q, v| flag(v).map(|flag| q.gone = flag)),
    ("kind", set_kind),
    ("namespace", |q, v| text(v).map(|text| q.namespace = Some(text.to_owned()))),
    ("pod", |q, v| text(v).map(|text| q.pod = Some(text.to_owned()))),
    ("uid", |q, v| text(v).map(|text| q.uid = Some(text.to_owned()))),
    ("name", |q, v| text(v).map(|text| q.name = Some(text.to_owned()))),
    ("selector", |q, v| Selector::parse(text(v)?).map(|selector| q.selector = selector)),
    ("fields", set_fields),
    ("attributes", set_attributes),
    ("ifGeneration", set_generation),
];

pub(super) fn parse(text: &str) -> Result<Query> {
    let value: Value = serde_json::from_str(text).map_err(|e| refuse(format!("{text:?} is no JSON: {e}")))?;
    let Value::Object(keys) = &value else {
        return Err(refuse(format!("{value} is no JSON object (give one like {{\"namespace\":\"default\"}})")));
    };
    let mut query = Query::default();
    for (key, value) in keys {
        let (_, set) = KEYS.iter().find(|(known, _)| known == key).ok_or_else(|| unknown(key, value))?;
        set(&mut query, value).map_err(|allowed| refuse(format!("{key}: {value} is not allowed ({allowed})")))?;
    }
    check_contradiction(keys)?;
    Ok(query)
}

fn unknown(key: &str, value: &Value) -> crate::error::Error {
    let known: Vec<_> = KEYS.iter().map(|(key, _)| *key).collect();
    refuse(format!("key {key:?} (value {value}) is unknown (known are: {})", known.join(", ")))
}

fn check_contradiction(keys: &Map<String, Value>) -> Result<()> {
    match (keys.get("all"), keys.get("states")) {
        (Some(Value::Bool(true)), Some(states)) => {
            Err(refuse(format!("all: true and states: {states} exclude each other (give one of them)")))
        }
        _ => Ok(()),
    }
}

fn set_states(query: &mut Query, value: &Value) -> Result<(), String> {
    let known = [State::Created, State::Running, State::Exited, State::Unknown];
    let words = known.map(State::word);
    let allowed = || format!("an array of any of {}", words.join(", "));
    let state = |value: &Value| words.iter().position(|word| value.as_str() == Some(*word)).map(|i| known[i]);
    let states = value.as_array().and_then(|states| states.iter().map(state).collect());
    query.states = States::These(states.ok_or_else(allowed)?);
    Ok(())
}

fn set_all(query: &mut Query, value: &Value) -> Result<(), String> {
    if flag(value)? {
        query.states = States::All;
    }
    Ok(())
}

fn set_kind(query: &mut Query, value: &Value) -> Result<(), String> {
    let kinds = [Kind::Container, Kind::Sandbox];
    let kind = kinds.into_iter().find(|kind| value.as_str() == Some(kind.word()));
    query.kind = Some(kind.ok_or_else(|| format!("one of {}", kinds.map(Kind::word).join(", ")))?);
    Ok(())
}

fn set_fields(query: &mut Query, value: &Value) -> Result<(), String> {
    let allowed = || format!("an array of any of {}", CONTAINER_KEYS.join(", "));
    let field = |value: &Value| CONTAINER_KEYS.iter().copied().find(|key| value.as_str() == Some(key));
    query.fields = Some(value.as_array().and_then(|f| f.iter().map(field).collect()).ok_or_else(allowed)?);
    Ok(())
}

fn set_attributes(query: &mut Query, value: &Value) -> Result<(), String> {
    let allowed = || format!("one of {}, none", Schema::ALL.map(Schema::word).join(", "));
    query.attributes = Some(match value.as_str() {
        Some("none") => None,
        Some(word) => Some(Schema::of_word(word).ok_or_else(allowed)?),
        None => return Err(allowed()),
    });
    Ok(())
}

fn set_generation(query: &mut Query, value: &Value) -> Result<(), String> {
    query.if_generation = Some(value.as_u64().ok_or("a generation of an earlier answer: a whole number")?);
    Ok(())
}

fn text(value: &Value) -> Result<&str, String> {
    value.as_str().ok_or_else(|| "a string".into())
}

fn flag(value: &Value) -> Result<bool, String> {
    value.as_bool().ok_or_else(|| "true or false".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::CRI_E_QUERY;

    #[test]
    fn errors_name_key_value_and_what_is_allowed() {
        for (query, parts) in [
            ("", &["\"\" is no JSON"] as &[_]),
            ("{", &["no JSON", "line 1"]),
            ("[1]", &["[1] is no JSON object"]),
            ("null", &["null is no JSON object"]),
            (r#"{"a":1} x"#, &["no JSON"]),
            (r#"{"namspace":"x"}"#, &["\"namspace\"", "\"x\"", "known are: states, all, gone, kind, namespace"]),
            (r#"{"states":"running"}"#, &["states: \"running\"", "an array of any of created, running, exited"]),
            (r#"{"states":["Running"]}"#, &["states: [\"Running\"]"]),
            (r#"{"all":1}"#, &["all: 1 is not allowed (true or false)"]),
            (r#"{"gone":null}"#, &["gone: null"]),
            (r#"{"kind":"pod"}"#, &["kind: \"pod\"", "one of container, sandbox"]),
            (r#"{"namespace":7}"#, &["namespace: 7", "a string"]),
            (r#"{"fields":["pid","pids"]}"#, &["\"pids\"", "id, name, kind, state, pid"]),
            (r#"{"fields":"pid"}"#, &["fields: \"pid\""]),
            (r#"{"attributes":"OTel"}"#, &["attributes: \"OTel\"", "one of otel, falco, ecs, none"]),
            (r#"{"attributes":true}"#, &["attributes: true"]),
            (r#"{"ifGeneration":-1}"#, &["ifGeneration: -1", "whole number"]),
            (r#"{"ifGeneration":1.5}"#, &["ifGeneration: 1.5"]),
            (r#"{"selector":"a in x"}"#, &["selector: \"a in x\"", "expected ("]),
            (r#"{"all":true,"states":["exited"]}"#, &["all", "exclude each other"]),
        ] {
            let error = parse(query).expect_err(query);
            assert_eq!(error.status(), CRI_E_QUERY);
            for part in parts {
                assert!(error.message().contains(part), "{query}: {error}");
            }
        }
    }

    #[test]
    fn all_may_be_false() {
        assert_eq!(parse(r#"{"all":false}"#).unwrap(), Query::default());
        let both = parse(r#"{"states":["exited"],"all":false}"#).unwrap();
        assert_eq!(both.states, States::These(vec![State::Exited]));
    }
}
