//! How many descriptors this process may have: the host program's limit, of which we take a part.

#![allow(unsafe_code)]

/// The soft limit of open descriptors (RLIMIT_NOFILE) as it is now; `None` where it cannot be read.
pub fn descriptor_limit() -> Option<u64> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: a structure of ours that the kernel fills.
    (unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) } == 0).then_some(limit.rlim_cur)
}
