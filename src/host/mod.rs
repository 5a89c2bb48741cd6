//! The node and the process: /proc, cgroups, namespaces, files of the host, and the library's own threads.

pub mod below;
pub mod cgroup;
pub mod cgroup_name;
mod descriptors;
mod eventfd;
mod filesystem;
mod fork;
pub mod namespace;
pub mod pidfd;
mod proc_file;
mod process;
mod process_cgroup;
mod process_folder;
mod process_stat;
pub mod proven;
mod readable;
mod refusal;
mod root;
mod signals;
mod thread;
mod user;
mod uts;
pub mod watch;

pub use descriptors::descriptor_limit;
pub use eventfd::EventFd;
#[cfg(test)]
pub(crate) use eventfd::is_readable;
pub use fork::ForkMark;
pub use process::{PidView, Proc};
pub use process_cgroup::{CgroupText, ProcessCgroups};
pub use process_folder::ProcessFolder;
pub use process_stat::Stat;
pub use readable::Readable;
pub use refusal::Refusal;
pub use root::check_root;
pub use thread::{SHORT_LIVED, StartRoutine, move_away, spawn, spawn_raw};
pub use user::User;
pub use uts::host_name;
