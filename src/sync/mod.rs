//! Keeping the portfolio true: subscribe, list, reconcile, reconnect, poll, complete.
//!
//! `machine` decides, and is pure: inputs and moments in, actions and news out. `driver` carries the actions out on
//! the `cri-io` thread. `shared` is what others may read meanwhile.

mod backoff;
mod driver;
mod initial_replay;
mod inspection;
mod link;
mod lists;
mod log;
mod machine;
mod packer;
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

pub use driver::{Command, Driver};
pub use inspection::Inspect;
pub use packer::{Job, PackerQueue};
#[cfg(feature = "test-hooks")]
#[doc(hidden)]
pub use replay::replay;
pub use shared_state::{CachedState, SharedState, WatcherStatus};
pub use stats::{EventLag, Stats};
pub use waiters::WaiterId;
