//! What to do next: the state machine. Pure: no clock, no tokio, no I/O.

use std::sync::Arc;

use super::backoff::Backoff;
use super::link::{Connection, Link};
use super::lists::Lists;
use super::log::Log;
use super::opening::Opening;
use super::stats::Stats;
use super::stream::{Stream, Subscription, broke_with};
use super::waiters::{WaiterId, Waiters};
use crate::config::Config;
use crate::cri::{Listing, StreamItem, Version, is_final, is_lost};
use crate::error::{CRI_E_INVALID_ARGUMENT, CRI_E_TIMEOUT, Error, Result};
use crate::hub::Draft;
use crate::model::*;
use crate::portfolio::{Millis, Now, Portfolio, Question, Told};

/// What has happened.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "one at a time, on the stack, for a moment")]
pub(super) enum Input {
    /// Watch from now on.
    Watch {
        /// Whether there is a packer.
        packs: bool,
    },
    /// Somebody wants a list that begins after this moment.
    Resync(WaiterId),
    /// ... and waits no longer.
    Forget(WaiterId),
    /// The connection is made.
    Connected { version: Version, can_stream_lists: bool },
    /// It could not be made.
    ConnectFailed(Error),
    /// From the event stream.
    Stream(StreamItem),
    /// The list that was begun has come, or failed.
    Listed(Result<Listing>),
    /// The question that was asked has been answered, or not.
    Answered(Question, Result<Option<Sighting>>),
    /// The packer is through with this one, or it could not be asked.
    Packed(Question, Result<Option<JsonText>>),
    /// Somebody gives this one a rucksack, or takes it away.
    Attach(Id, Option<JsonText>),
    /// Time has passed.
    Tick,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Action {
    /// Connect to the engine.
    Connect,
    /// Drop the connection, and everything that is on its way on it.
    Disconnect,
    /// Subscribe to the engine's events.
    Subscribe,
    /// List everything.
    List { streamed: bool },
    /// Ask for a status.
    Ask(Question),
    /// Ask for a status, and the packer for a rucksack.
    Pack(Question),
}

/// What follows from one input.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// To be done, in this order.
    pub actions: Vec<Action>,
    /// The first picture: every life that the first list showed. To be replayed before the news.
    pub opening: Option<Vec<Arc<Container>>>,
    /// To be published, in this order.
    pub news: Vec<Draft>,
    /// Resyncs that are done.
    pub finished: Vec<(WaiterId, Result<()>)>,
}

/// How many statuses are asked for at a time. More make containerd no faster: it is bound by its CPU.
const QUESTIONS: usize = 8;
/// How many rucksacks are on their way at a time: one is being packed, the engine is asked about the others.
const PACKINGS: usize = 4;
/// So soon after a subscription whose success cannot be seen, everything is listed once more.
const SECOND_LIST: Millis = 1000;
/// So long is waited for other doubts that the same list can settle.
const DOUBTS: Millis = 50;
/// After so many timeouts in a row a new connection is tried.
const TIMEOUTS: u32 = 3;

/// The state machine.
#[derive(Debug)]
pub(super) struct Machine {
    watching: bool,
    connection: Connection,
    subscription: Subscription,
    lists: Lists,
    waiters: Waiters,
    opening: Opening,
    questions_in_flight: usize,
    packings_in_flight: usize,
    state: WatcherState,
    as_of: Option<Time>,
    stats: Stats,
    log: Log,
    /// The capability report, as it was logged last.
    reported: Events,
    relist: Millis,
    poll: Millis,
    pid_wait: Millis,
}

impl Machine {
    /// A machine that does nothing yet. `seed` makes its waits stray.
    pub fn new(config: &Config, seed: u64) -> Self {
        let millis = |d: std::time::Duration| d.as_millis() as Millis;
        let backoff = |salt| Backoff::new(millis(config.reconnect_min), millis(config.reconnect_max), seed ^ salt);
        Machine {
            watching: false,
            connection: Connection::new(backoff(1)),
            subscription: Subscription::new(config.events, millis(config.probe_interval), backoff(2)),
            lists: Lists::new(backoff(3)),
            waiters: Waiters::default(),
            opening: Opening::default(),
            questions_in_flight: 0,
            packings_in_flight: 0,
            state: WatcherState::New,
            as_of: None,
            stats: Stats::default(),
            log: Log::default(),
            reported: Events::default(),
            relist: millis(config.relist_interval),
            poll: millis(config.poll_interval),
            pid_wait: millis(config.ready_pid_wait),
        }
    }

    /// What the watcher is doing.
    pub fn state(&self) -> WatcherState {
        self.state
    }

    /// Why the engine cannot be reached or does not answer; `None` while all is well.
    pub fn cause(&self) -> Option<&Error> {
        self.connection.cause.as_ref()
    }

    /// When the newest full list began.
    pub fn as_of(&self) -> Option<Time> {
        self.as_of
    }

    /// Whether the picture is complete enough to be shown.
    pub fn is_ready(&self) -> bool {
        self.opening.is_over()
    }

    /// The capability report; empty as long as nothing is watched.
    pub fn events(&self) -> Events {
        if self.watching { self.subscription.report() } else { Events::default() }
    }

    pub fn stats(&self) -> Stats {
        self.stats
    }

    /// Takes one input, and says what follows.
    pub fn handle(&mut self, input: Input, portfolio: &mut Portfolio, now: Now) -> Outcome {
        let mut out = Outcome::default();
        match input {
            Input::Watch { packs } => self.watch(packs, portfolio, now),
            Input::Resync(id) => self.resync(id, now),
            Input::Forget(id) => self.waiters.remove(id),
            Input::Connected { version, can_stream_lists } => self.connected(&version, can_stream_lists, now),
            Input::ConnectFailed(error) => self.connect_failed(error, now),
            Input::Stream(item) => self.stream(item, portfolio, now),
            Input::Listed(result) => self.listed(result, portfolio, now, &mut out),
            Input::Answered(question, answer) => self.answered(&question, answer, portfolio, now),
            Input::Packed(about, result) => self.packed(&about, result, portfolio, now),
            Input::Attach(id, rucksack) => portfolio.attach(&id, rucksack, now),
            Input::Tick => {}
        }
        portfolio.pass(now);
        self.proceed(portfolio, now, &mut out);
        portfolio.commit();
        self.tell(portfolio, now, &mut out);
        out
    }

    /// When `handle` wants a `Tick`, if nothing else happens before.
    pub fn deadline(&self, portfolio: &Portfolio) -> Option<Millis> {
        let can_ask = self.connection.is_up() && self.questions_in_flight < QUESTIONS;
        let portfolio = if can_ask { portfolio.deadline() } else { portfolio.patience() };
        let up = self.connection.is_up();
        [
            portfolio,
            self.connection.deadline().filter(|_| self.wants_connection()),
            self.lists.deadline().filter(|_| up),
            self.subscription.deadline().filter(|_| up && self.watching),
            self.waiters.deadline(self.pid_wait),
            self.opening.deadline(self.pid_wait),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    fn wants_connection(&self) -> bool {
        self.watching || self.waiters.want_list()
    }

    fn watch(&mut self, packs: bool, portfolio: &mut Portfolio, now: Now) {
        self.watching = true;
        if packs {
            portfolio.pack_from_now_on();
        }
        if self.connection.is_up() {
            // It was made for a resync; its engine was not asked for events.
            self.lists.want(now.mono);
        }
    }

    fn resync(&mut self, id: WaiterId, now: Now) {
        self.waiters.add(id, self.lists.next_number());
        self.connection.hurry(now.mono);
        self.lists.want(now.mono);
    }

    fn connected(&mut self, version: &Version, can_stream_lists: bool, now: Now) {
        self.stats.connects += 1;
        let Version { runtime_name, runtime_version, runtime_api_version } = version;
        self.log.info(format!("connected: the engine is {runtime_name} {runtime_version}, CRI {runtime_api_version}"));
        self.connection.link = Link::Up;
        (self.questions_in_flight, self.packings_in_flight) = (0, 0);
        self.subscription.connected(version, now.mono);
        self.lists.connected(can_stream_lists);
        self.lists.want(now.mono);
    }

    fn connect_failed(&mut self, error: Error, now: Now) {
        self.stats.connect_failures += 1;
        match self.connection.cause.as_ref() == Some(&error) {
            true => self.log.debug(format!("still not connected: {error}")),
            false => self.log.warn(format!("not connected: {error}; tried again until it works")),
        }
        if is_final(&error) || !self.watching {
            self.waiters.fail_all(&error);
        }
        self.connection.failed(error, now.mono);
    }

    fn stream(&mut self, item: StreamItem, portfolio: &mut Portfolio, now: Now) {
        match item {
            StreamItem::Open => self.opened(now),
            StreamItem::Event(event) => {
                self.stats.engine_events += 1;
                self.opened(now);
                if let Some(event) = self.opening.keep_early(event, portfolio.is_synced()) {
                    portfolio.event(*event, now);
                }
            }
            StreamItem::Lost(events) => {
                self.stats.engine_events += events;
                self.stats.lost_engine_events += events;
                self.stats.blind_windows += 1;
                self.log.warn(format!(
                    "the engine told more than could be applied: {events} of its events are lost; everything is listed"
                ));
                self.lists.want(now.mono);
            }
            StreamItem::End(end) => {
                self.stats.blind_windows += u64::from(self.subscription.is_streaming());
                self.subscription.ended(&end, now.mono);
                self.log.debug(format!("the event stream has ended: {end:?}"));
                // Whether the connection went with it, a list will show; and what was missed.
                if broke_with(&end).is_some() || matches!(self.subscription.stream, Stream::Down { .. }) {
                    self.lists.want(now.mono);
                } else {
                    self.lists.want(now.mono + self.poll);
                }
            }
        }
    }

    fn opened(&mut self, now: Now) {
        if self.subscription.opened() {
            // What happened between the list and this moment may have been told to nobody.
            self.lists.want(now.mono);
        }
    }

    fn listed(&mut self, result: Result<Listing>, portfolio: &mut Portfolio, now: Now, out: &mut Outcome) {
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
        portfolio.listed(begun.tick, begun.wall(now), listing, now);
        self.as_of = Some(begun.at.wall);
        if opens {
            for event in self.opening.begin(portfolio.lives(), now.mono) {
                portfolio.event(event, now);
            }
        }
        self.waiters.listed(begun.number, now.mono);
        if self.watching {
            self.lists.want(now.mono + self.pause(now));
        }
    }

    /// How long until the next list.
    fn pause(&self, now: Now) -> Millis {
        match self.subscription.stream {
            Stream::Pending { since, probe: false } if now.mono < since + SECOND_LIST => SECOND_LIST.min(self.relist),
            _ if self.subscription.is_streaming() => self.relist,
            _ => self.poll,
        }
    }

    fn list_failed(&mut self, error: Error, portfolio: &mut Portfolio, now: Now, out: &mut Outcome) {
        self.stats.list_failures += 1;
        self.log.warn(format!("a list of all containers failed: {error}; listed again"));
        let timed_out = error.status() == CRI_E_TIMEOUT;
        // A connection that was lost long ago is noticed only now: a new one may do.
        if is_final(&error) || !self.watching && !is_lost(&error) {
            self.waiters.fail_all(&error);
        }
        self.lists.failed(timed_out, now.mono);
        if is_lost(&error) || self.lists.timeouts >= TIMEOUTS {
            self.lost(error, portfolio, now, out);
        } else {
            self.connection.cause = Some(error);
        }
    }

    fn lost(&mut self, error: Error, portfolio: &mut Portfolio, now: Now, out: &mut Outcome) {
        self.stats.blind_windows += u64::from(self.subscription.is_streaming());
        self.log.warn(format!("the engine is lost: {error}; connected to again, and what is known stays readable"));
        self.connection.failed(error, now.mono);
        self.subscription.disconnected();
        self.lists.in_flight = None;
        (self.questions_in_flight, self.packings_in_flight) = (0, 0);
        portfolio.connection_lost(now);
        out.actions.push(Action::Disconnect);
    }

    fn answered(&mut self, question: &Question, answer: Result<Option<Sighting>>, portfolio: &mut Portfolio, now: Now) {
        self.questions_in_flight = self.questions_in_flight.saturating_sub(1);
        match &answer {
            Ok(_) => self.stats.statuses += 1,
            Err(error) => {
                self.stats.status_failures += 1;
                self.log.debug(format!("no answer on {}: {error}; asked again if it matters", question.id));
                if is_lost(error) {
                    // The list finds out whether the connection is gone.
                    self.lists.want(now.mono);
                }
            }
        }
        portfolio.answered(question, answer, now);
        self.log_open_question(question, portfolio);
    }

    fn packed(&mut self, about: &Question, result: Result<Option<JsonText>>, portfolio: &mut Portfolio, now: Now) {
        self.packings_in_flight = self.packings_in_flight.saturating_sub(1);
        match result {
            Ok(rucksack) => portfolio.packed(&about.id, rucksack, now),
            Err(error) if error.status() == CRI_E_INVALID_ARGUMENT => {
                self.log.warn(format!("the packer's rucksack for {} is refused: {error}", about.id));
                portfolio.packed(&about.id, None, now);
            }
            Err(error) => {
                self.log.warn(format!("no rucksack for {} yet: {error}; tried again after the next list", about.id));
                portfolio.packing_failed(&about.id, now);
                if is_lost(&error) {
                    // The list finds out whether the connection is gone.
                    self.lists.want(now.mono);
                }
            }
        }
    }

    /// Somebody may want to know why a pid does not come; once is enough.
    fn log_open_question(&mut self, question: &Question, portfolio: &Portfolio) {
        const OFTEN: u32 = 5;
        if portfolio.times_asked(&question.id) == OFTEN
            && let Some(container) = portfolio.get(&question.id)
        {
            let (path, missing) = (container.path(), json::missing_keys(container.missing).join(", "));
            let id = &question.id;
            self.log.info(format!("{path} ({id}): the engine was asked again and again and has not told: {missing}"));
        }
    }

    /// How changes are noticed is worth a word whenever that changes.
    fn log_report(&mut self) {
        let report = self.events();
        if report == self.reported || report.reason.is_empty() || !self.connection.is_up() {
            return;
        }
        let how = if report.streaming { "by the engine's event stream" } else { "by listing again and again" };
        self.log.info(format!("changes are noticed {how}: {}", report.reason));
        self.reported = report;
    }

    /// Everything that is due now.
    fn proceed(&mut self, portfolio: &mut Portfolio, now: Now, out: &mut Outcome) {
        if self.wants_connection() && self.connection.is_due(now.mono) {
            self.connection.link = Link::Connecting;
            out.actions.push(Action::Connect);
        }
        if !self.connection.is_up() {
            return;
        }
        if self.watching && self.subscription.is_due(now.mono) {
            self.stats.subscriptions += 1;
            self.subscription.subscribed(now.mono);
            out.actions.push(Action::Subscribe);
            self.lists.want(now.mono);
        }
        if portfolio.wants_list() {
            self.lists.want(now.mono + DOUBTS);
        }
        if (self.watching || self.waiters.want_list()) && self.lists.is_due(now.mono) {
            self.lists.begin(portfolio.list_begins(), now);
            out.actions.push(Action::List { streamed: self.lists.try_streams });
        }
        let questions = portfolio.questions(QUESTIONS - self.questions_in_flight, now);
        self.questions_in_flight += questions.len();
        out.actions.extend(questions.into_iter().map(Action::Ask));
        let packings = portfolio.packings(PACKINGS - self.packings_in_flight);
        self.packings_in_flight += packings.len();
        out.actions.extend(packings.into_iter().map(Action::Pack));
    }

    /// What others are told.
    fn tell(&mut self, portfolio: &mut Portfolio, now: Now, out: &mut Outcome) {
        let settled = portfolio.is_settled();
        self.waiters.settle(settled, self.pid_wait, now.mono);
        let told = self.opening.pass_on(portfolio.take_told());
        let opens = self.opening.is_due(settled, self.pid_wait, now.mono);
        let generation = portfolio.generation();
        let state = self.next_state(opens);
        if opens {
            let (initial, news) = self.opening.end(|id| portfolio.life(id));
            self.enter(state, generation, now, out);
            out.opening = Some(initial);
            out.news.extend(news.into_iter().map(|told| draft(told, generation, state, now)));
        }
        out.news.extend(told.into_iter().map(|told| draft(told, generation, state, now)));
        self.enter(state, generation, now, out);
        portfolio.take_remarks().into_iter().for_each(|remark| self.log.warn(remark));
        self.log_report();
        out.news.extend(self.log.take(generation, state, now));
        let finished = self.waiters.take_finished();
        self.stats.resyncs += finished.iter().filter(|(_, result)| result.is_ok()).count() as u64;
        out.finished = finished;
    }

    fn next_state(&self, opens: bool) -> WatcherState {
        let ready = opens || self.opening.is_over();
        match self.connection.link {
            _ if !self.watching => WatcherState::New,
            Link::Idle | Link::Connecting if self.connection.backoff.failures() == 0 => WatcherState::Connecting,
            Link::Idle | Link::Connecting | Link::Down { .. } => WatcherState::Backoff,
            Link::Up if self.lists.failing => WatcherState::Backoff,
            Link::Up if !self.lists.succeeded || !ready => WatcherState::Syncing,
            Link::Up if self.subscription.is_streaming() => WatcherState::Watching,
            Link::Up => WatcherState::Polling,
        }
    }

    /// A change of state is an event, too.
    fn enter(&mut self, state: WatcherState, generation: u64, now: Now, out: &mut Outcome) {
        if state == self.state {
            return;
        }
        self.state = state;
        let message: Option<Arc<str>> = match state {
            WatcherState::Backoff => self.cause().map(|e| e.message().into()),
            WatcherState::Watching | WatcherState::Polling => Some(self.subscription.report().reason),
            _ => None,
        };
        out.news.push(Draft {
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
}

fn draft(told: Told, generation: u64, state: WatcherState, now: Now) -> Draft {
    Draft {
        event_type: told.event_type,
        flags: told.flags,
        changed: told.changed,
        time: told.time,
        observed: now.wall,
        generation,
        container: Some(told.container),
        state,
        message: None,
        log_level: None,
    }
}
