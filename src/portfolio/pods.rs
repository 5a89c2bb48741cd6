//! Pods, and how a change of a pod reaches the records of its containers.

use std::sync::Arc;

use serde::Deserialize;

use super::Portfolio;
use super::clock::{Now, Tick};
use super::run_log::Run;
use crate::model::*;

/// The kubelet writes the ports that a container declares into its annotations.
const PORTS: &str = "io.kubernetes.container.ports";
/// The annotation for the source of the pod: `file` and `http` are static pods.
const SOURCE: &str = "kubernetes.io/config.source";

/// A pod, and the newest tick at which each part of it was stated.
#[derive(Debug)]
pub(super) struct PodEntry {
    pub pod: Arc<Pod>,
    stated: Stated,
}

/// The newest tick at which a statement had this part of a pod.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Stated {
    names: Tick,
    state: Tick,
    labels: Tick,
    annotations: Tick,
    ips: Tick,
    options: Tick,
    handler: Tick,
    created: Tick,
}

impl Portfolio {
    /// Merges a statement about a pod as of this tick, and updates the records of its containers.
    pub(super) fn note_pod(&mut self, newer: &Pod, as_of: Tick, now: Now) {
        let entry = self.pods.get(&newer.id);
        let mut stated = entry.map(|e| e.stated.clone()).unwrap_or_default();
        let mut pod = merge(entry.map(|e| &*e.pod), &mut stated, newer, as_of);
        // An old list may still say "ready" after EXITED was reported.
        if self.entries.get(&newer.id).is_some_and(|e| e.record.state == State::Exited)
            && matches!(self.run_log.run(&newer.id), Run::Over { .. })
        {
            pod.state = PodState::NotReady;
        }
        let is_known = self.pods.get(&newer.id).is_some_and(|e| *e.pod == pod);
        let pod = if is_known { self.pods[&newer.id].pod.clone() } else { Arc::new(pod) };
        self.pods.insert(newer.id.clone(), PodEntry { pod: pod.clone(), stated });
        if !is_known {
            self.changed = true;
            self.shown.pods.put(pod.clone());
            self.relink(&pod, now);
        }
    }

    /// The pod as it would be with this statement merged into it.
    pub(super) fn pod_with(&self, newer: Arc<Pod>) -> Arc<Pod> {
        match self.pods.get(&newer.id) {
            Some(entry) if Arc::ptr_eq(&entry.pod, &newer) => newer,
            entry => {
                let mut stated = entry.map(|e| e.stated.clone()).unwrap_or_default();
                Arc::new(merge(entry.map(|e| &*e.pod), &mut stated, &newer, Tick::MAX))
            }
        }
    }

    /// Marks the pod as not ready, because its sandbox is gone.
    pub(super) fn pod_is_gone(&mut self, id: &Id, now: Now) {
        self.change_pod(id, now, |pod| pod.state = PodState::NotReady);
    }

    /// Takes what a container's record says of its pod: network namespace, cgroup, declared ports. Most records of a pod
    /// say the same, and then nothing is made.
    pub(super) fn learn_pod_from(&mut self, id: &Id, now: Now) {
        let Some(entry) = self.entries.get(id) else {
            return;
        };
        let Some(pod) = entry.pod_id.as_ref().and_then(|id| self.pods.get(id)).map(|e| &e.pod) else {
            return;
        };
        let record = &entry.record;
        let net = Some(record.namespaces.net).filter(|net| *net != 0 && *net != pod.net_namespace);
        let cgroup = record.cgroup_path.as_deref().and_then(|path| pod.cgroup_above(path));
        let cgroup: Option<Arc<str>> = cgroup.filter(|path| pod.cgroup_path.as_deref() != Some(*path)).map(Arc::from);
        let ports = record.annotations.contains_key(PORTS).then(|| self.ports_of(&pod.id));
        let ports = ports.filter(|ports| *ports != pod.ports);
        if net.is_none() && cgroup.is_none() && ports.is_none() {
            return;
        }
        let pod = pod.id.clone();
        self.change_pod(&pod, now, |pod| {
            pod.net_namespace = net.unwrap_or(pod.net_namespace);
            pod.cgroup_path = cgroup.or_else(|| pod.cgroup_path.take());
            pod.ports = ports.unwrap_or_else(|| pod.ports.clone());
        });
    }

    fn change_pod(&mut self, id: &Id, now: Now, change: impl FnOnce(&mut Pod)) {
        let Some(entry) = self.pods.get_mut(id) else {
            return;
        };
        let mut pod = Pod::clone(&entry.pod);
        change(&mut pod);
        if pod != *entry.pod {
            entry.pod = Arc::new(pod);
            self.changed = true;
            let pod = entry.pod.clone();
            self.shown.pods.put(pod.clone());
            self.relink(&pod, now);
        }
    }

    fn ports_of(&self, pod: &Id) -> Arc<[Port]> {
        let members = self.members.get(pod).into_iter().flatten().filter_map(|id| self.entries.get(id));
        let mut ports = Vec::new();
        for record in members.map(|e| &e.record).filter(|r| r.kind == Kind::Container) {
            let Some(text) = record.annotations.get(PORTS) else { continue };
            for port in declared(&record.name, text) {
                if !ports.contains(&port) {
                    ports.push(port);
                }
            }
        }
        ports.into()
    }

    /// Gives the containers of this pod the newest version of the pod.
    fn relink(&mut self, pod: &Arc<Pod>, now: Now) {
        let members: Vec<Id> = self.members.get(&pod.id).into_iter().flatten().cloned().collect();
        for id in members {
            let Some(entry) = self.entries.get(&id) else {
                continue;
            };
            let mut next = Container::clone(&entry.record);
            next.pod = Some(pod.clone());
            next.labels = labels::with_own_keys(&next);
            let changed = next.changed_since(&entry.record);
            // The sandbox's own record gets the pod together with the statement that has it.
            if id == pod.id && entry.record.pod.is_none() {
                continue;
            }
            self.put(&id, next);
            self.updated(&id, changed, now);
        }
    }
}

/// The pod after this statement: each part is that of the newest statement that has it. Lists have neither addresses
/// nor options, and a sandbox that is no longer ready has lost its addresses; neither clears a known value.
fn merge(before: Option<&Pod>, stated: &mut Stated, newer: &Pod, as_of: Tick) -> Pod {
    let mut pod = before.cloned().unwrap_or_else(|| Pod::new(newer.id.clone()));
    let take = |given: bool, held: &mut Tick| given && as_of >= std::mem::replace(held, (*held).max(as_of));
    if take(!newer.name.is_empty() || !newer.uid.is_empty(), &mut stated.names) {
        (pod.name, pod.namespace) = (newer.name.clone(), newer.namespace.clone());
        (pod.uid, pod.attempt) = (newer.uid.clone(), newer.attempt);
    }
    if take(newer.state != PodState::Unknown || before.is_none(), &mut stated.state) {
        pod.state = newer.state;
    }
    if take(!newer.labels.is_empty(), &mut stated.labels) {
        pod.labels = newer.labels.clone();
    }
    if take(!newer.annotations.is_empty(), &mut stated.annotations) && pod.annotations != newer.annotations {
        pod.annotations = newer.annotations.clone();
        pod.static_pod = pod.annotations.get(SOURCE).map(|source| matches!(source, "file" | "http"));
    }
    if take(!newer.ips.is_empty(), &mut stated.ips) {
        pod.ips = newer.ips.clone();
    }
    if take(newer.host_network.is_some(), &mut stated.options) {
        (pod.host_network, pod.host_pid, pod.host_ipc) = (newer.host_network, newer.host_pid, newer.host_ipc);
    }
    if take(!newer.runtime_handler.is_empty(), &mut stated.handler) {
        pod.runtime_handler = newer.runtime_handler.clone();
    }
    if take(newer.created_at.is_some(), &mut stated.created) {
        pod.created_at = newer.created_at;
    }
    pod.labels = labels::pod_with_own_keys(&pod);
    pod
}

/// The ports in the kubelet's annotation; none if it is malformed, because the pod's author may write it, too.
fn declared(container: &Arc<str>, text: &str) -> Vec<Port> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Declared {
        #[serde(default)]
        name: String,
        container_port: u16,
        #[serde(default)]
        host_port: u16,
        #[serde(default)]
        protocol: String,
    }
    let declared: Vec<Declared> = serde_json::from_str(text).unwrap_or_default();
    let port = |d: Declared| Port {
        container: container.clone(),
        name: d.name.into(),
        container_port: d.container_port,
        host_port: d.host_port,
        protocol: if d.protocol.is_empty() { "TCP".into() } else { d.protocol.into() },
    };
    declared.into_iter().map(port).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_read_where_they_are_as_expected() {
        let text = r#"[{"name":"http","hostPort":8080,"containerPort":80,"protocol":"TCP"},{"containerPort":53}]"#;
        let ports = declared(&"web".into(), text);
        assert_eq!((ports.len(), ports[0].host_port, &*ports[1].protocol), (2, 8080, "TCP"));
        for odd in ["", "{}", "[7]", r#"[{"containerPort":70000}]"#] {
            assert_eq!(declared(&"web".into(), odd), [], "{odd}");
        }
    }

    #[test]
    fn the_newest_statement_with_a_part_has_it() {
        let of = |ips: &[&str], state| {
            let mut pod = Pod::new("p".into());
            (pod.ips, pod.state) = (ips.iter().map(|ip| Arc::from(*ip)).collect(), state);
            pod
        };
        let statements = [
            (1, of(&["10.0.0.1"], PodState::Ready)),
            (3, of(&[], PodState::NotReady)),
            (2, of(&["10.0.0.2"], PodState::Ready)),
        ];
        for order in [[0, 1, 2], [2, 1, 0], [1, 0, 2], [1, 2, 0], [0, 2, 1], [2, 0, 1]] {
            let (mut pod, mut stated) = (None, Stated::default());
            for (as_of, observed) in order.map(|n| &statements[n]) {
                pod = Some(merge(pod.as_ref(), &mut stated, observed, *as_of));
            }
            let pod = pod.unwrap();
            assert_eq!((&*pod.ips[0], pod.state), ("10.0.0.2", PodState::NotReady), "{order:?}");
        }
    }
}
