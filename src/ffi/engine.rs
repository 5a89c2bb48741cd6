//! Engine
//!
//! These functions send requests to the engine. They also work on a watcher that is not started.

#![forbid(unsafe_code)]

use safer_ffi::prelude::*;

use super::arguments::{Text, optional_text, text, timeout};
use super::guard::fill;
use super::watcher::live;
use super::{cri_buffer, cri_error, cri_watcher};
use crate::error::{Result, Status};
use crate::model::JsonText;

/// Asks the engine for everything it knows about one container or sandbox, in any state.
///
/// @param watcher the watcher
/// @param id_or_name an id, "namespace/pod/container" (for a sandbox "namespace/pod"), a container name, a pod name, or
/// an id prefix of at least 6 hex digits
/// @param flags 0, or bits of CRI_INSPECT_REQUIRE_PROCESS, CRI_INSPECT_SHOW_ENV and CRI_INSPECT_SEPARATE_ANNOTATIONS
/// @param timeout_ms how long to wait, in milliseconds; below 0: no limit; 0: no wait
/// @param out receives JSON, "criwatch.inspect/1"; free with cri_buffer_free
/// @return CRI_OK; CRI_E_NOT_FOUND; CRI_E_AMBIGUOUS, with the candidates in the message; CRI_E_PROCESSLESS, only
/// with CRI_INSPECT_REQUIRE_PROCESS; CRI_E_CONNECT, CRI_E_PERMISSION, CRI_E_RPC, CRI_E_TIMEOUT, CRI_E_UNSUPPORTED,
/// CRI_E_PROTOCOL if the request to the engine failed; CRI_E_STOPPED, CRI_E_FORKED, CRI_E_INVALID_ARGUMENT
/// @note Blocks up to timeout_ms. cri_watcher_stop ends the wait.
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

/// Calls any unary RPC of the engine's RuntimeService or ImageService. Request and reply are the canonical JSON of
/// protocol buffers: keys in lowerCamelCase, enums by name, 64-bit integers and bytes as strings. The reply has
/// every field, also those with default values. Only RPCs that read are allowed, unless the option
/// call.allow_mutations is set. In the verbose `info` of a reply, the values of environment variables are redacted,
/// unless the option call.show_env is set.
///
/// @param watcher the watcher
/// @param method the RPC, e.g. "RuntimeService/Status"
/// @param request the request as JSON, e.g. "{\"verbose\":true}"; NULL or "": an empty request
/// @param timeout_ms how long to wait, in milliseconds; below 0: no limit; 0: no wait. After a timeout, the engine
/// may still carry out the request.
/// @param out receives JSON; free with cri_buffer_free
/// @return CRI_OK; CRI_E_PERMISSION for an RPC that may change something, without call.allow_mutations;
/// CRI_E_UNSUPPORTED for an RPC that returns a stream (the message says what to use instead), and for every RPC in
/// a build without calls; CRI_E_INVALID_ARGUMENT for an unknown RPC (the message lists the known ones) and for a
/// request that does not fit the RPC (the message names the field); CRI_E_NOT_FOUND, CRI_E_RPC, CRI_E_TIMEOUT,
/// CRI_E_CONNECT, CRI_E_PROTOCOL if the request to the engine failed (the error has the gRPC code); CRI_E_STOPPED,
/// CRI_E_FORKED
/// @note Blocks up to timeout_ms. cri_watcher_stop ends the wait.
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
