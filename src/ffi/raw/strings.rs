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

    pub(super) fn at(&self, place: Place) -> *const c_char {
        self.bytes[place.0..].as_ptr().cast()
    }

    pub(super) fn add_labels(&mut self, labels: &Labels) -> Vec<(Place, Place)> {
        labels.iter().map(|(key, value)| (self.add(key), self.add(value))).collect()
    }

    pub(super) fn labels_at(&self, places: &[(Place, Place)]) -> Vec<cri_label> {
        places.iter().map(|(key, value)| cri_label { key: self.at(*key), value: self.at(*value) }).collect()
    }
}
