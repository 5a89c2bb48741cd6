//! A finished text that many owners can share.

use std::fmt;
use std::sync::{Arc, Weak};

/// An immutable, shared text. A NUL follows it, for C.
#[derive(Clone, PartialEq, Eq)]
pub struct SharedText(Arc<Vec<u8>>);

impl From<String> for SharedText {
    fn from(text: String) -> Self {
        let mut bytes = text.into_bytes();
        bytes.push(0);
        SharedText(Arc::new(bytes))
    }
}

impl SharedText {
    /// A weak reference to the text.
    pub(crate) fn downgrade(&self) -> WeakText {
        WeakText(Arc::downgrade(&self.0))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0[..self.0.len() - 1]).expect("it was made of a string")
    }

    /// The text and the NUL that follows it.
    pub fn as_bytes_with_nul(&self) -> &[u8] {
        &self.0
    }
}

/// A weak reference to a text.
pub(crate) struct WeakText(Weak<Vec<u8>>);

impl WeakText {
    /// The text, if it still exists.
    pub fn upgrade(&self) -> Option<SharedText> {
        self.0.upgrade().map(SharedText)
    }
}

impl fmt::Display for SharedText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for SharedText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
