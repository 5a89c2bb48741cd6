//! The status numbers. A number, once given, is never given again.

use crate::table::constants;

/// What a call returns: `CRI_OK`, an error (< 0), or a note that is no error (> 0).
pub type Status = i32;

constants! {
    STATUSES: Status;
    /// The call did what it says.
    pub const CRI_OK: Status = 0;
    /// Note: nothing there yet; ask again later.
    pub const CRI_AGAIN: Status = 1;
    /// Note: closed, and nothing more will come.
    pub const CRI_CLOSED: Status = 2;
    /// Note: nothing to give, and the outputs are untouched.
    pub const CRI_NONE: Status = 3;
    /// A pointer is NULL, a string is not UTF-8, or a value is out of range: the call cannot have been meant so.
    pub const CRI_E_INVALID_ARGUMENT: Status = -1;
    /// No container or pod has this id or name.
    pub const CRI_E_NOT_FOUND: Status = -2;
    /// The time given has passed; the message tells the last cause.
    pub const CRI_E_TIMEOUT: Status = -3;
    /// There is no cache yet: start the watcher and wait until it is ready, or resync.
    pub const CRI_E_NOT_READY: Status = -4;
    /// The watcher has been stopped.
    pub const CRI_E_STOPPED: Status = -5;
    /// The engine's socket cannot be reached.
    pub const CRI_E_CONNECT: Status = -6;
    /// The engine's socket, or something else, may not be used by this user.
    pub const CRI_E_PERMISSION: Status = -7;
    /// The engine answered a request with an error; the gRPC code tells which.
    pub const CRI_E_RPC: Status = -8;
    /// This engine, or this build of the library, does not offer what was asked for.
    pub const CRI_E_UNSUPPORTED: Status = -9;
    /// What the engine sent cannot be understood.
    pub const CRI_E_PROTOCOL: Status = -10;
    /// An option's key is unknown, or its value is not allowed.
    pub const CRI_E_OPTION: Status = -11;
    /// A query is not what a query has to look like.
    pub const CRI_E_QUERY: Status = -12;
    /// Several containers have this name or id prefix; the message lists them.
    pub const CRI_E_AMBIGUOUS: Status = -13;
    /// The container has no process (any more).
    pub const CRI_E_PROCESSLESS: Status = -14;
    /// Doing this inside a callback would wait for that very callback.
    pub const CRI_E_WOULD_DEADLOCK: Status = -15;
    /// This process is a fork of the one that started the watcher.
    pub const CRI_E_FORKED: Status = -16;
    /// The operating system refused something; the OS code tells what.
    pub const CRI_E_OS: Status = -17;
    /// The call comes too early or too late in the watcher's run.
    pub const CRI_E_STATE: Status = -18;
    /// A defect in this library.
    pub const CRI_E_INTERNAL: Status = -98;
    /// A panic in this library was caught: a defect, too.
    pub const CRI_E_PANIC: Status = -99;
}
