//! How the previous run ended. A container that the kubelet restarts is a new container of the same name in the same pod.

use std::sync::Arc;

use super::Portfolio;
use super::clock::Now;
use super::merge;
use crate::model::*;

impl Portfolio {
    /// Links a container to the attempts before and after it: each gets the exit of the attempt before. Called when a
    /// container or its exit becomes known.
    pub(super) fn link_attempts(&mut self, id: &Id, now: Now) {
        let Some(entry) = self.entries.get(id).filter(|e| e.record.kind == Kind::Container) else {
            return;
        };
        let Some(members) = entry.pod_id.as_ref().and_then(|pod| self.members.get(pod)) else {
            return;
        };
        let (name, attempt) = (entry.record.name.clone(), entry.record.attempt);
        let namesake = |wanted: u32| {
            members.iter().find(|other| {
                let record = self.entries.get(*other).map(|e| &e.record);
                *other != id
                    && record.is_some_and(|r| r.name == name && r.attempt == wanted && r.kind == Kind::Container)
            })
        };
        let before = attempt.checked_sub(1).and_then(namesake).cloned();
        let after = attempt.checked_add(1).and_then(namesake).cloned();
        if let Some(before) = before {
            self.link(&before, id, now);
        }
        if let Some(after) = after {
            self.link(id, &after, now);
        }
    }

    fn link(&mut self, before: &Id, after: &Id, now: Now) {
        let Some(previous) = self.entries.get(before).and_then(|e| merge::previous(&e.record)) else {
            return;
        };
        let Some(record) = self.entries.get(after).map(|e| e.record.clone()) else {
            return;
        };
        if record.previous.as_deref() == Some(&previous) {
            return;
        }
        let next = Container { previous: Some(Arc::new(previous)), ..Container::clone(&record) };
        self.put(after, next);
        self.updated(after, CRI_CHANGED_DETAILS, now);
    }
}
