//! The callers that wait for a resync.

use crate::error::{Error, Result};
use crate::portfolio::Millis;

/// The number of one waiting caller.
pub type WaiterId = u64;

#[derive(Debug)]
struct Waiter {
    id: WaiterId,
    /// The number of the first list that began after the call.
    needs: u64,
    /// When that list was applied. Status requests that it led to may still be unanswered.
    listed: Option<Millis>,
}

/// All waiting callers.
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

    /// Whether a caller still waits for its list.
    pub fn want_list(&self) -> bool {
        self.waiting.iter().any(|w| w.listed.is_none())
    }

    /// Notes that the list with this number was applied.
    pub fn listed(&mut self, number: u64, now: Millis) {
        for waiter in self.waiting.iter_mut().filter(|w| w.needs <= number) {
            waiter.listed.get_or_insert(now);
        }
    }

    /// Finishes callers whose list was applied: once nothing that the list led to is unanswered, or `patience` after
    /// the list.
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
