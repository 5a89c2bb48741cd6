//! A file descriptor that is readable while its queue has something to give.

use std::io;
use std::os::fd::{AsRawFd, RawFd};

use crate::host::EventFd;

/// An eventfd, and whether it is readable now, so that it is written and read only when that changes.
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
