//! A watcher, an engine and the faults between them, one step at a time.

mod rest;
mod traces;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use super::engine::{Engine, Flavour, Lie, Thing};
use super::truth::{Report, Seen};
use crate::config::Config;
use crate::cri::{EngineEvent, Follow, Hint, Listing, StreamEnd, StreamItem, Version};
use crate::error::{CRI_E_CONNECT, CRI_E_RPC, CRI_E_TIMEOUT, CRI_E_UNSUPPORTED, Error};
use crate::host::Refusal;
use crate::hub::{EventQueue, Hub, Next};
use crate::model::*;
use crate::portfolio::{Lookup, Millis, Now, StatusRequest};
use crate::sync::lists::Begun;
use crate::sync::machine::{Action, Input, Machine};
use crate::sync::publisher::Publisher;
use crate::sync::shared_state::SharedState;
use crate::sync::waiters::WaiterId;

const EPOCH: Time = 1_700_000_000_000_000_000;

pub struct World {
    pub engine: Engine,
    pub seen: Seen,
    pub reported: Report,
    /// The reports to a consumer with a small queue that reads seldom.
    pub slow: Report,
    queues: [Arc<EventQueue>; 2],
    pub shared: Arc<SharedState>,
    publisher: Publisher,
    mono: Millis,
    wall: Time,
    /// How far the engine's clock is behind, by which it dates events.
    pub behind: Time,
    up: bool,
    connecting: bool,
    connected: bool,
    subscribed: bool,
    /// Events that are under way.
    pipe: VecDeque<EngineEvent>,
    /// Events that no subscriber has received.
    backlog: Vec<EngineEvent>,
    /// Events that arrived before the first list.
    early: Vec<EngineEvent>,
    list: Option<(Now, Option<Listing>)>,
    /// Ids about which this list is wrong.
    list_lies: BTreeSet<Id>,
    requests: Vec<StatusRequest>,
    pub has_pid_files: bool,
    pub has_hints: bool,
    /// Processes that the machine follows.
    held: BTreeMap<Id, (i32, u64)>,
    /// Hints that are under way.
    hints: VecDeque<Hint>,
    /// Look-ups that are under way, some of them with their results.
    lookups: Vec<(Lookup, Option<Found>)>,
    pack_requests: Vec<StatusRequest>,
    packs: bool,
    finished: BTreeSet<WaiterId>,
    waiters: WaiterId,
    pub events_given: u64,
}

type Outcome = Result<(), String>;
type Found = Result<Details, Refusal>;

impl World {
    pub fn new(flavour: Flavour, configure: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config::default();
        configure(&mut config);
        let shared = Arc::new(SharedState::new(&config));
        let hub = Arc::new(Hub::new(shared.clone()));
        let queue = |capacity| hub.subscribe(0, false, capacity, View::default()).expect("an eventfd");
        let queues = [queue(1 << 20), queue(3)];
        World {
            engine: Engine::new(flavour),
            seen: Seen::default(),
            reported: Report::default(),
            slow: Report::default(),
            queues,
            publisher: Publisher::new(Machine::new(&config, 1), shared.clone(), hub),
            shared,
            mono: 0,
            wall: EPOCH,
            behind: 0,
            up: true,
            connecting: false,
            connected: false,
            subscribed: false,
            pipe: VecDeque::new(),
            backlog: Vec::new(),
            early: Vec::new(),
            list: None,
            list_lies: BTreeSet::new(),
            requests: Vec::new(),
            has_pid_files: false,
            has_hints: false,
            held: BTreeMap::new(),
            hints: VecDeque::new(),
            lookups: Vec::new(),
            pack_requests: Vec::new(),
            packs: false,
            finished: BTreeSet::new(),
            waiters: 0,
            events_given: 0,
        }
    }

    pub fn watch(&mut self, packs: bool) -> Outcome {
        self.packs = packs;
        self.feed(Input::Watch { packs })
    }

    pub fn pass(&mut self, millis: Millis) -> Outcome {
        /// How long containerd keeps events that no subscriber has received.
        const KEPT: Millis = 300_000;
        if millis > KEPT {
            self.backlog.clear();
        }
        self.mono += millis;
        self.wall += millis as Time * 1_000_000;
        self.feed(Input::Tick)
    }

    /// Sets the node's clock back.
    pub fn set_clock_back(&mut self, by: Time) -> Outcome {
        self.wall -= by;
        self.seen.clock_set_back(by);
        self.feed(Input::Tick)
    }

    /// The next moment of the engine's clock. Each moment is given once.
    fn moment(&mut self) -> Time {
        self.wall += 1000;
        self.wall
    }

    fn feed(&mut self, input: Input) -> Outcome {
        let wall = self.moment();
        let now = Now { mono: self.mono, wall };
        let (actions, finished) = self.publisher.handle(input, now);
        self.finished.extend(finished.into_iter().filter(|(_, result)| result.is_ok()).map(|(id, _)| id));
        let mut silent = false;
        for action in actions {
            match action {
                Action::Connect => self.connecting = true,
                Action::Disconnect => self.disconnect(),
                Action::Subscribe if self.engine.flavour == Flavour::Silent => silent = true,
                Action::Subscribe => self.subscribe(),
                Action::List { .. } => self.list = Some((now, None)),
                Action::Ask(request) => self.requests.push(request),
                Action::Pack(about) => self.pack_requests.push(about),
                Action::Follow(follows) => self.follow(follows),
                Action::FindProcesses(lookups) => self.lookups.extend(lookups.into_iter().map(|l| (l, None))),
                // Here, every process exists as long as its container runs.
                Action::CheckProcesses(_) => {}
            }
        }
        if silent {
            let refusal = Error::new(CRI_E_UNSUPPORTED, "method not implemented");
            self.feed(Input::Stream(StreamItem::End(StreamEnd::Unimplemented(refusal))))?;
        }
        self.listen(0, usize::MAX)
    }

    /// Lets the n-th consumer read at most so many events.
    fn listen(&mut self, n: usize, most: usize) -> Outcome {
        for _ in 0..most {
            let Next::Event(event) = self.queues[n].next(Some(Duration::ZERO)) else { break };
            let reported = if n == 0 { &mut self.reported } else { &mut self.slow };
            reported.take(&event, &self.engine, &self.seen)?;
        }
        Ok(())
    }

    pub fn slow_listens(&mut self, most: usize) -> Outcome {
        self.listen(1, most)
    }

    fn disconnect(&mut self) {
        (self.connected, self.subscribed, self.list) = (false, false, None);
        self.requests.clear();
        self.lookups.clear();
        self.pack_requests.clear();
        self.pipe.clear();
    }

    fn subscribe(&mut self) {
        self.subscribed = self.up;
        if self.up {
            self.pipe.extend(std::mem::take(&mut self.backlog));
        }
    }

    /// Changes something in the engine.
    pub fn act(&mut self, act: impl FnOnce(&mut Engine, Time) -> Vec<EngineEvent>) {
        let now = self.moment();
        let before = self.engine.things.clone();
        let mut events = act(&mut self.engine, now);
        for event in &mut events {
            event.created_at = event.created_at.map(|at| at - self.behind);
        }
        self.note_traces(&before);
        self.wall += 1000;
        if self.subscribed {
            self.pipe.extend(events);
        } else if self.up && self.engine.keeps_undelivered_events() {
            self.backlog.extend(events);
        }
    }

    pub fn connect(&mut self) -> Outcome {
        if !std::mem::take(&mut self.connecting) {
            return Ok(());
        }
        if !self.up {
            return self.feed(Input::ConnectFailed(lost()));
        }
        self.connected = true;
        let pid_files = self.has_pid_files;
        self.feed(Input::Connected { version: Version::default(), can_stream_lists: false, pid_files })
    }

    pub fn engine_goes(&mut self) -> Outcome {
        if !std::mem::take(&mut self.up) {
            return Ok(());
        }
        self.backlog.clear();
        self.break_stream()
    }

    pub fn engine_comes(&mut self) {
        self.up = true;
    }

    pub fn is_up(&self) -> bool {
        self.up
    }

    pub fn break_stream(&mut self) -> Outcome {
        if !std::mem::take(&mut self.subscribed) {
            return Ok(());
        }
        self.pipe.clear();
        self.feed(Input::Stream(StreamItem::End(StreamEnd::Failed(lost()))))
    }

    pub fn headers(&mut self) -> Outcome {
        if self.subscribed { self.feed(Input::Stream(StreamItem::Open)) } else { Ok(()) }
    }

    /// Delivers the next event.
    pub fn deliver(&mut self) -> Outcome {
        let Some(event) = self.pipe.pop_front() else { return Ok(()) };
        self.events_given += 1;
        if self.shared.read().portfolio.is_synced() {
            self.seen.event(&event);
        } else {
            self.early.push(event.clone());
        }
        self.feed(Input::Stream(StreamItem::Event(event.into())))
    }

    /// Changes the events that are under way.
    pub fn tamper(&mut self, with: impl FnOnce(&mut VecDeque<EngineEvent>)) {
        with(&mut self.pipe);
    }

    /// Drops the events that are under way, as for lack of room, and counts them.
    pub fn lose(&mut self) -> Outcome {
        match std::mem::take(&mut self.pipe).len() {
            0 => Ok(()),
            n => self.feed(Input::Stream(StreamItem::Lost(n as u64))),
        }
    }

    /// Makes the list that is under way; the reply may arrive later.
    pub fn compose_list(&mut self) {
        if let Some((_, listing @ None)) = &mut self.list
            && self.up
        {
            *listing = Some(self.engine.list());
            self.list_lies = self.engine.shown_otherwise();
        }
    }

    pub fn reply_list(&mut self) -> Outcome {
        self.compose_list();
        let Some((begun, listing)) = self.list.take() else { return Ok(()) };
        let Some(listing) = listing.filter(|_| self.up) else { return self.feed(Input::Listed(Err(lost()))) };
        let begun = Begun { number: 0, tick: 0, at: begun };
        let now = Now { mono: self.mono, wall: self.wall };
        self.seen.list(&listing, &self.list_lies, begun.wall(now));
        for event in std::mem::take(&mut self.early) {
            self.seen.event(&event);
        }
        self.feed(Input::Listed(Ok(listing)))
    }

    pub fn fail_list(&mut self) -> Outcome {
        match self.list.take() {
            Some(_) => self.feed(Input::Listed(Err(Error::new(CRI_E_RPC, "not initialized yet")))),
            None => Ok(()),
        }
    }

    pub fn answer(&mut self, n: u8, fails: bool) -> Outcome {
        if self.requests.is_empty() {
            return Ok(());
        }
        let request = self.requests.remove(n as usize % self.requests.len());
        if !self.up || fails {
            let error = if self.up { Error::new(CRI_E_RPC, "refused") } else { lost() };
            return self.feed(Input::Answered(request, Err(error)));
        }
        match self.engine.lie_about(&request.id) {
            Some(Lie::NoAnswer) => {
                let late = Error::new(CRI_E_TIMEOUT, "no answer from the engine").retriable();
                return self.feed(Input::Answered(request, Err(late)));
            }
            Some(Lie::NoStatus) => return self.feed(Input::Answered(request, Ok(None))),
            _ => {}
        }
        // There is one RPC for containers and one for sandboxes.
        let asked_for = |observation: &Observation| request.kind.is_none_or(|kind| kind == observation.kind);
        let answer = self.engine.status(&request.id).filter(asked_for);
        if let Some(observation) = &answer {
            self.seen.status(observation);
        }
        self.feed(Input::Answered(request, Ok(answer)))
    }

    /// Answers one request between the end of a process and the moment in which the engine notices it: the container
    /// runs, and the host does not show the process any more.
    pub fn answer_at_the_end(&mut self, n: u8) -> Outcome {
        let runs = |id: &Id| self.engine.pid(id).filter(|_| self.up && self.engine.lie_about(id).is_none());
        let Some((at, pid)) = self.requests.iter().enumerate().find_map(|(at, it)| Some((at, runs(&it.id)?))) else {
            return Ok(());
        };
        let request = self.requests.remove(at);
        let asked_for = |it: &Observation| request.kind.is_none_or(|kind| kind == it.kind);
        let Some(mut said) = self.engine.status(&request.id).filter(asked_for) else {
            return self.feed(Input::Answered(request, Ok(None)));
        };
        said.details = Some(Details { engine_pid: Some(pid), ..Details::default() });
        self.seen.status(&said);
        self.act(|engine, now| engine.exit(&request.id, i32::from(n % 2), now));
        self.feed(Input::Answered(request, Ok(Some(said))))
    }

    /// Looks at the host now; the result may arrive later.
    pub fn look(&mut self) -> Outcome {
        for (lookup, found) in &mut self.lookups {
            found.get_or_insert_with(|| self.engine.process(&lookup.id));
        }
        Ok(())
    }

    /// Answers one look-up, with the process if there is one. Where `n` says so, it finds nothing or a stale file.
    pub fn find(&mut self, n: u8) -> Outcome {
        if self.lookups.is_empty() {
            return Ok(());
        }
        let (lookup, found) = self.lookups.remove(n as usize % self.lookups.len());
        let found = match n / 64 {
            1 => Err(Refusal::NoFile),
            2 => Err(Refusal::ForeignCgroup(7)),
            _ => found.unwrap_or_else(|| self.engine.process(&lookup.id)),
        };
        self.feed(Input::Found(vec![(lookup, found)]))
    }

    /// Finishes a job of the packer, or lets it fail because the engine could not be asked.
    pub fn pack(&mut self, n: u8) -> Outcome {
        if self.pack_requests.is_empty() {
            return Ok(());
        }
        let about = self.pack_requests.remove(n as usize % self.pack_requests.len());
        let rucksack = if self.up { Ok(Some(JsonText::from("7".to_owned()))) } else { Err(lost()) };
        self.feed(Input::Packed(about, rucksack))
    }

    pub fn ask_for_resync(&mut self) -> Result<WaiterId, String> {
        self.waiters += 1;
        self.feed(Input::Resync(self.waiters))?;
        Ok(self.waiters)
    }
}

fn lost() -> Error {
    Error::new(CRI_E_CONNECT, "the connection is lost").retriable()
}
