//! Reasons why a pid is not accepted as a container's.

use std::fmt;
use std::io;
use std::path::Path;

/// The reason why a process is not accepted as a container's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// There is no pid file.
    NoFile,
    /// The pid file contains no pid: what is wrong with it.
    NotAPid(String),
    /// A file may not be read: which one.
    NoRight(String),
    /// There is no process with this pid (any more).
    NoProcess(i32),
    /// The process has ended, and nobody has waited for it yet.
    Ended(i32),
    /// The process exists, and its cgroup does not name the container: the pid is another process's by now, or the
    /// engine runs its containers in virtual machines.
    ForeignCgroup(i32),
    /// The process with this pid began at another time.
    Reused {
        /// The pid.
        pid: i32,
        /// When it should have begun, in clock ticks since boot.
        expected: u64,
        /// When it has begun.
        found: u64,
    },
    /// The /proc below `host.root` has the pids of another namespace than ours, or the engine's pids cannot be
    /// translated to ours.
    OtherNamespace,
    /// No descriptor is left in this process, or in the system.
    Descriptors,
    /// The system refused for another reason: errno.
    Failed(i32),
}

impl Refusal {
    /// Whether something was found that is not a process of the container. Otherwise there was nothing, or it could not
    /// be read.
    pub fn is_disproof(&self) -> bool {
        match self {
            Refusal::NotAPid(_)
            | Refusal::NoProcess(_)
            | Refusal::Ended(_)
            | Refusal::ForeignCgroup(_)
            | Refusal::Reused { .. } => true,
            Refusal::NoFile
            | Refusal::NoRight(_)
            | Refusal::OtherNamespace
            | Refusal::Descriptors
            | Refusal::Failed(_) => false,
        }
    }

    pub(super) fn of_open(pid: i32, error: &io::Error) -> Self {
        match error.raw_os_error() {
            // EINVAL and ENOENT: the pid is a thread's.
            Some(libc::ESRCH | libc::EINVAL | libc::ENOENT) => Refusal::NoProcess(pid),
            Some(libc::EMFILE | libc::ENFILE) => Refusal::Descriptors,
            Some(libc::EPERM | libc::EACCES) => Refusal::NoRight("pidfd_open".into()),
            errno => Refusal::Failed(errno.unwrap_or(libc::EIO)),
        }
    }

    /// The refusal for an error of opening a file that may contain a pid.
    pub fn of_file(file: &Path, error: &io::Error) -> Self {
        match error.raw_os_error() {
            Some(libc::ENOENT | libc::ENOTDIR) => Refusal::NoFile,
            Some(libc::EACCES | libc::EPERM) => Refusal::NoRight(file.display().to_string()),
            Some(libc::EMFILE | libc::ENFILE) => Refusal::Descriptors,
            Some(libc::EXDEV | libc::ELOOP) => Refusal::NotAPid("a link that leads nowhere below host.root".into()),
            Some(libc::EISDIR) => Refusal::NotAPid("a folder".into()),
            Some(libc::ENXIO) => Refusal::NotAPid("a socket".into()),
            errno => Refusal::Failed(errno.unwrap_or(libc::EIO)),
        }
    }

    pub(super) fn of_read(pid: i32, error: &io::Error) -> Self {
        match error.raw_os_error() {
            Some(libc::ENOENT | libc::ESRCH) => Refusal::NoProcess(pid),
            Some(libc::EMFILE | libc::ENFILE) => Refusal::Descriptors,
            Some(libc::EPERM | libc::EACCES) => Refusal::NoRight(format!("/proc/{pid}")),
            errno => Refusal::Failed(errno.unwrap_or(libc::EIO)),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::NoFile => f.write_str("there is no pid file"),
            Refusal::NotAPid(what) => write!(f, "no pid file: {what}"),
            Refusal::NoRight(what) => write!(f, "{what} may not be used by this process"),
            Refusal::NoProcess(pid) => write!(f, "there is no process {pid} below host.root/proc"),
            Refusal::Ended(pid) => write!(f, "process {pid} has ended"),
            Refusal::ForeignCgroup(pid) => write!(f, "the cgroup of process {pid} does not name the container"),
            Refusal::Reused { pid, expected, found } => {
                write!(f, "process {pid} began at tick {found}, not at {expected}: the pid was used again")
            }
            Refusal::OtherNamespace => f.write_str("its pids are those of another pid namespace than this process's"),
            Refusal::Descriptors => f.write_str("no file descriptor is left"),
            Refusal::Failed(errno) => write!(f, "{}", io::Error::from_raw_os_error(*errno)),
        }
    }
}

impl std::error::Error for Refusal {}
