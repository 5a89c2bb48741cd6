//! What readers see: all records in their order, as of the last input. A copy of it costs nothing, and stays as it is.

use std::cmp::Ordering;
use std::sync::Arc;

use super::Portfolio;
use super::index::{Entries, Entry};
use super::sorted::{Sorted, SortedTree};
use crate::model::{Id, Pod};

/// The records of one generation. A copy shares its memory.
#[derive(Debug, Clone, Default)]
pub struct Shown {
    pub(super) generation: u64,
    pub(super) entries: Entries,
    pub(super) pods: Pods,
}

/// The newest version of each pod, by the ids of their sandboxes.
#[derive(Debug, Clone, Default)]
pub(super) struct Pods(SortedTree<ById>);

#[derive(Debug, Clone)]
struct ById(Arc<Pod>);

impl Sorted for ById {
    fn order(&self, other: &Self) -> Ordering {
        self.0.id.cmp(&other.0.id)
    }
}

impl Pods {
    pub fn get(&self, id: &str) -> Option<&Arc<Pod>> {
        self.0.get_by(|other| (*other.0.id).cmp(id)).map(|by_id| &by_id.0)
    }

    pub fn put(&mut self, pod: Arc<Pod>) {
        self.0.insert(ById(pod));
    }

    pub fn remove(&mut self, pod: &Arc<Pod>) {
        self.0.remove(&ById(pod.clone()));
    }
}

impl Portfolio {
    /// What readers see.
    pub fn shown(&self) -> &Shown {
        &self.shown
    }

    /// The record of this id, or whether the engine has it, has changed.
    pub(super) fn touch(&mut self, id: &Id) {
        self.changed = true;
        self.touched.push(id.clone());
    }

    /// Shows what was touched since the last time.
    pub(super) fn show(&mut self) {
        let touched = std::mem::take(&mut self.touched);
        // Sorting all at once is cheaper than to find a place for most of them.
        if touched.len() > self.entries.len() / 2 {
            return self.show_all();
        }
        for id in touched {
            let Some(entry) = self.entries.get_mut(&id) else {
                continue;
            };
            let now = Entry { container: entry.record.clone(), present: entry.present };
            if entry.shown.as_ref().is_some_and(|shown| shown.is_same(&now)) {
                continue;
            }
            if let Some(before) = entry.shown.replace(now.clone()).filter(|before| before.order(&now).is_ne()) {
                self.shown.entries.remove(&before);
            }
            self.shown.entries.insert(now);
        }
    }

    fn show_all(&mut self) {
        let mut all: Vec<Entry> = Vec::with_capacity(self.entries.len());
        for entry in self.entries.values_mut() {
            let now = Entry { container: entry.record.clone(), present: entry.present };
            all.push(entry.shown.insert(now).clone());
        }
        all.sort_unstable_by(Sorted::order);
        self.shown.entries = Entries::of_sorted(all);
    }
}
