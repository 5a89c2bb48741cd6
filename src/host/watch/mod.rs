//! Hints from the file system: inotify, with one descriptor for all watches, and fanotify for cgroups.
//!
//! A lack of inotify is no error: a user, even root, has 128 inotify instances for all programs, and the descriptors
//! belong to the program. The caller goes on without hints ([`NoHints`] is the reason).

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

/// The inotify events to watch for in a directory. Not every file system sends IN_DELETE_SELF (that of cgroups does
/// not, up to Linux 6.18).
const DIRECTORY: u32 = libc::IN_CREATE
    | libc::IN_DELETE
    | libc::IN_MOVED_FROM
    | libc::IN_MOVED_TO
    | libc::IN_DELETE_SELF
    | libc::IN_MOVE_SELF
    | libc::IN_ONLYDIR;
/// The inotify events to watch for in a file.
const FILE: u32 = libc::IN_MODIFY | libc::IN_DELETE_SELF | libc::IN_MOVE_SELF;

/// How many bytes are read at a time. The kernel queues 16,384 events of 16 to 272 bytes.
const BATCH: usize = 32 * 1024;

/// A watch, by the kernel's number. The numbers of one [`Watcher`] are not reused.
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
    /// The kernel has no inotify, a filter forbids it, or it failed for another reason: errno.
    Failed(i32),
    /// fanotify cannot be used on cgroups, which needs Linux 6.6, or it failed for another reason: errno.
    Marks(i32),
}

impl NoHints {
    /// Whether the reason applies to everything, and not only to this path. Then trying other paths is of no use now.
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

/// One inotify descriptor, made for the first watch. Closed on exec, does not block. Each watch takes 1 KB of kernel
/// memory.
///
/// Add a watch before scanning: then what is made meanwhile is in the scan, in the notices, or in both. A notice about
/// a name means "look there"; by then, what it reports may have changed.
#[derive(Debug, Default)]
pub struct Watcher {
    fd: Option<OwnedFd>,
    live: HashSet<Watch>,
}

impl Watcher {
    /// No watches and no descriptor yet.
    pub fn new() -> Self {
        Watcher::default()
    }

    /// The descriptor to poll for POLLIN; `None` before the first watch. It never changes.
    pub fn fd(&self) -> Option<RawFd> {
        self.fd.as_ref().map(AsRawFd::as_raw_fd)
    }

    /// As `fd`, borrowed.
    pub fn borrowed(&self) -> Option<BorrowedFd<'_>> {
        self.fd.as_ref().map(AsFd::as_fd)
    }

    /// A duplicate of the descriptor, for an owner of its own. Errors: those of dup(2); `NotFound` before the first
    /// watch.
    pub fn clone_fd(&self) -> io::Result<OwnedFd> {
        self.fd.as_ref().map_or_else(|| Err(io::ErrorKind::NotFound.into()), OwnedFd::try_clone)
    }

    /// How many watches there are.
    pub fn len(&self) -> usize {
        self.live.len()
    }

    /// Whether there are no watches.
    pub fn is_empty(&self) -> bool {
        self.live.is_empty()
    }

    /// Watches a directory for what is made, removed and moved in it; takes 3 to 5 us. A directory that is watched
    /// already gives the same watch. Links are followed: for a path below another root, use that of an open directory
    /// ([`crate::host::below::descriptor_path`]).
    pub fn add_dir(&mut self, dir: &Path) -> Result<Watch, NoHints> {
        self.add(dir, DIRECTORY)
    }

    /// Watches one file for writes. For a cgroup's state, use `cgroup.events` itself: a watch on its directory misses
    /// changes whenever the file is not in the kernel's cache.
    pub fn add_file(&mut self, file: &Path) -> Result<Watch, NoHints> {
        self.add(file, FILE)
    }

    /// Ends a watch. Its unread notices are dropped.
    ///
    /// Call it also for a cgroup that was removed: the kernel (up to Linux 6.18) does not end the watch by itself, and
    /// keeps 1 KB for each. If a later kernel has ended it, the call does no harm.
    pub fn remove(&mut self, watch: Watch) {
        if let Some(fd) = self.fd.as_ref().filter(|_| self.live.remove(&watch)) {
            // SAFETY: two integers. EINVAL means that the kernel has ended the watch already.
            unsafe { libc::inotify_rm_watch(fd.as_raw_fd(), watch.0) };
        }
    }

    /// The next batch of notices; empty if there are no more. Does not block. Errors: those of read(2) other than
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
            // All of these may have been of watches that were ended; there may be more after them.
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

/// Whether a descriptor is left. EMFILE means either limit: if another descriptor can be made, it is the user's limit
/// of instances.
fn descriptors_left() -> bool {
    super::EventFd::new().is_ok()
}
