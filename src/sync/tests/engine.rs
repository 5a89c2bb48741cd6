//! A model of an engine: pods, containers, and the events of their changes. The machine sees it only through lists, statuses
//! and events.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};

use crate::cri::{EngineEvent, EventKind, Listing, Unreadable};
use crate::host::Refusal;
use crate::model::*;

/// How the engine reports changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flavour {
    /// Sends an event for everything, and events that nobody received to the next subscriber.
    Containerd,
    /// Sends no event for the creation and deletion of a sandbox, nor for containers that are deleted with their pod.
    Crio,
    /// As containerd, but events have no statuses.
    Bare,
    /// Has no events.
    Silent,
}

/// A way in which the engine reports something wrong about one container or sandbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lie {
    /// Lists show it as exited, or not ready, while it runs; or the other way round.
    ListedOtherwise,
    /// Its statuses are not found, though lists show it.
    NoStatus,
    /// Requests for its status time out.
    NoAnswer,
    /// Its entry in lists cannot be decoded.
    Undecodable,
    /// Neither its entry in lists nor its id can be decoded.
    Nameless,
}

impl Lie {
    /// The lie with this number.
    pub fn numbered(n: u8) -> Lie {
        [Lie::ListedOtherwise, Lie::NoStatus, Lie::NoAnswer, Lie::Undecodable, Lie::Nameless][n as usize % 5]
    }

    /// Whether this lie may last. Nothing can be reported of an entry that cannot be decoded, so that lie has to end.
    pub fn can_be_for_good(self) -> bool {
        matches!(self, Lie::ListedOtherwise | Lie::NoStatus | Lie::NoAnswer)
    }
}

#[derive(Debug, Clone)]
pub struct Thing {
    pub id: Id,
    pub kind: Kind,
    pub pod: Id,
    pub created: Time,
    pub started: Option<Time>,
    pub finished: Option<Time>,
    pub code: i32,
    /// Whether it failed to start.
    pub failed: bool,
}

impl Thing {
    pub fn state(&self) -> State {
        match (self.started, self.finished) {
            (_, Some(_)) => State::Exited,
            (Some(_), None) => State::Running,
            (None, None) => State::Created,
        }
    }

    pub fn runs(&self) -> bool {
        self.state() == State::Running
    }

    fn listed(&self) -> Observation {
        let observation = Observation {
            state: self.state(),
            name: self.id.clone(),
            created_at: Some(self.created),
            ..Observation::of(self.id.clone(), self.kind)
        };
        match self.kind {
            Kind::Sandbox => observation.with_pod(self.as_pod()),
            Kind::Container => Observation { pod_id: Some(self.pod.clone()), ..observation },
        }
    }

    fn as_pod(&self) -> Pod {
        let mut pod = Pod::new(self.id.clone());
        pod.name = self.id.clone();
        pod.state = if self.runs() { PodState::Ready } else { PodState::NotReady };
        pod.created_at = Some(self.created);
        pod
    }

    pub fn status(&self) -> Observation {
        let exit = (self.kind == Kind::Container && self.finished.is_some()).then(|| Exit {
            code: Some(self.code),
            reason: if self.failed {
                "StartError"
            } else if self.code == 0 {
                "Completed"
            } else {
                "Error"
            }
            .into(),
            message: "".into(),
        });
        let is_container = self.kind == Kind::Container;
        Observation {
            is_status: true,
            started_at: self.started.filter(|_| is_container),
            finished_at: self.finished.filter(|_| is_container),
            exit,
            ..self.listed()
        }
    }
}

/// The engine.
#[derive(Debug)]
pub struct Engine {
    pub flavour: Flavour,
    pub things: BTreeMap<Id, Thing>,
    /// Ids that have run at some time.
    pub ran: BTreeSet<Id>,
    pub ended: BTreeSet<Id>,
    /// Ids that could not be started.
    pub failed: BTreeSet<Id>,
    /// The present lies, and whether each is for good.
    pub lies: BTreeMap<Id, (Lie, bool)>,
    /// How often lists have begun to show a wrong state, or statuses began to be missing before any list had shown the
    /// id.
    pub wrong_times: BTreeMap<Id, u32>,
    /// Ids for which a status was missing at some time.
    pub ever_silent: BTreeSet<Id>,
    made: u32,
}

impl Engine {
    pub fn new(flavour: Flavour) -> Self {
        Engine {
            flavour,
            things: BTreeMap::new(),
            ran: BTreeSet::new(),
            ended: BTreeSet::new(),
            failed: BTreeSet::new(),
            lies: BTreeMap::new(),
            wrong_times: BTreeMap::new(),
            ever_silent: BTreeSet::new(),
            made: 0,
        }
    }

    pub fn keeps_undelivered_events(&self) -> bool {
        matches!(self.flavour, Flavour::Containerd | Flavour::Bare)
    }

    /// The id of what is made next, if its kind has this letter.
    pub fn next_id(&self, letter: char) -> Id {
        format!("{letter}{}", self.made + 1).into()
    }

    fn new_id(&mut self, letter: char) -> Id {
        let id = self.next_id(letter);
        self.made += 1;
        id
    }

    /// The n-th thing for which this holds, counted modulo their number.
    pub fn pick(&self, n: u8, is_so: impl Fn(&Thing) -> bool) -> Option<Id> {
        let fitting: Vec<&Id> = self.things.values().filter(|b| is_so(b)).map(|b| &b.id).collect();
        (!fitting.is_empty()).then(|| fitting[n as usize % fitting.len()].clone())
    }

    /// Begins to lie about this id. `was_listed`: a list has shown it before.
    pub fn lie(&mut self, id: &Id, lie: Lie, for_good: bool, was_listed: bool) {
        self.lies.insert(id.clone(), (lie, for_good && lie.can_be_for_good()));
        match lie {
            Lie::NoStatus if was_listed => drop(self.ever_silent.insert(id.clone())),
            Lie::ListedOtherwise | Lie::NoStatus => *self.wrong_times.entry(id.clone()).or_default() += 1,
            Lie::NoAnswer => drop(self.ever_silent.insert(id.clone())),
            Lie::Undecodable | Lie::Nameless => {}
        }
    }

    pub fn lie_about(&self, id: &Id) -> Option<Lie> {
        self.lies.get(id).map(|(lie, _)| *lie)
    }

    /// Ids that lists show with a wrong state, or in a way that cannot be read.
    pub fn shown_otherwise(&self) -> BTreeSet<Id> {
        let lies = [Lie::ListedOtherwise, Lie::Undecodable, Lie::Nameless];
        let is_so = |id: &&Id| self.lie_about(id).is_some_and(|lie| lies.contains(&lie));
        self.things.keys().filter(is_so).cloned().collect()
    }

    /// Whether lists show it as running.
    pub fn is_listed_as_running(&self, thing: &Thing) -> bool {
        match self.lie_about(&thing.id) {
            Some(Lie::ListedOtherwise) if thing.state() != State::Created => !thing.runs(),
            _ => thing.runs(),
        }
    }

    pub fn run_pod(&mut self, now: Time) -> Vec<EngineEvent> {
        let id = self.new_id('p');
        let sandbox = Thing {
            id: id.clone(),
            kind: Kind::Sandbox,
            pod: id.clone(),
            created: now,
            started: Some(now),
            finished: None,
            code: 0,
            failed: false,
        };
        self.things.insert(id.clone(), sandbox);
        self.ran.insert(id.clone());
        let created = (self.flavour != Flavour::Crio).then(|| self.event(&id, EventKind::Created, now));
        created.into_iter().chain([self.event(&id, EventKind::Started, now + 1)]).collect()
    }

    pub fn create(&mut self, pod: &Id, now: Time) -> Vec<EngineEvent> {
        let id = self.new_id('c');
        let container = Thing {
            id: id.clone(),
            kind: Kind::Container,
            pod: pod.clone(),
            created: now,
            started: None,
            finished: None,
            code: 0,
            failed: false,
        };
        self.things.insert(id.clone(), container);
        vec![self.event(&id, EventKind::Created, now)]
    }

    pub fn start(&mut self, id: &Id, now: Time) -> Vec<EngineEvent> {
        self.things.get_mut(id).expect("picked").started = Some(now);
        self.ran.insert(id.clone());
        vec![self.event(id, EventKind::Started, now + 1)]
    }

    /// Fails to start the container. Engines send no event for it.
    pub fn fail_to_start(&mut self, id: &Id, now: Time) {
        let it = self.things.get_mut(id).expect("picked");
        (it.finished, it.code, it.failed) = (Some(now), 128, true);
        self.failed.insert(id.clone());
    }

    pub fn exit(&mut self, id: &Id, code: i32, now: Time) -> Vec<EngineEvent> {
        let it = self.things.get_mut(id).expect("picked");
        (it.finished, it.code) = (Some(now), code);
        self.ended.insert(id.clone());
        // From here on, lists are wrong in the other direction, which counts once more.
        if self.lie_about(id) == Some(Lie::ListedOtherwise) {
            *self.wrong_times.entry(id.clone()).or_default() += 1;
        }
        vec![self.event(id, EventKind::Stopped, now + 1)]
    }

    pub fn remove(&mut self, id: &Id, now: Time) -> Vec<EngineEvent> {
        let gone = self.things.remove(id).expect("picked");
        vec![self.event_about(&gone, EventKind::Deleted, now)]
    }

    /// Stops and removes a pod with all that is in it.
    pub fn remove_pod(&mut self, pod: &Id, now: Time) -> Vec<EngineEvent> {
        let mut events = Vec::new();
        let members: Vec<Id> =
            self.things.values().filter(|b| b.pod == *pod && b.id != *pod).map(|b| b.id.clone()).collect();
        let mut at = now;
        for id in members.iter().chain([pod]) {
            if self.things[id].runs() {
                events.extend(self.exit(id, 137, at));
                at += 2;
            }
        }
        for id in &members {
            let deleted = self.remove(id, at);
            if self.flavour != Flavour::Crio {
                events.extend(deleted);
            }
            at += 2;
        }
        let deleted = self.remove(pod, at);
        if self.flavour != Flavour::Crio {
            events.extend(deleted);
        }
        events
    }

    fn event(&self, id: &Id, kind: EventKind, at: Time) -> EngineEvent {
        self.event_about(&self.things[id], kind, at)
    }

    fn event_about(&self, about: &Thing, kind: EventKind, at: Time) -> EngineEvent {
        let bare = self.flavour == Flavour::Bare;
        let sandbox = if about.kind == Kind::Sandbox { Some(about) } else { self.things.get(&about.pod) };
        let members = self.things.values().filter(|b| b.kind == Kind::Container && b.pod == about.pod && !bare);
        EngineEvent {
            id: about.id.clone(),
            kind: Some(kind),
            created_at: Some(at),
            sandbox: sandbox.filter(|_| !bare).map(Thing::status),
            containers: members.map(Thing::status).collect(),
            ..EngineEvent::about(about.id.clone())
        }
    }

    pub fn list(&self) -> Listing {
        let mut listing = Listing::default();
        for thing in self.things.values() {
            let mut said = thing.listed();
            match self.lie_about(&thing.id) {
                Some(Lie::ListedOtherwise) => self.show_otherwise(thing, &mut said),
                Some(lie @ (Lie::Undecodable | Lie::Nameless)) => {
                    let id = (lie == Lie::Undecodable).then(|| thing.id.clone());
                    let reason = "invalid wire type".into();
                    listing.unreadable.push(Unreadable { id: id.clone(), reason });
                    if id.is_none() {
                        continue;
                    }
                    let flags = CRI_CONTAINER_FLAG_UNREADABLE;
                    said = Observation { flags, ..Observation::of(thing.id.clone(), thing.kind) };
                }
                _ => {}
            }
            if said.flags & CRI_CONTAINER_FLAG_UNREADABLE == 0 {
                let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(format!("{said:?}"));
                said.fingerprint = Some(Fingerprint::new(hash));
            }
            match thing.kind {
                Kind::Sandbox => listing.sandboxes.push(said),
                Kind::Container => listing.containers.push(said),
            }
        }
        listing
    }

    fn show_otherwise(&self, thing: &Thing, said: &mut Observation) {
        if thing.state() == State::Created {
            return;
        }
        let runs = self.is_listed_as_running(thing);
        said.state = if runs { State::Running } else { State::Exited };
        if thing.kind == Kind::Sandbox {
            let state = if runs { PodState::Ready } else { PodState::NotReady };
            said.pod = Some(Pod { state, ..thing.as_pod() }.into());
        }
    }

    /// The pid of a running container.
    pub fn pid(&self, id: &Id) -> Option<i32> {
        self.things.get(id).filter(|it| it.runs()).map(|it| 100 + it.created as i32 % 1_000_000)
    }

    /// What the host shows of this id's process.
    pub fn process(&self, id: &Id) -> Result<Details, Refusal> {
        let pid = self.pid(id).ok_or(Refusal::NoFile)?;
        Ok(Details { pid: Some(pid), pid_start_ticks: Some(1), ..Details::default() })
    }

    /// A verbose status.
    pub fn status(&self, id: &Id) -> Option<Observation> {
        let it = self.things.get(id)?;
        let pid = self.pid(id);
        Some(Observation {
            details: Some(Details { pid, pid_start_ticks: pid.map(|_| 1), ..Details::default() }),
            ..it.status()
        })
    }
}
