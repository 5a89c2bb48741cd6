//! Errors
//!
//! An error object has the status, a message with all causes, and the gRPC code or the errno, if there is one. It
//! never changes.

#![forbid(unsafe_code)]

use std::ffi::{CStr, CString};

use safer_ffi::prelude::*;

use super::handle::{Handle, Opaque, opaque, taken};
use super::panics::infallible;
use crate::error::{CRI_OK, Error, STATUSES, Status};
use crate::table::constant_of;

/// An error.
#[derive_ReprC]
#[repr(opaque)]
pub struct cri_error {
    handle: Handle<Failure>,
}

opaque!(cri_error: Failure);

pub(super) struct Failure {
    pub(super) error: Error,
    message: CString,
}

impl cri_error {
    /// An object for the caller; none where the caller does not want one.
    pub(super) fn into_raw_if(wanted: bool, error: Error) -> *mut cri_error {
        if !wanted {
            return std::ptr::null_mut();
        }
        Box::into_raw(Box::new(cri_error::new(Failure { message: c_string(error.message()), error })))
    }
}

fn c_string(text: &str) -> CString {
    CString::new(text.replace('\0', "\u{fffd}")).expect("no NUL is left")
}

/// Returns the name of a status, e.g. "CRI_E_TIMEOUT".
///
/// @param status any number
/// @return a static string, never NULL; do not free it; "CRI_E_UNKNOWN_STATUS" for an unknown number
/// @note Never blocks. O(1).
#[ffi_export]
pub extern "C" fn cri_status_name(status: Status) -> char_p::Ref<'static> {
    name_of(status).into()
}

fn name_of(status: Status) -> &'static CStr {
    constant_of(STATUSES, status).map_or(c"CRI_E_UNKNOWN_STATUS", |s| s.c_word)
}

/// Returns the status that the failed call returned.
///
/// @param error the error; NULL: CRI_OK
/// @return the status
/// @note Never blocks. O(1).
#[ffi_export]
pub extern "C" fn cri_error_status(error: Option<&cri_error>) -> Status {
    error.and_then(Opaque::get).map_or(CRI_OK, |e| e.error.status())
}

/// Returns the whole message: what failed, on what, why, and what to do.
///
/// @param error the error; NULL: ""
/// @return a string that is valid until the error is freed; never NULL
/// @note Never blocks. O(1).
#[ffi_export]
pub extern "C" fn cri_error_message(error: Option<&cri_error>) -> char_p::Ref<'_> {
    error.and_then(Opaque::get).map_or(char_p::Ref::EMPTY, |e| e.message.as_c_str().into())
}

/// Returns the gRPC status code, if the error came from the engine.
///
/// @param error the error; NULL: -1
/// @return the code; -1: none
/// @note Never blocks. O(1).
#[ffi_export]
pub extern "C" fn cri_error_grpc_code(error: Option<&cri_error>) -> i32 {
    error.and_then(Opaque::get).and_then(|e| e.error.grpc_code()).unwrap_or(-1)
}

/// Returns the errno, if the error came from a system call.
///
/// @param error the error; NULL: 0
/// @return the errno; 0: none
/// @note Never blocks. O(1).
#[ffi_export]
pub extern "C" fn cri_error_os_code(error: Option<&cri_error>) -> i32 {
    error.and_then(Opaque::get).and_then(|e| e.error.os_code()).unwrap_or(0)
}

/// Returns whether the same call may succeed if the program simply tries it again later.
///
/// @param error the error; NULL: 0
/// @return 1: yes; 0: no
/// @note Never blocks. O(1).
#[ffi_export]
pub extern "C" fn cri_error_is_retriable(error: Option<&cri_error>) -> i32 {
    error.and_then(Opaque::get).is_some_and(|e| e.error.is_retriable()).into()
}

/// Frees an error.
///
/// @param error the error; NULL: does nothing
/// @note Never blocks. O(1).
#[ffi_export]
pub extern "C" fn cri_error_free(error: Option<repr_c::Box<cri_error>>) {
    infallible((), || drop(taken::<cri_error>(error)))
}
