//! The status numbers. The meaning of a number never changes.

use crate::table::constants;

/// The result of a call: `CRI_OK`, an error (below 0), or a note (above 0). A note is not an error.
pub type Status = i32;

constants! {
    STATUSES: Status;
    /// The call succeeded.
    pub const CRI_OK: Status = 0;
    /// Note: nothing is there yet. Try again later.
    pub const CRI_AGAIN: Status = 1;
    /// Note: the queue is closed. No more events will come.
    pub const CRI_CLOSED: Status = 2;
    /// Note: there is nothing to return. A buffer is empty; other outputs are unchanged.
    pub const CRI_NONE: Status = 3;
    /// An argument is invalid: a pointer is NULL, a string is not UTF-8, or a value is out of range.
    pub const CRI_E_INVALID_ARGUMENT: Status = -1;
    /// No container or pod has this id or name.
    pub const CRI_E_NOT_FOUND: Status = -2;
    /// The timeout has passed. The message gives the last cause.
    pub const CRI_E_TIMEOUT: Status = -3;
    /// The cache is not filled yet. Start the watcher and wait until it is ready, or resync.
    pub const CRI_E_NOT_READY: Status = -4;
    /// The watcher was stopped.
    pub const CRI_E_STOPPED: Status = -5;
    /// The library cannot connect to the engine's socket.
    pub const CRI_E_CONNECT: Status = -6;
    /// This user lacks a permission, for example for the engine's socket, or an option forbids the call.
    pub const CRI_E_PERMISSION: Status = -7;
    /// The engine answered a request with an error. The error has the gRPC code.
    pub const CRI_E_RPC: Status = -8;
    /// This engine, or this build of the library, does not support the call.
    pub const CRI_E_UNSUPPORTED: Status = -9;
    /// The engine sent something that the library does not understand.
    pub const CRI_E_PROTOCOL: Status = -10;
    /// The key of an option is unknown, or its value is not allowed.
    pub const CRI_E_OPTION: Status = -11;
    /// The query is malformed. The message names the key, the value and what is allowed.
    pub const CRI_E_QUERY: Status = -12;
    /// Several containers match this name or id prefix. The message lists them.
    pub const CRI_E_AMBIGUOUS: Status = -13;
    /// The container has no process, or no longer has one.
    pub const CRI_E_PROCESSLESS: Status = -14;
    /// The call came from a callback, and would wait for that same callback.
    pub const CRI_E_WOULD_DEADLOCK: Status = -15;
    /// The watcher was started by the parent of this forked process.
    pub const CRI_E_FORKED: Status = -16;
    /// A system call failed. The error has the errno.
    pub const CRI_E_OS: Status = -17;
    /// The call is not allowed in the present state of the watcher, for example before its start.
    pub const CRI_E_STATE: Status = -18;
    /// The library has a defect.
    pub const CRI_E_INTERNAL: Status = -98;
    /// The library has a defect: it caught a panic.
    pub const CRI_E_PANIC: Status = -99;
}
