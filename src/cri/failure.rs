//! How the engine's refusals and a broken connection become our errors.

use std::error::Error as _;
use std::io::{self, ErrorKind};

use tonic::{Code, Status};

use super::endpoint::Endpoint;
use crate::error::{
    CRI_E_CONNECT, CRI_E_NOT_FOUND, CRI_E_OS, CRI_E_PERMISSION, CRI_E_PROTOCOL, CRI_E_RPC, CRI_E_TIMEOUT,
    CRI_E_UNSUPPORTED, Error,
};
use crate::host::User;

/// The error of a failed connect(2): why it failed, and what to do.
pub(super) fn connect(endpoint: &Endpoint, error: &io::Error) -> Error {
    let (status, why) = match error.kind() {
        ErrorKind::NotFound => (CRI_E_CONNECT, "no such socket (is the engine running?)".to_owned()),
        ErrorKind::PermissionDenied => {
            (CRI_E_PERMISSION, format!("permission denied {}", who_may_connect(User::current())))
        }
        ErrorKind::ConnectionRefused if !is_socket(endpoint) => {
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

/// What this user can do about a refused permission.
fn who_may_connect(user: User) -> &'static str {
    match (user.id, user.overrides_permissions) {
        (Some(0), Some(true)) => {
            "although this process is root (does SELinux or AppArmor forbid it? see the audit log; a container needs a \
             label or profile that may use the socket)"
        }
        (Some(0), _) => {
            "although this process has uid 0: it lacks the capability CAP_DAC_OVERRIDE (add it, or join the socket's \
             group; otherwise SELinux or AppArmor may forbid it: see the audit log)"
        }
        (_, Some(true)) => "(does SELinux or AppArmor forbid it? see the audit log)",
        _ => "(run as root or join the socket's group)",
    }
}

fn is_socket(endpoint: &Endpoint) -> bool {
    use std::os::unix::fs::FileTypeExt;
    let metadata = endpoint.connect_path().and_then(|path| std::fs::metadata(path.path()));
    metadata.is_ok_and(|m| m.file_type().is_socket())
}

/// The error for the engine's answer to `method`. A status with a source is tonic's own, for a broken connection: only
/// its cause is informative, not its code or its message. An error is final only if waiting cannot help: an engine that
/// is merely restarting answers UNKNOWN, INTERNAL, CANCELLED and UNAVAILABLE.
pub(super) fn rpc(method: &str, status: &Status) -> Error {
    if let Some(cause) = status.source() {
        let it = Error::new(CRI_E_CONNECT, format!("{method}: the connection to the engine is lost: {}", root(cause)));
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

/// The name of the status code, and the engine's message.
fn text(status: &Status) -> String {
    match status.message() {
        "" => format!("{:?}", status.code()),
        message => format!("{:?}: {message}", status.code()),
    }
}

/// The error for an HTTP/2 handshake that failed on a connected socket.
pub(super) fn handshake(endpoint: &Endpoint, error: &tonic::transport::Error) -> Error {
    // Its own message is only "transport error".
    Error::new(CRI_E_CONNECT, format!("connect {endpoint}: {}", root(error))).retriable()
}

fn root<'a>(mut error: &'a (dyn std::error::Error + 'static)) -> &'a (dyn std::error::Error + 'static) {
    while let Some(cause) = error.source() {
        error = cause;
    }
    error
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

/// The error for a request without an answer in the given time.
pub(super) fn timeout(method: &str, after: std::time::Duration) -> Error {
    Error::new(CRI_E_TIMEOUT, format!("{method}: no answer from the engine within {} ms", after.as_millis()))
        .retriable()
}

/// Whether the error says that the connection is gone, so that a new one is needed.
pub fn is_lost(error: &Error) -> bool {
    error.status() == CRI_E_CONNECT
}

/// Whether waiting cannot help, because somebody has to change something first.
pub fn is_final(error: &Error) -> bool {
    matches!(error.status(), CRI_E_PERMISSION | CRI_E_UNSUPPORTED)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    fn user(id: impl Into<Option<u32>>, overrides_permissions: Option<bool>) -> &'static str {
        who_may_connect(User { id: id.into(), overrides_permissions })
    }

    #[test]
    fn a_denied_permission_names_what_is_lacking() {
        assert_eq!(user(1000, Some(false)), "(run as root or join the socket's group)");
        assert_eq!(user(1000, None), user(1000, Some(false)));
        assert_eq!(user(None, None), user(1000, Some(false)));
        for root in [user(0, Some(true)), user(0, Some(false)), user(0, None)] {
            assert!(root.contains("SELinux") && root.contains("AppArmor") && !root.contains("run as root"), "{root}");
        }
        assert!(user(0, Some(false)).contains("CAP_DAC_OVERRIDE") && !user(0, Some(true)).contains("CAP_"));
    }

    #[test]
    fn a_lost_connection_has_its_cause_once() {
        let mut status = Status::new(Code::Unavailable, "not connected");
        status.set_source(Arc::new(io::Error::from(ErrorKind::NotConnected)));
        let e = rpc("Version", &status);
        assert_eq!(e.message(), "Version: the connection to the engine is lost: not connected");
        assert_eq!((e.status(), e.grpc_code()), (CRI_E_CONNECT, Some(Code::Unavailable as i32)));
        let mut status = Status::new(Code::Unknown, "transport error");
        status.set_source(Arc::new(io::Error::from_raw_os_error(libc::ECONNRESET)));
        let e = rpc("Version", &status);
        assert_eq!((e.os_code(), e.message().matches("transport error").count()), (Some(libc::ECONNRESET), 0));
    }

    #[test]
    fn the_engines_own_message_follows_its_code() {
        assert_eq!(rpc("Status", &Status::new(Code::Internal, "broken")).message(), "Status: Internal: broken");
        assert_eq!(rpc("Status", &Status::new(Code::Internal, "")).message(), "Status: Internal");
    }
}
