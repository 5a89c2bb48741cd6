//! The node and the process: /proc, cgroups, namespaces, files of the host, and the library's own threads.

mod eventfd;
mod fork;
mod inside;
mod process;
mod root;
mod signals;
mod thread;
mod user;
mod uts;

pub use eventfd::EventFd;
#[cfg(test)]
pub(crate) use eventfd::is_readable;
pub use fork::ForkMark;
pub use process::{PidView, Proc};
pub use root::check_root;
pub use thread::{StartRoutine, spawn, spawn_raw};
pub use user::User;
pub use uts::host_name;
