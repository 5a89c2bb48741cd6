//! The containers of a snapshot in their order, and what differs between two snapshots.

use std::cmp::Ordering;
use std::sync::Arc;

use super::super::sorted::{Leaf, Leaves, Sorted, SortedTree};
use super::table::At;
use crate::model::{Container, Id, Kind};

/// A container of a snapshot.
#[derive(Debug, Clone)]
pub(in crate::portfolio) struct Entry {
    pub container: Arc<Container>,
    /// Whether the engine has it; otherwise it is only remembered.
    pub present: bool,
}

/// The containers of a snapshot. Generations share what has not changed.
pub(in crate::portfolio) type Entries = SortedTree<Entry>;

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

    /// Whether both hold the same version of the container.
    pub fn is_same(&self, other: &Entry) -> bool {
        Arc::ptr_eq(&self.container, &other.container) && self.present == other.present
    }
}

impl Sorted for Entry {
    /// Pods by their paths; in a pod the sandbox first, then the containers by name.
    fn order(&self, other: &Entry) -> Ordering {
        type Key<'a> = (&'a str, &'a str, Option<&'a Id>, bool, &'a str, u32, &'a Id);
        fn key(c: &Container) -> Key<'_> {
            let pod_id = c.pod.as_deref().map(|p| &p.id);
            (c.namespace(), c.pod_name(), pod_id, c.kind == Kind::Container, &c.name, c.attempt, &c.id)
        }
        key(&self.container).cmp(&key(&other.container))
    }
}

/// The difference between two snapshots' entries.
#[derive(Debug, Default)]
pub(super) struct Changes {
    /// The positions of entries that are gone or have changed.
    pub gone: Vec<At>,
    /// Entries that are new or have changed.
    pub new: Vec<Entry>,
}

impl Changes {
    /// Compares two generations; `None` if they differ in more than `limit` entries. Leaves that both share are
    /// skipped.
    pub fn between(before: &Entries, now: &Entries, limit: usize) -> Option<Changes> {
        let (mut changes, mut b, mut n) = (Changes::default(), Walk::new(before), Walk::new(now));
        loop {
            if b.skips(&n) {
                (b, n) = (b.after_leaf(), n.after_leaf());
                continue;
            }
            let order = match (b.entry(), n.entry()) {
                (Some(before), Some(now)) if before.is_same(now) => {
                    (b, n) = (b.after_one(), n.after_one());
                    continue;
                }
                (Some(before), Some(now)) => before.order(now),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (None, None) => return Some(changes),
            };
            if order.is_le() {
                changes.gone.push(b.at);
                b = b.after_one();
            }
            if order.is_ge() {
                changes.new.extend(n.entry().cloned());
                n = n.after_one();
            }
            if changes.gone.len() + changes.new.len() > limit {
                return None;
            }
        }
    }
}

/// A walk through entries that knows its position.
struct Walk<'a> {
    leaves: Leaves<'a, Entry>,
    leaf: Option<&'a Arc<Leaf<Entry>>>,
    /// How many entries of this leaf were passed.
    past: usize,
    at: At,
}

impl<'a> Walk<'a> {
    fn new(entries: &'a Entries) -> Self {
        Walk { leaves: entries.leaves(), leaf: None, past: 0, at: 0 }.next_leaf()
    }

    fn entry(&self) -> Option<&'a Entry> {
        self.leaf?.items().get(self.past)
    }

    /// Whether both walks are at the beginning of the same leaf.
    fn skips(&self, other: &Walk) -> bool {
        let is_one = |(a, b): (&Arc<Leaf<Entry>>, &Arc<Leaf<Entry>>)| Arc::ptr_eq(a, b);
        (self.past, other.past) == (0, 0) && self.leaf.zip(other.leaf).is_some_and(is_one)
    }

    fn after_one(mut self) -> Self {
        (self.past, self.at) = (self.past + 1, self.at + 1);
        if self.entry().is_none() { self.next_leaf() } else { self }
    }

    fn after_leaf(mut self) -> Self {
        self.at += self.leaf.map_or(0, |leaf| leaf.items().len() as At);
        self.next_leaf()
    }

    fn next_leaf(mut self) -> Self {
        self.leaf = self.leaves.find(|leaf| !leaf.items().is_empty());
        self.past = 0;
        self
    }
}
