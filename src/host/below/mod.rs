//! Paths of another root (`host.root`), resolved as a process with that root would: absolute links and `..` stay below
//! it.
//!
//! Joining the two texts would be wrong: `/host/var/run` is a link to `/run` on most hosts, which then leads out of the
//! host's files into those of our own container.

#![allow(unsafe_code)]

mod connect;
#[cfg(test)]
mod tests;
mod walk;

use std::ffi::CString;
use std::fs::{self, File};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

pub use connect::{ConnectPath, path_for_connect};

/// How often to try a path that changes while the kernel resolves it (EAGAIN).
const TRIES: usize = 16;

/// Opens what a path means below a root with O_PATH, so no right to read it is needed. Closed on exec.
///
/// With the root `/`, the path is opened as it is, including links of /proc (`/proc/7/root/...`). Below another root,
/// such links are refused (`CrossesDevices`; EXDEV): to get at a process's files, use its `/proc/7/root` as the root.
/// Errors: those of open(2).
pub fn open_path_below(root: &Path, path: &Path) -> io::Result<OwnedFd> {
    Root::open(root)?.open_below(path, libc::O_PATH)
}

/// Opens a file for reading, as [`open_path_below`] does. Never blocks on a FIFO.
pub fn open_file_below(root: &Path, path: &Path) -> io::Result<File> {
    Root::open(root)?.open_file(path)
}

/// A path to the very file of an open descriptor, valid while that is open. /proc has to be mounted.
pub fn descriptor_path(fd: BorrowedFd<'_>) -> PathBuf {
    PathBuf::from(format!("/proc/self/fd/{}", fd.as_raw_fd()))
}

/// The path of an open file, as this process sees it, with all links resolved. For messages: the file may have moved.
pub fn real_path(fd: BorrowedFd<'_>) -> io::Result<PathBuf> {
    fs::read_link(descriptor_path(fd))
}

/// A root that is held open, for many paths below it. What is mounted there cannot be unmounted meanwhile, so drop it
/// soon.
#[derive(Debug)]
pub struct Root {
    /// `None`: the root is `/`.
    folder: Option<OwnedFd>,
}

impl Root {
    /// Opens a root. Errors: those of open(2).
    pub fn open(root: &Path) -> io::Result<Self> {
        let is_own = root == Path::new("/");
        let open = || open_at(libc::AT_FDCWD, root, libc::O_PATH | libc::O_DIRECTORY);
        Ok(Root { folder: if is_own { None } else { Some(open()?) } })
    }

    /// Opens a file below it, as [`open_file_below`] does.
    pub fn open_file(&self, path: &Path) -> io::Result<File> {
        self.open_below(path, libc::O_RDONLY | libc::O_NONBLOCK | libc::O_NOCTTY).map(File::from)
    }

    fn open_below(&self, path: &Path, flags: libc::c_int) -> io::Result<OwnedFd> {
        let Some(root) = &self.folder else {
            return open_at(libc::AT_FDCWD, &Path::new("/").join(path), flags);
        };
        match open_in_root(root.as_fd(), path, flags) {
            // The kernel is older than Linux 5.6, or a filter of system calls does not know openat2.
            Err(error) if matches!(error.raw_os_error(), Some(libc::ENOSYS | libc::EPERM)) => {
                walk::open(root.try_clone()?, path, flags)
            }
            result => result,
        }
    }
}

/// openat2(2) with RESOLVE_IN_ROOT (Linux 5.6).
fn open_in_root(root: BorrowedFd<'_>, path: &Path, flags: libc::c_int) -> io::Result<OwnedFd> {
    let path = CString::new(path.as_os_str().as_bytes())?;
    // SAFETY: the structure may be all zeros, and the kernel wants zeros in fields that it does not know.
    let mut how: libc::open_how = unsafe { std::mem::zeroed() };
    how.flags = (flags | libc::O_CLOEXEC) as u64;
    how.resolve = libc::RESOLVE_IN_ROOT | libc::RESOLVE_NO_MAGICLINKS;
    let mut result = Err(io::ErrorKind::WouldBlock.into());
    for _ in 0..TRIES {
        // SAFETY: an open directory, a path that ends in NUL, and a structure whose size is given.
        let fd = unsafe {
            libc::syscall(libc::SYS_openat2, root.as_raw_fd(), path.as_ptr(), &raw const how, size_of_val(&how))
        };
        result = owned(fd as RawFd);
        // Something was renamed or mounted meanwhile, so that the kernel cannot be sure where a `..` leads.
        if !matches!(&result, Err(error) if error.raw_os_error() == Some(libc::EAGAIN)) {
            break;
        }
    }
    result
}

fn open_at(at: RawFd, path: &Path, flags: libc::c_int) -> io::Result<OwnedFd> {
    let path = CString::new(path.as_os_str().as_bytes())?;
    // SAFETY: the path ends in NUL. No mode is needed, because no file is made.
    owned(unsafe { libc::openat(at, path.as_ptr(), flags | libc::O_CLOEXEC) })
}

fn owned(fd: RawFd) -> io::Result<OwnedFd> {
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the descriptor is new and nobody else's.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}
