//! Reads the small files and links of /proc with few system calls: one open, one read and one close each. A file of usual
//! size costs no allocation, and its buffer is not cleared first.

#![allow(unsafe_code)]

use std::ffi::{CStr, CString};
use std::fs::File;
use std::io::{self, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Enough for nearly every file: /proc/PID/cgroup of a pod in ten hierarchies takes 2 KiB.
const USUAL: usize = 4096;
/// Enough for every link whose text is used: `cgroup:[4026531835]`.
const LINK: usize = 64;
/// Enough for nearly every path.
const PATH: usize = 256;

/// A place in /proc.
#[derive(Debug, Clone, Copy)]
pub(super) enum At<'a> {
    /// A path of this process.
    Path(&'a Path),
    /// A folder that is open, with O_PATH at least.
    Folder(BorrowedFd<'a>),
}

impl At<'_> {
    /// Opens a folder in this place, with O_PATH.
    pub fn folder(self, name: std::fmt::Arguments<'_>) -> io::Result<OwnedFd> {
        self.resolve(name, |at, path| open(at, path, libc::O_PATH | libc::O_DIRECTORY))
    }

    /// Calls `with` with the text of a file. Bytes that are not UTF-8 are replaced.
    pub fn read<T>(self, name: std::fmt::Arguments<'_>, with: impl FnOnce(&str) -> T) -> io::Result<T> {
        let mut file = File::from(self.resolve(name, |at, path| open(at, path, libc::O_RDONLY))?);
        let mut buffer = [MaybeUninit::uninit(); USUAL];
        // The kernel fills the buffer with one call, as far as it fits.
        let read = read(&file, &mut buffer)?;
        if read.len() < USUAL {
            return Ok(with_text(read, with));
        }
        let mut whole = read.to_vec();
        file.read_to_end(&mut whole)?;
        Ok(with_text(&whole, with))
    }

    /// Calls `with` with the text of a link. A text that is too long is cut, because none of those is used.
    pub fn read_link<T>(self, name: std::fmt::Arguments<'_>, with: impl FnOnce(&str) -> T) -> io::Result<T> {
        let mut buffer = [0u8; LINK];
        let length = self.resolve(name, |at, path| {
            // SAFETY: the path ends in NUL; the buffer is ours, and its length is given.
            let n = unsafe { libc::readlinkat(at, path.as_ptr(), buffer.as_mut_ptr().cast(), buffer.len()) };
            usize::try_from(n).map_err(|_| io::Error::last_os_error())
        })?;
        Ok(with_text(&buffer[..length], with))
    }

    fn resolve<T>(
        self,
        name: std::fmt::Arguments<'_>,
        with: impl FnOnce(RawFd, &CStr) -> io::Result<T>,
    ) -> io::Result<T> {
        let (at, folder) = match self {
            At::Path(folder) => (libc::AT_FDCWD, Some(folder)),
            At::Folder(folder) => (folder.as_raw_fd(), None),
        };
        let write = |to: &mut dyn Write| {
            if let Some(folder) = folder {
                to.write_all(folder.as_os_str().as_bytes())?;
                to.write_all(b"/")?;
            }
            to.write_fmt(name)
        };
        let mut path = [0; PATH];
        let mut rest = &mut path[..PATH - 1];
        if write(&mut rest).is_ok() {
            let end = PATH - 1 - rest.len();
            return with(at, CStr::from_bytes_with_nul(&path[..=end]).map_err(io::Error::other)?);
        }
        let mut long = Vec::new();
        write(&mut long)?;
        with(at, &CString::new(long)?)
    }
}

/// Nearly always it is UTF-8 already, and this test is many times faster than a search for what to replace.
fn with_text<T>(bytes: &[u8], with: impl FnOnce(&str) -> T) -> T {
    match std::str::from_utf8(bytes) {
        Ok(text) => with(text),
        Err(_) => with(&String::from_utf8_lossy(bytes)),
    }
}

/// read(2), once.
fn read<'a>(file: &File, buffer: &'a mut [MaybeUninit<u8>]) -> io::Result<&'a [u8]> {
    // SAFETY: the buffer is ours, and its length is given. Nothing reads it before the kernel has written it.
    let n = unsafe { libc::read(file.as_raw_fd(), buffer.as_mut_ptr().cast(), buffer.len()) };
    let n = usize::try_from(n).map_err(|_| io::Error::last_os_error())?;
    // SAFETY: the kernel has written the first `n` bytes, and `u8` is valid with any value.
    Ok(unsafe { std::slice::from_raw_parts(buffer.as_ptr().cast(), n) })
}

fn open(at: RawFd, path: &CStr, flags: libc::c_int) -> io::Result<OwnedFd> {
    // SAFETY: the path ends in NUL. No mode is needed, because no file is made.
    let fd = unsafe { libc::openat(at, path.as_ptr(), flags | libc::O_CLOEXEC) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the descriptor is new and nobody else's.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::fd::AsFd;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_text_of_any_length_is_read_whole() {
        let root = tempfile::tempdir().unwrap();
        let here = At::Path(root.path());
        for length in [0, 1, USUAL - 1, USUAL, USUAL + 1, 3 * USUAL] {
            fs::write(root.path().join("file"), "x".repeat(length)).unwrap();
            assert_eq!(here.read(format_args!("file"), str::len).unwrap(), length);
        }
        fs::write(root.path().join("7"), b"a\xffb").unwrap();
        assert_eq!(here.read(format_args!("{}", 7), str::to_owned).unwrap(), "a\u{fffd}b");
        assert_eq!(here.read(format_args!("none"), str::len).unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn a_folder_that_was_moved_is_still_the_same() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("a/ns")).unwrap();
        symlink("net:[7]", root.path().join("a/ns/net")).unwrap();
        symlink("x".repeat(2 * LINK), root.path().join("a/long")).unwrap();
        let open = At::Path(root.path()).folder(format_args!("a")).unwrap();
        fs::rename(root.path().join("a"), root.path().join("b")).unwrap();
        let here = At::Folder(open.as_fd());
        assert_eq!(here.read_link(format_args!("ns/{}", "net"), str::to_owned).unwrap(), "net:[7]");
        assert_eq!(here.read_link(format_args!("long"), str::len).unwrap(), LINK);
        assert!(here.folder(format_args!("ns")).is_ok() && here.folder(format_args!("ns/net")).is_err());
    }

    #[test]
    fn a_path_may_have_any_length_and_no_nul() {
        let root = tempfile::tempdir().unwrap();
        let deep = root.path().join("x".repeat(PATH - 10)).join("y".repeat(PATH - 10));
        fs::create_dir_all(&deep).unwrap();
        fs::write(deep.join("file"), "text").unwrap();
        assert_eq!(At::Path(&deep).read(format_args!("file"), str::to_owned).unwrap(), "text");
        assert!(At::Path(&deep).read(format_args!("fi\0le"), str::len).is_err());
    }
}
