//! Events, as consumers see them.

use std::sync::Arc;

use super::constants::*;
use super::{Container, LogLevel, Time, WatcherState};
use crate::table::word_of;

/// The type of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EventType {
    /// A run began.
    Started,
    /// A run ended.
    Exited,
    /// A field of a container has become known or has changed.
    Updated,
    /// The watcher's state changed.
    State,
    /// A replay begins.
    ReplayBegin,
    /// A replay is over.
    ReplayEnd,
    /// This consumer lost events.
    Overflow,
    /// A container was created.
    Created,
    /// The engine no longer has a container or sandbox.
    Removed,
    /// The watcher reports about its own work.
    Log,
}

impl EventType {
    /// The number in the C ABI: one of `CRI_EVENT_*`.
    pub fn number(self) -> u32 {
        match self {
            EventType::Started => CRI_EVENT_STARTED,
            EventType::Exited => CRI_EVENT_EXITED,
            EventType::Updated => CRI_EVENT_UPDATED,
            EventType::State => CRI_EVENT_STATE,
            EventType::ReplayBegin => CRI_EVENT_REPLAY_BEGIN,
            EventType::ReplayEnd => CRI_EVENT_REPLAY_END,
            EventType::Overflow => CRI_EVENT_OVERFLOW,
            EventType::Created => CRI_EVENT_CREATED,
            EventType::Removed => CRI_EVENT_REMOVED,
            EventType::Log => CRI_EVENT_LOG,
        }
    }

    /// Its name in JSON.
    pub fn word(self) -> &'static str {
        word_of(EVENT_TYPES, self.number())
    }

    /// The bit in a subscription's mask.
    pub fn mask(self) -> u32 {
        1 << self.number()
    }
}

/// The default mask: all events that are not opt-in.
pub const DEFAULT_MASK: u32 =
    1 << CRI_EVENT_STARTED | 1 << CRI_EVENT_EXITED | 1 << CRI_EVENT_UPDATED | 1 << CRI_EVENT_STATE;

/// The events that no mask can switch off. Without them, a consumer could be wrong about the present state without
/// noticing.
pub const CONTROL_MASK: u32 = 1 << CRI_EVENT_REPLAY_BEGIN | 1 << CRI_EVENT_REPLAY_END | 1 << CRI_EVENT_OVERFLOW;

/// All events that a mask can ask for.
pub const ALL_MASK: u32 =
    DEFAULT_MASK | CONTROL_MASK | 1 << CRI_EVENT_CREATED | 1 << CRI_EVENT_REMOVED | 1 << CRI_EVENT_LOG;

/// One event, as one consumer sees it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Event {
    /// The type of the event.
    pub event_type: EventType,
    /// Bits of `CRI_EVENT_FLAG_*`.
    pub flags: u32,
    /// A number that grows from event to event. No two events of a watcher have the same. Gaps have no meaning.
    pub seq: u64,
    /// The cache includes this event from this generation on.
    pub generation: u64,
    /// In an OVERFLOW: how many events this consumer lost. Otherwise 0.
    pub lost: u64,
    /// In an UPDATED: what has changed, as bits of `CRI_CHANGED_*`. Otherwise 0.
    pub changed: u64,
    /// When it happened according to the engine. If the engine gives no time: when the watcher noticed it.
    pub time: Time,
    /// When the watcher noticed it.
    pub observed: Time,
    /// The container, for the events that are about one.
    pub container: Option<Arc<Container>>,
    /// The watcher's state when it made this event.
    pub state: WatcherState,
    /// The reason of a STATE, or the message of a LOG.
    pub message: Option<Arc<str>>,
    /// The level of a LOG.
    pub log_level: Option<LogLevel>,
}
