//! What the machine has to say, beyond what happens to containers. It becomes LOG events; who does not ask for these
//! does not get any.

use crate::hub::PendingEvent;
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

    pub fn take(&mut self, generation: u64, state: WatcherState, now: Now) -> impl Iterator<Item = PendingEvent> {
        let messages = std::mem::take(&mut self.messages).into_iter();
        messages.map(move |(level, message)| PendingEvent::log(level, message, generation, state, now.wall))
    }
}

#[cfg(test)]
mod tests {
    use super::super::machine::{Input, Machine};
    use super::*;
    use crate::config::Config;
    use crate::cri::Version;
    use crate::error::{CRI_E_CONNECT, CRI_E_RPC, Error};
    use crate::portfolio::Portfolio;

    /// What is logged for these inputs, one a second.
    fn logged(inputs: Vec<Input>) -> Vec<String> {
        let config = Config::default();
        let (mut machine, mut portfolio) = (Machine::new(&config, 1), Portfolio::new(&config));
        let mut lines = Vec::new();
        for (second, input) in (0..).zip(inputs) {
            let now = Now { mono: second * 1000, wall: second as Time * 1_000_000_000 };
            let news = machine.handle(input, &mut portfolio, now).news;
            let logs = news.iter().filter(|pending| pending.event_type == EventType::Log);
            lines.extend(logs.map(|d| format!("{} {}", d.log_level.unwrap().word(), d.message.as_deref().unwrap())));
        }
        lines
    }

    fn connected() -> Input {
        let version = Version {
            runtime_name: "cri-o".into(),
            runtime_version: "1.30.1".into(),
            runtime_api_version: "v1".into(),
        };
        Input::Connected { version, can_stream_lists: false }
    }

    #[test]
    fn the_same_failure_again_is_worth_a_whisper() {
        let refused = || Input::ConnectFailed(Error::new(CRI_E_CONNECT, "no such socket"));
        let lines = logged(vec![Input::Watch { packs: false }, refused(), refused(), connected()]);
        assert_eq!(
            lines[..3],
            [
                "warn not connected: no such socket; tried again until it works",
                "debug still not connected: no such socket",
                "info connected: the engine is cri-o 1.30.1, CRI v1",
            ]
        );
        assert!(lines[3].starts_with("info changes are noticed by listing again and again: CRI-O 1.28 to 1.32"));
        assert_eq!(lines.len(), 4);
    }

    #[test]
    fn failed_lists_and_lost_engines_are_told_with_their_causes() {
        let failed = |status| Input::Listed(Err(Error::new(status, "for a reason")));
        let lines = logged(vec![Input::Watch { packs: false }, connected(), failed(CRI_E_RPC), Input::Tick]);
        assert_eq!(lines[2..], ["warn a list of all containers failed: for a reason; listed again"]);
        let lines = logged(vec![Input::Watch { packs: false }, connected(), failed(CRI_E_CONNECT)]);
        assert!(lines[3].starts_with("warn the engine is lost: for a reason; "), "{lines:?}");
    }
}
