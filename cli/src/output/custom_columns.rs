//! `-o custom-columns=NAME:.pod.name,PID:.pid`: values of the library's JSON as a table. Pure.

use std::str::FromStr;

use serde_json::Value;

use crate::text::printable;
use crate::words::NOTHING;

/// Titles, and the paths of the values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomColumns(Vec<(String, Vec<Step>)>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Key(String),
    At(usize),
}

impl FromStr for CustomColumns {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let column = |part: &str| {
            let wrong = || format!("{part:?} is not TITLE:.path.to[0].value, as POD:.pod.name");
            let (title, path) = part.split_once(':').filter(|(title, _)| !title.is_empty()).ok_or_else(wrong)?;
            Ok((title.to_owned(), steps(path).ok_or_else(wrong)?))
        };
        text.split(',').map(column).collect::<Result<_, _>>().map(CustomColumns)
    }
}

/// The steps of a path such as `.pod.ips[0]`; a key that contains dots is written as
/// `.labels['app.kubernetes.io/name']`.
fn steps(path: &str) -> Option<Vec<Step>> {
    let mut rest = path;
    let mut steps = Vec::new();
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix("['") {
            let (key, after) = after.split_once("']")?;
            steps.push(Step::Key(key.into()));
            rest = after;
        } else if let Some(after) = rest.strip_prefix('[') {
            let (number, after) = after.split_once(']')?;
            steps.push(Step::At(number.parse().ok()?));
            rest = after;
        } else {
            let after = rest.strip_prefix('.')?;
            let end = after.find(['.', '[']).unwrap_or(after.len());
            (end > 0).then_some(())?;
            steps.push(Step::Key(after[..end].into()));
            rest = &after[end..];
        }
    }
    (!steps.is_empty()).then_some(steps)
}

impl CustomColumns {
    /// The lines for these values, after a line with the titles.
    pub fn lines<'a>(&self, values: impl IntoIterator<Item = &'a Value>) -> Vec<String> {
        let titles = self.0.iter().map(|(title, _)| title.clone()).collect::<Vec<_>>();
        let row = |value: &Value| self.0.iter().map(|(_, path)| cell(value, path)).collect::<Vec<_>>();
        let rows: Vec<Vec<String>> = std::iter::once(titles).chain(values.into_iter().map(row)).collect();
        let width = |at: usize| rows.iter().map(|row| crate::text::width_of(&row[at])).max().unwrap_or(0);
        let widths: Vec<usize> = (0..self.0.len()).map(width).collect();
        let line = |row: &Vec<String>| {
            let padded = row.iter().zip(&widths).map(|(cell, width)| {
                let padding = width.saturating_sub(crate::text::width_of(cell));
                format!("{cell}{}", " ".repeat(padding))
            });
            padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
        };
        rows.iter().map(line).collect()
    }
}

fn cell(value: &Value, path: &[Step]) -> String {
    let step = |value: &Value, step: &Step| match step {
        Step::Key(key) => value.get(key).cloned(),
        Step::At(at) => value.get(at).cloned(),
    };
    let found = path.iter().try_fold(value.clone(), |value, next| step(&value, next));
    let text = match found {
        None | Some(Value::Null) => NOTHING.into(),
        Some(Value::String(text)) => text,
        Some(other) => other.to_string(),
    };
    printable(&text).into_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_found() {
        let columns: CustomColumns =
            "NAME:.name,IP:.pod.ips[0],APP:.labels['app.kubernetes.io/name'],ALL:.pod".parse().unwrap();
        let values = [
            json!({"name": "nginx", "pod": {"ips": ["10.0.0.7"]}, "labels": {"app.kubernetes.io/name": "web"}}),
            json!({"name": "a\nb"}),
        ];
        assert_eq!(
            columns.lines(&values),
            [
                "NAME    IP        APP  ALL",
                "nginx   10.0.0.7  web  {\"ips\":[\"10.0.0.7\"]}",
                "a\\x0ab  -         -    -"
            ]
        );
    }

    #[test]
    fn what_is_no_path_is_refused() {
        for text in ["", "A", "A:", ":.a", "A:a", "A:.", "A:.a[", "A:.a[x]", "A:.a,", "A:.a..b"] {
            assert!(text.parse::<CustomColumns>().is_err(), "{text}");
        }
    }
}
