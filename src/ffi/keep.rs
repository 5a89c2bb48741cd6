//! How a program keeps a record beyond the event or the snapshot that shows it.

#![forbid(unsafe_code)]

use safer_ffi::prelude::*;

use super::cri_container;
use super::panics::infallible;
use super::raw::view;

/// Keeps a record, and with it its pod, beyond the event or the snapshot that shows it.
///
/// @param container the record itself, not a copy of the struct; NULL: returns NULL
/// @return the same record; release it with cri_container_unref
/// @note Never blocks. O(1).
#[ffi_export]
pub extern "C" fn cri_container_ref(container: *const cri_container) -> *const cri_container {
    infallible(container, || view::retain(container))
}

/// Releases a record that cri_container_ref has kept.
///
/// @param container the record; NULL: does nothing
/// @note Never blocks. O(1).
#[ffi_export]
pub extern "C" fn cri_container_unref(container: *const cri_container) {
    infallible((), || view::release(container))
}
