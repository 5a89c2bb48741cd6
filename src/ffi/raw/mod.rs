//! The unsafe lines of the C boundary: what C holds by pointer, and the threads that call C.

#![allow(unsafe_code)]

pub(super) mod attributes;
pub(super) mod callback;
mod details;
pub(super) mod event;
pub(super) mod found;
pub(super) mod snapshot;
mod strings;
mod task;
pub(super) mod view;

use std::ffi::c_void;

use crate::model::SharedText;

/// Puts a text into the `owner` of a buffer.
pub(super) fn share(text: SharedText) -> *mut c_void {
    Box::into_raw(Box::new(text)).cast()
}

/// Drops a text from `share`; NULL does nothing.
pub(super) fn unshare(owner: *mut c_void) {
    if !owner.is_null() {
        // SAFETY: a buffer's owner is NULL or from `share`; the caller has just taken it out of the buffer, so it
        // comes here once.
        drop(unsafe { Box::from_raw(owner.cast::<SharedText>()) });
    }
}

/// What an entry gave to C, for tests.
#[cfg(test)]
pub(super) fn test_take<T>(pointer: *mut T) -> Box<T> {
    assert!(!pointer.is_null());
    // SAFETY: the tests hand over what an entry has made with Box::into_raw.
    unsafe { Box::from_raw(pointer) }
}
