//! How a program keeps a record beyond the event or the snapshot that shows it, and reads one of its labels.

#![forbid(unsafe_code)]

use safer_ffi::c_char;
use safer_ffi::prelude::*;

use super::arguments::Text;
use super::panics::infallible;
use super::raw::view;
use super::{cri_container, cri_pod};

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

/// Keeps a pod's record beyond the container or the snapshot that shows it.
///
/// @param pod the record itself, not a copy of the struct; NULL: returns NULL
/// @return the same record; release it with cri_pod_unref
/// @note Never blocks. O(1).
#[ffi_export]
pub extern "C" fn cri_pod_ref(pod: *const cri_pod) -> *const cri_pod {
    infallible(pod, || view::retain(pod))
}

/// Releases a record that cri_pod_ref has kept.
///
/// @param pod the record; NULL: does nothing
/// @note Never blocks. O(1).
#[ffi_export]
pub extern "C" fn cri_pod_unref(pod: *const cri_pod) {
    infallible((), || view::release(pod))
}

/// Returns one of the container's own labels. cri_pod_label reads those of the pod.
///
/// @param container the record itself, not a copy of the struct; NULL: returns NULL
/// @param key the key of the label; NULL: returns NULL
/// @return the value, valid as long as the record; NULL if the container has no such label
/// @note Never blocks. O(log n) in the number of labels.
#[ffi_export]
pub extern "C" fn cri_container_label(container: *const cri_container, key: Text<'_>) -> *const c_char {
    infallible(std::ptr::null(), || label(container, key))
}

/// Returns one of the pod's labels.
///
/// @param pod the record itself, not a copy of the struct; NULL: returns NULL
/// @param key the key of the label; NULL: returns NULL
/// @return the value, valid as long as the record; NULL if the pod has no such label
/// @note Never blocks. O(log n) in the number of labels.
#[ffi_export]
pub extern "C" fn cri_pod_label(pod: *const cri_pod, key: Text<'_>) -> *const c_char {
    infallible(std::ptr::null(), || label(pod, key))
}

fn label<R: view::Record>(record: *const R, key: Text<'_>) -> *const c_char {
    key.map_or(std::ptr::null(), |key| view::label(record, key.to_bytes()))
}
