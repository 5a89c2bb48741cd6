//! The sockets to ask. Clues that point at the same socket are merged.

use std::io;

use super::clues::{Clue, Clues};
use crate::cri::endpoint::{Endpoint, SocketId};
use crate::model::{Evidence, Reason};

/// A socket to ask.
#[derive(Debug)]
pub(super) struct Suspect {
    pub endpoint: Endpoint,
    /// The reasons to ask it, strongest first.
    pub reasons: Vec<Reason>,
    /// The socket that is there now; `None` if it cannot be seen.
    pub socket: Option<SocketId>,
    /// Whether there is no such file.
    pub is_absent: bool,
}

impl Suspect {
    fn new(clue: Clue) -> Self {
        let socket = clue.endpoint.socket_id();
        let is_absent = matches!(&socket, Err(e) if e.kind() == io::ErrorKind::NotFound);
        Suspect { endpoint: clue.endpoint, reasons: vec![clue.reason], socket: socket.ok(), is_absent }
    }

    /// The strongest reason to ask it.
    pub fn evidence(&self) -> Evidence {
        self.reasons[0].evidence
    }

    fn is_same(&self, other: &Suspect) -> bool {
        self.endpoint == other.endpoint || self.socket.is_some() && self.socket == other.socket
    }
}

/// One suspect for each socket, the strongest evidence first.
pub(super) fn suspects(clues: &mut Clues) -> Vec<Suspect> {
    let mut found = std::mem::take(&mut clues.found);
    found.sort_by_key(|clue| (clue.reason.evidence, clue.order));
    let mut all: Vec<Suspect> = Vec::new();
    for suspect in found.into_iter().map(Suspect::new) {
        match all.iter_mut().find(|known| known.is_same(&suspect)) {
            Some(known) => known.reasons.extend(suspect.reasons),
            None => all.push(suspect),
        }
    }
    all
}
