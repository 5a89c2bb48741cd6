//! eventfd(2): a descriptor that others can poll.

#![allow(unsafe_code)]

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

/// An eventfd, non-blocking and closed on exec.
#[derive(Debug)]
pub struct EventFd(OwnedFd);

impl EventFd {
    /// Makes an eventfd that is not readable.
    pub fn new() -> io::Result<Self> {
        // SAFETY: eventfd takes and gives integers only.
        let fd = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the descriptor is new and nobody else's.
        Ok(EventFd(unsafe { OwnedFd::from_raw_fd(fd) }))
    }

    /// Makes it readable.
    pub fn raise(&self) {
        let one = 1u64.to_ne_bytes();
        // SAFETY: eight bytes of ours are read. It cannot fail before 2^64 writes, because nobody else writes here.
        unsafe { libc::write(self.0.as_raw_fd(), one.as_ptr().cast(), one.len()) };
    }

    /// Makes it no longer readable.
    pub fn clear(&self) {
        let mut count = [0u8; 8];
        // SAFETY: eight bytes of ours are written. EAGAIN only means that it was not readable.
        unsafe { libc::read(self.0.as_raw_fd(), count.as_mut_ptr().cast(), count.len()) };
    }
}

impl AsRawFd for EventFd {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

/// Whether the descriptor is readable now.
#[cfg(test)]
pub(crate) fn is_readable(fd: RawFd) -> bool {
    let mut poll = libc::pollfd { fd, events: libc::POLLIN, revents: 0 };
    // SAFETY: one pollfd of ours.
    unsafe { libc::poll(&mut poll, 1, 0) == 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_readable_from_raise_to_clear() {
        let fd = EventFd::new().unwrap();
        assert!(!is_readable(fd.as_raw_fd()));
        fd.raise();
        fd.raise();
        assert!(is_readable(fd.as_raw_fd()));
        fd.clear();
        assert!(!is_readable(fd.as_raw_fd()));
        fd.clear();
    }
}
