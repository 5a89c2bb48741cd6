//! Finds by trying what this kernel, and filters of system calls, let us do with pidfds. Distributions carry newer parts
//! in older kernels, so that a version says little.

#![allow(unsafe_code)]

use std::fmt;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::sync::{OnceLock, mpsc};

use super::super::thread;
use super::{info, inode, open};

/// PIDFD_THREAD of include/uapi/linux/pidfd.h (Linux 6.9).
const THREAD: libc::c_uint = libc::O_EXCL as libc::c_uint;

/// Whether something can be done, or what forbids it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ability {
    /// It can.
    Yes,
    /// It cannot: the errno that trying gave.
    No(i32),
    /// The kernel has it not: trying succeeded, and had no effect.
    Absent,
}

impl Ability {
    /// Whether it can.
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

/// The abilities of pidfds on this kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Abilities {
    /// Open and poll them (Linux 5.3).
    pub open: Ability,
    /// They have inodes of their own, never used twice; and poll shows when a process was waited for (Linux 6.9).
    pub identity: Ability,
    /// PIDFD_GET_INFO: a process's cgroup by one call (Linux 6.13).
    pub info: Ability,
    /// PIDFD_INFO_EXIT: the exit code of a process that its parent has waited for (Linux 6.15).
    pub exit: Ability,
}

impl Abilities {
    /// Tried at the first call of the process: up to some ms, most of them one short thread of ours that ends to be looked
    /// at, because no process is made (its end would raise SIGCHLD in the host program).
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

/// A thread's end looks like a process's that was waited for.
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
                // Without it the kernel keeps nothing of a process that is gone.
                Ok(_) => Ability::Absent,
                Err(error) if error.raw_os_error() == Some(libc::ESRCH) => Ability::Absent,
                tried => Ability::of(tried),
            }
        }
    }
}

/// A joined thread is about to be gone, and a moment later is: at most a second.
fn wait_for_hangup(fd: BorrowedFd<'_>) {
    let mut poll = libc::pollfd { fd: fd.as_raw_fd(), events: 0, revents: 0 };
    // SAFETY: one pollfd of ours. The result does not matter: the request that follows decides.
    unsafe { libc::poll(&mut poll, 1, 1000) };
}
