//! The subscription to the engine's events, as far as deciding about it goes.

use std::sync::Arc;

use super::backoff::Backoff;
use crate::config::EventSource;
use crate::cri::{Capability, StreamEnd, Version, capability};
use crate::error::Error;
use crate::model::Events;
use crate::portfolio::Millis;

/// Where the subscription stands.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Stream {
    /// Not asked for, on this connection or at all.
    Off,
    /// Asked for. An idle engine gives no sign of having understood, so this counts as streaming, unless it is a
    /// probe of an engine that had no events.
    Pending { since: Millis, probe: bool },
    /// Proven live.
    Open,
    /// It ended, and will be asked for again then.
    Down { retry_at: Millis },
    /// This engine has no events; it is probed again then, if ever.
    Unavailable { probe_at: Option<Millis> },
}

/// The subscription, and what is known of this engine's events.
#[derive(Debug)]
pub(super) struct Subscription {
    pub stream: Stream,
    backoff: Backoff,
    wanted: EventSource,
    probe_interval: Millis,
    /// Why events are had as they are.
    reason: Arc<str>,
    runtime: String,
}

/// A stream that ends this soon without an event says that there will be none.
const SOON: Millis = 2000;

impl Subscription {
    pub fn new(wanted: EventSource, probe_interval: Millis, backoff: Backoff) -> Self {
        Subscription { stream: Stream::Off, backoff, wanted, probe_interval, reason: "".into(), runtime: String::new() }
    }

    /// A new connection, to an engine of this version.
    pub fn connected(&mut self, version: &Version, now: Millis) {
        self.runtime = version.runtime_name.clone();
        let down = Stream::Down { retry_at: now };
        let (stream, reason) = match (self.wanted, capability(version)) {
            (EventSource::Poll, _) => (Stream::Unavailable { probe_at: None }, "the option events=poll asks for it"),
            (EventSource::Auto, Capability::Poll(why)) => (Stream::Unavailable { probe_at: None }, why),
            (_, Capability::StreamWithCaveat(caveat)) => (down, caveat),
            (EventSource::Stream, Capability::Poll(why)) => (down, why),
            (_, Capability::Stream) => (down, "the engine tells events"),
        };
        (self.stream, self.reason) = (stream, reason.into());
    }

    /// The connection is gone.
    pub fn disconnected(&mut self) {
        self.stream = Stream::Off;
    }

    /// Whether to subscribe now.
    pub fn is_due(&self, now: Millis) -> bool {
        match self.stream {
            Stream::Down { retry_at } => retry_at <= now,
            Stream::Unavailable { probe_at } => probe_at.is_some_and(|at| at <= now),
            _ => false,
        }
    }

    pub fn subscribed(&mut self, now: Millis) {
        let probe = matches!(self.stream, Stream::Unavailable { .. });
        self.stream = Stream::Pending { since: now, probe };
    }

    /// Whether changes are heard of as they happen, for all we know.
    pub fn is_streaming(&self) -> bool {
        matches!(self.stream, Stream::Open | Stream::Pending { probe: false, .. })
    }

    /// Whether this engine is polled without having been asked for events.
    pub fn is_never_tried(&self) -> bool {
        self.stream == Stream::Unavailable { probe_at: None }
    }

    /// The engine has answered: the subscription is live. True if that is news.
    pub fn opened(&mut self) -> bool {
        let news = self.stream != Stream::Open;
        self.stream = Stream::Open;
        self.backoff.succeed();
        if news && self.reason.is_empty() {
            self.reason = "the engine tells events".into();
        }
        news
    }

    /// The stream ended. Whether to subscribe again at all, and when, follows from how.
    pub fn ended(&mut self, end: &StreamEnd, now: Millis) {
        let lasted = match self.stream {
            Stream::Pending { since, .. } => Some(now - since),
            _ => None,
        };
        self.stream = match end {
            StreamEnd::Unimplemented(error) => self.unavailable(error.message().into(), now),
            StreamEnd::Empty if lasted.is_some_and(|ms| ms < SOON) => self.unavailable(self.why_empty().into(), now),
            _ => Stream::Down { retry_at: now + self.backoff.fail() },
        };
        if let (Stream::Down { .. }, StreamEnd::Failed(error)) = (&self.stream, end) {
            self.reason = format!("the event stream broke and is being opened again: {error}").into();
        }
    }

    fn unavailable(&mut self, reason: Arc<str>, now: Millis) -> Stream {
        self.reason = reason;
        Stream::Unavailable { probe_at: Some(now + self.probe_interval) }
    }

    fn why_empty(&self) -> &'static str {
        match self.runtime.as_str() {
            "cri-o" => "CRI-O's pod events are off: set enable_pod_events=true under [crio.runtime] and restart it",
            _ => "the engine ends its event stream at once without an error: its events are switched off",
        }
    }

    /// The capability report.
    pub fn report(&self) -> Events {
        Events { streaming: self.is_streaming(), reason: self.reason.clone() }
    }

    pub fn deadline(&self) -> Option<Millis> {
        match self.stream {
            Stream::Down { retry_at } => Some(retry_at),
            Stream::Unavailable { probe_at } => probe_at,
            _ => None,
        }
    }
}

/// What a stream's end says of the connection.
pub(super) fn broke_with(end: &StreamEnd) -> Option<&Error> {
    match end {
        StreamEnd::Failed(error) => Some(error),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{CRI_E_UNSUPPORTED, Error};

    fn on(name: &str, version: &str, wanted: EventSource) -> Subscription {
        let mut it = Subscription::new(wanted, 300_000, Backoff::new(100, 3000, 1));
        it.connected(&Version { runtime_name: name.into(), runtime_version: version.into(), ..Version::default() }, 0);
        it
    }

    #[test]
    fn the_quirks_decide_unless_the_option_does() {
        assert!(on("containerd", "2.1.9", EventSource::Auto).is_due(0));
        assert!(on("containerd", "1.7.24", EventSource::Auto).is_due(0));
        let careful = on("cri-o", "1.30.1", EventSource::Auto);
        assert_eq!((careful.is_due(u64::MAX), careful.deadline()), (false, None), "never probed either");
        assert!(careful.report().reason.contains("can crash"));
        assert!(on("cri-o", "1.30.1", EventSource::Stream).is_due(0));
        assert!(!on("containerd", "2.1.9", EventSource::Poll).is_due(u64::MAX));
    }

    #[test]
    fn an_empty_stream_means_polling_and_names_the_setting() {
        let mut it = on("cri-o", "1.36.3", EventSource::Auto);
        it.subscribed(0);
        assert!(it.is_streaming());
        it.ended(&StreamEnd::Empty, 5);
        assert!(!it.is_streaming());
        assert!(it.report().reason.contains("enable_pod_events=true"));
        assert_eq!(it.deadline(), Some(300_005));
        it.subscribed(300_005);
        assert!(!it.is_streaming(), "a probe does not count until it has succeeded");
        assert!(it.opened());
        assert!(it.is_streaming());
    }

    #[test]
    fn an_engine_that_is_going_down_is_not_taken_for_one_without_events() {
        let mut it = on("cri-o", "1.36.3", EventSource::Auto);
        it.subscribed(0);
        it.ended(&StreamEnd::Empty, SOON);
        assert!(matches!(it.stream, Stream::Down { .. }));
        it.subscribed(3000);
        it.opened();
        it.ended(&StreamEnd::Finished, 3001);
        assert!(matches!(it.stream, Stream::Down { .. }));
    }

    #[test]
    fn unimplemented_is_told_in_the_engines_words() {
        let mut it = on("docker", "1", EventSource::Auto);
        it.subscribed(0);
        it.ended(&StreamEnd::Unimplemented(Error::new(CRI_E_UNSUPPORTED, "method not implemented")), 1);
        assert_eq!(&*it.report().reason, "method not implemented");
    }
}
