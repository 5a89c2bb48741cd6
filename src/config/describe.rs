//! The table of options as JSON.

use serde::Serialize;

use super::{OPTIONS, OptionSpec, ValueType};

/// `criwatch.options/1`: every option with its key, type, default, what is allowed and what it does.
pub fn describe() -> String {
    let options = OPTIONS.iter().map(OptionJson::new).collect();
    serde_json::to_string(&Description { schema: "criwatch.options/1", options }).expect("plain data has JSON")
}

#[derive(Serialize)]
struct Description {
    schema: &'static str,
    options: Vec<OptionJson>,
}

#[derive(Serialize)]
struct OptionJson {
    key: &'static str,
    #[serde(rename = "type")]
    value_type: &'static str,
    default: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    min: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    choices: Option<&'static [&'static str]>,
    doc: &'static str,
}

impl OptionJson {
    fn new(option: &OptionSpec) -> Self {
        let (value_type, range, choices) = match option.value_type {
            ValueType::Milliseconds { min, max } => ("milliseconds", Some((min, max)), None),
            ValueType::Integer { min, max } => ("integer", Some((min, max)), None),
            ValueType::Choice(words) => ("choice", None, Some(words)),
            ValueType::Text => ("text", None, None),
        };
        OptionJson {
            key: option.key,
            value_type,
            default: option.default,
            min: range.map(|(min, _)| min),
            max: range.map(|(_, max)| max),
            choices,
            doc: option.doc,
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_description_has_every_option() {
        let json: serde_json::Value = serde_json::from_str(&super::describe()).unwrap();
        let keys: Vec<_> = json["options"].as_array().unwrap().iter().map(|o| o["key"].as_str().unwrap()).collect();
        assert_eq!(keys, super::OPTIONS.iter().map(|o| o.key).collect::<Vec<_>>());
        assert_eq!(json["options"][0]["max"], 3_600_000);
        assert_eq!(json["schema"], "criwatch.options/1");
    }
}
