//! `-o`: the forms in which sub-commands print.

mod custom_columns;
mod yaml;

use std::str::FromStr;

use serde_json::Value;

use crate::exit::Failure;
use crate::terminal::Out;
use crate::text::escaped_lines;

pub use custom_columns::CustomColumns;

/// A form of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListForm {
    Table,
    Wide,
    Json,
    JsonLines,
    Yaml,
    Name,
    Custom(CustomColumns),
}

impl ListForm {
    /// The words for the forms, for help and completion.
    pub const WORDS: [&str; 7] = ["table", "wide", "json", "jsonl", "yaml", "name", "custom-columns="];
}

impl FromStr for ListForm {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Ok(match text {
            "table" => ListForm::Table,
            "wide" => ListForm::Wide,
            "json" => ListForm::Json,
            "jsonl" => ListForm::JsonLines,
            "yaml" => ListForm::Yaml,
            "name" => ListForm::Name,
            _ => match text.strip_prefix("custom-columns=") {
                Some(columns) => ListForm::Custom(columns.parse()?),
                None => return Err(format!("it is none of {}", Self::WORDS.join(", "))),
            },
        })
    }
}

/// A form of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum DocumentForm {
    Table,
    Json,
    Yaml,
}

/// Prints a document of the library. The JSON is the library's, byte by byte, with one document a line, so that scripts
/// can compare it. Only on a terminal is it indented.
pub fn print_json(out: &mut Out, document: &str) -> Result<(), Failure> {
    if !out.is_terminal {
        return out.raw_line(document);
    }
    let text = indented(&parsed(document)?);
    out.raw_line(&text)
}

/// Prints a document as YAML.
pub fn print_yaml(out: &mut Out, document: &str) -> Result<(), Failure> {
    out.raw("---\n")?;
    out.raw(&yaml::dump(&parsed(document)?))
}

/// Prints a document in one of the forms for programs.
pub fn print_document(out: &mut Out, document: &str, form: DocumentForm) -> Result<(), Failure> {
    match form {
        DocumentForm::Yaml => print_yaml(out, document),
        DocumentForm::Json | DocumentForm::Table => print_json(out, document),
    }
}

/// Parses a document.
pub fn parsed(document: &str) -> Result<Value, Failure> {
    let defect = |error| Failure { exit: crate::exit::Exit::Defect, message: format!("this is no JSON: {error}") };
    serde_json::from_str(document).map_err(defect)
}

/// A document whose list under `key` has only the entries with these ids, in this order.
pub fn restricted(document: &str, key: &str, ids: &[&str]) -> Result<String, Failure> {
    let mut value = parsed(document)?;
    if let Some(Value::Array(all)) = value.get_mut(key) {
        let mut by_id: std::collections::HashMap<String, Value> = std::mem::take(all)
            .into_iter()
            .filter_map(|one| Some((one.get("id")?.as_str()?.to_owned(), one)))
            .collect();
        all.extend(ids.iter().filter_map(|id| by_id.remove(*id)));
    }
    Ok(value.to_string())
}

fn indented(value: &Value) -> String {
    let text = serde_json::to_string_pretty(value).expect("a value has JSON");
    // In JSON, a character beyond the first 65,536 is written as two.
    let spelled = |c: char| c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect();
    escaped_lines(&text, spelled).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn on_a_terminal_nothing_in_json_moves_the_cursor() {
        let hostile = Value::from("\x1b[31m \u{9b}2J \u{7f} \u{202e} \u{e0001} \u{2028}");
        let shown = indented(&hostile);
        assert!(shown.is_ascii(), "{shown}");
        assert_eq!(serde_json::from_str::<Value>(&shown).unwrap(), hostile);
    }

    #[test]
    fn a_restricted_document_keeps_all_else() {
        let document =
            r#"{"schema":"s/1","pods":[{"id":"a","z":1,"b":2},{"id":"b"},{"id":"c"}],"last":18446744073709551615}"#;
        let expected = r#"{"schema":"s/1","pods":[{"id":"c"},{"id":"a","z":1,"b":2}],"last":18446744073709551615}"#;
        assert_eq!(restricted(document, "pods", &["c", "a", "nobody"]).unwrap(), expected);
    }

    #[test]
    fn forms() {
        assert_eq!("jsonl".parse(), Ok(ListForm::JsonLines));
        assert!("xml".parse::<ListForm>().is_err());
        assert!(matches!("custom-columns=A:.a".parse(), Ok(ListForm::Custom(_))));
        assert!("custom-columns=A".parse::<ListForm>().is_err());
    }
}
