//! Hints from the file system: inotify, with one descriptor for all that is watched, and fanotify for cgroups.
//!
//! A lack of inotify is no error: a host has 128 inotify instances for all programs of a user, root included,
//! and the descriptors are the host program's. The caller goes on without hints ([`NoHints`] says why).

#![allow(unsafe_code)]

mod marks;
mod notice;
mod readable;

use std::collections::HashSet;
use std::ffi::CString;
use std::fmt;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

pub use marks::{CgroupNotice, Marks};
pub use notice::{Notice, What};
pub use readable::Readable;

/// The inotify events wanted of a directory. Not every file system sends IN_DELETE_SELF (cgroups' do not, up to Linux 6.18).
const DIRECTORY: u32 = libc::IN_CREATE
    | libc::IN_DELETE
    | libc::IN_MOVED_FROM
    | libc::IN_MOVED_TO
    | libc::IN_DELETE_SELF
    | libc::IN_MOVE_SELF
    | libc::IN_ONLYDIR;
/// The inotify events wanted of a file.
const FILE: u32 = libc::IN_MODIFY | libc::IN_DELETE_SELF | libc::IN_MOVE_SELF;

/// The kernel queues 16,384 events of 16 to 272 bytes; this many bytes are taken at a time.
const BATCH: usize = 32 * 1024;

/// A watch, as the kernel numbers it: the numbers of one [`Watcher`] are not used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Watch(i32);

/// The reason why something cannot be watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NoHints {
    /// This user has as many inotify instances as `fs.inotify.max_user_instances` permits (128 mostly).
    Instances,
    /// No file descriptor is left in this process, or in the system.
    Descriptors,
    /// This user has as many fanotify groups as `fs.fanotify.max_user_groups` permits (128 mostly).
    Groups,
    /// This user has as many watches as `fs.inotify.max_user_watches` permits.
    Watches,
    /// There is no such file or directory, or it is of the other kind.
    NotThere,
    /// It may not be read.
    NoRight,
    /// The kernel has no inotify, a filter forbids it, or it failed otherwise: errno.
    Failed(i32),
    /// The same of fanotify on cgroups, which came with Linux 6.6.
    Marks(i32),
}

impl NoHints {
    /// Whether it is so for everything, not for this path alone; then it is pointless to try others now.
    pub fn is_general(self) -> bool {
        !matches!(self, NoHints::NotThere | NoHints::NoRight)
    }
}

impl fmt::Display for NoHints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NoHints::Instances => {
                f.write_str("this user's inotify instances are used up (fs.inotify.max_user_instances)")
            }
            NoHints::Descriptors => f.write_str("no file descriptor is left (RLIMIT_NOFILE)"),
            NoHints::Groups => f.write_str("this user's fanotify groups are used up (fs.fanotify.max_user_groups)"),
            NoHints::Watches => f.write_str("this user's inotify watches are used up (fs.inotify.max_user_watches)"),
            NoHints::NotThere => f.write_str("it is not there"),
            NoHints::NoRight => f.write_str("it may not be read by this process"),
            NoHints::Failed(errno) => write!(f, "inotify: {}", io::Error::from_raw_os_error(*errno)),
            NoHints::Marks(errno) => write!(f, "fanotify on cgroups: {}", io::Error::from_raw_os_error(*errno)),
        }
    }
}

impl std::error::Error for NoHints {}

/// One inotify descriptor, made for the first watch. Closed on exec, does not block. 1 KB of kernel memory a watch.
///
/// Scan after adding a watch: what is made meanwhile is then in the scan, in the notices, or in both. A notice about a name
/// says "look there", not what will be there by then.
#[derive(Debug, Default)]
pub struct Watcher {
    fd: Option<OwnedFd>,
    live: HashSet<Watch>,
}

impl Watcher {
    /// One that has no descriptor yet.
    pub fn new() -> Self {
        Watcher::default()
    }

    /// The descriptor to poll for POLLIN, as soon as there was a watch. It stays the same.
    pub fn fd(&self) -> Option<RawFd> {
        self.fd.as_ref().map(AsRawFd::as_raw_fd)
    }

    /// As `fd`, borrowed.
    pub fn borrowed(&self) -> Option<BorrowedFd<'_>> {
        self.fd.as_ref().map(AsFd::as_fd)
    }

    /// Another descriptor of the same, for somebody who keeps it. Errors: those of dup(2); `NotFound` before the first watch.
    pub fn clone_fd(&self) -> io::Result<OwnedFd> {
        self.fd.as_ref().map_or_else(|| Err(io::ErrorKind::NotFound.into()), OwnedFd::try_clone)
    }

    /// How many watches there are.
    pub fn len(&self) -> usize {
        self.live.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.live.is_empty()
    }

    /// Watches a directory for what is made, removed and moved in it: 3 to 5 us. A directory that is watched already gives
    /// the same watch. Links are followed: for a path of another root take an open directory's
    /// ([`crate::host::below::descriptor_path`]).
    pub fn add_dir(&mut self, dir: &Path) -> Result<Watch, NoHints> {
        self.add(dir, DIRECTORY)
    }

    /// Watches one file for writes. For a cgroup's state that is `cgroup.events` itself: a watch on its directory misses
    /// changes whenever the file is not in the kernel's cache.
    pub fn add_file(&mut self, file: &Path) -> Result<Watch, NoHints> {
        self.add(file, FILE)
    }

    /// Ends a watch. Its notices that were not read yet are dropped.
    ///
    /// Needed also for a cgroup that was removed: the kernel does not end the watch by itself (up to Linux 6.18), and keeps a KB
    /// for each. That it did (a later one) is fine.
    pub fn remove(&mut self, watch: Watch) {
        if let Some(fd) = self.fd.as_ref().filter(|_| self.live.remove(&watch)) {
            // SAFETY: two integers. EINVAL: the kernel has ended it before, which is what was wanted.
            unsafe { libc::inotify_rm_watch(fd.as_raw_fd(), watch.0) };
        }
    }

    /// The next batch of notices; empty when there are no more. Does not block. Errors: those of read(2) other than
    /// EAGAIN; none is known.
    pub fn read(&mut self) -> io::Result<Vec<Notice>> {
        let Some(fd) = &self.fd else {
            return Ok(Vec::new());
        };
        let mut bytes = vec![0u8; BATCH];
        loop {
            // SAFETY: the buffer is ours, and as long as it says.
            let got = unsafe { libc::read(fd.as_raw_fd(), bytes.as_mut_ptr().cast(), bytes.len()) };
            if got < 0 {
                let error = io::Error::last_os_error();
                match error.kind() {
                    io::ErrorKind::WouldBlock => return Ok(Vec::new()),
                    io::ErrorKind::Interrupted => continue,
                    _ => return Err(error),
                }
            }
            let notices = notice::parse(&bytes[..got as usize], &mut self.live);
            // All may have been of watches that were ended: there may be more behind.
            if got == 0 || !notices.is_empty() {
                return Ok(notices);
            }
        }
    }

    fn add(&mut self, path: &Path, mask: u32) -> Result<Watch, NoHints> {
        let path = CString::new(path.as_os_str().as_bytes()).map_err(|_| NoHints::NotThere)?;
        let fd = match &self.fd {
            Some(fd) => fd,
            None => self.fd.insert(init()?),
        };
        // SAFETY: an open descriptor and a path that ends in NUL.
        let watch = unsafe { libc::inotify_add_watch(fd.as_raw_fd(), path.as_ptr(), mask) };
        if watch < 0 {
            let error = io::Error::last_os_error();
            return Err(match error.raw_os_error() {
                Some(libc::ENOSPC) => NoHints::Watches,
                Some(libc::ENOENT | libc::ENOTDIR | libc::ELOOP | libc::ENODEV) => NoHints::NotThere,
                Some(libc::EACCES | libc::EPERM) => NoHints::NoRight,
                errno => NoHints::Failed(errno.unwrap_or(libc::EIO)),
            });
        }
        self.live.insert(Watch(watch));
        Ok(Watch(watch))
    }
}

fn init() -> Result<OwnedFd, NoHints> {
    // SAFETY: integers only.
    let fd = unsafe { libc::inotify_init1(libc::IN_CLOEXEC | libc::IN_NONBLOCK) };
    if fd >= 0 {
        // SAFETY: the descriptor is new and nobody else's.
        return Ok(unsafe { OwnedFd::from_raw_fd(fd) });
    }
    match io::Error::last_os_error().raw_os_error() {
        Some(libc::EMFILE) if descriptors_left() => Err(NoHints::Instances),
        Some(libc::EMFILE | libc::ENFILE) => Err(NoHints::Descriptors),
        errno => Err(NoHints::Failed(errno.unwrap_or(libc::EIO))),
    }
}

/// EMFILE means either limit: if another descriptor can be had, it is the user's instances.
fn descriptors_left() -> bool {
    super::EventFd::new().is_ok()
}
