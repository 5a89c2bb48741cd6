//! The records that lookups return to C, and the arrays that C passes to them.

use std::sync::atomic::{AtomicPtr, Ordering};

use safer_ffi::c_char;

use super::snapshot;
use crate::ffi::cri_container;
use crate::portfolio::Snapshot;

/// The record of the container at a position of the snapshot. It is valid as long as the snapshot, which keeps the
/// container and its view. The snapshot remembers the address by position.
pub(in crate::ffi) fn record(of: &Snapshot, at: u32) -> *const cri_container {
    if let Some(known) = known(of.kept_at(at)) {
        return known;
    }
    // If two threads come here at the same time, both get the same record.
    let record = snapshot::record(of.container_at(at));
    of.kept_at(at).store(record.cast_mut().cast(), Ordering::Release);
    record
}

/// The record that is kept in this place, if it was found before.
#[inline]
pub(in crate::ffi) fn known(place: &AtomicPtr<()>) -> Option<*const cri_container> {
    let record = place.load(Ordering::Acquire);
    (!record.is_null()).then(|| record.cast_const().cast())
}

/// An array that C passes in; `None` for NULL.
pub(in crate::ffi) fn slice<'a, T>(array: *const T, len: usize) -> Option<&'a [T]> {
    if len == 0 {
        return Some(&[]);
    }
    // SAFETY: not NULL, and `len` values long during the call: the header asks for that.
    (!array.is_null()).then(|| unsafe { std::slice::from_raw_parts(array, len) })
}

/// An array that the library fills for C; `None` for NULL.
pub(in crate::ffi) fn slice_mut<'a, T>(array: *mut T, len: usize) -> Option<&'a mut [T]> {
    if len == 0 {
        return Some(&mut []);
    }
    // SAFETY: as above; and nobody else uses it during the call.
    (!array.is_null()).then(|| unsafe { std::slice::from_raw_parts_mut(array, len) })
}

/// A text that C passes in with its length; `None` for NULL.
pub(in crate::ffi) fn bytes<'a>(text: *const c_char, len: usize) -> Option<&'a [u8]> {
    slice(text.cast(), len)
}
