//! The host beneath the engine: /proc, cgroups, namespaces, and how our own threads sit in the host process.

pub mod below;
pub mod cgroup;
pub mod cgroup_name;
mod eventfd;
mod filesystem;
mod fork;
pub mod namespace;
pub mod pidfd;
mod process;
pub mod proven;
mod refusal;
mod signals;
mod uts;
pub mod watch;

pub use eventfd::EventFd;
#[cfg(test)]
pub(crate) use eventfd::is_readable;
pub use fork::ForkMark;
pub use process::{PidView, Proc, Stat};
pub use refusal::Refusal;
pub use signals::without_signals;
pub use uts::host_name;
