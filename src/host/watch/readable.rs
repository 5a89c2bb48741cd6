//! Waits for hints without a thread of its own.

#![allow(unsafe_code)]

use std::io;
use std::os::fd::OwnedFd;

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::{Notice, Watcher};

/// Waits, in a tokio runtime, until a watcher has something to read.
#[derive(Debug)]
pub struct Readable(AsyncFd<OwnedFd>);

impl Readable {
    /// For this watcher, which has to have had a watch. Errors: those of dup(2) and epoll_ctl(2).
    pub fn new(watcher: &Watcher) -> io::Result<Self> {
        let fd = watcher.clone_fd()?;
        // SAFETY: the descriptor is ours alone and is given away here; `OwnedFd` owns it as long as it lives.
        unsafe { AsyncFd::register_with_interest(fd, Interest::READABLE) }.map(Readable).map_err(io::Error::from)
    }

    /// Waits for the next batch of notices of `watcher`, which has to be the same as before. Dropping the future loses
    /// nothing. Errors: those of read(2).
    pub async fn read(&self, watcher: &mut Watcher) -> io::Result<Vec<Notice>> {
        loop {
            // This comes before the read, so that anything later makes the descriptor ready again.
            let mut guard = self.0.readable().await?;
            let notices = watcher.read()?;
            if !notices.is_empty() {
                return Ok(notices);
            }
            guard.clear_ready();
        }
    }
}
