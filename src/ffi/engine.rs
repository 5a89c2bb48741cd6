//! Engine
//!
//! Requests to the engine itself. They work on a watcher that was never started, too.

#![forbid(unsafe_code)]

use safer_ffi::prelude::*;

use super::guard::{Text, fill, optional_text, text, timeout};
use super::watcher::live;
use super::{cri_buffer, cri_error, cri_watcher};
use crate::error::{Result, Status};
use crate::model::JsonText;

/// Asks the engine for everything it knows of one container or sandbox, in whatever state it is.
///
/// @param watcher the watcher
/// @param id_or_name an id, "namespace/pod/container", a container's name, or at least 6 hex digits that an id begins
/// with
/// @param flags 0, or CRI_INSPECT_REQUIRE_PROCESS, CRI_INSPECT_SHOW_ENV
/// @param timeout_ms how long to wait; below 0: for ever, 0: not at all
/// @param out receives JSON, "criwatch.inspect/1"; free with cri_buffer_free
/// @return CRI_OK; CRI_E_NOT_FOUND; CRI_E_AMBIGUOUS, with the candidates in the message; CRI_E_PROCESSLESS, only with
/// CRI_INSPECT_REQUIRE_PROCESS; CRI_E_CONNECT, CRI_E_PERMISSION, CRI_E_RPC, CRI_E_TIMEOUT, CRI_E_UNSUPPORTED,
/// CRI_E_PROTOCOL: the engine cannot be asked; CRI_E_STOPPED, CRI_E_FORKED, CRI_E_INVALID_ARGUMENT
/// @note Blocks up to timeout_ms; cri_watcher_stop ends the wait.
#[ffi_export]
#[must_use]
pub extern "C" fn cri_watcher_inspect(
    watcher: Option<&cri_watcher>,
    id_or_name: Text<'_>,
    flags: u32,
    timeout_ms: i64,
    out: Option<&mut cri_buffer>,
    err: Option<&mut *mut cri_error>,
) -> Status {
    fill(out, err, || inspect(watcher, id_or_name, flags, timeout_ms))
}

fn inspect(watcher: Option<&cri_watcher>, id_or_name: Text<'_>, flags: u32, timeout_ms: i64) -> Result<JsonText> {
    live(watcher)?.inspect(text(id_or_name, "id_or_name")?, flags, timeout(timeout_ms))
}

/// Calls any unary RPC of the engine's RuntimeService or ImageService. Request and reply are in the canonical JSON of
/// protocol buffers: lowerCamelCase keys, enums by name, 64-bit integers and bytes as strings; the reply has every field,
/// defaults too. Only RPCs that read, unless the option call.allow_mutations is set. The values of environment variables
/// in the verbose `info` of a reply are redacted, unless the option call.show_env is set.
///
/// @param watcher the watcher
/// @param method e.g. "RuntimeService/Status"
/// @param request JSON, e.g. "{\"verbose\":true}"; NULL or "": a request without a field
/// @param timeout_ms how long to wait; below 0: for ever, 0: not at all. What was asked for may be done all the same.
/// @param out receives JSON; free with cri_buffer_free
/// @return CRI_OK; CRI_E_PERMISSION for an RPC that may change something, without call.allow_mutations;
/// CRI_E_UNSUPPORTED for one that answers with a stream (the message says what to use instead), and for all in a build
/// without calls; CRI_E_INVALID_ARGUMENT for an RPC that does not exist (the message lists those that do) and for a
/// request that is not what it takes (the message names the field); CRI_E_NOT_FOUND, CRI_E_RPC, CRI_E_TIMEOUT,
/// CRI_E_CONNECT, CRI_E_PROTOCOL: the engine refused or cannot be asked, and the error carries its gRPC code;
/// CRI_E_STOPPED, CRI_E_FORKED
/// @note Blocks up to timeout_ms; cri_watcher_stop ends the wait.
#[ffi_export]
#[must_use]
pub extern "C" fn cri_watcher_call(
    watcher: Option<&cri_watcher>,
    method: Text<'_>,
    request: Text<'_>,
    timeout_ms: i64,
    out: Option<&mut cri_buffer>,
    err: Option<&mut *mut cri_error>,
) -> Status {
    fill(out, err, || call(watcher, method, request, timeout_ms))
}

fn call(watcher: Option<&cri_watcher>, method: Text<'_>, request: Text<'_>, timeout_ms: i64) -> Result<JsonText> {
    let (method, request) = (text(method, "method")?, optional_text(request, "request")?);
    live(watcher)?.call(method, request, timeout(timeout_ms))
}
