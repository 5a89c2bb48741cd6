//! What the watcher's methods ask of the `cri-io` thread.

use std::time::Duration;

use tokio::sync::oneshot;

use super::inspection::Inspect;
use super::waiters::WaiterId;
use crate::cri::Rpc;
use crate::error::Result;
use crate::model::{Id, JsonText};

/// A command from the watcher's methods to the `cri-io` thread.
pub enum Command {
    /// Start to watch.
    Watch,
    /// List everything, and reply when that is done.
    Resync {
        /// The number of the caller.
        id: WaiterId,
        /// Where the caller waits.
        reply: oneshot::Sender<Result<()>>,
    },
    /// A caller of a resync no longer waits.
    Forget(WaiterId),
    /// Inspect a container or sandbox.
    Inspect {
        /// Which one, and with what options.
        what: Inspect,
        /// Where the caller waits.
        reply: oneshot::Sender<Result<JsonText>>,
    },
    /// Set or remove a container's rucksack.
    Attach {
        /// Which container.
        id: Id,
        /// The rucksack; `None` removes it.
        rucksack: Option<JsonText>,
        /// Where the caller waits.
        reply: oneshot::Sender<Result<()>>,
    },
    /// Call any RPC.
    Call {
        /// The RPC, and its request.
        rpc: Rpc,
        /// How long to wait for the answer; `None` is no limit.
        patience: Option<Duration>,
        /// Where the caller waits.
        reply: oneshot::Sender<Result<Vec<u8>>>,
    },
    /// End the loop.
    Stop,
}
