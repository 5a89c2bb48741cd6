//! A watcher, an engine, and the faults between them, one step at a time.

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
    /// What a consumer gets whose queue is small and that seldom reads.
    pub slow: Report,
    queues: [Arc<EventQueue>; 2],
    pub shared: Arc<SharedState>,
    publisher: Publisher,
    mono: Millis,
    wall: Time,
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
    /// Whom this list shows otherwise than it is.
    list_lies: BTreeSet<Id>,
    requests: Vec<StatusRequest>,
    pub has_pid_files: bool,
    pub has_hints: bool,
    /// Processes that the machine wants to be followed.
    held: BTreeMap<Id, (i32, u64)>,
    /// Hints under way.
    hints: VecDeque<Hint>,
    /// Look-ups under way, some with what was found by now.
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

    /// The node's clock is set back.
    pub fn set_clock_back(&mut self, by: Time) -> Outcome {
        self.wall -= by;
        self.seen.clock_set_back(by);
        self.feed(Input::Tick)
    }

    /// The next moment of the engine's clock; each is given once.
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
                // Every process of this world is there as long as its container runs.
                Action::CheckProcesses(_) => {}
            }
        }
        if silent {
            let refusal = Error::new(CRI_E_UNSUPPORTED, "method not implemented");
            self.feed(Input::Stream(StreamItem::End(StreamEnd::Unimplemented(refusal))))?;
        }
        self.listen(0, usize::MAX)
    }

    /// The n-th consumer reads its queue, at most so many events.
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

    /// The engine changes something.
    pub fn act(&mut self, act: impl FnOnce(&mut Engine, Time) -> Vec<EngineEvent>) {
        let now = self.moment();
        let before = self.engine.things.clone();
        let events = act(&mut self.engine, now);
        self.note_traces(&before);
        self.wall += 1000;
        if self.subscribed {
            self.pipe.extend(events);
        } else if self.up && self.engine.keeps_undelivered_events() {
            self.backlog.extend(events);
        }
    }

    fn follow(&mut self, follows: Vec<Follow>) {
        for Follow { id, process, .. } in follows.into_iter().filter(|_| self.has_hints) {
            match process {
                // It may have ended before it could be opened.
                Some(process) if self.engine.pid(&id) != Some(process.0) => {
                    self.hints.push_back(Hint::Exited { id, process: Some(process), code: None });
                }
                Some(process) => drop(self.held.insert(id, process)),
                None => drop(self.held.remove(&id)),
            }
        }
    }

    /// What the host shows of what the engine has just done.
    fn note_traces(&mut self, before: &BTreeMap<Id, Thing>) {
        if !self.has_hints {
            return;
        }
        for (id, thing) in &self.engine.things {
            if !before.contains_key(id) {
                self.hints.push_back(Hint::Created(id.clone()));
            }
            if thing.runs() && !before.get(id).is_some_and(Thing::runs) {
                self.hints.extend(self.engine.process(id).ok().map(|details| Hint::Pid(id.clone(), details)));
            }
        }
        for (id, was) in before {
            let now = self.engine.things.get(id);
            let code = now.map_or(137, |thing| thing.code);
            if was.runs() && !now.is_some_and(Thing::runs) {
                let held = self.held.remove(id);
                self.hints.extend(held.map(|it| Hint::Exited { id: id.clone(), process: Some(it), code: Some(code) }));
            }
            if now.is_none() {
                self.hints.push_back(Hint::Gone(id.clone()));
            }
        }
    }

    /// Some hint arrives.
    pub fn hint(&mut self, n: u8) -> Outcome {
        if self.hints.is_empty() {
            return Ok(());
        }
        let hint = self.hints.remove(n as usize % self.hints.len()).expect("it is there");
        self.feed(Input::Hints(vec![hint]))
    }

    /// A hint is lost, or comes twice, or all are.
    pub fn garble_hints(&mut self, n: u8) {
        match n % 4 {
            0 => drop(self.hints.pop_front()),
            1 => self.hints.extend(self.hints.front().cloned()),
            2 => self.hints = VecDeque::from([Hint::Lost]),
            _ => self.hints.rotate_left(self.hints.len() / 2),
        }
    }

    /// A hint that is wrong: of another process with the pid of long ago, of another engine's container, of a folder that is
    /// still there, of an exit file that nobody wrote.
    pub fn mislead(&mut self, n: u8) -> Outcome {
        let Some(id) = self.engine.pick(n / 8, Thing::runs).filter(|_| self.has_hints) else {
            return Ok(());
        };
        let stranger: Id = format!("x{n}").into();
        let another = self.engine.pid(&id).map(|pid| (pid, 4711));
        let hint = match n % 8 {
            0 => Hint::Created(stranger),
            1 => Hint::Created(id),
            2 => Hint::Exited { id, process: another, code: Some(9) },
            3 => Hint::Exited { id: stranger, process: another, code: Some(9) },
            4 => Hint::Gone(id),
            5 => Hint::Exited { id, process: None, code: Some(9) },
            6 => Hint::Pid(stranger, Details { pid: Some(7), pid_start_ticks: Some(1), ..Details::default() }),
            _ => Hint::Lost,
        };
        self.feed(Input::Hints(vec![hint]))
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

    /// The next event arrives.
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

    /// The events under way are lost for lack of room, and counted.
    pub fn lose(&mut self) -> Outcome {
        match std::mem::take(&mut self.pipe).len() {
            0 => Ok(()),
            n => self.feed(Input::Stream(StreamItem::Lost(n as u64))),
        }
    }

    /// The engine makes the list that is under way; the reply may arrive later.
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

    /// The host is looked at now; what was found may arrive later.
    pub fn look(&mut self) -> Outcome {
        for (lookup, found) in &mut self.lookups {
            found.get_or_insert_with(|| self.engine.process(&lookup.id));
        }
        Ok(())
    }

    /// Some look-up comes back: with the process, if there is one; without, or with a stale file, where `n` wants it.
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

    /// The packer finishes a job, or the engine could not be asked.
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

    /// No more faults: everything under way arrives, and time passes, until a resync is finished.
    pub fn heal(&mut self) -> Outcome {
        self.up = true;
        let id = self.ask_for_resync()?;
        for _ in 0..10_000 {
            self.settle()?;
            if self.finished.contains(&id) {
                return Ok(());
            }
            self.wait()?;
        }
        Err("the resync never finished".into())
    }

    /// Everything that is under way arrives.
    pub fn settle(&mut self) -> Outcome {
        loop {
            self.connect()?;
            while !self.pipe.is_empty() {
                self.deliver()?;
            }
            self.reply_list()?;
            while !self.requests.is_empty() {
                self.answer(0, false)?;
            }
            while !self.hints.is_empty() {
                self.hint(0)?;
            }
            while !self.lookups.is_empty() {
                self.find(0)?;
            }
            while !self.pack_requests.is_empty() {
                self.pack(0)?;
            }
            let is_quiet = self.requests.is_empty() && self.lookups.is_empty() && self.hints.is_empty();
            if self.pipe.is_empty() && self.list.is_none() && !self.connecting && is_quiet {
                return Ok(());
            }
        }
    }

    fn wait(&mut self) -> Outcome {
        let deadline = self.publisher.deadline().ok_or("nothing to wait for")?;
        self.pass(deadline.saturating_sub(self.mono).max(1))
    }

    /// The engine says something wrong of this one from now on, or nothing wrong any more.
    pub fn lie(&mut self, id: &Id, lie: Lie, for_good: bool) {
        let was_listed = self.seen.was_listed(id);
        self.engine.lie(id, lie, for_good, was_listed);
    }

    /// What the engine does not say wrongly for good, it says rightly from now on; a list that shows something else than
    /// a status is given its time to stand.
    fn settle_disputes(&mut self) -> Outcome {
        /// Longer than the time after which a list stands.
        const DISPUTE: Millis = 11_000;
        self.engine.lies.retain(|_, (_, for_good)| *for_good);
        if self.engine.wrong_times.is_empty() {
            return Ok(());
        }
        for _ in 0..3 {
            self.heal()?;
            self.pass(DISPUTE)?;
        }
        Ok(())
    }

    /// As `heal`, and long enough for every retry.
    pub fn come_to_rest(&mut self) -> Outcome {
        self.settle_disputes()?;
        self.heal()?;
        // Each request without an answer doubles the wait before the next, up to the relist's interval.
        let longest = if self.engine.ever_silent.is_empty() { 5000 } else { 61_000 };
        let until = self.mono + longest;
        while self.mono < until {
            self.settle()?;
            self.wait()?;
        }
        self.heal()?;
        self.slow_listens(usize::MAX)
    }

    /// The cache is the engine's list, and consumers know what runs.
    pub fn cache_is_right(&self) -> Outcome {
        let things = self.engine.things.values();
        let runs: BTreeSet<Id> = things.filter(|t| self.engine.is_listed_as_running(t)).map(|t| t.id.clone()).collect();
        let cached = self.shared.read();
        let shown: BTreeSet<Id> = cached.portfolio.running().map(|c| c.id.clone()).collect();
        if shown != runs {
            return Err(format!("the cache shows {shown:?}, but these run: {runs:?}"));
        }
        for (who, reported) in [("the consumer", &self.reported), ("the slow consumer", &self.slow)] {
            if reported.running != runs {
                return Err(format!("{who} knows of {:?}, but these run: {runs:?}", reported.running));
            }
        }
        let has: BTreeSet<Id> = self.engine.things.keys().cloned().collect();
        let present: BTreeSet<Id> = cached.portfolio.present().map(|c| c.id.clone()).collect();
        if present != has {
            return Err(format!("the cache has {present:?}, the engine {has:?}"));
        }
        // What is never answered stays open.
        let answered = |c: &&Arc<Container>| !self.engine.lies.contains_key(&c.id);
        let lied_about = |c: &&Arc<Container>| self.engine.wrong_times.contains_key(&c.id) || !answered(c);
        // Of whom there was no status for a while, what only a status tells may have been given up.
        let given_up = |c: &Container| c.pid.is_none() && self.engine.ever_silent.contains(&c.id);
        let wrong_pid = |c: &&Arc<Container>| !lied_about(c) && !given_up(c) && c.pid != self.engine.pid(&c.id);
        if let Some(c) = cached.portfolio.running().find(wrong_pid) {
            return Err(format!("its pid is {:?}: {c:?}", self.engine.pid(&c.id)));
        }
        // What was first shown as over is not packed when it turns out to run.
        let packed = |c: &Container| c.rucksack.is_some() == self.packs || self.engine.wrong_times.contains_key(&c.id);
        match cached.portfolio.running().filter(answered).find(|c| c.missing != 0 || !packed(c)) {
            Some(c) => Err(format!("still missing {:#x}, or the rucksack: {c:?}", c.missing)),
            None => Ok(()),
        }
    }

    pub fn verify(&mut self) -> Outcome {
        self.come_to_rest()?;
        self.cache_is_right()?;
        self.reported.is_exact(&self.engine, &self.seen)
    }
}

fn lost() -> Error {
    Error::new(CRI_E_CONNECT, "the connection is lost").retriable()
}
