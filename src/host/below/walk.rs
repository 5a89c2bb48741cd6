//! Resolves a path without openat2: component by component, opening each without following it.

#![allow(unsafe_code)]

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

use super::super::filesystem::{FileSystem, of_open};
use super::{descriptor_path, open_at};

/// The most links that are followed, the same as in the kernel.
const LINKS: usize = 40;
/// The only links of /proc that are texts. All others lead to files that no path may reach.
const PROC_TEXTS: [&[u8]; 4] = [b"self", b"thread-self", b"mounts", b"net"];

enum Step {
    Root,
    /// `.`, or an empty name in a path or at its end: what is there has to be a directory.
    Here,
    Up,
    Into(OsString),
}

/// Something that was opened on the path.
struct Entered {
    fd: OwnedFd,
    kind: libc::mode_t,
}

/// Opens a path. Each directory on it is held open, so that `..` leads back to it, whatever is renamed meanwhile.
pub(super) fn open(root: OwnedFd, path: &Path, flags: libc::c_int) -> io::Result<OwnedFd> {
    let mut entered = vec![Entered { fd: root, kind: libc::S_IFDIR }];
    let mut steps: VecDeque<Step> = steps(path.as_os_str().as_bytes()).collect();
    let mut links = 0;
    while let Some(step) = steps.pop_front() {
        let here = &entered[entered.len() - 1];
        if !matches!(step, Step::Root) && here.kind != libc::S_IFDIR {
            return Err(io::Error::from_raw_os_error(libc::ENOTDIR));
        }
        match step {
            Step::Here => {}
            Step::Root => entered.truncate(1),
            Step::Up => entered.truncate((entered.len() - 1).max(1)),
            Step::Into(name) => {
                let fd = open_at(here.fd.as_raw_fd(), Path::new(&name), libc::O_PATH | libc::O_NOFOLLOW)?;
                let kind = kind(fd.as_fd())?;
                if kind != libc::S_IFLNK {
                    entered.push(Entered { fd, kind });
                    continue;
                }
                links += 1;
                if links > LINKS {
                    return Err(io::Error::from_raw_os_error(libc::ELOOP));
                }
                if of_open(fd.as_fd()) == Some(FileSystem::Proc) && !PROC_TEXTS.contains(&name.as_bytes()) {
                    return Err(io::Error::from_raw_os_error(libc::EXDEV));
                }
                let target = link_target(fd.as_fd())?;
                let target: Vec<Step> = self::steps(target.as_bytes()).collect();
                target.into_iter().rev().for_each(|step| steps.push_front(step));
            }
        }
    }
    // Opens the file again with the wanted flags, through /proc. By its path, it could be another file.
    open_at(libc::AT_FDCWD, &descriptor_path(entered[entered.len() - 1].fd.as_fd()), flags)
}

fn steps(path: &[u8]) -> impl Iterator<Item = Step> {
    let root = path.starts_with(b"/").then_some(Step::Root);
    let names = path.split(|byte| *byte == b'/').skip(usize::from(root.is_some()));
    root.into_iter().chain(names.map(|name| match name {
        b"" | b"." => Step::Here,
        b".." => Step::Up,
        name => Step::Into(OsStr::from_bytes(name).to_owned()),
    }))
}

/// The kind of a file, as in `st_mode`.
fn kind(fd: BorrowedFd<'_>) -> io::Result<libc::mode_t> {
    let mut about = MaybeUninit::<libc::stat>::uninit();
    // SAFETY: an open descriptor, and a structure that fstat fills where it succeeds.
    unsafe {
        if libc::fstat(fd.as_raw_fd(), about.as_mut_ptr()) != 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(about.assume_init().st_mode & libc::S_IFMT)
    }
}

fn link_target(link: BorrowedFd<'_>) -> io::Result<OsString> {
    let mut target = vec![0u8; libc::PATH_MAX as usize];
    // SAFETY: an open link, an empty path that ends in NUL, and a buffer as long as it says.
    let length = unsafe { libc::readlinkat(link.as_raw_fd(), c"".as_ptr(), target.as_mut_ptr().cast(), target.len()) };
    if length < 0 {
        return Err(io::Error::last_os_error());
    }
    target.truncate(length as usize);
    if target.is_empty() {
        return Err(io::Error::from_raw_os_error(libc::ENOENT));
    }
    Ok(OsString::from_vec(target))
}
