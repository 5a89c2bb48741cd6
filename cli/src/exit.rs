//! Exit codes, which scripts rely on, and the errors that end a sub-command early.

use std::io;
use std::process::ExitCode;

use criwatch::error::*;

/// How the command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    Ok = 0,
    NotFound = 1,
    Usage = 2,
    Unreachable = 3,
    Refused = 4,
    Engine = 5,
    Defect = 70,
    Output = 74,
    Interrupted = 130,
    BrokenPipe = 141,
    Terminated = 143,
}

/// Every code with its meaning, for help and manual page.
pub const MEANINGS: &[(u8, &str)] = &[
    (Exit::Ok as u8, "done"),
    (Exit::NotFound as u8, "nothing matches, several things have the name, it has no process, or doctor found a fault"),
    (Exit::Usage as u8, "the command line is wrong"),
    (Exit::Unreachable as u8, "the engine cannot be reached, or does not answer in time"),
    (Exit::Refused as u8, "this user lacks a right: to the engine's socket, or to a file"),
    (Exit::Engine as u8, "the engine answered with an error, or does not support the request"),
    (Exit::Defect as u8, "a defect in criwatch"),
    (Exit::Output as u8, "the output cannot be written: the disk is full, for example"),
    (Exit::Interrupted as u8, "ended by Ctrl-C (the key q ends top with 0)"),
    (Exit::BrokenPipe as u8, "nobody reads the output any more, as with | head"),
    (Exit::Terminated as u8, "ended by SIGTERM"),
];

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit as u8)
    }
}

/// Why a sub-command ended early: the code, and the message for stderr ("": none).
#[derive(Debug)]
pub struct Failure {
    pub exit: Exit,
    pub message: String,
}

impl Failure {
    /// Nothing matches the request; the message says what there is instead.
    pub fn nothing(message: impl Into<String>) -> Self {
        Failure { exit: Exit::NotFound, message: message.into() }
    }

    /// The command line is wrong in its meaning, not its form; the message says what to do.
    pub fn usage(message: impl Into<String>) -> Self {
        Failure { exit: Exit::Usage, message: message.into() }
    }

    /// The output cannot be written. If only its reader is gone, no message is needed.
    pub fn output(error: &io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Failure { exit: Exit::BrokenPipe, message: String::new() };
        }
        Failure { exit: Exit::Output, message: format!("the output cannot be written: {}", plain(error)) }
    }

    /// A file or another thing of the system could not be used; `what` names it.
    pub fn system(what: impl std::fmt::Display, error: &io::Error) -> Self {
        let (exit, hint) = match error.kind() {
            io::ErrorKind::PermissionDenied => (Exit::Refused, " (run as root)"),
            io::ErrorKind::NotFound => (Exit::NotFound, ""),
            _ => (Exit::Engine, ""),
        };
        Failure { exit, message: format!("{what}: {}{hint}", plain(error)) }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Failure { exit: of_status(error.status()), message: error.to_string() }
    }
}

/// The text of an error without Rust's "(os error 28)".
fn plain(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().to_owned()
}

fn of_status(status: Status) -> Exit {
    match status {
        CRI_E_NOT_FOUND | CRI_E_AMBIGUOUS | CRI_E_PROCESSLESS => Exit::NotFound,
        CRI_E_INVALID_ARGUMENT | CRI_E_OPTION | CRI_E_QUERY => Exit::Usage,
        CRI_E_CONNECT | CRI_E_TIMEOUT => Exit::Unreachable,
        CRI_E_PERMISSION => Exit::Refused,
        CRI_E_RPC | CRI_E_UNSUPPORTED | CRI_E_PROTOCOL | CRI_E_OS => Exit::Engine,
        _ => Exit::Defect,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn meanings_are_in_order() {
        assert!(MEANINGS.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }

    #[test]
    fn errors_give_their_codes_and_no_number_of_the_system() {
        let full = Failure::output(&io::Error::from_raw_os_error(28));
        assert_eq!(
            (full.exit, &*full.message),
            (Exit::Output, "the output cannot be written: No space left on device")
        );
        assert_eq!(Failure::output(&io::Error::from(io::ErrorKind::BrokenPipe)).exit, Exit::BrokenPipe);
        assert_eq!(Failure::from(Error::new(CRI_E_TIMEOUT, "late")).exit, Exit::Unreachable);
        assert_eq!(Failure::from(Error::new(CRI_E_PANIC, "oh")).exit, Exit::Defect);
    }
}
