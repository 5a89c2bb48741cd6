//! The table of options as JSON.

use serde::Serialize;

use super::{OPTIONS, OptionSpec, ValueType};

/// `criwatch.options/1`: every option with its key, type, default, what is allowed and what it does.
pub fn describe() -> String {
    let options = OPTIONS.iter().map(OptionJson::new).collect();
    serde_json::to_string(&Description { schema: "criwatch.options/1", options }).expect("plain data has JSON")
}

/// All options.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(title = "criwatch.options/1"))]
struct Description {
    /// The kind and version: `criwatch.options/1`. Within one version, keys are only added.
    schema: &'static str,
    /// The options.
    options: Vec<OptionJson>,
}

/// One option.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "Option"))]
struct OptionJson {
    /// The key, e.g. `relist.interval_ms`.
    key: &'static str,
    /// The type of the values: `milliseconds`, `integer`, `choice`, `text`.
    #[serde(rename = "type")]
    value_type: &'static str,
    /// The default value, as text.
    default: &'static str,
    /// The least value; present only if the type is a number.
    #[serde(skip_serializing_if = "Option::is_none")]
    min: Option<u64>,
    /// The greatest value; present only if the type is a number.
    #[serde(skip_serializing_if = "Option::is_none")]
    max: Option<u64>,
    /// The allowed values; present only if the type is `choice`.
    #[cfg_attr(test, schemars(with = "Option<Vec<String>>"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    choices: Option<&'static [&'static str]>,
    /// What the option does.
    doc: &'static str,
}

impl OptionJson {
    fn new(option: &OptionSpec) -> Self {
        let (value_type, range, choices) = match option.value_type {
            ValueType::Milliseconds { min, max } => ("milliseconds", Some((min, max)), None),
            ValueType::Integer { min, max } => ("integer", Some((min, max)), None),
            ValueType::Choice(choices) => ("choice", None, Some(choices)),
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
    use serde_json::Value;

    use super::*;
    use crate::committed::{assert_committed, schema_of};

    #[test]
    fn the_description_has_every_option() {
        let json: Value = serde_json::from_str(&describe()).unwrap();
        let keys: Vec<_> = json["options"].as_array().unwrap().iter().map(|o| o["key"].as_str().unwrap()).collect();
        assert_eq!(keys, OPTIONS.iter().map(|o| o.key).collect::<Vec<_>>());
        assert_eq!(json["options"][0]["max"], 3_600_000);
        assert_eq!(json["schema"], "criwatch.options/1");
    }

    #[test]
    fn the_schema_is_committed_and_holds() {
        let schema = schema_of::<Description>("options", "What `cri_options_describe` gives: every option.");
        assert_committed("docs/schema/options.json", &(serde_json::to_string_pretty(&schema).unwrap() + "\n"));
        jsonschema::validate(&schema, &serde_json::from_str(&describe()).unwrap()).unwrap();
    }

    #[test]
    fn options_md_has_every_option() {
        let mut text = String::from(
            "# Options\n\n\
             An option changes how a watcher works. Most programs need none: the defaults suit an agent that runs on a \
             node.\n\n\
             A program sets options when it makes a watcher. Keys and values are text. An unknown key, or a value that is \
             not allowed, is an error; its message says what is allowed.\n\n\
             | | |\n|---|---|\n\
             | C | `cri_options_set(options, \"events\", \"poll\", &err)` |\n\
             | C++ | `criwatch::Watcher(endpoint, {{\"events\", \"poll\"}})` |\n\
             | Go | `criwatch.New(endpoint, criwatch.WithEvents(criwatch.EventsPoll))` |\n\
             | Python | `criwatch.Watcher(endpoint, {\"events\": \"poll\"})` |\n\
             | command line | `criwatch --option events=poll ps` |\n\
             | Rust | `config.set(\"events\", \"poll\")` |\n\n\
             | key | default | allowed | what it does |\n|---|---|---|---|\n",
        );
        for option in OPTIONS {
            let default = if option.default.is_empty() { "(empty)".into() } else { format!("`{}`", option.default) };
            text += &format!("| `{}` | {default} | {} | {} |\n", option.key, option.value_type.allowed(), option.doc);
        }
        text += "\nMade from the table in `src/config/table.rs`; `CRI_BLESS=1 cargo test` rewrites it.\n\n\
                 Read next: [Events](events.md), and [JSON](json.md) for the library's answers.\n";
        assert_committed("docs/options.md", &text);
    }
}
