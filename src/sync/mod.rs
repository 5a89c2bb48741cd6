//! Keeping the portfolio true: subscribe, list, reconcile, reconnect, poll, complete.
//!
//! `machine` decides, and is pure: inputs and moments in, actions and news out. `driver` carries the actions out on
//! the `cri-io` thread. `book` is what others may read meanwhile.

mod backoff;
mod book;
mod driver;
mod inspection;
mod link;
mod lists;
mod log;
mod machine;
mod opening;
mod packing;
#[cfg(feature = "test-hooks")]
mod replay;
mod scribe;
mod stats;
mod stream;
#[cfg(test)]
mod tests;
mod waiters;

pub use book::{Book, Page, Situation};
pub use driver::{Command, Driver};
pub use inspection::Inspect;
pub use packing::{Desk, Job};
#[cfg(feature = "test-hooks")]
#[doc(hidden)]
pub use replay::replay;
pub use stats::{EventLag, Stats};
pub use waiters::WaiterId;
