//! What the host's traces say of a container: hints, which never make a run by themselves.

use crate::model::{Details, Id};

/// A hint of the host.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Hint {
    /// The engine makes the container's folder. Nothing of it runs yet.
    Created(Id),
    /// Its first process is there, proven, and its program has not begun yet.
    Pid(Id, Details),
    /// Its first process has ended.
    Exited {
        /// Whose.
        id: Id,
        /// Which: pid and start, in clock ticks since boot; `None` where the engine's own file says so.
        process: Option<(i32, u64)>,
        /// The exit code as engines write it, where it could be learnt.
        code: Option<i32>,
    },
    /// The engine has removed its folder.
    Gone(Id),
    /// Hints were lost: everything has to be looked at.
    Lost,
}
