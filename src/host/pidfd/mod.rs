//! A process held by a descriptor. The descriptor can be polled for the process's end, gives the exit code even to
//! others than the parent, and never means another process when the pid is reused.

#![allow(unsafe_code)]

mod abilities;
mod exit;
mod info;
mod set;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::fs::MetadataExt;

pub use abilities::{Abilities, Ability};
pub use exit::Exit;
pub use set::{Place, Set};

use super::Proc;
use super::cgroup_name::init_names;
use super::filesystem::{FileSystem, of_open};
use super::refusal::Refusal;

/// Identifies one process among all others since boot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Identity {
    /// The number of the pidfd's inode, which is never reused (Linux 6.9, 64 bits).
    Inode(u64),
    /// Pid and start time, in clock ticks since boot: unique unless a pid is reused within one tick (10 ms).
    Start(i32, u64),
}

/// The state of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProcessState {
    /// At least one thread of it is alive.
    Alive,
    /// Its last thread has ended. Its parent may or may not have waited for it: Linux before 6.9 does not show which.
    Ended,
    /// Its parent has waited for it. On Linux 6.15 and later, the exit code is available.
    Reaped,
}

/// The properties that an opened process has to have.
#[derive(Debug, Clone, Copy, Default)]
pub struct Expected<'a> {
    /// Its cgroup names this container.
    pub id: Option<&'a str>,
    /// When it has to have begun, in clock ticks since boot.
    pub start_ticks: Option<u64>,
}

/// A process, by a pidfd. Closed on exec; takes 1 us to open, and 1 KB of kernel memory.
///
/// To wait for the end of the last thread, poll it for POLLIN. To wait until its parent has waited for it, which is
/// when [`Process::exit`] has the code, poll it with no events: POLLHUP comes alone (Linux 6.9, 6.15). The descriptor
/// counts against RLIMIT_NOFILE of the whole program.
#[derive(Debug)]
pub struct Process {
    fd: OwnedFd,
    pid: i32,
    start_ticks: u64,
}

impl Process {
    /// Opens a process, and only then checks that it is the expected one: the descriptor holds it, so what is read by
    /// its pid while it exists is its own.
    ///
    /// `proc` has to be a /proc of our own pid namespace. Errors: [`Refusal`]; `Descriptors` if no descriptor is left,
    /// which proves nothing about the process.
    pub fn open(proc: &Proc, pid: i32, expected: Expected<'_>) -> Result<Process, Refusal> {
        let failed = |error: io::Error| Refusal::of_read(pid, &error);
        if !proc.counts_as_we_do().map_err(failed)? {
            return Err(Refusal::OtherNamespace);
        }
        let fd = open(pid, 0).map_err(|error| Refusal::of_open(pid, &error))?;
        // Until the pidfd's process was waited for, its pid is its own. So is everything that was read before that was
        // checked.
        let folder = proc.folder(pid).map_err(failed)?;
        let start_ticks = folder.stat().map_err(failed)?.start_ticks;
        if let Some(expected) = expected.start_ticks.filter(|expected| *expected != start_ticks) {
            return Err(Refusal::Reused { pid, expected, found: start_ticks });
        }
        if let Some(id) = expected.id {
            let names = folder.cgroup(|text| init_names(text, id).is_some()).map_err(failed)?;
            names.then_some(()).ok_or(Refusal::ForeignCgroup(pid))?;
        }
        is_there(fd.as_fd()).then_some(()).ok_or(Refusal::NoProcess(pid))?;
        Ok(Process { fd, pid, start_ticks })
    }

    /// The pid. Once the process was waited for, another process may have it.
    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// When it began, in clock ticks since boot.
    pub fn start_ticks(&self) -> u64 {
        self.start_ticks
    }

    /// Identifies it among all others since boot.
    pub fn identity(&self) -> Identity {
        inode(self.fd.as_fd()).map_or(Identity::Start(self.pid, self.start_ticks), Identity::Inode)
    }

    /// The state; does not block. Errors: those of poll(2), none of which concerns the process.
    pub fn state(&self) -> io::Result<ProcessState> {
        let mut poll = libc::pollfd { fd: self.fd.as_raw_fd(), events: libc::POLLIN, revents: 0 };
        // SAFETY: one pollfd of ours; no waiting.
        if unsafe { libc::poll(&mut poll, 1, 0) } < 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(match poll.revents {
            0 => ProcessState::Alive,
            events if events & libc::POLLHUP != 0 => ProcessState::Reaped,
            _ => ProcessState::Ended,
        })
    }

    /// How it ended; `None` while it is alive, and if the kernel does not give it.
    ///
    /// Once it was waited for, PIDFD_GET_INFO gives the exit (Linux 6.15; needs no privilege; at any time as long as
    /// this is held). Between its end and that moment, /proc/PID/stat gives it, with the right to trace the process. On
    /// an older kernel, the call therefore has to come in that short time.
    pub fn exit(&self, proc: &Proc) -> Option<Exit> {
        let info = info::get(self.fd.as_fd(), info::EXIT).ok().filter(|info| info.mask & info::EXIT != 0);
        info.map(|info| Exit::of_status(info.exit_code)).or_else(|| self.zombies_exit(proc))
    }

    fn zombies_exit(&self, proc: &Proc) -> Option<Exit> {
        if self.state().ok()? != ProcessState::Ended {
            return None;
        }
        let zombie = proc.stat(self.pid).ok()?;
        // Checks after reading that it is still the same process.
        let same = zombie.start_ticks == self.start_ticks && is_there(self.fd.as_fd());
        zombie.exit_status.filter(|_| same).map(Exit::of_status)
    }

    /// The id of its cgroup in the v2 hierarchy (Linux 6.13), also after its end if its exit is known. If v2 holds no
    /// processes, it is the root's: 1. The cgroup may be one below the container's.
    pub fn cgroup_id(&self) -> Option<u64> {
        let info = info::get(self.fd.as_fd(), info::CGROUP_ID).ok()?;
        (info.mask & info::CGROUP_ID != 0 && info.cgroup_id != 0).then_some(info.cgroup_id)
    }
}

/// The id of a process's v2 cgroup, without holding the process; takes 1 us on Linux 6.13 and later. `None` if the
/// kernel does not give it, or if there is no such process.
pub fn cgroup_id_of(pid: i32) -> Option<u64> {
    try_cgroup_id_of(pid).ok().flatten()
}

/// As [`cgroup_id_of`], with the reason. ENOTTY, ENOSYS and EPERM (a filter) are permanent.
pub(super) fn try_cgroup_id_of(pid: i32) -> io::Result<Option<u64>> {
    let fd = open(pid, 0)?;
    let info = info::get(fd.as_fd(), info::CGROUP_ID)?;
    Ok((info.mask & info::CGROUP_ID != 0 && info.cgroup_id != 0).then_some(info.cgroup_id))
}

impl AsRawFd for Process {
    fn as_raw_fd(&self) -> RawFd {
        self.fd.as_raw_fd()
    }
}

impl AsFd for Process {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

fn open(pid: i32, flags: libc::c_uint) -> io::Result<OwnedFd> {
    // SAFETY: pidfd_open takes and gives integers only. It always sets close-on-exec.
    let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, flags) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the descriptor is new and nobody else's.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as RawFd) })
}

/// Whether the process was not waited for yet, so that the pid is still its own. If a filter forbids this request
/// (seccomp), only the expected start time shows it.
fn is_there(fd: BorrowedFd<'_>) -> bool {
    // SAFETY: signal 0 sends nothing, and no siginfo is given.
    let sent = unsafe {
        libc::syscall(libc::SYS_pidfd_send_signal, fd.as_raw_fd(), 0, std::ptr::null::<libc::siginfo_t>(), 0)
    };
    sent == 0 || io::Error::last_os_error().raw_os_error() != Some(libc::ESRCH)
}

fn inode(fd: BorrowedFd<'_>) -> Option<u64> {
    // On 32 bits, the kernel gives only half of the number. Before Linux 6.9, all pidfds shared one anonymous inode.
    if cfg!(not(target_pointer_width = "64")) || of_open(fd) != Some(FileSystem::Pid) {
        return None;
    }
    Some(File::from(fd.try_clone_to_owned().ok()?).metadata().ok()?.ino())
}
