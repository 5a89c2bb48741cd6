//! Lists and their filters, as containerd understands them (engine-facts §6).

use std::collections::{BTreeMap, HashMap};

use super::{Container, Sandbox, Store, container_item, full_id, sandbox_item};
use crate::pb;
use crate::profile::Profile;

impl Store {
    pub fn list_sandboxes(&self, filter: &pb::PodSandboxFilter, profile: &Profile) -> Vec<pb::PodSandbox> {
        let Some(id) = wanted(&self.sandboxes, &filter.id) else {
            return Vec::new();
        };
        let matches = |s: &&Sandbox| {
            let state = if s.ready { pb::PodSandboxState::SandboxReady } else { pb::PodSandboxState::SandboxNotready };
            id.as_ref().is_none_or(|id| *id == s.id)
                && filter.state.is_none_or(|wanted| wanted.state == state as i32)
                && selects(&filter.label_selector, &s.config.labels, profile)
        };
        self.sandboxes.values().filter(matches).map(|s| sandbox_item(s, profile)).collect()
    }

    pub fn list_containers(&self, filter: &pb::ContainerFilter, profile: &Profile) -> Vec<pb::Container> {
        let Some(id) = wanted(&self.containers, &filter.id) else {
            return Vec::new();
        };
        let Some(sandbox) = wanted(&self.sandboxes, &filter.pod_sandbox_id) else {
            return Vec::new();
        };
        let matches = |c: &&Container| {
            id.as_ref().is_none_or(|id| *id == c.id)
                && sandbox.as_ref().is_none_or(|id| *id == c.sandbox_id)
                && filter.state.is_none_or(|wanted| wanted.state == c.status.state() as i32)
                && selects(&filter.label_selector, &c.config.labels, profile)
        };
        self.containers.values().filter(matches).map(|c| container_item(c, profile)).collect()
    }
}

/// The id to filter by. The outer `None` means that nothing matches: the prefix is unknown or ambiguous. The inner `None` means: no filter.
fn wanted<T>(of: &BTreeMap<String, T>, prefix: &str) -> Option<Option<String>> {
    if prefix.is_empty() { Some(None) } else { full_id(of, prefix).ok().map(Some) }
}

/// Whether all labels are there with exactly these values. For some engines an absent label equals an empty one.
fn selects(selector: &HashMap<String, String>, labels: &HashMap<String, String>, profile: &Profile) -> bool {
    selector.iter().all(|(key, value)| match labels.get(key) {
        Some(has) => has == value,
        None => value.is_empty() && profile.empty_value_selects_missing,
    })
}
