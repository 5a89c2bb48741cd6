//! What the machine has to say, beyond what happens to containers. It becomes LOG events; who does not ask for these
//! does not get any.

use crate::hub::Draft;
use crate::model::*;
use crate::portfolio::Now;

/// Messages, in the order in which they came up. Each names the thing, the value, and what to do, if there is anything
/// to do.
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

    pub fn take(&mut self, generation: u64, state: WatcherState, now: Now) -> impl Iterator<Item = Draft> {
        let messages = std::mem::take(&mut self.messages).into_iter();
        messages.map(move |(level, message)| Draft::log(level, message, generation, state, now.wall))
    }
}
