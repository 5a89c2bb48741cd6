//! A file descriptor that says whether there is something to read, and nothing else.

use std::io;
use std::os::fd::{AsRawFd, RawFd};

use crate::host::EventFd;

/// Readable or not; the caller knows which it is, so that nothing is written or read twice.
#[derive(Debug)]
pub(super) struct Signal {
    fd: EventFd,
    raised: bool,
}

impl Signal {
    pub fn new() -> io::Result<Self> {
        Ok(Signal { fd: EventFd::new()?, raised: false })
    }

    pub fn set(&mut self, raised: bool) {
        if raised != self.raised {
            if raised {
                self.fd.raise()
            } else {
                self.fd.clear()
            }
            self.raised = raised;
        }
    }

    pub fn fd(&self) -> RawFd {
        self.fd.as_raw_fd()
    }
}
