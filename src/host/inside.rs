//! Files below another root directory, whose symbolic links stay inside it.

#![allow(unsafe_code)]

use std::ffi::CString;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::{AsRawFd, FromRawFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Opens a file for reading. An absolute link in it leads below `root`, as it does for a process that has `root` as its
/// root directory: followed from here, it would lead to a file of our own. Never waits for a writer of a FIFO.
pub fn open(root: &Path, path: &Path) -> io::Result<File> {
    let directory = OpenOptions::new().read(true).custom_flags(libc::O_DIRECTORY).open(root)?;
    match open_in(&directory, path) {
        // Linux before 5.6, or a seccomp profile that does not know the call.
        Err(e) if matches!(e.raw_os_error(), Some(libc::ENOSYS | libc::EPERM)) => open_without_links(root, path),
        outcome => outcome,
    }
}

fn open_in(directory: &File, path: &Path) -> io::Result<File> {
    let path = CString::new(path.as_os_str().as_bytes())?;
    // SAFETY: open_how is plain integers, of which zero is allowed.
    let mut how: libc::open_how = unsafe { std::mem::zeroed() };
    how.flags = (libc::O_RDONLY | libc::O_CLOEXEC | libc::O_NONBLOCK | libc::O_NOCTTY) as u64;
    how.resolve = libc::RESOLVE_IN_ROOT | libc::RESOLVE_NO_MAGICLINKS;
    // SAFETY: the descriptor is open, the path ends in NUL, and `how` has the size that is given.
    let fd = unsafe {
        libc::syscall(libc::SYS_openat2, directory.as_raw_fd(), path.as_ptr(), &raw const how, size_of_val(&how))
    };
    match i32::try_from(fd) {
        // SAFETY: the descriptor is new and nobody else's.
        Ok(fd) if fd >= 0 => Ok(unsafe { File::from_raw_fd(fd) }),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Without openat2, a path with a link in it is refused: nobody follows it inside.
fn open_without_links(root: &Path, path: &Path) -> io::Result<File> {
    let mut whole = root.to_owned();
    for part in path {
        whole.push(part);
        if whole.symlink_metadata()?.is_symlink() {
            let message = format!("{} is a symbolic link, which this kernel cannot follow inside", whole.display());
            return Err(io::Error::new(io::ErrorKind::Unsupported, message));
        }
    }
    OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY).open(whole)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::io::Read;
    use std::os::unix::fs::symlink;

    #[test]
    fn absolute_links_stay_inside() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("etc/static")).unwrap();
        fs::write(root.path().join("etc/static/hostname"), "inside").unwrap();
        symlink("/etc/static/hostname", root.path().join("etc/hostname")).unwrap();
        symlink("/proc/self/status", root.path().join("etc/outside")).unwrap();
        let mut text = String::new();
        match open(root.path(), Path::new("etc/hostname")) {
            Ok(mut file) => {
                file.read_to_string(&mut text).unwrap();
                assert_eq!(text, "inside");
            }
            Err(e) => assert_eq!(e.kind(), io::ErrorKind::Unsupported),
        }
        assert!(open(root.path(), Path::new("etc/outside")).is_err());
        assert!(open(root.path(), Path::new("../../../../../../etc/passwd")).is_err());
    }

    #[test]
    fn without_openat2_links_are_refused() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("file"), "text").unwrap();
        symlink("file", root.path().join("link")).unwrap();
        assert!(open_without_links(root.path(), Path::new("file")).is_ok());
        let refused = open_without_links(root.path(), Path::new("link")).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::Unsupported);
    }

    #[test]
    fn a_fifo_without_a_writer_is_empty() {
        let root = tempfile::tempdir().unwrap();
        let path = CString::new(root.path().join("fifo").as_os_str().as_bytes()).unwrap();
        // SAFETY: the path ends in NUL.
        assert_eq!(unsafe { libc::mkfifo(path.as_ptr(), 0o600) }, 0);
        let mut text = String::new();
        open(root.path(), Path::new("fifo")).unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, "");
    }
}
