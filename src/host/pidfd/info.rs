//! PIDFD_GET_INFO (Linux 6.13): the kernel's facts about a process, by its pidfd.

#![allow(unsafe_code)]

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

/// `PIDFD_INFO_CGROUPID`.
pub(super) const CGROUP_ID: u64 = 1 << 2;
/// `PIDFD_INFO_EXIT` (Linux 6.15).
pub(super) const EXIT: u64 = 1 << 3;

/// `struct pidfd_info` of include/uapi/linux/pidfd.h in its first version: 64 bytes, which every kernel accepts. Linux
/// 6.13 and 6.14 leave `exit_code` unchanged.
#[repr(C)]
#[derive(Debug, Default)]
pub(super) struct Info {
    /// The requested fields; in the answer, the fields that are filled in. Others are not valid.
    pub mask: u64,
    pub cgroup_id: u64,
    pub pid: u32,
    pub tgid: u32,
    pub ppid: u32,
    credentials: [u32; 8],
    /// A wait status.
    pub exit_code: i32,
}

const _: () = assert!(size_of::<Info>() == 64);

/// Requests the fields in `mask`. Errors: ENOTTY before Linux 6.13; ESRCH if the process was waited for and the kernel
/// keeps no exit; EREMOTE (on some kernels ESRCH) if it is not in our pid namespace or one below.
pub(super) fn get(fd: BorrowedFd<'_>, mask: u64) -> io::Result<Info> {
    let mut info = Info { mask, ..Info::default() };
    let request = libc::_IOWR::<Info>(0xff, 11);
    // SAFETY: the request's size is that of the structure that the kernel reads and fills.
    if unsafe { libc::ioctl(fd.as_raw_fd(), request, &raw mut info) } < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(info)
}
