//! A finished JSON text that many can hold at once.

use std::fmt;
use std::sync::Arc;

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

    /// The text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0[..self.0.len() - 1]).expect("JSON is UTF-8")
    }

    /// The text and the NUL that follows it.
    pub fn as_bytes_with_nul(&self) -> &[u8] {
        &self.0
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
