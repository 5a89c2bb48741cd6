//! The events that follow from an input, and the watcher's state.

use std::sync::Arc;

use super::{Machine, Outcome};
use crate::hub::PendingEvent;
use crate::model::*;
use crate::portfolio::{Now, Portfolio, Report};
use crate::sync::link::Link;

impl Machine {
    /// Makes the events of this input, and finishes resyncs.
    pub(super) fn report(&mut self, portfolio: &mut Portfolio, now: Now, out: &mut Outcome) {
        let settled = portfolio.is_settled();
        self.waiters.settle(settled, self.pid_wait, now.mono);
        let reported = self.initial_replay.pass_on(portfolio.take_reports());
        let opens = self.initial_replay.is_due(settled, self.pid_wait, now.mono);
        let generation = portfolio.generation();
        let state = self.next_state(opens);
        if opens {
            self.stats.ready_unanswered = portfolio.unanswered() as u64;
            if self.stats.ready_unanswered > 0 {
                self.log.warn(format!(
                    "ready after {} ms (option ready.pid_wait_ms) with {} status requests unanswered: UPDATED events bring what \
                     is missing, such as pids, when the engine answers",
                    self.pid_wait, self.stats.ready_unanswered
                ));
            }
            let (initial, news) = self.initial_replay.end(|id| portfolio.run(id));
            self.enter(state, generation, now, out);
            out.initial_replay = Some(initial);
            out.news.extend(news.into_iter().map(|reported| pending(reported, generation, state, now)));
        }
        out.news.extend(reported.into_iter().map(|reported| pending(reported, generation, state, now)));
        self.enter(state, generation, now, out);
        portfolio.take_warnings().into_iter().for_each(|warning| self.log.warn(warning));
        self.log_report();
        out.news.extend(self.log.take(generation, state, now));
        let finished = self.waiters.take_finished();
        self.stats.resyncs += finished.iter().filter(|(_, result)| result.is_ok()).count() as u64;
        out.finished = finished;
    }

    pub(super) fn next_state(&self, opens: bool) -> WatcherState {
        let ready = opens || self.initial_replay.is_over();
        match self.connection.link {
            _ if !self.watching => WatcherState::New,
            Link::Idle | Link::Connecting if self.connection.backoff.failures() == 0 => WatcherState::Connecting,
            Link::Idle | Link::Connecting | Link::Down { .. } => WatcherState::Backoff,
            Link::Up if self.lists.failing || self.connection.silent.is_some() => WatcherState::Backoff,
            Link::Up if !self.lists.succeeded || !ready => WatcherState::Syncing,
            Link::Up if self.subscription.is_streaming() => WatcherState::Watching,
            Link::Up => WatcherState::Polling,
        }
    }

    /// Enters this state, and makes a STATE event if it is a new one.
    pub(super) fn enter(&mut self, state: WatcherState, generation: u64, now: Now, out: &mut Outcome) {
        let left = self.left.take().filter(|_| self.watching);
        if state == self.state && left.is_none() {
            return;
        }
        self.state = state;
        let message: Option<Arc<str>> = match state {
            _ if left.is_some() => left,
            WatcherState::Backoff => self.cause().map(|e| e.message().into()),
            WatcherState::Watching | WatcherState::Polling => Some(self.subscription.report().reason),
            _ => None,
        };
        out.news.push(PendingEvent {
            event_type: EventType::State,
            flags: 0,
            changed: 0,
            time: now.wall,
            observed: now.wall,
            generation,
            container: None,
            state,
            message: message.filter(|m| !m.is_empty()),
            log_level: None,
        });
    }

    /// Logs how changes are noticed, whenever that changes.
    fn log_report(&mut self) {
        let report = self.events();
        if report == self.reported || report.reason.is_empty() || !self.connection.is_up() {
            return;
        }
        let how = if report.streaming { "by the engine's event stream" } else { "by listing at intervals" };
        self.log.info(format!("the watcher notices changes {how}: {}", report.reason));
        self.reported = report;
    }
}

fn pending(reported: Report, generation: u64, state: WatcherState, now: Now) -> PendingEvent {
    PendingEvent {
        event_type: reported.event_type,
        flags: reported.flags,
        changed: reported.changed,
        time: reported.time,
        observed: now.wall,
        generation,
        container: Some(reported.container),
        state,
        message: None,
        log_level: None,
    }
}
