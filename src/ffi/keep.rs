//! How a program keeps a record beyond the event or the snapshot that shows it.

#![forbid(unsafe_code)]

use safer_ffi::prelude::*;

use super::cri_container;
use super::panics::infallible;
use super::raw::view;

/// Keeps a record, and with it its pod, beyond the event or the snapshot that shows it.
///
/// @param container a record that is still there: no copy of the struct; NULL: NULL
/// @return the same record; give it back with cri_container_unref
/// @note Never blocks.
#[ffi_export]
pub extern "C" fn cri_container_ref(container: *const cri_container) -> *const cri_container {
    infallible(container, || view::retain(container))
}

/// Gives back what cri_container_ref gave.
///
/// @param container the record; NULL: nothing happens
/// @note Never blocks.
#[ffi_export]
pub extern "C" fn cri_container_unref(container: *const cri_container) {
    infallible((), || view::release(container))
}
