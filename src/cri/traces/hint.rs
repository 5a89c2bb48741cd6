//! Hints: what the host's traces show about a container. A hint never begins a run by itself.

use crate::model::{Details, Id};

/// A hint of the host.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Hint {
    /// The engine has made the container's folder. Nothing of it runs yet.
    Created(Id),
    /// Its first process exists, and is proven. The program has not begun yet.
    Pid(Id, Details),
    /// Its first process has ended.
    Exited {
        /// The container.
        id: Id,
        /// The process: pid and start time, in clock ticks since boot; `None` if the engine's own file reports the
        /// exit.
        process: Option<(i32, u64)>,
        /// The exit code as engines write it, if it could be read.
        code: Option<i32>,
    },
    /// The engine has removed the container's folder.
    Gone(Id),
    /// Hints were lost: everything has to be looked at.
    Lost,
}
