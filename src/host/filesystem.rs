//! The file system of a file, by the magic number of statfs(2).

#![allow(unsafe_code)]

use std::ffi::CString;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// A file system that matters here; see include/uapi/linux/magic.h.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FileSystem {
    /// A hierarchy of cgroups, version 1.
    Cgroup,
    /// The hierarchy of cgroups, version 2.
    Cgroup2,
    /// /proc.
    Proc,
    /// pidfs, in which each pidfd has an inode of its own (Linux 6.9).
    Pid,
    /// Any other.
    Other,
}

/// The file system of an open file; `None` when statfs(2) fails.
pub(super) fn of_open(fd: BorrowedFd<'_>) -> Option<FileSystem> {
    // SAFETY: an open descriptor, and a structure that fstatfs fills where it succeeds.
    ask(|about| unsafe { libc::fstatfs(fd.as_raw_fd(), about) })
}

/// The file system at a path.
pub(super) fn of_path(path: &Path) -> Option<FileSystem> {
    let path = CString::new(path.as_os_str().as_bytes()).ok()?;
    // SAFETY: a path that ends in NUL, and a structure that statfs fills where it succeeds.
    ask(|about| unsafe { libc::statfs(path.as_ptr(), about) })
}

fn ask(call: impl FnOnce(*mut libc::statfs) -> libc::c_int) -> Option<FileSystem> {
    let mut about = MaybeUninit::<libc::statfs>::uninit();
    if call(about.as_mut_ptr()) != 0 {
        return None;
    }
    // SAFETY: the call has filled it.
    let magic = unsafe { about.assume_init() }.f_type;
    // The type of the number differs between C libraries. Only its 32 bits count.
    Some(match magic as u32 {
        0x0027_e0eb => FileSystem::Cgroup,
        0x6367_7270 => FileSystem::Cgroup2,
        0x0000_9fa0 => FileSystem::Proc,
        0x5049_4446 => FileSystem::Pid,
        _ => FileSystem::Other,
    })
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::os::fd::AsFd;

    use super::*;

    #[test]
    fn they_are_found_by_path_and_by_descriptor() {
        assert_eq!(of_path(Path::new("/proc/self")), Some(FileSystem::Proc));
        assert_eq!(of_open(File::open("/proc/self/stat").unwrap().as_fd()), Some(FileSystem::Proc));
        let other = tempfile::tempdir().unwrap();
        assert_eq!(of_path(other.path()), Some(FileSystem::Other));
        assert_eq!(of_path(&other.path().join("nothing")), None);
    }
}
