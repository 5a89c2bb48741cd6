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

    /// Finds the pod's cgroup above that of the first of its processes that is seen.
    pub(super) fn note_pod_cgroup(&mut self, observation: &Observation, now: Now) {
        let Some(member) = observation.details.as_ref().and_then(|details| details.cgroup_path.as_deref()) else {
            return;
        };
        let entry = self.entries.get(&observation.id);
        let id = observation.pod_id.as_ref().or_else(|| entry.and_then(|e| e.pod_id.as_ref()));
        let Some(pod) = id.and_then(|id| self.pods.get(id)).filter(|pod| pod.cgroup_path.is_none()) else {
            return;
        };
        if let Some(cgroup) = pod.cgroup_above(member) {
            let pod = Pod { cgroup_path: Some(cgroup.into()), ..Pod::clone(pod) };
            self.note_pod(&pod, now);
            // A container told it: no statement about the sandbox follows.
            if let Some(pod) = self.pods.get(&pod.id).filter(|pod| pod.id != observation.id).cloned() {
                self.relink_one(&pod.id, &pod, now);
            }
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
            self.relink_one(id, pod, now);
        }
    }

    fn relink_one(&mut self, id: &Id, pod: &Arc<Pod>, now: Now) {
        let Some(entry) = self.entries.get(id) else {
            return;
        };
        let mut next = Container::clone(&entry.record);
        next.pod = Some(pod.clone());
        let changed = next.changed_since(&entry.record);
        self.put(id, next);
        self.updated(id, changed, now);
    }
}
