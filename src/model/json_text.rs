//! A finished JSON text that many can hold at once.

use std::fmt;
use std::sync::Arc;

use crate::error::{CRI_E_INVALID_ARGUMENT, Error, Result};

/// An immutable, shared JSON text. A NUL follows it, for C.
#[derive(Clone, PartialEq, Eq)]
pub struct JsonText(Arc<[u8]>);

impl JsonText {
    /// The JSON of plain data.
    pub(crate) fn of(value: &impl serde::Serialize) -> Self {
        let mut text = serde_json::to_vec(value).expect("plain data has JSON");
        text.push(0);
        JsonText(text.into())
    }

    /// A text that somebody else wrote, if it is JSON.
    pub fn checked(text: &str) -> Result<Self> {
        match serde_json::from_str::<&serde_json::value::RawValue>(text) {
            Ok(json) => Ok(json.get().to_owned().into()),
            Err(e) => Err(Error::new(CRI_E_INVALID_ARGUMENT, format!("{:?} is no JSON: {e}", shortened(text)))),
        }
    }

    /// The text, to stand in another one.
    pub(crate) fn as_raw(&self) -> &serde_json::value::RawValue {
        serde_json::from_str(self.as_str()).expect("it is JSON")
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0[..self.0.len() - 1]).expect("JSON is UTF-8")
    }

    /// The text and the NUL that follows it.
    pub fn as_bytes_with_nul(&self) -> &[u8] {
        &self.0
    }
}

/// Enough of a text to know it by.
fn shortened(text: &str) -> String {
    const MOST: usize = 100;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}

impl From<String> for JsonText {
    /// The text has to be JSON already.
    fn from(text: String) -> Self {
        let mut bytes = text.into_bytes();
        bytes.push(0);
        JsonText(bytes.into())
    }
}

impl fmt::Display for JsonText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for JsonText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
