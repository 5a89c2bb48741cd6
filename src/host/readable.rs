//! Waits, in the library's own runtime, until a descriptor can be read.

#![allow(unsafe_code)]

use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// A copy of another owner's descriptor, to wait on. Closed on exec.
#[derive(Debug)]
pub struct Readable(AsyncFd<OwnedFd>);

impl Readable {
    /// Copies a descriptor. Has to be called in a runtime. Errors: EMFILE if no descriptor is left.
    pub fn of(fd: BorrowedFd<'_>) -> io::Result<Self> {
        let own = fd.try_clone_to_owned()?;
        // SAFETY: the descriptor is owned by what is registered, so it stays open and the same.
        let registered = unsafe { AsyncFd::register_with_interest(own, Interest::READABLE) };
        registered.map(Readable).map_err(io::Error::from)
    }

    /// Waits until there may be something to read.
    pub async fn wait(&self) {
        if self.0.readable().await.is_err() {
            // The runtime is ending.
            std::future::pending::<()>().await;
        }
    }

    /// Notes that everything was read, so that the next wait is for something new.
    pub async fn clear(&self) {
        if let Ok(mut ready) = self.0.readable().await {
            ready.clear_ready();
        }
    }
}
