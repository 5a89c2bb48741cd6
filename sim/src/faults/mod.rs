//! Faults that a script switches on, as they happen on real nodes. `shape` changes events, `claims` the statements
//! about single containers.

mod claims;
mod shape;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tonic::{Code, Status};

use crate::pb::ContainerEventResponse;
pub use claims::{ALL, Claim, Claims};
use shape::Shaper;

/// The faults of calls.
#[derive(Clone, Debug, Default)]
pub struct Switches {
    /// All calls hang until this is off.
    pub stall: bool,
    /// All calls are answered this much later.
    pub slow: Duration,
    /// All calls are refused with this code, as by an engine that is starting.
    pub not_initialized: Option<Code>,
    /// All calls are refused, because the service does not exist.
    pub not_served: bool,
    /// A streamed list fails after its first batch.
    pub partial_lists: bool,
    /// Some answers are hostile.
    pub hostility: Option<Hostility>,
    /// GetContainerEvents sends no headers, even when there is an event.
    pub withhold_headers: bool,
    /// Event streams open, and no event comes.
    pub silent_events: bool,
}

/// What a hostile engine does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Hostility {
    /// Replies are not protocol buffers.
    Garbage,
    /// Replies are protocol buffers of another type.
    WrongTypes,
    /// A list is one message of 81 MiB.
    Huge,
    /// Events of new containers come as fast as they can be sent, for ever.
    Flood,
    /// A streamed list has no end.
    EndlessLists,
    /// The verbose information is JSON nested a million times.
    Deep,
    /// The verbose information is JSON with a million objects.
    Wide,
    /// Ids are such as no engine makes.
    Ids,
    /// A container with a million labels.
    Labels,
    /// A list of 20 million empty entries.
    EmptyEntries,
    /// A list of 40,000 containers with hardly more than an id.
    SmallEntries,
}

/// How an open event stream ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum StreamEnd {
    Error,
    Ok,
}

/// One change of how events are sent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum EventFault {
    /// The next so many events are lost.
    Drop(usize),
    Duplicate(bool),
    /// Events come in pairs, the second one first.
    Reorder(bool),
    /// Events come without these statuses.
    Statusless(LeftOut),
}

/// The statuses that are left out of events.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum LeftOut {
    #[default]
    Nothing,
    Sandbox,
    /// The statuses of the containers and of the sandbox.
    All,
}

pub struct Faults {
    switches: watch::Sender<Switches>,
    shaper: Mutex<Shaper>,
    /// The command to end all streams, with its number.
    ends: watch::Sender<(u64, StreamEnd)>,
    clock_step: Mutex<i64>,
    claims: watch::Sender<Claims>,
}

impl Default for Faults {
    fn default() -> Self {
        Faults {
            switches: watch::Sender::default(),
            shaper: Mutex::default(),
            ends: watch::Sender::new((0, StreamEnd::Ok)),
            clock_step: Mutex::default(),
            claims: watch::Sender::default(),
        }
    }
}

impl Faults {
    pub fn switch(&self, change: impl FnOnce(&mut Switches)) {
        self.switches.send_modify(change);
    }

    pub fn hostility(&self) -> Option<Hostility> {
        self.switches.borrow().hostility
    }

    pub fn silent_events(&self) -> bool {
        self.switches.borrow().silent_events
    }

    /// The claims about single containers and sandboxes.
    pub fn claims(&self) -> watch::Ref<'_, Claims> {
        self.claims.borrow()
    }

    pub fn claim(&self, change: impl FnOnce(&mut Claims)) {
        self.claims.send_modify(change);
    }

    /// Waits as long as this id's statuses hang. Returns the error if they are refused.
    pub async fn answerable(&self, id: &str) -> Result<(), Status> {
        // This cannot fail: the sender is ours.
        let claims = self.claims.subscribe().wait_for(|claims| !claims.hangs(id)).await.map(|c| c.clone());
        match claims.unwrap_or_default().refusal(id) {
            Some(text) => Err(Status::unknown(text)),
            None => Ok(()),
        }
    }

    pub fn partial_lists(&self) -> bool {
        self.switches.borrow().partial_lists
    }

    /// Applies the faults to a call, before it is served.
    pub async fn suffer(&self) -> Result<(), Status> {
        let mut switches = self.switches.subscribe();
        // This cannot fail: the sender is ours.
        let now = switches.wait_for(|s| !s.stall).await.map(|s| s.clone()).unwrap_or_default();
        if !now.slow.is_zero() {
            tokio::time::sleep(now.slow).await;
        }
        if now.not_served {
            return Err(Status::unimplemented("unknown service runtime.v1.RuntimeService"));
        }
        match now.not_initialized {
            Some(code) => Err(Status::new(code, "server is not initialized yet")),
            None => Ok(()),
        }
    }

    /// Waits while headers are withheld.
    pub async fn headers(&self) {
        let _ = self.switches.subscribe().wait_for(|s| !s.withhold_headers).await;
    }

    /// The events to send in place of this one: none, one or several.
    pub fn shape(&self, event: ContainerEventResponse) -> Vec<ContainerEventResponse> {
        lock(&self.shaper).shape(event)
    }

    /// Changes a fault, and returns the events to send at once because of it.
    pub fn change(&self, fault: EventFault) -> Vec<ContainerEventResponse> {
        lock(&self.shaper).change(fault)
    }

    /// The last `n` events that were sent.
    pub fn recent(&self, n: usize) -> Vec<ContainerEventResponse> {
        lock(&self.shaper).recent(n)
    }

    pub fn end_streams(&self, how: StreamEnd) {
        self.ends.send_modify(|(n, end)| (*n, *end) = (*n + 1, how));
    }

    /// For a stream that begins now: waits until it has to end, and returns how.
    pub fn stream_end(&self) -> impl Future<Output = StreamEnd> + Send + 'static {
        let mut ends = self.ends.subscribe();
        async move {
            match ends.changed().await {
                Ok(()) => ends.borrow().1,
                Err(_) => std::future::pending().await,
            }
        }
    }

    /// Moves the engine's clock, relative to its present time.
    pub fn step_clock(&self, by: i64) {
        *lock(&self.clock_step) += by;
    }

    pub fn clock_step(&self) -> i64 {
        *lock(&self.clock_step)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
