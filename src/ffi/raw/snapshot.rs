//! The arrays of records that a snapshot shows. Built on first use, and kept with the snapshot.

use std::sync::Arc;

use super::view::{self, ContainerView, PodView};
use crate::ffi::{cri_container, cri_pod};
use crate::model::{Container, Memo};
use crate::portfolio::Snapshot;

/// The array of containers. The snapshot keeps them, and each keeps its view.
struct Containers(Vec<*const cri_container>);

/// The records of some neighbouring containers. Snapshots share them as long as none of these containers changes.
struct Portion(Vec<*const cri_container>);

struct Pods {
    records: Vec<*const cri_pod>,
    /// The views of the pods, kept here because a snapshot keeps no list of its pods.
    _views: Vec<Arc<PodView>>,
}

// SAFETY: the pointers point into views that live as long as these, and that nobody changes.
unsafe impl Send for Containers {}
// SAFETY: as above: shared access only reads.
unsafe impl Sync for Containers {}
// SAFETY: as above.
unsafe impl Send for Portion {}
// SAFETY: as above.
unsafe impl Sync for Portion {}
// SAFETY: as above.
unsafe impl Send for Pods {}
// SAFETY: as above.
unsafe impl Sync for Pods {}

/// The array and its length. Both are valid as long as the snapshot.
pub(in crate::ffi) fn containers(snapshot: &Snapshot) -> (*const *const cri_container, usize) {
    let all = snapshot.view.get_ref(|| {
        let portion = |(memo, containers)| portion(memo, containers);
        let mut all = Vec::with_capacity(snapshot.portions().map(|it| portion(it).len()).sum());
        snapshot.portions().for_each(|it| all.extend_from_slice(portion(it)));
        Arc::new(Containers(all))
    });
    (all.0.as_ptr(), all.0.len())
}

/// The records of some neighbouring containers, made by the first call.
fn portion<'a>(memo: &'a Memo, containers: impl Iterator<Item = &'a Arc<Container>>) -> &'a [*const cri_container] {
    let make = || Arc::new(Portion(containers.map(|container| record(container)).collect()));
    &memo.get_ref(make).0
}

/// The array and its length. Both are valid as long as the snapshot.
pub(in crate::ffi) fn pods(snapshot: &Snapshot) -> (*const *const cri_pod, usize) {
    let pods = snapshot.pod_view.get_ref(|| {
        let views: Vec<_> = snapshot.pods().iter().map(|pod| PodView::of(pod)).collect();
        Arc::new(Pods { records: views.iter().map(PodView::record).collect(), _views: views })
    });
    (pods.records.as_ptr(), pods.records.len())
}

/// The record of a container. It is valid as long as the container, or longer if C keeps a reference.
pub(in crate::ffi) fn record(container: &Container) -> *const cri_container {
    ContainerView::record(&ContainerView::of(container))
}

/// Like `record`, and takes a reference for C.
pub(in crate::ffi) fn kept_record(container: &Container) -> *const cri_container {
    view::retain(record(container))
}
