//! Those who asked for a resync and wait for it.

use crate::error::{Error, Result};
use crate::portfolio::Millis;

/// Names a waiter.
pub type WaiterId = u64;

#[derive(Debug)]
struct Waiter {
    id: WaiterId,
    /// The first list that began after the waiter came.
    needs: u64,
    /// Since when its list is applied: what that list has raised may still need answers.
    listed: Option<Millis>,
}

/// All waiters.
#[derive(Debug, Default)]
pub(super) struct Waiters {
    waiting: Vec<Waiter>,
    finished: Vec<(WaiterId, Result<()>)>,
}

impl Waiters {
    pub fn add(&mut self, id: WaiterId, needs: u64) {
        self.waiting.push(Waiter { id, needs, listed: None });
    }

    pub fn remove(&mut self, id: WaiterId) {
        self.waiting.retain(|w| w.id != id);
    }

    /// Whether anybody still waits for a list to begin or to end.
    pub fn want_list(&self) -> bool {
        self.waiting.iter().any(|w| w.listed.is_none())
    }

    /// List `number` is applied.
    pub fn listed(&mut self, number: u64, now: Millis) {
        for waiter in self.waiting.iter_mut().filter(|w| w.needs <= number) {
            waiter.listed.get_or_insert(now);
        }
    }

    /// Finishes those whose list is applied and settled, or was for long enough.
    pub fn settle(&mut self, is_settled: bool, patience: Millis, now: Millis) {
        let finished = &mut self.finished;
        self.waiting.retain(|w| {
            let done = w.listed.is_some_and(|since| is_settled || since + patience <= now);
            if done {
                finished.push((w.id, Ok(())));
            }
            !done
        });
    }

    pub fn fail_all(&mut self, error: &Error) {
        self.finished.extend(self.waiting.drain(..).map(|w| (w.id, Err(error.clone()))));
    }

    pub fn take_finished(&mut self) -> Vec<(WaiterId, Result<()>)> {
        std::mem::take(&mut self.finished)
    }

    pub fn deadline(&self, patience: Millis) -> Option<Millis> {
        self.waiting.iter().filter_map(|w| w.listed).map(|since| since + patience).min()
    }
}
