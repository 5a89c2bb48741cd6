//! The one error type, and the one table of status numbers.

mod status;

use std::fmt;
use std::io;

pub use status::*;

use crate::table::constant_of;

/// The result of everything that can fail here.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error: a status to branch on, and a message that names the thing, the value and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    status: Status,
    message: String,
    grpc_code: Option<i32>,
    os_code: Option<i32>,
    retriable: bool,
}

/// The longest message, in bytes: a message may repeat any text of the program or of the engine.
const LONGEST: usize = 16 << 10;

/// Leaves out the middle of a message that is too long: the beginning names the thing, the end the cause and what to do.
fn shortened(message: String) -> String {
    if message.len() <= LONGEST {
        return message;
    }
    let (mut head, mut tail) = (LONGEST / 2, message.len() - LONGEST / 2);
    while !message.is_char_boundary(head) {
        head -= 1;
    }
    while !message.is_char_boundary(tail) {
        tail += 1;
    }
    format!("{} [... {} bytes ...] {}", &message[..head], tail - head, &message[tail..])
}

impl Error {
    /// An error with the given status; `status` is one of the `CRI_E_*` constants.
    pub fn new(status: Status, message: impl Into<String>) -> Self {
        debug_assert!(status < 0, "an error has a negative status");
        Error { status, message: shortened(message.into()), grpc_code: None, os_code: None, retriable: false }
    }

    /// The error of a failed system call: what was tried, and the reason that the system gave.
    pub fn os(status: Status, what: impl fmt::Display, error: &io::Error) -> Self {
        let mut it = Error::new(status, format!("{what}: {error}"));
        it.os_code = error.raw_os_error();
        it
    }

    /// The same error, with the gRPC status code that the engine answered.
    pub fn with_grpc_code(mut self, code: i32) -> Self {
        self.grpc_code = Some(code);
        self
    }

    /// The same error, with the errno at its root.
    pub fn with_os_code(mut self, code: Option<i32>) -> Self {
        self.os_code = code;
        self
    }

    /// The same error, marked as one that may go away when the call is made again.
    pub fn retriable(mut self) -> Self {
        self.retriable = true;
        self
    }

    /// The same error, with what was being done in front of its message.
    pub fn context(mut self, what: impl fmt::Display) -> Self {
        self.message = shortened(format!("{what}: {}", self.message));
        self
    }

    /// The status: one of the `CRI_E_*` constants.
    pub fn status(&self) -> Status {
        self.status
    }

    /// The whole message, causes included.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The gRPC status code, where an engine's answer was the cause.
    pub fn grpc_code(&self) -> Option<i32> {
        self.grpc_code
    }

    /// The errno, where a system call was the cause.
    pub fn os_code(&self) -> Option<i32> {
        self.os_code
    }

    /// Whether the same call may succeed later without anybody changing anything.
    pub fn is_retriable(&self) -> bool {
        self.retriable
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

/// The name of a status, e.g. `"CRI_E_TIMEOUT"`; `"CRI_E_UNKNOWN_STATUS"` for a number that is not in the table.
pub fn status_name(status: Status) -> &'static str {
    constant_of(STATUSES, status).map_or("CRI_E_UNKNOWN_STATUS", |s| s.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_unique_and_signs_follow_the_names() {
        for (i, s) in STATUSES.iter().enumerate() {
            assert!(STATUSES[..i].iter().all(|t| t.value != s.value), "{} reuses {}", s.name, s.value);
            assert_eq!(s.name.starts_with("CRI_E_"), s.value < 0, "{}", s.name);
        }
    }

    #[test]
    fn endless_messages_keep_their_ends() {
        let e = Error::new(CRI_E_CONNECT, format!("what {} why", "\u{1f4a5}".repeat(1 << 20))).context("where");
        assert!(e.message().len() < 2 * LONGEST, "{}", e.message().len());
        assert!(e.message().starts_with("where: what") && e.message().ends_with(" why"));
        let short = "x".repeat(LONGEST);
        assert_eq!(Error::new(CRI_E_CONNECT, short.clone()).message(), short);
    }

    #[test]
    fn context_goes_in_front() {
        let e = Error::new(CRI_E_CONNECT, "no such file").context("connect unix:///x");
        assert_eq!(e.to_string(), "connect unix:///x: no such file");
        assert_eq!(status_name(e.status()), "CRI_E_CONNECT");
        assert_eq!(status_name(12345), "CRI_E_UNKNOWN_STATUS");
    }
}
