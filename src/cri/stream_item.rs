//! The items that the reader of the event stream passes on.

use super::convert::Unreadable;
use crate::error::Error;
use crate::model::{Id, Observation, Time};

/// The type of an engine's event. Some engines' events have statuses that contradict it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum EventKind {
    /// Created.
    Created,
    /// Started.
    Started,
    /// Stopped.
    Stopped,
    /// Deleted.
    Deleted,
}

/// One event of the engine, with everything it carries.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct EngineEvent {
    /// The container or sandbox that it is about.
    pub id: Id,
    /// What happened; `None` for types that are not in the contract.
    pub kind: Option<EventKind>,
    /// When the engine made the event; `None` for a nonsensical time.
    pub created_at: Option<Time>,
    /// The sandbox, if the event has it.
    pub sandbox: Option<Observation>,
    /// Statuses of containers of that sandbox; may be empty.
    pub containers: Vec<Observation>,
    /// Statuses that could not be decoded.
    pub unreadable: Vec<Unreadable>,
    /// How many bytes of memory it takes, about.
    pub weight: usize,
}

impl EngineEvent {
    /// An event about this id, with nothing else in it.
    pub fn about(id: Id) -> Self {
        EngineEvent {
            id,
            kind: None,
            created_at: None,
            sandbox: None,
            containers: Vec::new(),
            unreadable: Vec::new(),
            weight: 0,
        }
    }
}

/// Why the stream ended.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum StreamEnd {
    /// The engine does not know the method.
    Unimplemented(Error),
    /// The stream ended without an error and without a single event. CRI-O does this when pod events are off.
    Empty,
    /// The stream ended without an error, after events.
    Finished,
    /// The stream failed.
    Failed(Error),
}

/// An item from the reader of the event stream.
#[derive(Debug)]
#[non_exhaustive]
pub enum StreamItem {
    /// The response's headers have come, which proves that the subscription is open. An idle engine sends them only
    /// with the first event.
    Open,
    /// An event.
    Event(Box<EngineEvent>),
    /// So many events were lost, because they came faster than they were applied.
    Lost(u64),
    /// The end; nothing follows.
    End(StreamEnd),
}

impl StreamItem {
    /// How many bytes of memory it takes in the backlog, about.
    pub(super) fn weight(&self) -> usize {
        if let StreamItem::Event(event) = self { event.weight } else { 0 }
    }
}
