//! The arrays of records that a snapshot shows. Built on first use, and kept with the snapshot.

use std::sync::Arc;

use super::view::{self, ContainerView, PodView};
use crate::ffi::{cri_container, cri_pod};
use crate::model::Container;
use crate::portfolio::Snapshot;

struct SnapshotView {
    containers: Vec<*const cri_container>,
    pods: Vec<*const cri_pod>,
    _views: (Vec<Arc<ContainerView>>, Vec<Arc<PodView>>),
}

// SAFETY: the pointers point into views that are kept here and that nobody changes.
unsafe impl Send for SnapshotView {}
// SAFETY: as above: shared access only reads.
unsafe impl Sync for SnapshotView {}

impl SnapshotView {
    fn new(snapshot: &Snapshot) -> SnapshotView {
        let containers: Vec<_> = snapshot.containers().map(|c| ContainerView::of(c)).collect();
        let pods: Vec<_> = snapshot.pods().iter().map(|pod| PodView::of(pod)).collect();
        SnapshotView {
            containers: containers.iter().map(ContainerView::record).collect(),
            pods: pods.iter().map(PodView::record).collect(),
            _views: (containers, pods),
        }
    }

    fn of(snapshot: &Snapshot) -> Arc<SnapshotView> {
        snapshot.view.get_or_init(|| Arc::new(SnapshotView::new(snapshot)))
    }
}

/// The array and its length. Both are valid as long as the snapshot.
pub(in crate::ffi) fn containers(snapshot: &Snapshot) -> (*const *const cri_container, usize) {
    let view = SnapshotView::of(snapshot);
    (view.containers.as_ptr(), view.containers.len())
}

/// The array and its length. Both are valid as long as the snapshot.
pub(in crate::ffi) fn pods(snapshot: &Snapshot) -> (*const *const cri_pod, usize) {
    let view = SnapshotView::of(snapshot);
    (view.pods.as_ptr(), view.pods.len())
}

/// The record of a container. It is valid as long as the container, or longer if C keeps a reference.
pub(in crate::ffi) fn record(container: &Container) -> *const cri_container {
    ContainerView::record(&ContainerView::of(container))
}

/// As `record`, with a reference of its own for C.
pub(in crate::ffi) fn kept_record(container: &Container) -> *const cri_container {
    view::retain(record(container))
}
