//! The strings that one record points to.

use safer_ffi::c_char;

use crate::ffi::cri_label;
use crate::model::Labels;

/// The strings of one record, each followed by a NUL, in one allocation.
pub(super) struct Strings {
    /// Begins with a NUL, so the place of "" is 0.
    bytes: Vec<u8>,
}

/// Where a string begins. Take pointers only after the last string was added, because until then the strings may move.
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

    /// Frees the memory that is not needed. Add no string after this.
    pub(super) fn shrink(&mut self) {
        self.bytes.shrink_to_fit();
    }

    pub(super) fn at(&self, place: Place) -> *const c_char {
        self.bytes[place.0..].as_ptr().cast()
    }
}

/// Shows labels to C. The result points into `labels`, so the caller keeps these as long as the result.
pub(super) fn show_labels(labels: &Labels) -> Box<[cri_label]> {
    let label = |(key, value): (&[u8], &[u8])| cri_label { key: key.as_ptr().cast(), value: value.as_ptr().cast() };
    labels.with_nul().map(label).collect()
}
