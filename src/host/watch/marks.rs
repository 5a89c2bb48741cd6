//! Hints about a whole hierarchy of cgroups, by fanotify with one mark for each hierarchy.
//!
//! There is no recursion and no race: even a cgroup that is removed at once is noticed. It needs Linux 6.6 and
//! CAP_SYS_ADMIN. Only notifications are requested, never permission events, which would delay whoever makes a cgroup.

#![allow(unsafe_code)]

use std::ffi::{CString, OsStr, OsString};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::{NoHints, descriptors_left};
use crate::host::filesystem::{FileSystem, of_path};

/// Requests notifications with the directory and the name, and without descriptors.
const INIT: libc::c_uint = libc::FAN_CLASS_NOTIF | libc::FAN_NONBLOCK | libc::FAN_CLOEXEC | libc::FAN_REPORT_DFID_NAME;
const MARK: libc::c_uint = libc::FAN_MARK_ADD | libc::FAN_MARK_FILESYSTEM;
const WANTED: u64 = libc::FAN_CREATE | libc::FAN_DELETE | libc::FAN_ONDIR;
/// How many bytes are read at a time. The kernel queues 16,384 events of 24 to 344 bytes.
const BATCH: usize = 32 * 1024;

/// A notice about a cgroup. Unread notices about one name are merged, so it may be both made and removed, in any order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CgroupNotice {
    /// Cgroups of this name were made, removed, or both. Look at what exists now.
    Of {
        /// The last component of the path.
        name: OsString,
        /// Whether one was made.
        made: bool,
        /// Whether one was removed.
        removed: bool,
    },
    /// The kernel's queue was full and events are lost. Everything has to be looked at again.
    Overflow,
}

/// One fanotify descriptor, made for the first mark. Closed on exec, does not block.
///
/// Add marks before looking: then everything made meanwhile is seen by one of the two.
#[derive(Debug, Default)]
pub struct Marks {
    fd: Option<OwnedFd>,
}

impl Marks {
    /// No marks and no descriptor yet.
    pub fn new() -> Self {
        Marks::default()
    }

    /// The descriptor to poll for POLLIN; `None` before the first mark. It never changes.
    pub fn borrowed(&self) -> Option<BorrowedFd<'_>> {
        self.fd.as_ref().map(AsFd::as_fd)
    }

    /// Marks the hierarchy that is mounted there; in version 1, each hierarchy needs a mark. Any other file system is
    /// refused, because a mark would report the whole disk.
    pub fn add(&mut self, mount: &Path) -> Result<(), NoHints> {
        if !matches!(of_path(mount), Some(FileSystem::Cgroup | FileSystem::Cgroup2)) {
            return Err(NoHints::NotThere);
        }
        let path = CString::new(mount.as_os_str().as_bytes()).map_err(|_| NoHints::NotThere)?;
        let fd = match self.fd.take() {
            Some(fd) => fd,
            None => init()?,
        };
        // SAFETY: an open descriptor, numbers, and a path that ends in NUL.
        let marked = unsafe { libc::fanotify_mark(fd.as_raw_fd(), MARK, WANTED, libc::AT_FDCWD, path.as_ptr()) };
        if marked < 0 {
            return Err(refusal(io::Error::last_os_error()));
        }
        self.fd = Some(fd);
        Ok(())
    }

    /// The next batch of notices; empty if there are no more. Does not block. Errors: those of read(2) other than
    /// EAGAIN.
    pub fn read(&mut self) -> io::Result<Vec<CgroupNotice>> {
        let Some(fd) = &self.fd else {
            return Ok(Vec::new());
        };
        let mut bytes = vec![0u8; BATCH];
        loop {
            // SAFETY: the buffer is ours, and as long as it says.
            let got = unsafe { libc::read(fd.as_raw_fd(), bytes.as_mut_ptr().cast(), bytes.len()) };
            if got >= 0 {
                return Ok(parse(&bytes[..got as usize]));
            }
            let error = io::Error::last_os_error();
            match error.kind() {
                io::ErrorKind::WouldBlock => return Ok(Vec::new()),
                io::ErrorKind::Interrupted => {}
                _ => return Err(error),
            }
        }
    }
}

fn init() -> Result<OwnedFd, NoHints> {
    // SAFETY: integers only.
    let fd = unsafe { libc::fanotify_init(INIT, (libc::O_RDONLY | libc::O_CLOEXEC) as libc::c_uint) };
    if fd < 0 {
        return Err(refusal(io::Error::last_os_error()));
    }
    // SAFETY: the descriptor is new and nobody else's.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

fn refusal(error: io::Error) -> NoHints {
    match error.raw_os_error() {
        Some(libc::EPERM | libc::EACCES) => NoHints::NoRight,
        Some(libc::EMFILE) if descriptors_left() => NoHints::Groups,
        Some(libc::EMFILE | libc::ENFILE) => NoHints::Descriptors,
        // EINVAL, ENODEV and EXDEV: this kernel cannot mark cgroups (before 6.6), or has no fanotify.
        errno => NoHints::Marks(errno.unwrap_or(libc::EIO)),
    }
}

/// `struct fanotify_event_metadata`: length, version, reserved, length of this part, mask, descriptor, pid.
const HEADER: usize = 24;
/// `struct fanotify_event_info_fid` without its handle: type, padding, length, file system, length and type of the handle.
const RECORD: usize = 20;

/// Parses notices. An overflow has no record after its header; of other events, the record with directory and name
/// counts.
fn parse(mut bytes: &[u8]) -> Vec<CgroupNotice> {
    let mut notices = Vec::new();
    while bytes.len() >= HEADER {
        let (length, own) = (number::<4>(bytes, 0) as usize, number::<2>(bytes, 6) as usize);
        let Some(event) = bytes.get(..length).filter(|_| length >= own && own >= HEADER) else { break };
        bytes = &bytes[length..];
        let mask = number::<8>(event, 8);
        if mask & libc::FAN_Q_OVERFLOW != 0 {
            notices.push(CgroupNotice::Overflow);
        } else if let Some(name) = name(&event[own..]) {
            let (made, removed) = (mask & libc::FAN_CREATE != 0, mask & libc::FAN_DELETE != 0);
            notices.push(CgroupNotice::Of { name: name.to_owned(), made, removed });
        }
    }
    notices
}

fn name(mut records: &[u8]) -> Option<&OsStr> {
    while records.len() >= RECORD {
        let length = number::<2>(records, 2) as usize;
        let record = records.get(..length).filter(|_| length >= RECORD)?;
        if record[0] == libc::FAN_EVENT_INFO_TYPE_DFID_NAME {
            let name = record.get(RECORD + number::<4>(record, 12) as usize..)?;
            let end = name.iter().position(|byte| *byte == 0)?;
            return Some(OsStr::from_bytes(&name[..end])).filter(|name| !name.is_empty());
        }
        records = &records[length..];
    }
    None
}

/// A number of so many bytes, in this machine's byte order.
fn number<const N: usize>(bytes: &[u8], at: usize) -> u64 {
    let mut whole = [0; 8];
    let to = if cfg!(target_endian = "big") { 8 - N } else { 0 };
    whole[to..to + N].copy_from_slice(&bytes[at..at + N]);
    u64::from_ne_bytes(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(mask: u64, records: &[u8]) -> Vec<u8> {
        let mut bytes = ((HEADER + records.len()) as u32).to_ne_bytes().to_vec();
        bytes.extend([3, 0]);
        bytes.extend((HEADER as u16).to_ne_bytes());
        bytes.extend(mask.to_ne_bytes());
        bytes.extend((-1i32).to_ne_bytes());
        bytes.extend(7i32.to_ne_bytes());
        bytes.extend(records);
        bytes
    }

    fn record(kind: u8, name: &str) -> Vec<u8> {
        let mut rest = vec![0; 8];
        rest.extend(8u32.to_ne_bytes());
        rest.extend(0xfei32.to_ne_bytes());
        rest.extend(4711u64.to_ne_bytes());
        rest.extend(name.as_bytes());
        rest.resize((rest.len() + 1).next_multiple_of(4), 0);
        let mut bytes = vec![kind, 0];
        bytes.extend(((rest.len() + 4) as u16).to_ne_bytes());
        bytes.extend(rest);
        bytes
    }

    fn of(name: &str, made: bool, removed: bool) -> CgroupNotice {
        CgroupNotice::Of { name: name.into(), made, removed }
    }

    /// A permission event would delay whoever makes a cgroup: the runtime, and so the node.
    #[test]
    fn trap_nobody_has_to_wait_for_us() {
        assert_eq!(INIT & (libc::FAN_CLASS_CONTENT | libc::FAN_CLASS_PRE_CONTENT), 0);
        let permission = libc::FAN_OPEN_PERM | libc::FAN_ACCESS_PERM | libc::FAN_OPEN_EXEC_PERM;
        assert_eq!(WANTED & permission, 0);
        assert_ne!(INIT & libc::FAN_NONBLOCK, 0);
    }

    #[test]
    fn trap_notices_of_one_name_merge_and_an_overflow_has_no_record() {
        let named = |name| record(libc::FAN_EVENT_INFO_TYPE_DFID_NAME, name);
        let bytes = [
            event(libc::FAN_CREATE | libc::FAN_ONDIR, &named("pod1")),
            event(libc::FAN_CREATE | libc::FAN_DELETE | libc::FAN_ONDIR, &named("abc")),
            event(libc::FAN_DELETE | libc::FAN_ONDIR, &[record(1, ""), named("gone")].concat()),
            event(libc::FAN_Q_OVERFLOW, &[]),
        ]
        .concat();
        let want = [of("pod1", true, false), of("abc", true, true), of("gone", false, true), CgroupNotice::Overflow];
        assert_eq!(parse(&bytes), want);
        for cut in 0..bytes.len() {
            assert!(parse(&bytes[..cut]).len() <= 3, "half an event is none");
        }
        assert_eq!(parse(&event(libc::FAN_CREATE, &record(1, ""))), [], "no name");
        assert_eq!(parse(&[0; 64]), [], "an event without a length");
    }
}
