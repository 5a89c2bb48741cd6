//! The clues to engines, and what could not be read while looking for clues.

use std::path::Path;
use std::sync::Arc;

use crate::cri::endpoint::Endpoint;
use crate::model::{Evidence, Reason};

/// Something that points at a socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Clue {
    pub endpoint: Endpoint,
    pub reason: Reason,
    /// Its place among the clues of this kind.
    pub order: usize,
}

/// Everything that points at sockets.
#[derive(Debug, Default)]
pub(super) struct Clues {
    pub found: Vec<Clue>,
    pub notes: Vec<Arc<str>>,
}

impl Clues {
    /// Adds a socket, and why it may be an engine's.
    pub fn add(&mut self, endpoint: Endpoint, evidence: Evidence, text: impl Into<Arc<str>>) {
        let order = self.found.len();
        self.found.push(Clue { endpoint, reason: Reason { evidence, text: text.into() }, order });
    }

    /// Adds an endpoint as a program with this root directory wrote it. A text that is no endpoint is noted.
    pub fn named(&mut self, root: &Path, endpoint: &str, evidence: Evidence, text: String) {
        match Endpoint::parse_below(root, endpoint) {
            Ok(endpoint) => self.add(endpoint, evidence, text),
            Err(why) => self.note(format!("{text}: {endpoint:?}: {why}")),
        }
    }

    /// Notes what could not be read or was left out.
    pub fn note(&mut self, text: impl Into<Arc<str>>) {
        let text = text.into();
        if !self.notes.contains(&text) {
            self.notes.push(text);
        }
    }
}
