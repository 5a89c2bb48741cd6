//! The machine's log messages. They become LOG events, which only consumers get that ask for them.

use crate::hub::PendingEvent;
use crate::model::*;
use crate::portfolio::Now;

/// Messages in the order in which they were written. Each names the thing and the value, and what to do, where there is
/// anything to do.
#[derive(Debug, Default)]
pub(super) struct Log {
    messages: Vec<(LogLevel, String)>,
}

impl Log {
    pub fn warn(&mut self, message: impl Into<String>) {
        self.messages.push((LogLevel::Warn, message.into()));
    }

    pub fn info(&mut self, message: impl Into<String>) {
        self.messages.push((LogLevel::Info, message.into()));
    }

    pub fn debug(&mut self, message: impl Into<String>) {
        self.messages.push((LogLevel::Debug, message.into()));
    }

    pub fn take(&mut self, generation: u64, state: WatcherState, now: Now) -> impl Iterator<Item = PendingEvent> {
        let messages = std::mem::take(&mut self.messages).into_iter();
        messages.map(move |(level, message)| PendingEvent::log(level, message, generation, state, now.wall))
    }
}
