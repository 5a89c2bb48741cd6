//! Displays enumerations by their words in JSON.

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

#[cfg(test)]
mod tests {
    use super::super::*;
    use crate::error::STATUSES;
    use crate::table::word_of;

    #[test]
    fn a_word_is_the_name_without_its_prefix_in_camel_case() {
        assert_eq!(word_of(EVENT_TYPES, CRI_EVENT_STARTED), "started");
        assert_eq!(word_of(EVENT_TYPES, CRI_EVENT_REPLAY_BEGIN), "replayBegin");
        assert_eq!(word_of(CHANGED, CRI_CHANGED_STARTED_AT), "startedAt");
        assert_eq!(word_of(MISSING, CRI_MISSING_EXIT), "exitCode", "it has a word of its own");
        assert_eq!(word_of(STATUSES, -3), "CRI_E_TIMEOUT", "the table has no prefix");
        assert_eq!(word_of(EVENT_TYPES, 0), "unknown");
    }

    #[test]
    fn enumerations_are_shown_by_their_words() {
        let shown = format!("{:>9}|{}|{}", State::Running, PodState::NotReady, EventType::ReplayEnd);
        assert_eq!(shown, "  running|notReady|replayEnd");
    }
}
