//! Follows processes with pidfds, as many as the budget allows. Their ends become hints.

use super::hint::Hint;
use super::witness::{Follow, Held, Witness};
use crate::host::pidfd::{Abilities, Expected, Process, ProcessState};
use crate::host::{Readable, Refusal};
use crate::model::{Id, Kind};

/// How many processes are opened before other tasks on this thread get their turn: half a millisecond.
const BATCH: usize = 32;

impl Witness {
    pub(super) fn open_some(&mut self) {
        for _ in 0..BATCH {
            let Some(Follow { id, kind, process }) = self.wanted.pop_front() else {
                return;
            };
            match process {
                Some(process) => self.hold(id, kind, process),
                None => self.release(&id),
            }
        }
    }

    pub(super) fn hold(&mut self, id: Id, kind: Kind, process: (i32, u64)) {
        if let Some(held) = self.held.get_mut(&id).filter(|held| held.process == process) {
            // The kind becomes known later than the process.
            self.order.remove(&(held.rank, id.clone()));
            held.rank.0 = kind == Kind::Container;
            self.order.insert((held.rank, id));
            return;
        }
        if self.no_pidfds.is_some() {
            return;
        }
        self.release(&id);
        let expected = Expected { id: None, start_ticks: Some(process.1) };
        let opened = match Process::open(&self.proc, process.0, expected) {
            Ok(opened) => opened,
            Err(Refusal::NoProcess(_) | Refusal::Reused { .. } | Refusal::Ended(_)) => {
                self.hints.push_back(Hint::Exited { id, process: Some(process), code: None });
                return;
            }
            Err(refusal) => return self.no_more_pidfds(&refusal),
        };
        if self.held.len() >= self.budget {
            let Some((_, first)) = self.order.first().cloned() else { return };
            self.release(&first);
        }
        match self.processes.add(opened) {
            Ok(place) => {
                self.opened += 1;
                let rank = (kind == Kind::Container, self.opened);
                self.order.insert((rank, id.clone()));
                self.by_place.insert(place, id.clone());
                self.held.insert(id, Held { place, process, rank, is_zombie: false });
            }
            Err(error) => self.no_more_pidfds(&error),
        }
        if self.pidfds.is_none() {
            self.news = true;
            self.can_exit = Abilities::get().exit.is_yes();
            self.pidfds = self.processes.fd().and_then(|fd| Readable::of(fd).ok());
        }
    }

    /// Follows no more processes. The pidfds that are open stay.
    fn no_more_pidfds(&mut self, why: &dyn std::fmt::Display) {
        self.news = true;
        self.no_pidfds =
            Some(format!("the watcher follows {} processes and cannot follow more: {why}", self.held.len()));
        self.wanted.retain(|follow| follow.process.is_none());
    }

    pub(super) fn release(&mut self, id: &Id) {
        if let Some(held) = self.held.remove(id) {
            self.order.remove(&(held.rank, id.clone()));
            self.by_place.remove(&held.place);
            self.processes.remove(held.place);
        }
    }

    /// Reads which processes have ended. Returns whether none has.
    pub(super) fn read_ends(&mut self) -> bool {
        let woken = self.processes.woken();
        for place in &woken {
            let Some((id, process)) = self.by_place.get(place).zip(self.processes.get(*place)) else { continue };
            let state = process.state().unwrap_or(ProcessState::Alive);
            let exit = process.exit(&self.proc);
            if state == ProcessState::Alive {
                continue;
            }
            // Its parent will wait for it in a moment. Then the exit code can be read.
            if state == ProcessState::Ended && exit.is_none() && self.can_exit {
                self.held.get_mut(id).into_iter().for_each(|held| held.is_zombie = true);
                continue;
            }
            let (id, process) = (id.clone(), (process.pid(), process.start_ticks()));
            self.release(&id);
            self.hints.push_back(Hint::Exited { id, process: Some(process), code: exit.map(|exit| exit.code) });
        }
        woken.is_empty()
    }
}
