//! Waiting for hints without a thread of one's own.

#![allow(unsafe_code)]

use std::io;
use std::os::fd::OwnedFd;

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::{Notice, Watcher};

/// Tells when a watcher has something to read, in a tokio runtime.
#[derive(Debug)]
pub struct Readable(AsyncFd<OwnedFd>);

impl Readable {
    /// Of this watcher, which has had a watch. Errors: those of dup(2) and epoll_ctl(2).
    pub fn new(watcher: &Watcher) -> io::Result<Self> {
        let fd = watcher.clone_fd()?;
        // SAFETY: the descriptor is ours alone, is given away here, and `OwnedFd` names it as long as it lives.
        unsafe { AsyncFd::register_with_interest(fd, Interest::READABLE) }.map(Readable).map_err(io::Error::from)
    }

    /// Waits for what `watcher`, the same as before, has to report: a batch. Dropped, it loses nothing. Errors: those of read(2).
    pub async fn read(&self, watcher: &mut Watcher) -> io::Result<Vec<Notice>> {
        loop {
            // Before the read: what comes after it makes the descriptor ready anew.
            let mut guard = self.0.readable().await?;
            let notices = watcher.read()?;
            if !notices.is_empty() {
                return Ok(notices);
            }
            guard.clear_ready();
        }
    }
}
