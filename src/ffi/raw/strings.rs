//! The strings that one record points to.

use safer_ffi::c_char;

use crate::ffi::cri_label;
use crate::model::Labels;

/// The strings of one record, each with a NUL behind it, in one allocation.
pub(super) struct Strings {
    /// Begins with a NUL: "" is at 0.
    bytes: Vec<u8>,
}

/// Where a string begins. Take a pointer only when all strings are added: until then they may move.
#[derive(Clone, Copy)]
pub(super) struct Place(usize);

impl Default for Strings {
    fn default() -> Self {
        Strings { bytes: vec![0] }
    }
}

impl Strings {
    pub(super) fn add(&mut self, text: &str) -> Place {
        if text.is_empty() {
            return Place(0);
        }
        let place = Place(self.bytes.len());
        self.bytes.extend_from_slice(text.as_bytes());
        self.bytes.push(0);
        place
    }

    /// Gives back the room that is not needed. No string is added after this.
    pub(super) fn shrink(&mut self) {
        self.bytes.shrink_to_fit();
    }

    pub(super) fn at(&self, place: Place) -> *const c_char {
        self.bytes[place.0..].as_ptr().cast()
    }
}

/// Shows labels to C. The texts are those of the labels, which have to be kept as long.
pub(super) fn show_labels(labels: &Labels) -> Box<[cri_label]> {
    let label = |(key, value): (&[u8], &[u8])| cri_label { key: key.as_ptr().cast(), value: value.as_ptr().cast() };
    labels.with_nul().map(label).collect()
}
