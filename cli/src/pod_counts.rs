//! Counts over a pod's containers. Pure.

use std::collections::BTreeMap;
use std::sync::Arc;

use criwatch::model::{Container, Kind, Pod};

/// A pod with its sandbox and containers.
pub type PodWith = (Arc<Pod>, Vec<Arc<Container>>);

/// How many of a pod's containers run, how many there are, and how often they were restarted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    pub running: usize,
    pub total: usize,
    pub restarts: u32,
}

/// The newest attempt of each container. Attempts with one name are one container.
pub fn newest(containers: &[Arc<Container>]) -> Vec<&Arc<Container>> {
    let mut newest: BTreeMap<&str, &Arc<Container>> = BTreeMap::new();
    for one in containers.iter().filter(|one| one.kind == Kind::Container) {
        let known = newest.entry(&one.name).or_insert(one);
        if (known.attempt, known.created_at) < (one.attempt, one.created_at) {
            *known = one;
        }
    }
    newest.into_values().collect()
}

pub fn counts(containers: &[Arc<Container>]) -> Counts {
    let newest = newest(containers);
    Counts {
        running: newest.iter().filter(|one| one.is_running()).count(),
        total: newest.len(),
        restarts: newest.iter().map(|one| one.attempt).sum(),
    }
}

/// When a pod was created, by its sandbox.
pub fn created(entry: &PodWith) -> Option<i64> {
    entry.0.created_at.or_else(|| entry.1.iter().find(|one| one.kind == Kind::Sandbox)?.created_at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn attempts_are_one() {
        let node = sample::node();
        let of = |name: &str| counts(&node.iter().find(|(pod, _)| pod.name.starts_with(name)).unwrap().1);
        assert_eq!(of("prometheus"), Counts { running: 2, total: 2, restarts: 12 });
        assert_eq!(of("web-frontend-5d9c7b6f4-9k4zt"), Counts { running: 1, total: 2, restarts: 3 });
        assert_eq!(of("report"), Counts { running: 0, total: 1, restarts: 0 });
    }
}
