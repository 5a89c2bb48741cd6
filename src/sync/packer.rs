//! The packer's queue: the `cri-io` thread puts jobs into it, and the packer's thread takes them.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use super::inspection::look;
use super::shared_state::SharedState;
use crate::config::Config;
use crate::cri::{Client, redact_environment};
use crate::error::{CRI_E_STATE, Error, Result};
use crate::model::*;
use crate::portfolio::StatusRequest;

/// One container that needs a rucksack.
pub struct Job {
    /// The container's JSON.
    pub container: JsonText,
    /// Everything the engine reports of it: `criwatch.inspect/1`.
    pub inspection: JsonText,
    reply: oneshot::Sender<Result<Option<JsonText>>>,
}

impl Job {
    /// Finishes the job with the rucksack, with none, or with the reason why it was refused.
    pub fn done(self, rucksack: Result<Option<JsonText>>) {
        // Sending fails if the connection was lost; then the container gets a new job.
        let _ = self.reply.send(rucksack);
    }
}

/// Jobs that wait for the packer.
#[derive(Default)]
pub struct PackerQueue {
    state: Mutex<State>,
    change: Condvar,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<Job>,
    has_packer: bool,
    is_closed: bool,
}

impl PackerQueue {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that there is a packer. A watcher can have one.
    pub fn set_packer(&self) -> Result<()> {
        let mut state = self.lock();
        if std::mem::replace(&mut state.has_packer, true) {
            return Err(Error::new(CRI_E_STATE, "set_packer: this watcher has a packer already"));
        }
        Ok(())
    }

    /// Whether there is a packer.
    pub fn has_packer(&self) -> bool {
        self.lock().has_packer
    }

    /// The next job; blocks until there is one. `None` once the queue is closed.
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

    /// Closes the queue and drops its jobs.
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
        // A closed queue drops its jobs.
        rucksack.await.unwrap_or(Ok(None))
    }
}

/// Inspects a container, and has the packer make its rucksack. `None` if the packer makes none, or if the engine no
/// longer has the container.
pub(super) async fn pack(
    client: &Client,
    about: &StatusRequest,
    packer_queue: &PackerQueue,
    shared: &SharedState,
    config: &Config,
) -> Result<Option<JsonText>> {
    let Some(mut look) = look(client, &about.id, about.kind, shared, config).await? else {
        return Ok(None);
    };
    if !config.packer_show_env {
        redact_environment(&mut look.info);
    }
    let view = View::new(config.merge_annotations, config.attributes);
    let container = json::container(&look.record, view);
    let inspection = look.freshness.inspect(&look.record, look.status.as_ref(), &look.info, view);
    packer_queue.pack(container, inspection).await
}
