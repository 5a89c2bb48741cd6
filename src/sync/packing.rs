//! Where rucksacks are packed: the `cri-io` thread lays jobs on a desk, and the packer's own thread takes them.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use super::book::Book;
use super::inspection::look;
use crate::config::Config;
use crate::cri::{Client, redact_environment};
use crate::error::{CRI_E_STATE, Error, Result};
use crate::model::*;
use crate::portfolio::Question;

/// One container whose rucksack is to be packed.
pub struct Job {
    /// Its JSON.
    pub container: JsonText,
    /// All that the engine says of it: `criwatch.inspect/1`.
    pub inspection: JsonText,
    reply: oneshot::Sender<Result<Option<JsonText>>>,
}

impl Job {
    /// Done: the rucksack, none, or why it was refused.
    pub fn done(self, rucksack: Result<Option<JsonText>>) {
        // The connection on which this was asked may be gone; it is asked again then.
        let _ = self.reply.send(rucksack);
    }
}

/// The desk: jobs wait here until the packer takes them.
#[derive(Default)]
pub struct Desk {
    state: Mutex<State>,
    change: Condvar,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<Job>,
    has_packer: bool,
    is_closed: bool,
}

impl Desk {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that somebody will take jobs from here; there is room for one.
    pub fn set_packer(&self) -> Result<()> {
        let mut state = self.lock();
        if std::mem::replace(&mut state.has_packer, true) {
            return Err(Error::new(CRI_E_STATE, "set_packer: this watcher has a packer already"));
        }
        Ok(())
    }

    /// Whether somebody takes jobs from here.
    pub fn has_packer(&self) -> bool {
        self.lock().has_packer
    }

    /// The next job; waits for one. `None` when no more will come.
    pub fn next(&self) -> Option<Job> {
        let mut state = self.lock();
        loop {
            if state.is_closed {
                return None;
            }
            match state.jobs.pop_front() {
                Some(job) => return Some(job),
                None => state = self.change.wait(state).unwrap_or_else(PoisonError::into_inner),
            }
        }
    }

    /// No more jobs.
    pub fn close(&self) {
        let mut state = self.lock();
        state.is_closed = true;
        state.jobs.clear();
        self.change.notify_all();
    }

    async fn pack(&self, container: JsonText, inspection: JsonText) -> Result<Option<JsonText>> {
        let (reply, rucksack) = oneshot::channel();
        {
            let mut state = self.lock();
            if !state.is_closed {
                state.jobs.push_back(Job { container, inspection, reply });
                self.change.notify_one();
            }
        }
        // A desk that was closed drops its jobs.
        rucksack.await.unwrap_or(Ok(None))
    }
}

/// Asks the engine about this one, and the packer for its rucksack. `None`, too, where the engine no longer has it.
pub(super) async fn pack(
    client: &Client,
    about: &Question,
    desk: &Desk,
    book: &Book,
    config: &Config,
) -> Result<Option<JsonText>> {
    let Some(mut look) = look(client, &about.id, about.kind, book, config).await? else {
        return Ok(None);
    };
    if !config.packer_show_env {
        redact_environment(&mut look.info);
    }
    let labels = LabelView::new(config.merge_annotations);
    let container = JsonText::from(json::container(&look.record, labels).get().to_owned());
    let inspection = look.standing.inspect(&look.record, look.status.as_ref(), &look.info, labels);
    desk.pack(container, inspection).await
}
