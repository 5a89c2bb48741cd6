//! Keeps the cache in step with the engine: subscribe, list, reconcile, reconnect, poll, ask for pids.
//!
//! `machine` decides, and is pure: an input and the time go in, actions and events come out. `driver` carries out the
//! actions on the `cri-io` thread. `publisher` writes the outcome into `shared_state`, which any thread may read, and
//! publishes the events to the hub.

mod backoff;
mod command;
mod connecting;
mod driver;
mod initial_replay;
mod inspection;
mod link;
mod lists;
mod log;
mod machine;
mod packer;
mod processes;
mod publisher;
#[cfg(feature = "test-hooks")]
mod replay;
mod shared_state;
mod stats;
mod stream;
mod stream_silence;
#[cfg(test)]
mod tests;
mod waiters;

pub use command::Command;
pub use driver::Driver;
pub use inspection::Inspect;
pub use packer::{Job, PackerQueue};
#[cfg(feature = "test-hooks")]
#[doc(hidden)]
pub use replay::replay;
pub use shared_state::{CachedState, LatestState, SharedState, WatcherStatus};
pub use stats::{EventLag, Stats};
pub use waiters::WaiterId;
