//! Waiting, within the library's own runtime, until a descriptor can be read.

#![allow(unsafe_code)]

use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// A descriptor that is waited on, beside its owner: a copy of its own, closed on exec.
#[derive(Debug)]
pub struct Readable(AsyncFd<OwnedFd>);

impl Readable {
    /// Has to be called within a runtime. Errors: EMFILE when no descriptor is left.
    pub fn of(fd: BorrowedFd<'_>) -> io::Result<Self> {
        let own = fd.try_clone_to_owned()?;
        // SAFETY: the descriptor is owned by what is registered, so it stays open and the same.
        let registered = unsafe { AsyncFd::register_with_interest(own, Interest::READABLE) };
        registered.map(Readable).map_err(io::Error::from)
    }

    /// Waits until there may be something to read.
    pub async fn wait(&self) {
        if self.0.readable().await.is_err() {
            // The runtime ends.
            std::future::pending::<()>().await;
        }
    }

    /// There was nothing more to read: the next wait is for news.
    pub async fn clear(&self) {
        if let Ok(mut ready) = self.0.readable().await {
            ready.clear_ready();
        }
    }
}
