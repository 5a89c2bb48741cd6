//! Answers from memory. All callers in one generation share a snapshot; all who hold a text share it.

use std::sync::{Arc, Mutex, PoisonError};

use super::Watcher;
use crate::error::Result;
use crate::model::json::Freshness;
use crate::model::*;
use crate::portfolio::{Query, Snapshot};

#[derive(Default)]
pub(super) struct Kept {
    snapshot: Mutex<Option<Arc<Snapshot>>>,
    containers: KeptText,
    pods: KeptText,
}

/// The answer to the default query, kept as long as a reader holds it.
#[derive(Default)]
struct KeptText(Mutex<Option<(Freshness, WeakText)>>);

impl KeptText {
    fn get_or_make(&self, freshness: &Freshness, make: impl FnOnce() -> JsonText) -> JsonText {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let held = kept.as_ref().filter(|(of, _)| of.is_same(freshness)).and_then(|(_, text)| text.upgrade());
        held.map_or_else(
            || {
                let text = make();
                *kept = Some((freshness.clone(), text.downgrade()));
                text
            },
            JsonText::from,
        )
    }
}

impl Kept {
    /// The snapshot of the current generation. All callers in one generation get the same one.
    fn snapshot(&self, watcher: &Watcher) -> Result<(Freshness, Arc<Snapshot>)> {
        let mut kept = self.snapshot.lock().unwrap_or_else(PoisonError::into_inner);
        let (freshness, shown) = watcher.latest()?;
        if let Some(snapshot) = &*kept
            && snapshot.generation() == freshness.generation
        {
            return Ok((freshness, snapshot.clone()));
        }
        let snapshot = Snapshot::new(shown).on_the_node_of(&freshness.engine);
        let mut snapshot = snapshot.with_reader(watcher.kernel.clone());
        if let Some(previous) = &*kept {
            snapshot = snapshot.after(previous);
        }
        let snapshot = Arc::new(snapshot);
        let before = kept.replace(snapshot.clone());
        drop(kept);
        // Dropped outside the lock, because freeing it may take long.
        drop(before);
        Ok((freshness, snapshot))
    }
}

impl Watcher {
    /// The containers that the query selects, as `criwatch.containers/1`; without a query, everything that runs. `None`
    /// if the query's `ifGeneration` is the current one. Answers from memory, without waiting for the engine. Costs
    /// O(n). Simultaneous calls without a query wait for the first one, and share its text.
    pub fn list(&self, query: Option<&str>) -> Result<Option<JsonText>> {
        self.answer_query(query, &self.kept.containers, |freshness, snapshot, query, view| {
            freshness.containers(snapshot.select(query), view, query.fields())
        })
    }

    /// As `list`, grouped by pod: `criwatch.pods/1`.
    pub fn pods(&self, query: Option<&str>) -> Result<Option<JsonText>> {
        self.answer_query(query, &self.kept.pods, |freshness, snapshot, query, view| {
            freshness.pods(&snapshot.by_pod(snapshot.select(query)), view, query.fields())
        })
    }

    fn answer_query(
        &self,
        query: Option<&str>,
        kept: &KeptText,
        make: impl FnOnce(&Freshness, &Snapshot, &Query, View) -> JsonText,
    ) -> Result<Option<JsonText>> {
        let query = Query::parse(query)?;
        if query.is_satisfied_by(self.latest()?.0.generation) {
            return Ok(None);
        }
        let (freshness, snapshot) = self.kept.snapshot(self)?;
        let view = self.json_view();
        let view = query.attributes().map_or(view, |attributes| view.with_attributes(attributes));
        let text = || make(&freshness, &snapshot, &query, view);
        Ok(Some(if query.is_for_the_list() { kept.get_or_make(&freshness, text) } else { text() }))
    }

    /// One container or sandbox by its id or name, as `criwatch.container/1`: in any state, also one that the engine removed
    /// not long ago (option `tombstones.keep_ms`). A name is looked up among all records.
    pub fn get(&self, id_or_name: &str) -> Result<JsonText> {
        let (freshness, snapshot) = self.kept.snapshot(self)?;
        Ok(freshness.container(snapshot.find(id_or_name)?, self.json_view()))
    }

    /// The cache at this moment, as records. O(1), because it shares them with the cache. Calls in one generation get
    /// the same snapshot.
    pub fn snapshot(&self) -> Result<Arc<Snapshot>> {
        Ok(self.kept.snapshot(self)?.1)
    }

    pub(super) fn json_view(&self) -> View {
        View::new(self.config.merge_annotations, self.config.attributes)
    }

    /// Everything that runs, as records.
    pub fn containers(&self) -> Result<Vec<Arc<Container>>> {
        Ok(self.snapshot()?.containers().cloned().collect())
    }
}
