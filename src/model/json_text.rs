//! A finished JSON text that many owners can share.

use std::fmt;

use super::{SharedText, WeakText};
use crate::error::{CRI_E_INVALID_ARGUMENT, Error, Result};

/// An immutable, shared JSON text. A NUL follows it, for C.
#[derive(Clone, PartialEq, Eq)]
pub struct JsonText(SharedText);

impl JsonText {
    /// The JSON of plain data.
    pub(crate) fn of(value: &impl serde::Serialize) -> Self {
        serde_json::to_string(value).expect("plain data has JSON").into()
    }

    /// A JSON text from somebody else. The error says why it is not JSON.
    pub fn checked(text: &str) -> Result<Self> {
        match serde_json::from_str::<&serde_json::value::RawValue>(text) {
            Ok(json) => Ok(json.get().to_owned().into()),
            Err(e) => Err(Error::new(CRI_E_INVALID_ARGUMENT, format!("{:?} is no JSON: {e}", shortened(text)))),
        }
    }

    /// A weak reference to the text.
    pub(crate) fn downgrade(&self) -> WeakText {
        self.0.downgrade()
    }

    /// The text, for use in another JSON text.
    pub(crate) fn as_raw(&self) -> &serde_json::value::RawValue {
        serde_json::from_str(self.as_str()).expect("it is JSON")
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The text and the NUL that follows it.
    pub fn as_bytes_with_nul(&self) -> &[u8] {
        self.0.as_bytes_with_nul()
    }
}

/// The begin of a text, enough to recognize it.
fn shortened(text: &str) -> String {
    const MOST: usize = 100;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}

impl From<String> for JsonText {
    /// Takes a text that is known to be JSON.
    fn from(text: String) -> Self {
        JsonText(text.into())
    }
}

impl From<SharedText> for JsonText {
    /// Takes a text that is known to be JSON.
    fn from(text: SharedText) -> Self {
        JsonText(text)
    }
}

impl From<JsonText> for SharedText {
    fn from(json: JsonText) -> Self {
        json.0
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
