//! The state machine that decides what to do next. It is pure: it uses no clock, no tokio and no I/O. `inputs` handles
//! each input, `news` makes the events, and `silence` notices an engine that does not answer.

mod inputs;
mod news;
mod silence;

use std::sync::Arc;

use crate::config::Config;
use crate::cri::{Follow, Hint, Listing, StreamItem, Version};
use crate::error::{Error, Result};
use crate::hub::PendingEvent;
use crate::model::*;
use crate::portfolio::{Found, Lookup, Millis, Now, Portfolio, Reach, StatusRequest};
use crate::sync::backoff::Backoff;
use crate::sync::initial_replay::InitialReplay;
use crate::sync::link::{Connection, Link};
use crate::sync::lists::Lists;
use crate::sync::log::Log;
use crate::sync::stats::Stats;
use crate::sync::stream::Subscription;
use crate::sync::waiters::{WaiterId, Waiters};

/// An input: something that happened.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "one at a time, on the stack, for a moment")]
pub(super) enum Input {
    /// The program has started the watcher.
    Watch {
        /// Whether there is a packer.
        packs: bool,
    },
    /// A caller waits for a list that begins after this moment.
    Resync(WaiterId),
    /// A caller of a resync no longer waits.
    Forget(WaiterId),
    /// The connection was made. `pid_files` says whether the engine may have pid files that can be read.
    Connected { version: Version, can_stream_lists: bool, pid_files: bool },
    /// The connection could not be made.
    ConnectFailed(Error),
    /// The engine's socket was made, or replaced by a new one.
    SocketMade,
    /// The watcher follows another engine from now on, for this reason. The lists of the new engine end the containers of
    /// the old one.
    Leave(String),
    /// Something came from the event stream.
    Stream(StreamItem),
    /// The list that is under way has succeeded or failed.
    Listed(Result<Listing>),
    /// A status request was answered or failed. `None` means that the engine has no such container or sandbox.
    Answered(StatusRequest, Result<Option<Observation>>),
    /// The packer has finished a job, or the engine could not be asked for what the packer needs.
    Packed(StatusRequest, Result<Option<JsonText>>),
    /// The program sets or removes a container's rucksack.
    Attach(Id, Option<JsonText>),
    /// Processes were looked for on the host.
    Found(Vec<Found>),
    /// The host has shown something: hints.
    Hints(Vec<Hint>),
    /// The means by which the watcher learns from the host have changed.
    Means(WitnessMeans),
    /// These processes are gone from the host.
    ProcessesGone(Vec<(Id, i32, u64)>),
    /// A caller's request on this connection has ended after `waited` milliseconds, with an error or with an answer.
    Served { waited: Millis, error: Option<Error> },
    /// Time has passed.
    Tick,
}

/// An action for the driver.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Action {
    /// Connect to the engine.
    Connect,
    /// Drop the connection, and all requests on it.
    Disconnect,
    /// Subscribe to the engine's events.
    Subscribe,
    /// List everything.
    List { streamed: bool },
    /// Make a status request.
    Ask(StatusRequest),
    /// Follow these processes until they end, or stop following them.
    Follow(Vec<Follow>),
    /// Look for the processes of these containers in the engine's pid files.
    FindProcesses(Vec<Lookup>),
    /// Check whether these processes still exist, whose containers run according to the engine.
    CheckProcesses(Vec<(Id, i32, u64)>),
    /// Inspect a container, and let the packer make its rucksack.
    Pack(StatusRequest),
}

/// The outcome of one input.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// The actions for the driver, in this order.
    pub actions: Vec<Action>,
    /// The runs that the first list showed. They are replayed before `news` is published.
    pub initial_replay: Option<Vec<Arc<Container>>>,
    /// Events to publish, in this order.
    pub news: Vec<PendingEvent>,
    /// Resyncs that are finished.
    pub finished: Vec<(WaiterId, Result<()>)>,
}

/// How many status requests may be under way at a time. With more, containerd is not faster, because its CPU is the
/// limit.
const STATUS_REQUESTS: usize = 8;
/// How many rucksacks may be in work at a time. The packer makes one, while the engine is asked about the others.
const PACK_REQUESTS: usize = 4;
/// How long a list that decides contradictions waits, because one list may decide several.
const DOUBTS: Millis = 50;

/// The state machine.
#[derive(Debug)]
pub(super) struct Machine {
    watching: bool,
    connection: Connection,
    subscription: Subscription,
    lists: Lists,
    waiters: Waiters,
    initial_replay: InitialReplay,
    requests_in_flight: usize,
    pack_requests_in_flight: usize,
    state: WatcherState,
    as_of: Option<Time>,
    /// Why the watcher follows another engine, until a STATE event has reported it.
    left: Option<Arc<str>>,
    /// When the current subscription was requested.
    listening_since: Time,
    stats: Stats,
    log: Log,
    means: Arc<WitnessMeans>,
    /// How the watcher notices changes, as last logged.
    reported: Events,
    relist: Millis,
    poll: Millis,
    pid_wait: Millis,
    request_timeout: Millis,
    /// While the engine does not answer: the id of the status request that showed this.
    silent_on: Option<Id>,
    /// Ids whose status requests hang while the engine answers others.
    slow: IdSet,
}

impl Machine {
    /// Makes a machine, which does nothing yet. `seed` randomises its waits.
    pub fn new(config: &Config, seed: u64) -> Self {
        let millis = |d: std::time::Duration| d.as_millis() as Millis;
        let backoff = |salt| Backoff::new(millis(config.reconnect_min), millis(config.reconnect_max), seed ^ salt);
        Machine {
            watching: false,
            connection: Connection::new(backoff(1)),
            subscription: Subscription::new(config.events, millis(config.probe_interval), backoff(2)),
            lists: Lists::new(backoff(3)),
            waiters: Waiters::default(),
            initial_replay: InitialReplay::default(),
            requests_in_flight: 0,
            pack_requests_in_flight: 0,
            state: WatcherState::New,
            as_of: None,
            left: None,
            listening_since: 0,
            stats: Stats::default(),
            log: Log::default(),
            means: Arc::default(),
            reported: Events::default(),
            relist: millis(config.relist_interval),
            poll: millis(config.poll_interval),
            pid_wait: millis(config.ready_pid_wait),
            request_timeout: millis(config.request_timeout),
            silent_on: None,
            slow: IdSet::default(),
        }
    }

    /// The state of the watcher.
    pub fn state(&self) -> WatcherState {
        self.state
    }

    /// Why the engine cannot be reached or does not answer; `None` if it answers.
    pub fn cause(&self) -> Option<&Error> {
        self.connection.trouble()
    }

    /// When the newest full list in the cache began.
    pub fn as_of(&self) -> Option<Time> {
        self.as_of
    }

    /// Whether the watcher is ready: the cache can be read, and the replay has been published.
    pub fn is_ready(&self) -> bool {
        self.initial_replay.is_over()
    }

    /// How the watcher notices changes, and why; empty before the start.
    pub fn events(&self) -> Events {
        if self.watching { self.subscription.report() } else { Events::default() }
    }

    pub fn stats(&self) -> Stats {
        self.stats
    }

    /// Handles one input.
    pub fn handle(&mut self, input: Input, portfolio: &mut Portfolio, now: Now) -> Outcome {
        let mut out = Outcome::default();
        self.note_sign(&input, now);
        match input {
            Input::Watch { packs } => self.watch(packs, portfolio, now),
            Input::Resync(id) => self.resync(id, now),
            Input::Forget(id) => self.waiters.remove(id),
            Input::Connected { version, can_stream_lists, pid_files } => {
                portfolio.use_pid_files(pid_files, now);
                self.connected(&version, can_stream_lists, now);
            }
            Input::ConnectFailed(error) => self.connect_failed(error, now),
            Input::SocketMade => self.socket_made(portfolio, now, &mut out),
            Input::Leave(reason) => self.leave(reason, portfolio, now, &mut out),
            Input::Stream(item) => self.stream(item, portfolio, now),
            Input::Listed(result) => self.listed(result, portfolio, now, &mut out),
            Input::Answered(request, answer) => self.answered(&request, answer, portfolio, now),
            Input::Packed(about, result) => self.packed(&about, result, portfolio, now),
            Input::Attach(id, rucksack) => portfolio.attach(&id, rucksack, now),
            Input::Found(found) => {
                found.into_iter().for_each(|(lookup, found)| portfolio.found(&lookup, found, now));
            }
            Input::Hints(hints) => {
                let reach = self.reach();
                hints.into_iter().for_each(|hint| portfolio.hinted(hint, reach, now));
            }
            Input::Means(means) => self.note_means(means),
            Input::ProcessesGone(gone) => {
                gone.iter().for_each(|(id, pid, start)| portfolio.process_gone(id, *pid, *start, now));
            }
            Input::Tick | Input::Served { .. } => {}
        }
        if self.reach() == Reach::Away {
            portfolio.report_deaths(now);
        }
        portfolio.pass(now);
        self.proceed(portfolio, now, &mut out);
        portfolio.commit();
        self.report(portfolio, now, &mut out);
        self.follow(portfolio, &mut out);
        out
    }

    /// Follows processes only from READY on, because opening them earlier would delay READY.
    fn follow(&self, portfolio: &mut Portfolio, out: &mut Outcome) {
        if self.watching && self.initial_replay.is_over() {
            let follows = portfolio.take_follows();
            out.actions.extend((!follows.is_empty()).then_some(Action::Follow(follows)));
        }
    }

    /// How the engine reports changes at the moment.
    fn reach(&self) -> Reach {
        match self.subscription.is_streaming() {
            _ if !self.connection.is_up() || self.connection.silent.is_some() => Reach::Away,
            true => Reach::Streaming,
            false => Reach::Polling,
        }
    }

    /// Logs each means that is not used, once.
    fn note_means(&mut self, means: WitnessMeans) {
        for lack in means.lacks.iter().filter(|lack| !self.means.lacks.contains(lack)) {
            let (what, why) = lack;
            self.log.info(format!("option host.witness: not used: {what}: {why}"));
        }
        self.means = Arc::new(means);
    }

    /// The means by which the watcher learns from the host.
    pub fn means(&self) -> &Arc<WitnessMeans> {
        &self.means
    }

    /// When `handle` needs a `Tick`, unless another input comes first.
    pub fn deadline(&self, portfolio: &Portfolio) -> Option<Millis> {
        let can_ask = self.connection.is_up() && self.requests_in_flight < STATUS_REQUESTS;
        let portfolio = if can_ask { portfolio.deadline() } else { portfolio.patience() };
        let up = self.connection.is_up();
        [
            portfolio,
            self.connection.deadline().filter(|_| self.wants_connection()),
            self.lists.deadline().filter(|_| up),
            self.subscription.deadline().filter(|_| up && self.watching),
            self.waiters.deadline(self.pid_wait),
            self.initial_replay.deadline(self.pid_wait),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    fn wants_connection(&self) -> bool {
        self.watching || self.waiters.want_list()
    }

    /// Does everything that is due now.
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
            self.listening_since = now.wall;
            self.subscription.subscribed(now.mono);
            out.actions.push(Action::Subscribe);
            self.lists.want(now.mono);
        }
        let was_streaming = self.subscription.is_streaming();
        if self.subscription.falls_silent(now.mono) {
            self.stats.blind_windows += u64::from(was_streaming);
            self.lists.want(now.mono);
        }
        if portfolio.wants_list(now) {
            self.lists.want(now.mono + DOUBTS);
        }
        if (self.watching || self.waiters.want_list()) && self.lists.is_due(now.mono) {
            self.lists.begin(portfolio.list_begins(), now);
            out.actions.push(Action::List { streamed: self.lists.try_streams });
        }
        let lookups = portfolio.lookups();
        if !lookups.is_empty() {
            out.actions.push(Action::FindProcesses(lookups));
        }
        let requests = portfolio.requests(STATUS_REQUESTS - self.requests_in_flight, now);
        self.requests_in_flight += requests.len();
        out.actions.extend(requests.into_iter().map(Action::Ask));
        if self.initial_replay.is_over() && self.requests_in_flight == 0 {
            let details = portfolio.details_request(now);
            self.requests_in_flight += usize::from(details.is_some());
            out.actions.extend(details.map(Action::Ask));
        }
        let pack_requests = portfolio.pack_requests(PACK_REQUESTS - self.pack_requests_in_flight);
        self.pack_requests_in_flight += pack_requests.len();
        out.actions.extend(pack_requests.into_iter().map(Action::Pack));
    }
}
