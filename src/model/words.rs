//! Enumerations show themselves as JSON has them.

use std::fmt;

use super::{EventType, Kind, LogLevel, PodState, State, WatcherState};

macro_rules! shown_by_their_words {
    ($($type:ty),+) => {
        $(impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.word())
            }
        })+
    };
}

shown_by_their_words!(EventType, Kind, LogLevel, PodState, State, WatcherState);
