//! Answers from memory: made once for each state of the picture, by whoever asks first, and shared by all.

use std::sync::{Arc, Mutex, PoisonError};

use super::Watcher;
use crate::error::Result;
use crate::model::json::Standing;
use crate::model::*;
use crate::portfolio::{Query, Snapshot, lookup};

#[derive(Default)]
pub(super) struct Kept {
    snapshot: Mutex<Option<Arc<Snapshot>>>,
    containers: KeptText,
    pods: KeptText,
}

/// The answer to a query that asks for nothing special.
#[derive(Default)]
struct KeptText(Mutex<Option<(Standing, JsonText)>>);

impl KeptText {
    fn get_or_make(&self, standing: &Standing, make: impl FnOnce() -> JsonText) -> JsonText {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &*kept {
            Some((of, text)) if of.is_same(standing) => text.clone(),
            _ => {
                let text = make();
                *kept = Some((standing.clone(), text.clone()));
                text
            }
        }
    }
}

impl Kept {
    /// The present snapshot, and where it stands. Nobody waits for another's sorting with the page in hand: that would
    /// hold up the engine's events.
    fn snapshot(&self, watcher: &Watcher) -> Result<(Standing, Arc<Snapshot>)> {
        let mut kept = self.snapshot.lock().unwrap_or_else(PoisonError::into_inner);
        let page = watcher.ready_page()?;
        let standing = page.standing();
        let snapshot = match &*kept {
            Some(snapshot) if snapshot.generation() == standing.generation => snapshot.clone(),
            _ => {
                let snapshot = page.portfolio.snapshot();
                drop(page);
                kept.insert(Arc::new(snapshot.sorted())).clone()
            }
        };
        Ok((standing, snapshot))
    }
}

impl Watcher {
    /// What the query selects, as `criwatch.containers/1`; without a query, everything that runs. `None`: the
    /// query's `ifGeneration` is still the present one. From memory: never waits for the engine.
    pub fn list(&self, query: Option<&str>) -> Result<Option<JsonText>> {
        self.answer_query(query, &self.kept.containers, |standing, snapshot, query, view| {
            standing.containers(snapshot.select(query), view, query.fields())
        })
    }

    /// The same, by pod: `criwatch.pods/1`.
    pub fn pods(&self, query: Option<&str>) -> Result<Option<JsonText>> {
        self.answer_query(query, &self.kept.pods, |standing, snapshot, query, view| {
            standing.pods(&snapshot.by_pod(snapshot.select(query)), view, query.fields())
        })
    }

    fn answer_query(
        &self,
        query: Option<&str>,
        kept: &KeptText,
        make: impl FnOnce(&Standing, &Snapshot, &Query, LabelView) -> JsonText,
    ) -> Result<Option<JsonText>> {
        let query = Query::parse(query)?;
        if query.is_satisfied_by(self.ready_page()?.portfolio.generation()) {
            return Ok(None);
        }
        let (standing, snapshot) = self.kept.snapshot(self)?;
        let text = || make(&standing, &snapshot, &query, self.label_view());
        Ok(Some(if query.is_for_the_list() { kept.get_or_make(&standing, text) } else { text() }))
    }

    /// One container or sandbox, in whatever state, also of the remembered dead: `criwatch.container/1`.
    pub fn get(&self, id_or_name: &str) -> Result<JsonText> {
        let page = self.ready_page()?;
        let container = match page.portfolio.get(id_or_name) {
            Some(container) => container,
            None => lookup(page.portfolio.containers(), id_or_name)?,
        };
        Ok(page.standing().container(container, self.label_view()))
    }

    /// The picture at this moment, as records. It costs no more than a pointer while the picture does not change.
    pub fn snapshot(&self) -> Result<Arc<Snapshot>> {
        Ok(self.kept.snapshot(self)?.1)
    }

    /// Everything that runs, as records.
    pub fn containers(&self) -> Result<Vec<Arc<Container>>> {
        Ok(self.snapshot()?.containers().cloned().collect())
    }

    pub(super) fn label_view(&self) -> LabelView {
        LabelView::new(self.config.merge_annotations)
    }
}
