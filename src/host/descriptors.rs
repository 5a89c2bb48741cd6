//! The limit of descriptors of this process. We use a part of them, and the program the rest.

#![allow(unsafe_code)]

/// The present soft limit of open descriptors (RLIMIT_NOFILE); `None` if it cannot be read.
pub fn descriptor_limit() -> Option<u64> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: a structure of ours that the kernel fills.
    (unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) } == 0).then_some(limit.rlim_cur)
}
