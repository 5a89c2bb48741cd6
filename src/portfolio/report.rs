//! What is reported to consumers, and when.

use std::sync::Arc;

use super::clock::Now;
use super::run_log::{Ending, Run};
use super::status_queue::Reason;
use super::{Portfolio, Report, merge};
use crate::model::*;

impl Portfolio {
    /// Notes that the engine was asked, with any result: events are held back for one attempt only.
    pub(super) fn was_attempted(&mut self, id: &Id, now: Now) {
        match self.run_log.run(id) {
            Run::Starting { mut waits, flags, started_at } => {
                waits.pid = None;
                self.hold_or_release(id, Run::Starting { waits, flags, started_at }, now);
            }
            _ => self.release(id, now),
        }
    }

    /// Sets the state of a run, and reports its start if that waits for nothing any more.
    pub(super) fn hold_or_release(&mut self, id: &Id, run: Run, now: Now) {
        self.run_log.set(id, run);
        if let Run::Starting { waits, .. } = run
            && waits.until().is_none()
        {
            self.release(id, now);
        }
    }

    /// Reports what was held back, if anything was.
    pub(super) fn release(&mut self, id: &Id, now: Now) {
        match self.run_log.run(id) {
            Run::Starting { flags, started_at, .. } => {
                self.run_log.set(id, Run::Running { started_at });
                self.report(EventType::Started, flags, 0, id, now);
            }
            Run::Ending { .. } => self.report_exited(id, CRI_EVENT_FLAG_SYNTHETIC, now),
            _ => {}
        }
    }

    pub(super) fn report_exited(&mut self, id: &Id, flags: u32, now: Now) {
        /// The wait, in milliseconds, after which an engine has noticed an OOM kill.
        const CONFIRM_AFTER: u64 = 1000;
        let started_at = self.started_at(id);
        self.run_log.set(id, Run::Over { how: Ending::Exited, started_at, tick: self.tick });
        self.learn_exit(id, 2 * self.tick);
        let Some(entry) = self.entries.get_mut(id) else {
            return;
        };
        let kind = entry.record.kind;
        let provisional = entry.record.exit.as_ref().is_some_and(|e| &*e.reason == "Error") && entry.present;
        entry.provisional = provisional;
        if provisional {
            self.status_queue.ask(id, Some(kind), now.mono + CONFIRM_AFTER, Reason::Provisional);
        }
        self.report(EventType::Exited, flags | if provisional { CRI_EVENT_FLAG_PROVISIONAL } else { 0 }, 0, id, now);
    }

    /// Confirms an end that was reported as provisional, with exactly one UPDATED. No better answer is to come.
    pub(super) fn confirm(&mut self, id: &Id, now: Now) {
        let Some(entry) = self.entries.get_mut(id) else {
            return;
        };
        if std::mem::take(&mut entry.provisional) {
            self.report(EventType::Updated, CRI_EVENT_FLAG_CONFIRMED, CRI_CHANGED_EXIT, id, now);
        }
    }

    pub(super) fn updated(&mut self, id: &Id, changed: u64, now: Now) {
        let run = self.run_log.run(id);
        let provisional = self.entries.get(id).is_some_and(|e| e.provisional);
        let worth = match run {
            Run::Running { .. } => changed,
            Run::Over { how: Ending::Exited | Ending::Gone | Ending::Witnessed, .. } => {
                changed & if provisional { CRI_CHANGED_POD } else { CRI_CHANGED_POD | CRI_CHANGED_EXIT }
            }
            _ => 0,
        };
        if worth != 0 {
            self.report(EventType::Updated, 0, worth, id, now);
        }
    }

    pub(super) fn report(&mut self, event_type: EventType, flags: u32, changed: u64, id: &Id, now: Now) {
        let Some(entry) = self.entries.get(id) else {
            return;
        };
        let record = &entry.record;
        let (container, time) = match event_type {
            EventType::Started if record.state == State::Running => {
                (record.clone(), record.started_at.or(record.created_at))
            }
            EventType::Started => (Arc::new(merge::as_running(record)), record.started_at.or(record.created_at)),
            EventType::Exited => (record.clone(), record.finished_at),
            EventType::Created => (record.clone(), record.created_at),
            _ => (record.clone(), None),
        };
        self.reported.push(Report { event_type, flags, changed, time: time.unwrap_or(now.wall), container });
    }

    pub(super) fn started_at(&self, id: &Id) -> Option<Time> {
        let known = match self.run_log.run(id) {
            Run::Starting { started_at, .. } | Run::Running { started_at } | Run::Ending { started_at, .. } => {
                started_at
            }
            _ => None,
        };
        known.or_else(|| self.entries.get(id).and_then(|e| e.record.started_at))
    }
}
