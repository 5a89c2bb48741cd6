//! The levels of the watcher's messages.

use super::constants::*;
use crate::table::word_of;

/// The level of a LOG event; the most urgent comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum LogLevel {
    /// The watcher cannot do its work.
    Error,
    /// Something is wrong, and may need the attention of an operator.
    Warn,
    /// Useful to know.
    Info,
    /// Useful for finding a fault.
    Debug,
}

impl LogLevel {
    /// The number in the C ABI: one of `CRI_LOG_*`.
    pub fn number(self) -> u32 {
        match self {
            LogLevel::Error => CRI_LOG_ERROR,
            LogLevel::Warn => CRI_LOG_WARN,
            LogLevel::Info => CRI_LOG_INFO,
            LogLevel::Debug => CRI_LOG_DEBUG,
        }
    }

    /// Its name in JSON.
    pub fn word(self) -> &'static str {
        word_of(LOG_LEVELS, self.number())
    }
}
