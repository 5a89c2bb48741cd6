//! Lists and their filters, as containerd understands them (engine-facts §6).

use std::collections::{BTreeMap, HashMap};

use super::{Container, Sandbox, Store, container_item, full_id, sandbox_item};
use crate::pb;

impl Store {
    pub fn list_sandboxes(&self, filter: &pb::PodSandboxFilter) -> Vec<pb::PodSandbox> {
        let Some(id) = wanted(&self.sandboxes, &filter.id) else {
            return Vec::new();
        };
        let matches = |s: &&Sandbox| {
            let state = if s.ready {
                pb::PodSandboxState::SandboxReady
            } else {
                pb::PodSandboxState::SandboxNotready
            };
            id.as_ref().is_none_or(|id| *id == s.id)
                && filter.state.is_none_or(|wanted| wanted.state == state as i32)
                && selects(&filter.label_selector, &s.config.labels)
        };
        self.sandboxes.values().filter(matches).map(sandbox_item).collect()
    }

    pub fn list_containers(&self, filter: &pb::ContainerFilter) -> Vec<pb::Container> {
        let Some(id) = wanted(&self.containers, &filter.id) else {
            return Vec::new();
        };
        let Some(sandbox) = wanted(&self.sandboxes, &filter.pod_sandbox_id) else {
            return Vec::new();
        };
        let matches = |c: &&Container| {
            id.as_ref().is_none_or(|id| *id == c.id)
                && sandbox.as_ref().is_none_or(|id| *id == c.sandbox_id)
                && filter
                    .state
                    .is_none_or(|wanted| wanted.state == c.status.state() as i32)
                && selects(&filter.label_selector, &c.config.labels)
        };
        self.containers.values().filter(matches).map(container_item).collect()
    }
}

/// Outer `None`: nothing can match, because the prefix is unknown or ambiguous. Inner `None`: no filter.
fn wanted<T>(of: &BTreeMap<String, T>, prefix: &str) -> Option<Option<String>> {
    if prefix.is_empty() {
        Some(None)
    } else {
        full_id(of, prefix).ok().map(Some)
    }
}

/// All labels must be there with exactly these values.
fn selects(selector: &HashMap<String, String>, labels: &HashMap<String, String>) -> bool {
    selector.iter().all(|(key, value)| labels.get(key) == Some(value))
}
