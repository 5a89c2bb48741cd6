//! What each input leads to.

use super::{Action, Machine, Outcome};
use crate::cri::{Listing, StreamItem, Version, is_final, is_lost};
use crate::error::{CRI_E_CONNECT, CRI_E_INVALID_ARGUMENT, CRI_E_TIMEOUT, Error, Result};
use crate::model::*;
use crate::portfolio::{Millis, Now, Portfolio, StatusRequest};
use crate::sync::link::Link;
use crate::sync::stream::{Stream, broke_with};
use crate::sync::waiters::WaiterId;

/// How long after the subscription everything is listed once more: an idle engine does not show that the subscription
/// is open.
const SECOND_LIST: Millis = 1000;
/// After so many lists in a row without an answer, a new connection is made.
const TIMEOUTS: u32 = 3;

impl Machine {
    pub(super) fn watch(&mut self, packs: bool, portfolio: &mut Portfolio, now: Now) {
        self.watching = true;
        if packs {
            portfolio.pack_from_now_on();
        }
        if self.connection.is_up() {
            // The connection was made for a resync, without a subscription.
            self.stats.blind_windows += u64::from(self.subscription.is_never_tried());
            self.lists.want(now.mono);
        }
    }

    pub(super) fn resync(&mut self, id: WaiterId, now: Now) {
        self.waiters.add(id, self.lists.next_number());
        self.connection.hurry(now.mono);
        self.lists.want(now.mono);
    }

    pub(super) fn connected(&mut self, version: &Version, can_stream_lists: bool, now: Now) {
        self.stats.connects += 1;
        let Version { runtime_name, runtime_version, runtime_api_version } = version;
        self.log.info(format!("connected: the engine is {runtime_name} {runtime_version}, CRI {runtime_api_version}"));
        self.connection.link = Link::Up;
        (self.requests_in_flight, self.pack_requests_in_flight) = (0, 0);
        self.subscription.connected(version, now.mono);
        self.stats.blind_windows += u64::from(self.watching && self.subscription.is_never_tried());
        self.lists.connected(can_stream_lists);
        self.lists.want(now.mono);
    }

    pub(super) fn connect_failed(&mut self, error: Error, now: Now) {
        self.stats.connect_failures += 1;
        match self.connection.cause.as_ref() == Some(&error) {
            true => self.log.debug(format!("another attempt to connect failed: {error}")),
            false => self.log.warn(format!("{error}; the watcher tries again until it succeeds")),
        }
        if is_final(&error) || !self.watching {
            self.waiters.fail_all(&error);
        }
        self.connection.failed(error, now.mono);
    }

    /// Gives up the old connection, and forgets earlier failures: both were with a socket that is no longer there.
    pub(super) fn socket_made(&mut self, portfolio: &mut Portfolio, now: Now, out: &mut Outcome) {
        self.connection.backoff.succeed();
        if self.connection.is_up() {
            let error = Error::new(
                CRI_E_CONNECT,
                "the engine's socket was replaced by a new one: the watcher gives up the connection to the old one",
            );
            self.lost(error.retriable(), portfolio, now, out);
        }
        self.connection.hurry(now.mono);
    }

    pub(super) fn leave(&mut self, reason: String, portfolio: &mut Portfolio, now: Now, out: &mut Outcome) {
        self.left = Some(reason.as_str().into());
        self.connection.backoff.succeed();
        if self.connection.is_up() {
            self.lost(Error::new(CRI_E_CONNECT, reason).retriable(), portfolio, now, out);
        } else {
            self.log.warn(reason);
        }
        self.connection.hurry(now.mono);
    }

    pub(super) fn stream(&mut self, item: StreamItem, portfolio: &mut Portfolio, now: Now) {
        match item {
            StreamItem::Open => self.opened(now),
            StreamItem::Event(event) => {
                self.stats.event_came(event.created_at, self.listening_since, now.wall);
                self.opened(now);
                self.subscription.event_came();
                if let Some(event) = self.initial_replay.keep_early(event, portfolio.is_synced()) {
                    portfolio.event(*event, now);
                }
            }
            StreamItem::Lost(events) => {
                self.stats.engine_events += events;
                self.stats.lost_engine_events += events;
                self.stats.blind_windows += 1;
                self.log.warn(format!(
                    "the watcher dropped {events} events of the engine, which came faster than it could apply them; it lists everything now"
                ));
                self.lists.want(now.mono);
            }
            StreamItem::End(end) => {
                self.stats.blind_windows += u64::from(self.subscription.is_streaming());
                self.subscription.ended(&end, now.mono);
                // A list shows what was missed, and whether the connection is lost as well.
                if broke_with(&end).is_some() || matches!(self.subscription.stream, Stream::Down { .. }) {
                    self.lists.want(now.mono);
                } else {
                    self.lists.want(now.mono + self.poll);
                }
            }
        }
    }

    pub(super) fn opened(&mut self, now: Now) {
        if self.subscription.opened() {
            // What changed between the last list and the subscription may have had no event.
            self.lists.want(now.mono);
        }
    }

    pub(super) fn listed(&mut self, result: Result<Listing>, portfolio: &mut Portfolio, now: Now, out: &mut Outcome) {
        let Some(begun) = self.lists.in_flight else {
            return;
        };
        let listing = match result {
            Ok(listing) => listing,
            Err(error) => return self.list_failed(error, portfolio, now, out),
        };
        self.stats.lists += 1;
        if listing.streamed == Some(false) {
            self.lists.try_streams = false;
        }
        self.lists.done();
        self.connection.cause = None;
        self.connection.backoff.succeed();
        let opens = !portfolio.is_synced();
        let before = portfolio.starts_and_ends();
        portfolio.listed(begun.tick, begun.wall(now), listing, now);
        // What the first list shows began before the subscription, so the event stream cannot have reported it.
        let is_comparable = self.subscription.is_open() && !opens;
        let changes = if is_comparable { portfolio.starts_and_ends() - before } else { 0 };
        self.subscription.listed(begun.at.mono, changes, now.mono);
        self.as_of = Some(begun.at.wall);
        if opens {
            for event in self.initial_replay.begin(portfolio.runs(), now.mono) {
                portfolio.event(event, now);
            }
        }
        self.waiters.listed(begun.number, now.mono);
        // The processes that are known at the first list were proven a moment ago.
        let processes = if opens { Vec::new() } else { portfolio.processes() };
        if self.watching && !processes.is_empty() {
            out.actions.push(Action::CheckProcesses(processes));
        }
        if self.watching {
            self.lists.want(now.mono + self.pause(now));
        }
    }

    /// How long until the next list.
    pub(super) fn pause(&self, now: Now) -> Millis {
        match self.subscription.stream {
            Stream::Pending { since, probe: false } if now.mono < since + SECOND_LIST => SECOND_LIST.min(self.relist),
            _ if self.subscription.is_streaming() => self.relist,
            _ => self.poll,
        }
    }

    pub(super) fn list_failed(&mut self, error: Error, portfolio: &mut Portfolio, now: Now, out: &mut Outcome) {
        self.stats.list_failures += 1;
        let timed_out = error.status() == CRI_E_TIMEOUT;
        // The connection may have been lost long ago, and be noticed only now: a new one may work.
        if is_final(&error) || !self.watching && !is_lost(&error) {
            self.waiters.fail_all(&error);
        }
        self.lists.failed(timed_out, now.mono);
        if is_lost(&error) || self.lists.timeouts >= TIMEOUTS {
            return self.lost(error, portfolio, now, out);
        }
        match self.connection.cause.as_ref() == Some(&error) {
            true => self.log.debug(format!("another list failed: {error}")),
            false => self.log.warn(format!("a list of all containers failed: {error}; the watcher lists again")),
        }
        self.connection.cause = Some(error);
    }

    pub(super) fn lost(&mut self, error: Error, portfolio: &mut Portfolio, now: Now, out: &mut Outcome) {
        self.stats.blind_windows += u64::from(self.subscription.is_streaming());
        self.log.warn(format!("{error}; the watcher connects again, and the cache stays readable"));
        self.connection.failed(error, now.mono);
        self.subscription.disconnected();
        self.lists.in_flight = None;
        (self.requests_in_flight, self.pack_requests_in_flight) = (0, 0);
        portfolio.connection_lost(now);
        out.actions.push(Action::Disconnect);
    }

    pub(super) fn answered(
        &mut self,
        request: &StatusRequest,
        answer: Result<Option<Observation>>,
        portfolio: &mut Portfolio,
        now: Now,
    ) {
        self.requests_in_flight = self.requests_in_flight.saturating_sub(1);
        let timed_out = answer.as_ref().is_err_and(|e| e.status() == CRI_E_TIMEOUT);
        portfolio.note_speed(&request.id, timed_out);
        match &answer {
            Ok(Some(_)) => self.stats.statuses += 1,
            Ok(None) => self.stats.status_not_found += 1,
            Err(error) => {
                self.stats.status_failures += 1;
                self.log.debug(format!(
                    "{}; the watcher asks again if it still needs the answer",
                    about(&request.id, error)
                ));
                if is_lost(error) {
                    // A list shows whether the connection is lost.
                    self.lists.want(now.mono);
                }
            }
        }
        portfolio.answered(request, answer, now);
    }

    pub(super) fn packed(
        &mut self,
        request: &StatusRequest,
        result: Result<Option<JsonText>>,
        portfolio: &mut Portfolio,
        now: Now,
    ) {
        self.pack_requests_in_flight = self.pack_requests_in_flight.saturating_sub(1);
        match result {
            Ok(rucksack) => portfolio.packed(&request.id, rucksack, now),
            Err(error) if error.status() == CRI_E_INVALID_ARGUMENT => {
                self.log.warn(format!("the library drops the packer's rucksack: {}", about(&request.id, &error)));
                portfolio.packed(&request.id, None, now);
            }
            Err(error) => {
                self.log.warn(format!(
                    "no rucksack yet: {}; the watcher tries again after the next list",
                    about(&request.id, &error)
                ));
                portfolio.packing_failed(&request.id, now);
                if is_lost(&error) {
                    // A list shows whether the connection is lost.
                    self.lists.want(now.mono);
                }
            }
        }
    }
}

/// The message of an error, with the id that it is about.
fn about(id: &Id, error: &Error) -> String {
    if error.message().contains(&**id) { error.to_string() } else { format!("{id}: {error}") }
}
