//! Writes any JSON value as YAML, in forty lines, because the command prints YAML and never reads it. The output never
//! moves the cursor, whatever an engine sends. Texts that YAML might take for something else are written as in JSON,
//! which is valid YAML, too. Pure.

use serde_json::Value;

use crate::text::escaped_lines;

/// A value as a YAML document, with a line end.
pub fn dump(value: &Value) -> String {
    lines(value).join("\n") + "\n"
}

fn lines(value: &Value) -> Vec<String> {
    match value {
        Value::Object(map) if !map.is_empty() => map.iter().flat_map(|(key, inner)| entry(key, inner)).collect(),
        Value::Array(list) if !list.is_empty() => list.iter().flat_map(item).collect(),
        other => vec![scalar(other)],
    }
}

fn item(value: &Value) -> Vec<String> {
    let mut lines = lines(value);
    for (number, line) in lines.iter_mut().enumerate() {
        *line = format!("{}{line}", if number == 0 { "- " } else { "  " });
    }
    lines
}

fn entry(key: &str, value: &Value) -> Vec<String> {
    let head = format!("{}:", scalar(&Value::from(key)));
    let is_open =
        value.as_object().is_some_and(|map| !map.is_empty()) || value.as_array().is_some_and(|list| !list.is_empty());
    if !is_open {
        return vec![format!("{head} {}", scalar(value))];
    }
    // A list needs no indentation, because its dashes mark it.
    let indent = if value.is_object() { "  " } else { "" };
    std::iter::once(head).chain(lines(value).into_iter().map(|line| format!("{indent}{line}"))).collect()
}

fn scalar(value: &Value) -> String {
    match value {
        Value::String(text) if is_plain(text) => text.clone(),
        other => {
            let spelled = |c: char| {
                if c as u32 > 0xffff { format!("\\U{:08x}", c as u32) } else { format!("\\u{:04x}", c as u32) }
            };
            escaped_lines(&other.to_string(), spelled).into_owned()
        }
    }
}

/// Whether a text begins with a letter or /, and contains nothing with a meaning in YAML.
fn is_plain(text: &str) -> bool {
    const WORDS: [&str; 9] = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];
    let is_inner = |c: char| c.is_ascii_alphanumeric() || "_./@+-:".contains(c);
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/')
        && text.chars().all(is_inner)
        && !text.ends_with(':')
        && !text.contains("::")
        && !WORDS.contains(&&*text.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn documents() {
        let value = json!({
            "schema": "criwatch.containers/1", "generation": 7, "none": [], "empty": {},
            "containers": [{"name": "app", "ips": ["10.0.0.1", "::1"]}, {"name": "yes", "image": "a:5000/b:1"}], "f": true
        });
        let expected = "schema: criwatch.containers/1\ngeneration: 7\nnone: []\nempty: {}\ncontainers:\n- name: app\n  ips:\n  - \
                        \"10.0.0.1\"\n  - \"::1\"\n- name: \"yes\"\n  image: a:5000/b:1\nf: true\n";
        assert_eq!(dump(&value), expected);
    }

    #[test]
    fn what_yaml_takes_for_something_else_is_quoted() {
        for text in ["", "no", "Null", "1.5", "0x10", "-", "a: b", "a #b", "a:", "2026-02-03", "*a", "~", "a\nb", "é"]
        {
            assert_eq!(dump(&json!(text)), format!("{}\n", json!(text)));
        }
        assert!(dump(&json!({"a": "\x1b[31m \u{9b}2J \u{e0001} \u{2028}"})).trim_end().is_ascii());
    }
}
