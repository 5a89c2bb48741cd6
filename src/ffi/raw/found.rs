//! What lookups give to C, and the arrays that C asks with.

use std::sync::Arc;
use std::sync::atomic::{AtomicPtr, Ordering};

use safer_ffi::c_char;

use super::snapshot;
use crate::ffi::cri_container;
use crate::portfolio::Snapshot;

/// Records by position, each once it was found. They live as long as their containers, which keep their views.
struct Records(Box<[AtomicPtr<cri_container>]>);

/// The record of the container at a position of the snapshot; valid as long as the snapshot. After the first time, two
/// loads from memory.
pub(in crate::ffi) fn record(of: &Snapshot, at: u32) -> *const cri_container {
    let (kept, count, place) = of.kept_at(at);
    let records = kept.get_ref(|| Arc::new(Records((0..count).map(|_| AtomicPtr::default()).collect())));
    let place = &records.0[place];
    let known = place.load(Ordering::Acquire);
    if !known.is_null() {
        return known;
    }
    // Two threads that come at the same time get the same record.
    let record = snapshot::record(of.container_at(at));
    place.store(record.cast_mut(), Ordering::Release);
    record
}

/// An array of C's; `None` for NULL.
pub(in crate::ffi) fn slice<'a, T>(array: *const T, len: usize) -> Option<&'a [T]> {
    if len == 0 {
        return Some(&[]);
    }
    // SAFETY: not NULL, and `len` values long during the call: the header asks for that.
    (!array.is_null()).then(|| unsafe { std::slice::from_raw_parts(array, len) })
}

/// An array that C wants filled; `None` for NULL.
pub(in crate::ffi) fn slice_mut<'a, T>(array: *mut T, len: usize) -> Option<&'a mut [T]> {
    if len == 0 {
        return Some(&mut []);
    }
    // SAFETY: as above; and nobody else uses it during the call.
    (!array.is_null()).then(|| unsafe { std::slice::from_raw_parts_mut(array, len) })
}

/// A text with a length.
pub(in crate::ffi) fn bytes<'a>(text: *const c_char, len: usize) -> Option<&'a [u8]> {
    slice(text.cast(), len)
}
