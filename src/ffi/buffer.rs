//! Buffers
//!
//! Functions return JSON in buffers. Several buffers may share the memory of one text, so the text is read-only.

#![forbid(unsafe_code)]

use std::ffi::c_void;

use safer_ffi::c_char;
use safer_ffi::prelude::*;

use super::panics::infallible;
use super::raw;
use crate::model::SharedText;

/// A text that the library made. Set it to CRI_BUFFER_INIT before its first use.
#[derive_ReprC]
#[repr(C)]
pub struct cri_buffer {
    /// The text, followed by a NUL. NULL: the buffer is empty.
    pub data: *const c_char,
    /// The length of the text in bytes, without the NUL.
    pub len: usize,
    /// Reserved for the library.
    pub owner: *mut c_void,
}

impl cri_buffer {
    pub(super) const EMPTY: cri_buffer = cri_buffer { data: std::ptr::null(), len: 0, owner: std::ptr::null_mut() };

    /// The text, shared with all others that hold it.
    pub(super) fn new(text: SharedText) -> Self {
        let bytes = text.as_bytes_with_nul();
        let (data, len) = (bytes.as_ptr().cast(), bytes.len() - 1);
        cri_buffer { data, len, owner: raw::share(text) }
    }
}

/// Frees the text of a buffer, and makes the buffer empty.
///
/// @param buffer the buffer; NULL or an empty one: does nothing
/// @note Never blocks. O(1).
#[ffi_export]
pub extern "C" fn cri_buffer_free(buffer: Option<&mut cri_buffer>) {
    infallible((), || buffer.map_or((), empty))
}

fn empty(buffer: &mut cri_buffer) {
    raw::unshare(std::mem::replace(buffer, cri_buffer::EMPTY).owner);
}
