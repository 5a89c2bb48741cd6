//! The host beneath the engine: /proc, cgroups, namespaces, and how our own threads sit in the host process.

mod eventfd;
mod fork;
mod inside;
mod process;
mod signals;
mod thread;
mod uts;

pub use eventfd::EventFd;
#[cfg(test)]
pub(crate) use eventfd::is_readable;
pub use fork::ForkMark;
pub use process::{PidView, Proc};
pub use thread::{StartRoutine, spawn, spawn_raw};
pub use uts::host_name;
