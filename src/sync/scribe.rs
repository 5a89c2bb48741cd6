//! Writes what the machine decides into the book, and tells the hub.

use std::sync::Arc;

use super::book::{Book, Situation};
use super::machine::{Action, Input, Machine};
use super::waiters::WaiterId;
use crate::error::{CRI_E_STOPPED, Error, Result};
use crate::hub::{Draft, Hub};
use crate::model::*;
use crate::portfolio::{Millis, Now};
use crate::test_hooks::may_panic;

/// The one writer of the book.
pub(super) struct Scribe {
    machine: Machine,
    book: Arc<Book>,
    hub: Arc<Hub>,
}

impl Scribe {
    pub fn new(machine: Machine, book: Arc<Book>, hub: Arc<Hub>) -> Self {
        Scribe { machine, book, hub }
    }

    /// Takes one input: what it changes can be read, and is told, before anything else happens. Gives what is to be
    /// done, and the resyncs that are finished.
    pub fn handle(&mut self, input: Input, now: Now) -> (Vec<Action>, Vec<(WaiterId, Result<()>)>) {
        let mut page = self.book.write();
        may_panic("book");
        let outcome = self.machine.handle(input, &mut page.portfolio, now);
        self.write(&mut page.situation);
        if let Some(initial) = outcome.opening {
            let generation = page.portfolio.generation();
            self.hub.picture_is_there(&initial, generation, page.situation.state, now.wall);
        }
        outcome.news.into_iter().for_each(|draft| self.hub.publish(draft));
        drop(page);
        self.book.turn();
        (outcome.actions, outcome.finished)
    }

    fn write(&self, situation: &mut Situation) {
        situation.state = self.machine.state();
        situation.as_of = self.machine.as_of();
        situation.ready = self.machine.is_ready();
        situation.stats = self.machine.stats();
        if situation.cause.as_ref() != self.machine.cause() {
            situation.cause = self.machine.cause().cloned();
        }
        let events = self.machine.events();
        if situation.engine.events != events {
            situation.engine = Arc::new(Engine { events, ..Engine::clone(&situation.engine) });
        }
    }

    /// When `handle` wants a tick, if nothing else happens before.
    pub fn deadline(&self) -> Option<Millis> {
        self.machine.deadline(&self.book.read().portfolio)
    }

    /// The end, for this reason: consumers are told, and get nothing after it.
    pub fn end(&mut self, reason: &Error, now: Time) {
        let mut page = self.book.write();
        page.situation.state = WatcherState::Stopped;
        page.situation.ended = Some(reason.clone());
        if reason.status() != CRI_E_STOPPED {
            let (generation, state) = (page.portfolio.generation(), WatcherState::Stopped);
            self.hub.publish(Draft::log(LogLevel::Error, reason.message().to_owned(), generation, state, now));
        }
        self.hub.publish(Draft {
            event_type: EventType::State,
            flags: 0,
            changed: 0,
            time: now,
            observed: now,
            generation: page.portfolio.generation(),
            container: None,
            state: WatcherState::Stopped,
            message: Some(reason.message().into()),
            log_level: None,
        });
        drop(page);
        self.hub.close();
        self.book.turn();
    }
}
