//! The containers of a snapshot in their order, and what differs between two snapshots.

use std::cmp::Ordering;
use std::sync::Arc;

use super::table::At;
use crate::model::{Container, Id, Kind};

/// A container of a snapshot.
#[derive(Debug, Clone)]
pub(in crate::portfolio) struct Entry {
    pub container: Arc<Container>,
    /// Whether the engine has it; otherwise it is only remembered.
    pub present: bool,
}

/// The containers of a snapshot. Generations share them.
pub(in crate::portfolio) type Entries = Arc<Vec<Entry>>;

impl AsRef<Container> for Entry {
    fn as_ref(&self) -> &Container {
        &self.container
    }
}

impl Entry {
    /// Whether the engine has it and it runs.
    pub fn is_alive(&self) -> bool {
        self.present && self.container.is_running()
    }

    fn is_same(&self, other: &Entry) -> bool {
        Arc::ptr_eq(&self.container, &other.container) && self.present == other.present
    }
}

/// The order of a snapshot: pods by their paths; in a pod the sandbox first, then the containers by name.
pub(in crate::portfolio) fn order(a: &Entry, b: &Entry) -> Ordering {
    type Key<'a> = (&'a str, &'a str, Option<&'a Id>, bool, &'a str, u32, &'a Id);
    fn key(c: &Container) -> Key<'_> {
        let pod_id = c.pod.as_deref().map(|p| &p.id);
        (c.namespace(), c.pod_name(), pod_id, c.kind == Kind::Container, &c.name, c.attempt, &c.id)
    }
    key(&a.container).cmp(&key(&b.container))
}

/// What has to be done to some entries to have others.
#[derive(Debug, Default)]
pub(super) struct Changes {
    /// The positions of those that are gone, or are different now.
    pub gone: Vec<At>,
    /// Those that are new, or different.
    pub new: Vec<Entry>,
}

impl Changes {
    /// What differs; `None` if that is more than `limit`. Both are sorted. Only what differs is looked into.
    pub fn between(before: &[Entry], now: &[Entry], limit: usize) -> Option<Changes> {
        let (mut changes, mut b, mut n) = (Changes::default(), 0, 0);
        while b < before.len() || n < now.len() {
            let order = match (before.get(b), now.get(n)) {
                (Some(before), Some(now)) if before.is_same(now) => {
                    (b, n) = (b + 1, n + 1);
                    continue;
                }
                (Some(before), Some(now)) => order(before, now),
                (Some(_), None) => Ordering::Less,
                (None, _) => Ordering::Greater,
            };
            if order.is_le() {
                changes.gone.push(b as At);
                b += 1;
            }
            if order.is_ge() {
                changes.new.push(now[n].clone());
                n += 1;
            }
            if changes.gone.len() + changes.new.len() > limit {
                return None;
            }
        }
        Some(changes)
    }
}
