//! The subscription to the engine's events: its state, and what follows from how it ends. Pure.

use std::sync::Arc;

use super::backoff::Backoff;
use super::stream_silence::Silence;
use crate::config::EventSource;
use crate::cri::{Capability, StreamEnd, Version, capability};
use crate::error::Error;
use crate::model::Events;
use crate::portfolio::Millis;

/// The subscription's state.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Stream {
    /// There is no connection, or nothing was asked for on it yet.
    Off,
    /// The subscription was requested. An idle engine does not answer before its first event, so this counts as
    /// streaming, unless it is a probe of an engine that had no events.
    Pending { since: Millis, probe: bool },
    /// The engine has answered.
    Open,
    /// The stream ended. The next subscription is due at this time.
    Down { retry_at: Millis },
    /// This engine has no events. The next subscription is due at this time, if ever.
    Unavailable { probe_at: Option<Millis> },
}

/// The subscription, and what is known of this engine's events.
#[derive(Debug)]
pub(super) struct Subscription {
    pub stream: Stream,
    backoff: Backoff,
    wanted: EventSource,
    probe_interval: Millis,
    /// The reason to report while events are streamed.
    usual: &'static str,
    /// Whether other subscribers may take events away.
    is_shared: bool,
    /// Why events are not streamed; "" while they are.
    trouble: Arc<str>,
    silence: Silence,
    runtime: String,
}

/// An engine whose stream ends this soon, without an event, has no events.
const SOON: Millis = 2000;

impl Subscription {
    pub fn new(wanted: EventSource, probe_interval: Millis, backoff: Backoff) -> Self {
        Subscription {
            stream: Stream::Off,
            backoff,
            wanted,
            probe_interval,
            usual: "",
            is_shared: false,
            trouble: "".into(),
            silence: Silence::default(),
            runtime: String::new(),
        }
    }

    /// Notes a new connection, to an engine of this version.
    pub fn connected(&mut self, version: &Version, now: Millis) {
        self.runtime = version.runtime_name.clone();
        let capability = capability(version);
        self.is_shared = matches!(capability, Capability::StreamWithCaveat(_));
        self.usual = match capability {
            Capability::Stream => "the engine streams events",
            Capability::StreamWithCaveat(caveat) => caveat,
            // This engine is known to have problems. The option asks for its stream nevertheless.
            Capability::Poll(why) => why,
        };
        let never = match (self.wanted, capability) {
            (EventSource::Poll, _) => Some("the option events=poll asks for it"),
            (EventSource::Auto, Capability::Poll(why)) => Some(why),
            _ => None,
        };
        self.trouble = never.unwrap_or_default().into();
        self.stream = match never {
            Some(_) => Stream::Unavailable { probe_at: None },
            None => Stream::Down { retry_at: now },
        };
    }

    /// Notes that the connection is gone.
    pub fn disconnected(&mut self) {
        self.stream = Stream::Off;
        self.silence = Silence::default();
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
        self.silence = Silence::begin(now);
        if !probe {
            // What ended the stream before no longer matters.
            self.trouble = "".into();
        }
    }

    /// Whether changes are reported as they happen, as far as can be known.
    pub fn is_streaming(&self) -> bool {
        let is_open = matches!(self.stream, Stream::Open | Stream::Pending { probe: false, .. });
        is_open && !self.silence.is_doubted()
    }

    /// Whether there is a subscription, whatever it reports.
    pub fn is_open(&self) -> bool {
        matches!(self.stream, Stream::Open | Stream::Pending { .. })
    }

    /// Whether this engine is polled and never asked for events.
    pub fn is_never_tried(&self) -> bool {
        self.stream == Stream::Unavailable { probe_at: None }
    }

    /// Notes that the engine has answered the subscription. True if it had not before.
    pub fn opened(&mut self) -> bool {
        let is_new = self.stream != Stream::Open;
        self.stream = Stream::Open;
        self.backoff.succeed();
        if is_new {
            self.trouble = "".into();
        }
        is_new
    }

    /// Notes that an event has come.
    pub fn event_came(&mut self) {
        self.silence.event_came();
    }

    /// Notes that a list was applied which began at `begun`. `changes` is the number of starts and ends that it showed.
    pub fn listed(&mut self, begun: Millis, changes: u64, now: Millis) {
        self.silence.listed(begun, changes, self.is_shared, now);
    }

    /// Whether events are overdue for changes that a list showed. True once.
    pub fn falls_silent(&mut self, now: Millis) -> bool {
        self.silence.is_over_due(now)
    }

    /// Notes that the stream ended. How it ended decides whether to subscribe again, and when.
    pub fn ended(&mut self, end: &StreamEnd, now: Millis) {
        let lasted = match self.stream {
            Stream::Pending { since, .. } => Some(now - since),
            _ => None,
        };
        self.silence = Silence::default();
        (self.stream, self.trouble) = match end {
            StreamEnd::Unimplemented(error) => (self.unavailable(now), error.message().into()),
            StreamEnd::Empty if lasted.is_some_and(|ms| ms < SOON) => (self.unavailable(now), self.why_empty().into()),
            StreamEnd::Failed(error) => {
                (self.down(now), format!("the event stream broke, and the watcher opens it again: {error}").into())
            }
            _ => (self.down(now), "the engine ended the event stream, and the watcher opens it again".into()),
        };
    }

    fn down(&mut self, now: Millis) -> Stream {
        Stream::Down { retry_at: now + self.backoff.fail() }
    }

    fn unavailable(&self, now: Millis) -> Stream {
        Stream::Unavailable { probe_at: Some(now + self.probe_interval) }
    }

    fn why_empty(&self) -> &'static str {
        match self.runtime.as_str() {
            "cri-o" => "CRI-O's pod events are off: set enable_pod_events=true under [crio.runtime] and restart CRI-O",
            _ => "the engine ends its event stream at once without an error: its events are switched off",
        }
    }

    /// How changes are noticed, and why; empty without a connection.
    pub fn report(&self) -> Events {
        let reason = match &self.stream {
            Stream::Off => "".into(),
            _ if self.silence.is_doubted() => self.silence.reason(),
            _ if self.trouble.is_empty() => self.usual.into(),
            _ => self.trouble.clone(),
        };
        Events { streaming: self.is_streaming(), reason }
    }

    pub fn deadline(&self) -> Option<Millis> {
        let retry = match self.stream {
            Stream::Down { retry_at } => Some(retry_at),
            Stream::Unavailable { probe_at } => probe_at,
            _ => None,
        };
        [retry, self.silence.deadline()].into_iter().flatten().min()
    }
}

/// The error that a stream broke with; `None` where the engine ended it in order.
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
    fn the_option_events_stands_above_the_table_of_quirks() {
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
    fn unimplemented_is_reported_in_the_engines_words() {
        let mut it = on("docker", "1", EventSource::Auto);
        it.subscribed(0);
        it.ended(&StreamEnd::Unimplemented(Error::new(CRI_E_UNSUPPORTED, "method not implemented")), 1);
        assert_eq!(&*it.report().reason, "method not implemented");
    }

    #[test]
    fn a_stream_that_is_open_again_no_longer_reports_how_it_broke() {
        let mut it = on("containerd", "2.1.9", EventSource::Auto);
        it.subscribed(0);
        it.opened();
        for end in [StreamEnd::Failed(Error::new(CRI_E_UNSUPPORTED, "cut")), StreamEnd::Finished] {
            it.ended(&end, 5000);
            assert!(!it.report().streaming && it.report().reason.contains("opens it again"), "{:?}", it.report());
            it.subscribed(6000);
            assert_eq!(it.report(), Events { streaming: true, reason: "the engine streams events".into() });
            it.opened();
        }
        it.disconnected();
        assert_eq!(it.report(), Events::default(), "without a connection nothing is noticed");
    }

    #[test]
    fn a_silent_stream_does_not_count_until_it_reports() {
        let mut it = on("containerd", "2.1.9", EventSource::Auto);
        it.subscribed(0);
        it.listed(1000, 0, 1001);
        it.listed(60_000, 3, 60_010);
        assert!(it.is_streaming(), "the event may be under way");
        let at = it.deadline().expect("it waits for the event");
        assert!(!it.falls_silent(at - 1));
        assert!(it.falls_silent(at) && !it.falls_silent(at), "news once");
        assert!(!it.is_streaming());
        assert!(it.report().reason.contains("reported none of the 3 starts and ends"), "{:?}", it.report());
        it.event_came();
        assert_eq!(it.report(), Events { streaming: true, reason: "the engine streams events".into() });
    }
}
