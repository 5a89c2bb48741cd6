//! Tests what this kernel, and filters of system calls, let us do with pidfds. Kernel versions say little, because
//! distributions put newer features into older kernels.

#![allow(unsafe_code)]

use std::fmt;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::sync::{OnceLock, mpsc};

use super::super::thread;
use super::{info, inode, open};

/// PIDFD_THREAD of include/uapi/linux/pidfd.h (Linux 6.9).
const THREAD: libc::c_uint = libc::O_EXCL as libc::c_uint;

/// Whether something works, or why not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ability {
    /// It works.
    Yes,
    /// It does not work: the errno of the attempt.
    No(i32),
    /// The kernel does not have it: the attempt succeeded without effect.
    Absent,
}

impl Ability {
    /// Whether it works.
    pub fn is_yes(self) -> bool {
        self == Ability::Yes
    }

    fn of<T>(tried: io::Result<T>) -> Self {
        match tried {
            Ok(_) => Ability::Yes,
            Err(error) => Ability::No(error.raw_os_error().unwrap_or(libc::EIO)),
        }
    }
}

impl fmt::Display for Ability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Ability::Yes => f.write_str("yes"),
            Ability::No(errno) => write!(f, "no: {}", io::Error::from_raw_os_error(*errno)),
            Ability::Absent => f.write_str("no: not in this kernel"),
        }
    }
}

/// What pidfds can do on this kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Abilities {
    /// Opening and polling them (Linux 5.3).
    pub open: Ability,
    /// They have inodes of their own, which are never reused; and poll shows when a process was waited for (Linux 6.9).
    pub identity: Ability,
    /// PIDFD_GET_INFO: a process's cgroup by one call (Linux 6.13).
    pub info: Ability,
    /// PIDFD_INFO_EXIT: the exit code of a process that its parent has waited for (Linux 6.15).
    pub exit: Ability,
}

impl Abilities {
    /// Tests everything at the first call in the process. It takes up to some ms, mostly for a short thread of ours
    /// whose end is observed. No process is used, because its end would raise SIGCHLD in the program.
    pub fn get() -> Abilities {
        static ABILITIES: OnceLock<Abilities> = OnceLock::new();
        *ABILITIES.get_or_init(Abilities::probe)
    }

    pub(super) fn probe() -> Abilities {
        let own = match open(std::process::id() as i32, 0) {
            Ok(own) => own,
            Err(error) => {
                let no = Ability::of::<()>(Err(error));
                return Abilities { open: no, identity: no, info: no, exit: no };
            }
        };
        let identity = inode(own.as_fd()).map_or(Ability::Absent, |_| Ability::Yes);
        let info = match info::get(own.as_fd(), info::CGROUP_ID) {
            Ok(info) if info.mask & info::CGROUP_ID == 0 => Ability::Absent,
            tried => Ability::of(tried),
        };
        let exit = if info.is_yes() { probe_exit() } else { info };
        Abilities { open: Ability::Yes, identity, info, exit }
    }
}

/// Tests PIDFD_INFO_EXIT with a thread: its end looks like that of a process that was waited for.
fn probe_exit() -> Ability {
    let (send, received) = mpsc::channel();
    let (end, ended) = mpsc::channel::<()>();
    let look = move || {
        // SAFETY: gettid has no preconditions. glibc has the function since 2.30 only.
        let _ = send.send(unsafe { libc::syscall(libc::SYS_gettid) } as libc::pid_t);
        let _ = ended.recv();
    };
    let thread = match thread::spawn("cri-probe", thread::SHORT_LIVED, look) {
        Ok(thread) => thread,
        Err(error) => return Ability::of::<()>(Err(error)),
    };
    let fd = received.recv().map_err(io::Error::other).and_then(|tid| open(tid, THREAD));
    drop(end);
    let joined = thread.join();
    match (fd, joined) {
        (Err(error), _) => Ability::of::<()>(Err(error)),
        (Ok(_), Err(_)) => Ability::No(libc::EIO),
        (Ok(fd), Ok(())) => {
            wait_for_hangup(fd.as_fd());
            match info::get(fd.as_fd(), info::EXIT) {
                Ok(info) if info.mask & info::EXIT != 0 => Ability::Yes,
                // The kernel has no PIDFD_INFO_EXIT: it keeps nothing of a process that is gone.
                Ok(_) => Ability::Absent,
                Err(error) if error.raw_os_error() == Some(libc::ESRCH) => Ability::Absent,
                tried => Ability::of(tried),
            }
        }
    }
}

/// Waits, for a second at most, until a joined thread is gone.
fn wait_for_hangup(fd: BorrowedFd<'_>) {
    let mut poll = libc::pollfd { fd: fd.as_raw_fd(), events: 0, revents: 0 };
    // SAFETY: one pollfd of ours. The result does not matter, because the request that follows decides.
    unsafe { libc::poll(&mut poll, 1, 1000) };
}
