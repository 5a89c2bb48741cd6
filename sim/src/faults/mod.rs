//! Faults that a script switches on: what goes wrong on real nodes, at will. `shape` is what happens to events.

mod shape;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tonic::{Code, Status};

use crate::pb::ContainerEventResponse;
use shape::Shaper;

/// What calls suffer from.
#[derive(Clone, Debug, Default)]
pub struct Switches {
    /// All calls hang until it is off.
    pub stall: bool,
    /// All calls are answered this much later.
    pub slow: Duration,
    /// All calls are refused with this code, as by an engine that is starting.
    pub not_initialized: Option<Code>,
    /// All calls are refused: there is no such service.
    pub not_served: bool,
    /// A streamed list fails after its first batch.
    pub partial_lists: bool,
    /// Some answers are made to do harm.
    pub hostility: Option<Hostility>,
    /// Not even an event makes GetContainerEvents answer.
    pub withhold_headers: bool,
}

/// What an engine does that means harm.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Hostility {
    /// Replies are no protocol buffers.
    Garbage,
    /// Replies are protocol buffers of another kind.
    WrongTypes,
    /// A list is one message of 81 MiB.
    Huge,
    /// Events of new containers, as fast as they can be sent, for ever.
    Flood,
    /// A streamed list has no end.
    EndlessLists,
    /// The verbose information is JSON nested a million times.
    Deep,
    /// Ids that no engine has.
    Ids,
    /// A container with a million labels.
    Labels,
}

/// How an open event stream ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum StreamEnd {
    Error,
    Ok,
}

/// One change of what happens to events.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum EventFault {
    /// The next so many are lost.
    Drop(usize),
    Duplicate(bool),
    /// Each second event comes before the first.
    Reorder(bool),
    /// Events lack these statuses.
    Statusless(LeftOut),
}

/// Which statuses events lack.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum LeftOut {
    #[default]
    Nothing,
    Sandbox,
    /// The containers' and the sandbox's.
    All,
}

pub struct Faults {
    switches: watch::Sender<Switches>,
    shaper: Mutex<Shaper>,
    /// The order to end all streams, with its number.
    ends: watch::Sender<(u64, StreamEnd)>,
    clock_step: Mutex<i64>,
}

impl Default for Faults {
    fn default() -> Self {
        Faults {
            switches: watch::Sender::default(),
            shaper: Mutex::default(),
            ends: watch::Sender::new((0, StreamEnd::Ok)),
            clock_step: Mutex::default(),
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

    pub fn partial_lists(&self) -> bool {
        self.switches.borrow().partial_lists
    }

    /// What a call suffers before it is served.
    pub async fn suffer(&self) -> Result<(), Status> {
        let mut switches = self.switches.subscribe();
        // Cannot fail: the sender is ours.
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

    /// What becomes of an event: none, one, or several to be sent instead.
    pub fn shape(&self, event: ContainerEventResponse) -> Vec<ContainerEventResponse> {
        lock(&self.shaper).shape(event)
    }

    /// Gives what is to be sent at once because of the change.
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

    /// For a stream that begins now: gives how it is to end, some time.
    pub fn stream_end(&self) -> impl Future<Output = StreamEnd> + Send + 'static {
        let mut ends = self.ends.subscribe();
        async move {
            match ends.changed().await {
                Ok(()) => ends.borrow().1,
                Err(_) => std::future::pending().await,
            }
        }
    }

    /// The clock jumps, relative to what it is now.
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
