//! The assembled list: made once for each state of the picture, by whoever asks first, and shared by all.

use std::cmp::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

use crate::model::json::Standing;
use crate::model::*;
use crate::sync::Page;

#[derive(Default)]
pub(super) struct ListCache(Mutex<Option<(Standing, JsonText)>>);

impl ListCache {
    /// Everything that runs, by namespace, pod and name.
    pub fn containers(&self, page: &Page, view: LabelView) -> JsonText {
        let standing = page.standing();
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &*kept {
            Some((of, text)) if of.is_same(&standing) => text.clone(),
            _ => {
                let mut running: Vec<Arc<Container>> = page.portfolio.running().cloned().collect();
                running.sort_unstable_by(|a, b| order(a, b));
                let text = standing.containers(&running, view);
                *kept = Some((standing, text.clone()));
                text
            }
        }
    }
}

/// Pods by their paths; in a pod the sandbox first, then the containers by name.
fn order(a: &Container, b: &Container) -> Ordering {
    let key = |c: &Container| (c.kind == Kind::Container, c.attempt);
    (a.namespace(), a.pod_name())
        .cmp(&(b.namespace(), b.pod_name()))
        .then_with(|| key(a).0.cmp(&key(b).0))
        .then_with(|| (&a.name, key(a).1, &a.id).cmp(&(&b.name, key(b).1, &b.id)))
}
