//! Pods, and how what is learnt of them reaches the records of their containers.

use std::sync::Arc;

use super::Portfolio;
use super::clock::Now;
use super::run_log::Run;
use crate::model::*;

impl Portfolio {
    /// Notes what is reported of a pod; the records of its containers follow.
    pub(super) fn note_pod(&mut self, newer: &Pod, now: Now) {
        let pod = self.merged_pod(newer);
        if self.pods.get(&pod.id) != Some(&pod) {
            self.pods.insert(pod.id.clone(), pod.clone());
            self.changed = true;
            self.relink(&pod, now);
        }
    }

    fn merged_pod(&self, newer: &Pod) -> Arc<Pod> {
        let mut pod = self.pods.get(&newer.id).map_or_else(|| newer.clone(), |known| known.merge(newer));
        // A stale list may still call ready what has been reported as over.
        if self.entries.get(&newer.id).is_some_and(|e| e.record.state == State::Exited)
            && matches!(self.run_log.run(&newer.id), Run::Over { .. })
        {
            pod.state = PodState::NotReady;
        }
        Arc::new(pod)
    }

    /// The sandbox is gone, and with it all readiness.
    pub(super) fn pod_is_gone(&mut self, id: &Id, now: Now) {
        if let Some(pod) = self.pods.get(id).filter(|pod| pod.state != PodState::NotReady) {
            let pod = Pod { state: PodState::NotReady, ..Pod::clone(pod) };
            self.note_pod(&pod, now);
        }
    }

    /// Gives the containers of this pod their pod's newest version.
    fn relink(&mut self, pod: &Arc<Pod>, now: Now) {
        let members: Vec<Id> = self.members.get(&pod.id).into_iter().flatten().cloned().collect();
        // The sandbox's own record takes the pod along with the statement that reported it.
        for id in members.iter().filter(|id| **id != pod.id) {
            let Some(entry) = self.entries.get(id) else {
                continue;
            };
            let mut next = Container::clone(&entry.record);
            next.pod = Some(pod.clone());
            let changed = next.changed_since(&entry.record);
            self.put(id, next);
            self.updated(id, changed, now);
        }
    }
}
