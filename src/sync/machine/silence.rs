//! Notices an engine that does not answer. A frozen engine keeps its connection and its event stream open: only requests
//! without an answer show it.

use super::{Input, Machine};
use crate::cri::{StreamItem, is_lost};
use crate::error::{CRI_E_TIMEOUT, Error};
use crate::model::Id;
use crate::portfolio::{Millis, Now};

/// How many ids whose status requests hang are remembered.
const MOST_SLOW: usize = 64;

/// What an input shows about whether the engine answers.
enum Sign<'a> {
    /// The engine answered, or sent something.
    Heard,
    /// A request got no answer within so many milliseconds.
    Unanswered(&'a Error, Millis),
    /// The input shows neither.
    None,
}

impl Machine {
    /// Notes when the engine last sent something, and when it stops answering.
    pub(super) fn note_sign(&mut self, input: &Input, now: Now) {
        match self.sign(input) {
            Sign::Heard => {
                self.connection.heard = now.mono;
                if self.connection.silent.take().is_some() {
                    self.log.info("the engine answers again");
                    self.slow.extend(self.silent_on.take());
                }
                if let Input::Answered(request, _) = input {
                    self.slow.remove(&request.id);
                }
            }
            Sign::Unanswered(error, waited) => {
                let about = match input {
                    Input::Answered(request, _) | Input::Packed(request, _) => Some(&request.id),
                    _ => None,
                };
                self.unanswered(error, waited, about, now);
            }
            Sign::None => {}
        }
    }

    fn sign<'a>(&self, input: &'a Input) -> Sign<'a> {
        let reply = |error: Option<&'a Error>, waited| match error {
            Some(error) if error.status() == CRI_E_TIMEOUT && error.grpc_code().is_none() => {
                Sign::Unanswered(error, waited)
            }
            Some(error) if is_lost(error) => Sign::None,
            // A refusal is an answer.
            _ => Sign::Heard,
        };
        match input {
            Input::Stream(StreamItem::End(_)) => Sign::None,
            Input::Connected { .. } | Input::Stream(_) => Sign::Heard,
            Input::Listed(result) => reply(result.as_ref().err(), self.request_timeout),
            Input::Answered(_, result) => reply(result.as_ref().err(), self.request_timeout),
            // A packer that has finished shows nothing about the engine.
            Input::Packed(_, Err(error)) => reply(Some(error), self.request_timeout),
            Input::Served { waited, error } => match reply(error.as_ref(), *waited) {
                // A caller may wait less long than the watcher's own requests do. Its timeout shows nothing.
                Sign::Unanswered(..) if *waited < self.request_timeout => Sign::None,
                sign => sign,
            },
            _ => Sign::None,
        }
    }

    /// Notes a request that got no answer. If the engine sent something else in the second half of that time, only this
    /// request is slow; otherwise the engine does not answer. A repeated timeout for the same id also counts as a slow
    /// request, if the engine answered others in between: one container may hang.
    fn unanswered(&mut self, error: &Error, waited: Millis, about: Option<&Id>, now: Now) {
        let is_silent = self.connection.heard + waited / 2 <= now.mono;
        let is_slow = about.is_some_and(|id| self.slow.contains(id));
        if !self.connection.is_up() || !is_silent || is_slow || self.connection.silent.is_some() {
            return;
        }
        if self.slow.len() > MOST_SLOW {
            self.slow.clear();
        }
        self.silent_on = about.cloned();
        self.log.warn(format!("{error}; the watcher lists everything, to see whether the engine answers again"));
        self.connection.silent = Some(error.clone());
        self.lists.want(now.mono);
    }
}
