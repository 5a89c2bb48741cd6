//! The state of the connection to the engine: when to connect, and why it failed. Pure.

use super::backoff::Backoff;
use crate::error::Error;
use crate::portfolio::Millis;

/// The connection's state.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Link {
    /// There is none, and none is wanted.
    Idle,
    /// It is being made.
    Connecting,
    /// It stands.
    Up,
    /// It was lost or refused. The next attempt is due at this time.
    Down { retry_at: Millis },
}

/// The connection, and why it fails.
#[derive(Debug)]
pub(super) struct Connection {
    pub link: Link,
    pub backoff: Backoff,
    /// Why the engine could not be reached, or why its last list failed; `None` after a list that succeeded.
    pub cause: Option<Error>,
    /// When the engine last sent anything: a reply, or something on its event stream.
    pub heard: Millis,
    /// The error of a request without an answer, while the engine does not answer at all on an open connection.
    pub silent: Option<Error>,
}

impl Connection {
    pub fn new(backoff: Backoff) -> Self {
        Connection { link: Link::Idle, backoff, cause: None, heard: 0, silent: None }
    }

    pub fn is_up(&self) -> bool {
        self.link == Link::Up
    }

    /// Whether it is time to connect, if a connection is wanted.
    pub fn is_due(&self, now: Millis) -> bool {
        match self.link {
            Link::Idle => true,
            Link::Down { retry_at } => retry_at <= now,
            Link::Connecting | Link::Up => false,
        }
    }

    pub fn failed(&mut self, cause: Error, now: Millis) {
        self.link = Link::Down { retry_at: now + self.backoff.fail() };
        self.cause = Some(cause);
        self.silent = None;
    }

    /// Why the engine cannot be reached or does not answer; `None` while all is well.
    pub fn trouble(&self) -> Option<&Error> {
        self.cause.as_ref().or(self.silent.as_ref())
    }

    /// Makes the next attempt due now, because a caller waits.
    pub fn hurry(&mut self, now: Millis) {
        if let Link::Down { retry_at } = &mut self.link {
            *retry_at = (*retry_at).min(now);
        }
    }

    pub fn deadline(&self) -> Option<Millis> {
        match self.link {
            Link::Down { retry_at } => Some(retry_at),
            _ => None,
        }
    }
}
