//! Writes what the machine decides into the shared state, and publishes its events to the hub.

use std::sync::Arc;

use super::machine::{Action, Input, Machine};
use super::shared_state::{SharedState, WatcherStatus};
use super::waiters::WaiterId;
use crate::error::{CRI_E_STOPPED, Error, Result};
use crate::hub::{Hub, PendingEvent};
use crate::model::*;
use crate::portfolio::{Millis, Now};
use crate::test_hooks::may_panic;

/// The one writer of the shared state.
pub(super) struct Publisher {
    machine: Machine,
    shared: Arc<SharedState>,
    hub: Arc<Hub>,
}

impl Publisher {
    pub fn new(machine: Machine, shared: Arc<SharedState>, hub: Arc<Hub>) -> Self {
        Publisher { machine, shared, hub }
    }

    /// Applies one input. The cache is written and the events are published under one lock, so that a replay and the events
    /// after it have no gap. Returns the actions to carry out and the resyncs that are finished.
    pub fn handle(&mut self, input: Input, now: Now) -> (Vec<Action>, Vec<(WaiterId, Result<()>)>) {
        let mut cached = self.shared.write();
        may_panic("shared");
        let outcome = self.machine.handle(input, &mut cached.portfolio, now);
        let not_told = cached.portfolio.not_told().clone();
        self.write(&mut cached.status, not_told);
        cached.show();
        if let Some(initial) = outcome.initial_replay {
            let generation = cached.portfolio.generation();
            self.hub.initial_snapshot(&initial, generation, cached.status.state, now.wall);
        }
        outcome.news.into_iter().for_each(|pending| self.hub.publish(pending));
        drop(cached);
        self.shared.notify();
        (outcome.actions, outcome.finished)
    }

    fn write(&self, status: &mut WatcherStatus, not_told: Arc<[(&'static str, u64)]>) {
        status.set_state(self.machine.state());
        status.as_of = self.machine.as_of();
        status.ready = self.machine.is_ready();
        status.stats = self.machine.stats();
        if status.cause.as_ref() != self.machine.cause() {
            status.cause = self.machine.cause().cloned();
        }
        let events = self.machine.events();
        let witness = self.machine.means();
        let engine = &status.engine;
        if engine.events != events || engine.not_told != not_told || engine.witness != *witness {
            let witness = witness.clone();
            status.engine = Arc::new(Engine { events, not_told, witness, ..Engine::clone(&status.engine) });
        }
    }

    /// When the machine needs a tick, unless another input comes first.
    pub fn deadline(&self) -> Option<Millis> {
        self.machine.deadline(&self.shared.read().portfolio)
    }

    /// Ends for this reason, which consumers get as the last event.
    pub fn end(&mut self, reason: &Error, now: Time) {
        let mut cached = self.shared.write();
        cached.status.state = WatcherState::Stopped;
        cached.status.ended = Some(reason.clone());
        if reason.status() != CRI_E_STOPPED {
            let (generation, state) = (cached.portfolio.generation(), WatcherState::Stopped);
            self.hub.publish(PendingEvent::log(LogLevel::Error, reason.message().to_owned(), generation, state, now));
        }
        self.hub.publish(PendingEvent {
            event_type: EventType::State,
            flags: 0,
            changed: 0,
            time: now,
            observed: now,
            generation: cached.portfolio.generation(),
            container: None,
            state: WatcherState::Stopped,
            message: Some(reason.message().into()),
            log_level: None,
        });
        drop(cached);
        self.hub.close();
        self.shared.notify();
    }
}
