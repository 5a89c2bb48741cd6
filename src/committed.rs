//! Committed files that are generated from the source. Tests compare them; CRI_BLESS=1 writes them anew.

use std::path::Path;

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Value, json};

/// Asserts that the committed file has this text. `path` begins at the package's folder.
pub(crate) fn assert_committed(path: &str, text: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("CRI_BLESS").is_some() {
        std::fs::create_dir_all(file.parent().expect("it lies in a folder")).expect("a folder for documents");
        std::fs::write(&file, text).expect("the file can be written");
    }
    let committed = std::fs::read_to_string(&file).unwrap_or_default();
    let differs = committed.lines().zip(text.lines()).position(|(a, b)| a != b);
    let line = differs.unwrap_or_else(|| committed.lines().count().min(text.lines().count())) + 1;
    assert!(committed == text, "{path} is not what the source says, from line {line} on (CRI_BLESS=1 rewrites it)");
}

/// The schema of one kind of answer.
pub(crate) fn schema_of<T: JsonSchema>(name: &str, doc: &str) -> Value {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    let mut schema = settings.into_generator().into_root_schema_for::<T>().to_value();
    without_null(&mut schema);
    schema["title"] = json!(format!("criwatch.{name}/1"));
    schema["description"] = json!(doc);
    schema["properties"]["schema"]["const"] = json!(format!("criwatch.{name}/1"));
    schema
}

/// Removes `null` from the schema's types: a key may be absent, but its value is never null.
fn without_null(schema: &mut Value) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(without_null),
        Value::Object(keys) => {
            if let Some(Value::Array(types)) = keys.get_mut("type") {
                types.retain(|t| t != "null");
                if let [only] = &types[..] {
                    keys["type"] = only.clone();
                }
            }
            if let Some(Value::Array(choices)) = keys.get_mut("anyOf") {
                choices.retain(|choice| *choice != json!({"type": "null"}));
                if let [Value::Object(only)] = &choices[..] {
                    let only = only.clone();
                    keys.remove("anyOf");
                    keys.extend(only);
                }
            }
            keys.values_mut().for_each(without_null);
        }
        _ => {}
    }
}

/// Formats JSON for readers: values that fit on a line stay on it, and keys keep their order.
pub(crate) fn pretty(json: &str) -> String {
    lines(json, 0)
}

fn lines(json: &str, indent: usize) -> String {
    const WIDTH: usize = 110;
    let (spaced, members) = (spaced(json), members(json));
    if indent + spaced.len() <= WIDTH || members.is_empty() {
        return spaced;
    }
    let inner = " ".repeat(indent + 2);
    let members: Vec<_> = members
        .iter()
        .map(|member| match member.starts_with('"').then(|| member.split_once("\":")).flatten() {
            Some((key, value)) => format!("{inner}{key}\": {}", lines(value, indent + 2)),
            None => format!("{inner}{}", lines(member, indent + 2)),
        })
        .collect();
    let (open, close) = (&json[..1], &json[json.len() - 1..]);
    format!("{open}\n{}\n{}{close}", members.join(",\n"), " ".repeat(indent))
}

/// The text with a space after each comma and colon outside of strings.
fn spaced(json: &str) -> String {
    let mut text = String::new();
    for (c, _, in_string) in marked(json) {
        text.push(c);
        if !in_string && (c == ',' || c == ':') {
            text.push(' ');
        }
    }
    text
}

/// The text between the outermost brackets, split at its commas; nothing for a text without brackets.
fn members(json: &str) -> Vec<&str> {
    if !json.starts_with(['{', '[']) {
        return Vec::new();
    }
    let (mut all, mut start, mut at) = (Vec::new(), 1, 0);
    for (c, depth, in_string) in marked(json) {
        if !in_string && (c == ',' && depth == 1 || depth == 0) {
            all.push(&json[start..at]);
            start = at + 1;
        }
        at += c.len_utf8();
    }
    all
}

/// Each character, how many brackets are open after it, and whether it is in a string.
fn marked(json: &str) -> impl Iterator<Item = (char, usize, bool)> {
    let (mut depth, mut in_string, mut escaped) = (0, false, false);
    json.chars().map(move |c| {
        let was = in_string;
        match c {
            _ if escaped => escaped = false,
            '\\' if in_string => escaped = true,
            '"' => in_string = !in_string,
            '{' | '[' if !in_string => depth += 1,
            '}' | ']' if !in_string => depth -= 1,
            _ => {}
        }
        (c, depth, was || in_string)
    })
}
