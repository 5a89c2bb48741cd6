//! Holds the library's JSON against the committed schemas (docs/schema).

#![allow(dead_code)] // Each test binary uses its part.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, OnceLock, PoisonError};

use jsonschema::Validator;
use serde_json::{Value, json};

/// The kinds that were seen and found right, in this process.
static SEEN: Mutex<BTreeMap<String, usize>> = Mutex::new(BTreeMap::new());

/// The JSON, if it says of itself what it is and is that, key by key: one that the schema does not know is a fault.
pub fn obey(text: &str) -> Result<Value, String> {
    let value: Value = serde_json::from_str(text).map_err(|e| format!("no JSON ({e}): {text}"))?;
    let kind = value["schema"].as_str().ok_or_else(|| format!("it does not say its schema: {text}"))?;
    let validator = validators().get(kind).ok_or_else(|| format!("docs/schema has no {kind}"))?;
    let faults: Vec<_> = validator.iter_errors(&value).map(|e| format!("{}: {e}", e.instance_path())).collect();
    if !faults.is_empty() {
        return Err(format!("{kind} does not obey its schema: {faults:#?}"));
    }
    *SEEN.lock().unwrap_or_else(PoisonError::into_inner).entry(kind.to_owned()).or_default() += 1;
    Ok(value)
}

/// Every kind that there is, and how often one was found right so far.
pub fn seen() -> BTreeMap<String, usize> {
    let seen = SEEN.lock().unwrap_or_else(PoisonError::into_inner);
    validators().keys().map(|kind| (kind.clone(), seen.get(kind).copied().unwrap_or_default())).collect()
}

fn validators() -> &'static BTreeMap<String, Validator> {
    static VALIDATORS: OnceLock<BTreeMap<String, Validator>> = OnceLock::new();
    VALIDATORS.get_or_init(|| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/schema");
        let files = std::fs::read_dir(&folder).expect("docs/schema can be read");
        let texts = files.map(|file| std::fs::read_to_string(file.expect("a file").path()).expect("a schema"));
        texts.map(|text| validator(serde_json::from_str(&text).expect("a schema is JSON"))).collect()
    })
}

fn validator(mut schema: Value) -> (String, Validator) {
    forbid_more(&mut schema);
    let kind = schema["title"].as_str().expect("a title").to_owned();
    let options = jsonschema::options().should_validate_formats(true);
    (kind, options.build(&schema).expect("a valid schema"))
}

/// Readers have to bear keys that they do not know; the writer has to have declared them.
fn forbid_more(schema: &mut Value) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(forbid_more),
        Value::Object(keys) => {
            keys.values_mut().for_each(forbid_more);
            if keys.get("properties").is_some_and(Value::is_object) && keys.get("type") == Some(&json!("object")) {
                keys.entry("additionalProperties").or_insert(json!(false));
            }
        }
        _ => {}
    }
}
