//! Tests of the transitions, and of what CRI shows of them.

use std::collections::HashMap;

use super::*;
use crate::kubelet::{ContainerSpec, PodSpec};
use crate::profile::{CONTAINERD_2, CRIO, Family, GO_ZERO_TIME};

const POD: &str = "aa00000000000000000000000000000000000000000000000000000000000000";
const OTHER_POD: &str = "ab00000000000000000000000000000000000000000000000000000000000000";
const APP: &str = "ca00000000000000000000000000000000000000000000000000000000000000";
const SIDECAR: &str = "cb00000000000000000000000000000000000000000000000000000000000000";

fn pod(name: &str) -> pb::PodSandboxConfig {
    PodSpec::new(name).config(|| format!("uid-of-{name}"))
}

/// Pod `web` with containers `app` and `sidecar`, created at 1, 2 and 3, and a pod without containers.
fn node() -> Store {
    let mut store = Store::default();
    for (id, name, at) in [(POD, "web", 1), (OTHER_POD, "db", 1)] {
        store.reserve_sandbox(id, &pod(name), "").unwrap();
        store.add_sandbox(id, pod(name), "", 100, at);
    }
    for (id, name, at) in [(APP, "app", 2), (SIDECAR, "sidecar", 3)] {
        store.add_container(id, ContainerSpec::new(name).request(POD, &pod("web")), Family::Containerd, at).unwrap();
    }
    store
}

fn state(store: &Store, id: &str) -> pb::ContainerState {
    store.containers[id].status.state()
}

#[test]
fn a_container_runs_and_is_removed() {
    let mut store = node();
    let start = store.begin_start(APP).unwrap();
    assert_eq!((start.sandbox_id.as_str(), start.sandbox_ready), (POD, true));
    assert!(store.begin_start(APP).unwrap_err().message().contains("already in starting state"));
    store.set_pid(APP, 4711);
    store.started(APP, 10);
    store.end_start(APP);
    assert_eq!(state(&store, APP), pb::ContainerState::ContainerRunning);
    assert!(store.begin_remove(APP).unwrap_err().message().contains("still running"));
    assert_eq!(store.container_exited(APP, Exit::Code(3), 20).as_deref(), Some(POD));
    let status = store.containers[APP].status(&CONTAINERD_2);
    assert_eq!((status.exit_code, status.finished_at, status.reason.as_str()), (3, 20, "Error"));
    assert_eq!(store.containers[APP].shown_pid(&CONTAINERD_2), 0);
    assert_eq!(store.containers[APP].shown_pid(&CRIO), 4711, "CRI-O forgets no pid");
    store.begin_remove(APP).unwrap();
    assert!(store.delete_container(APP).is_some());
    assert_eq!(store.container_exited(APP, Exit::Code(0), 30), None);
    assert_eq!(store.containers_of(POD).map(|c| c.id.as_str()).collect::<Vec<_>>(), [SIDECAR]);
}

#[test]
fn a_failed_start_is_an_exit_with_128() {
    let mut store = node();
    store.begin_start(APP).unwrap();
    store.start_failed(APP, "no such program", 10);
    let status = store.containers[APP].status(&CONTAINERD_2);
    assert_eq!((status.exit_code, status.reason.as_str(), status.started_at), (128, "StartError", 0));
    assert_eq!(status.state(), pb::ContainerState::ContainerExited);
}

#[test]
fn names_are_unique_until_they_are_released() {
    let mut store = node();
    let again = store.reserve_sandbox("ac", &pod("web"), "").unwrap_err();
    assert!(again.message().contains(&format!("is reserved for {POD:?}")), "{}", again.message());
    store.delete_sandbox(POD);
    store.reserve_sandbox("ac", &pod("web"), "").unwrap();
}

#[test]
fn the_store_and_the_controller_disagree_for_a_moment() {
    let mut store = node();
    store.sandbox_controller_exited(POD);
    assert_eq!(store.sandboxes[POD].status(&CONTAINERD_2).state(), pb::PodSandboxState::SandboxNotready);
    assert_eq!(sandbox_item(&store.sandboxes[POD], &CONTAINERD_2).state(), pb::PodSandboxState::SandboxReady);
    assert!(store.sandbox_exited(POD));
    assert_eq!(sandbox_item(&store.sandboxes[POD], &CONTAINERD_2).state(), pb::PodSandboxState::SandboxNotready);
    store.forget_sandbox(POD);
    assert_eq!(store.sandboxes[POD].status(&CONTAINERD_2).created_at, GO_ZERO_TIME);
}

#[test]
fn an_event_carries_its_own_sandbox_only() {
    let store = node();
    let event = store.event(APP, POD, pb::ContainerEventType::ContainerCreatedEvent, &CONTAINERD_2, 9).unwrap();
    assert_eq!(event.pod_sandbox_status.unwrap().id, POD);
    assert_eq!(event.containers_statuses.iter().map(|c| c.id.as_str()).collect::<Vec<_>>(), [APP, SIDECAR]);
    let event = store.event("gone", "gone", pb::ContainerEventType::ContainerDeletedEvent, &CONTAINERD_2, 9).unwrap();
    assert_eq!((event.pod_sandbox_status, event.containers_statuses.len()), (None, 0));
}

#[test]
fn ids_filter_by_unique_prefix() {
    let store = node();
    let by_id = |id: &str| {
        let filter = pb::PodSandboxFilter { id: id.into(), ..Default::default() };
        store.list_sandboxes(&filter, &CONTAINERD_2).into_iter().map(|s| s.id).collect::<Vec<_>>()
    };
    assert_eq!(by_id("aa"), [POD]);
    assert_eq!(by_id("").len(), 2);
    assert!(by_id("a").is_empty(), "an ambiguous prefix matches nothing");
    assert!(by_id("web").is_empty(), "names are never matched");
    let in_pod = |pod: &str| {
        let filter = pb::ContainerFilter { pod_sandbox_id: pod.into(), ..Default::default() };
        store.list_containers(&filter, &CONTAINERD_2).len()
    };
    assert_eq!((in_pod("aa"), in_pod("ab"), in_pod("zz")), (2, 0, 0));
}

#[test]
fn labels_and_states_filter_exactly() {
    let store = node();
    let count = |profile, labels: &[(&str, &str)], state: Option<pb::ContainerState>| {
        let label_selector: HashMap<_, _> = labels.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect();
        let state = state.map(|s| pb::ContainerStateValue { state: s.into() });
        store.list_containers(&pb::ContainerFilter { label_selector, state, ..Default::default() }, profile).len()
    };
    let name = crate::kubelet::CONTAINER_NAME;
    assert_eq!(count(&CONTAINERD_2, &[(name, "app")], None), 1);
    assert_eq!(count(&CONTAINERD_2, &[(name, "app"), (crate::kubelet::POD_NAME, "web")], None), 1);
    assert_eq!(count(&CONTAINERD_2, &[(name, "app"), (crate::kubelet::POD_NAME, "db")], None), 0);
    assert_eq!(count(&CONTAINERD_2, &[("absent", "")], None), 0, "the key must exist");
    assert_eq!(count(&CRIO, &[("absent", "")], None), 2, "an absent label is an empty one");
    assert_eq!(count(&CONTAINERD_2, &[], Some(pb::ContainerState::ContainerCreated)), 2);
    assert_eq!(count(&CONTAINERD_2, &[], Some(pb::ContainerState::ContainerRunning)), 0);
}

#[test]
fn lookups_refuse_with_the_engines_messages() {
    let store = node();
    assert_eq!(store.container("").unwrap_err(), Error::unknown("prefix can't be empty"));
    assert_eq!(store.container(POD).unwrap_err(), Error::NotFound("not found".into()));
    assert_eq!(store.container("c").unwrap_err(), Error::unknown("Multiple IDs found with provided prefix: c"));
}

#[test]
fn cgroups_and_repositories() {
    assert_eq!(cgroups_path(Family::Containerd, "", "x"), "/k8s.io/x");
    assert_eq!(cgroups_path(Family::Containerd, "/kubepods/pod1/", "x"), "/kubepods/pod1/x");
    assert_eq!(
        cgroups_path(Family::Containerd, "/kubepods.slice/kubepods-pod1.slice", "x"),
        "kubepods-pod1.slice:cri-containerd:x"
    );
    assert_eq!(cgroups_path(Family::Crio, "/kubepods/pod1", "x"), "/kubepods/pod1/crio-x");
    assert_eq!(cgroups_path(Family::Crio, "/kubepods.slice/kubepods-pod1.slice", "x"), "kubepods-pod1.slice:crio:x");
    assert_eq!(repository("registry.example:5000/app:1.0"), "registry.example:5000/app");
    assert_eq!(repository("registry.example:5000/app"), "registry.example:5000/app");
    assert_eq!(repository("app@sha256:00"), "app");
}

#[test]
fn crio_selects_by_the_pods_uid() {
    let mut store = node();
    store.containers.get_mut(APP).unwrap().config.labels.clear();
    let kind = pb::ContainerEventType::ContainerStartedEvent;
    let event = store.event(APP, POD, kind, &CRIO, 9).unwrap();
    assert_eq!(event.containers_statuses.iter().map(|c| c.id.as_str()).collect::<Vec<_>>(), [SIDECAR]);
    assert_eq!(store.event("gone", "gone", kind, &CRIO, 9), None);
}

#[test]
fn lost_ids_can_be_found_again() {
    let mut store = node();
    store.begin_start(APP).unwrap();
    store.started(APP, 10);
    store.lose(APP);
    store.lose(POD);
    assert!(store.container(APP).is_err() && store.sandbox(POD).is_err());
    assert_eq!(store.container_exited(APP, Exit::Code(3), 20), None, "no event for what is lost");
    assert_eq!(
        (store.find(APP).as_deref(), store.find("aa").as_deref(), store.find("aa")),
        (Some(APP), Some(POD), None)
    );
    assert_eq!(store.containers[APP].status(&CONTAINERD_2).exit_code, 3);
}
