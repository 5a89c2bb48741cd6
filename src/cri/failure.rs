//! How the engine's refusals and a broken connection become our errors.

use std::error::Error as _;
use std::io::{self, ErrorKind};
use std::path::Path;

use tonic::{Code, Status};

use super::endpoint::Endpoint;
use crate::error::{
    CRI_E_CONNECT, CRI_E_NOT_FOUND, CRI_E_OS, CRI_E_PERMISSION, CRI_E_PROTOCOL, CRI_E_RPC, CRI_E_TIMEOUT,
    CRI_E_UNSUPPORTED, Error,
};

/// Why the socket could not be connected to, and what to do.
pub(super) fn connect(endpoint: &Endpoint, error: &io::Error) -> Error {
    let (status, why) = match error.kind() {
        ErrorKind::NotFound => (CRI_E_CONNECT, "no such socket (is the engine running?)".to_owned()),
        ErrorKind::PermissionDenied => {
            (CRI_E_PERMISSION, "permission denied (run as root or join the socket's group)".to_owned())
        }
        ErrorKind::ConnectionRefused if !is_socket(endpoint.path()) => {
            (CRI_E_CONNECT, "not a socket (name the engine's CRI socket)".to_owned())
        }
        ErrorKind::ConnectionRefused => {
            (CRI_E_CONNECT, "nobody listens there (has the engine been stopped?)".to_owned())
        }
        _ if matches!(error.raw_os_error(), Some(libc::EMFILE | libc::ENFILE)) => {
            (CRI_E_OS, format!("{error} (raise the limit of open files)"))
        }
        _ => (CRI_E_CONNECT, error.to_string()),
    };
    let it = Error::new(status, format!("connect {endpoint}: {why}")).with_os_code(error.raw_os_error());
    if status == CRI_E_PERMISSION { it } else { it.retriable() }
}

fn is_socket(path: &Path) -> bool {
    use std::os::unix::fs::FileTypeExt;
    std::fs::metadata(path).is_ok_and(|m| m.file_type().is_socket())
}

/// What the engine's answer to `method` means. Only what can never get better is final (engine-facts: UNKNOWN,
/// INTERNAL, CANCELLED, UNAVAILABLE all happen to an engine that is merely restarting).
pub(super) fn rpc(method: &str, status: &Status) -> Error {
    if is_transport(status) {
        let it = Error::new(CRI_E_CONNECT, format!("{method}: the connection to the engine is lost: {}", text(status)));
        return it.with_os_code(os_code(status)).with_grpc_code(status.code() as i32).retriable();
    }
    let kind = match status.code() {
        Code::Unimplemented => CRI_E_UNSUPPORTED,
        Code::PermissionDenied | Code::Unauthenticated => CRI_E_PERMISSION,
        Code::NotFound => CRI_E_NOT_FOUND,
        Code::DeadlineExceeded => CRI_E_TIMEOUT,
        Code::OutOfRange | Code::DataLoss => CRI_E_PROTOCOL,
        _ => CRI_E_RPC,
    };
    let hint = match status.code() {
        Code::Unimplemented if status.message().contains("unknown service") => {
            " (CRI v1 is not served here: is containerd's CRI plugin switched off, or the engine older than CRI v1?)"
        }
        Code::OutOfRange => " (raise the option message.max_bytes)",
        _ => "",
    };
    let it = Error::new(kind, format!("{method}: {}{hint}", text(status))).with_grpc_code(status.code() as i32);
    if kind == CRI_E_RPC || kind == CRI_E_TIMEOUT { it.retriable() } else { it }
}

fn text(status: &Status) -> String {
    let code = format!("{:?}", status.code());
    match (status.message(), status.source()) {
        ("", None) => code,
        ("", Some(cause)) => format!("{code}: {cause}"),
        (message, None) => format!("{code}: {message}"),
        (message, Some(cause)) => format!("{code}: {message}: {}", root(cause)),
    }
}

fn root<'a>(mut error: &'a (dyn std::error::Error + 'static)) -> &'a (dyn std::error::Error + 'static) {
    while let Some(cause) = error.source() {
        error = cause;
    }
    error
}

/// A status that tonic made up from a broken connection has the transport's error as its source; one that the
/// engine sent has none.
fn is_transport(status: &Status) -> bool {
    status.source().is_some()
}

fn os_code(status: &Status) -> Option<i32> {
    let mut cause = status.source();
    while let Some(error) = cause {
        if let Some(io) = error.downcast_ref::<io::Error>().and_then(io::Error::raw_os_error) {
            return Some(io);
        }
        cause = error.source();
    }
    None
}

/// No answer within the time given.
pub(super) fn timeout(method: &str, after: std::time::Duration) -> Error {
    Error::new(CRI_E_TIMEOUT, format!("{method}: no answer from the engine within {} ms", after.as_millis()))
        .retriable()
}

/// Whether the error says that the connection is gone, so that a new one is needed.
pub fn is_lost(error: &Error) -> bool {
    error.status() == CRI_E_CONNECT
}

/// Whether waiting cannot help: somebody has to change something first.
pub fn is_final(error: &Error) -> bool {
    matches!(error.status(), CRI_E_PERMISSION | CRI_E_UNSUPPORTED)
}
