//! What readers see: all records in their order, as of the last input. A copy is cheap, and never changes.

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

/// The newest version of each pod, by the id of its sandbox.
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
    /// The records as readers see them.
    pub fn shown(&self) -> &Shown {
        &self.shown
    }

    /// Notes that the record of this id has changed, or whether the engine has it.
    pub(super) fn touch(&mut self, id: &Id) {
        self.changed = true;
        self.touched.push(id.clone());
    }

    /// Shows readers the records that have changed since the last call.
    pub(super) fn show(&mut self) {
        let touched = std::mem::take(&mut self.touched);
        // Sorting all records at once is cheaper than finding a place for most of them.
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
