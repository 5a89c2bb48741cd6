//! Buffers
//!
//! JSON comes in buffers. Copies of one text may share their memory: treat it as read-only.

#![forbid(unsafe_code)]

use std::ffi::c_void;

use safer_ffi::c_char;
use safer_ffi::prelude::*;

use super::panics::infallible;
use super::raw;
use crate::model::JsonText;

/// A text that the library made. Begin with CRI_BUFFER_INIT.
#[derive_ReprC]
#[repr(C)]
pub struct cri_buffer {
    /// The text; a NUL follows its last byte. NULL in an empty buffer.
    pub data: *const c_char,
    /// How many bytes it has, without that NUL.
    pub len: usize,
    /// The library's.
    pub owner: *mut c_void,
}

impl cri_buffer {
    pub(super) const EMPTY: cri_buffer = cri_buffer { data: std::ptr::null(), len: 0, owner: std::ptr::null_mut() };

    /// The text, shared with all others that hold it.
    pub(super) fn new(text: JsonText) -> Self {
        let bytes = text.as_bytes_with_nul();
        let (data, len) = (bytes.as_ptr().cast(), bytes.len() - 1);
        cri_buffer { data, len, owner: raw::share(text) }
    }
}

/// Frees what a buffer holds, and empties it.
///
/// @param buffer the buffer; NULL or an empty one: nothing happens
/// @note Never blocks.
#[ffi_export]
pub extern "C" fn cri_buffer_free(buffer: Option<&mut cri_buffer>) {
    infallible((), || buffer.map_or((), empty))
}

fn empty(buffer: &mut cri_buffer) {
    raw::unshare(std::mem::replace(buffer, cri_buffer::EMPTY).owner);
}
