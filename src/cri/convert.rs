//! The engine's messages as observations. Pure.

use std::collections::HashMap;
use std::sync::Arc;

use super::proto;
use crate::model::{Exit, Id, Image, Kind, Labels, Observation, Pod, PodState, State, known};

/// An entry of ListContainers.
pub(super) fn listed_container(c: proto::Container) -> Observation {
    let metadata = c.metadata.unwrap_or_default();
    Observation {
        name: metadata.name.into(),
        attempt: metadata.attempt,
        state: container_state(c.state),
        pod_id: some(&c.pod_sandbox_id),
        labels: labels(c.labels),
        annotations: labels(c.annotations),
        image: image(c.image, &c.image_ref, &c.image_id),
        created_at: known(c.created_at),
        ..Observation::of(c.id.into(), Kind::Container)
    }
}

/// A container's status, from a reply or an event. An event also tells the pod.
pub(super) fn container_status(c: proto::ContainerStatus, pod_id: Option<Id>) -> Observation {
    let state = container_state(c.state);
    let metadata = c.metadata.unwrap_or_default();
    let exited = state == State::Exited;
    Observation {
        name: metadata.name.into(),
        attempt: metadata.attempt,
        state,
        pod_id,
        labels: labels(c.labels),
        annotations: labels(c.annotations),
        image: image(c.image, &c.image_ref, &c.image_id),
        created_at: known(c.created_at),
        started_at: known(c.started_at),
        finished_at: known(c.finished_at).filter(|_| exited),
        // CRI-O's -1 stands for "unknown".
        exit: exited.then(|| Exit {
            code: Some(c.exit_code).filter(|code| *code >= 0),
            reason: c.reason.into(),
            message: c.message.into(),
        }),
        is_status: true,
        ..Observation::of(c.id.into(), Kind::Container)
    }
}

/// An entry of ListPodSandbox.
pub(super) fn listed_sandbox(s: proto::PodSandbox) -> Observation {
    let mut pod = pod(s.id, s.metadata, s.state, s.created_at);
    (pod.labels, pod.annotations) = (labels(s.labels), labels(s.annotations));
    pod.runtime_handler = s.runtime_handler.into();
    sandbox(pod, false)
}

/// A sandbox's status, from a reply or an event.
pub(super) fn sandbox_status(s: proto::PodSandboxStatus) -> Observation {
    let mut pod = pod(s.id, s.metadata, s.state, s.created_at);
    (pod.labels, pod.annotations) = (labels(s.labels), labels(s.annotations));
    pod.runtime_handler = s.runtime_handler.into();
    let network = s.network.unwrap_or_default();
    let ips = std::iter::once(network.ip).chain(network.additional_ips.into_iter().map(|a| a.ip));
    pod.ips = ips.filter(|ip| !ip.is_empty()).map(Arc::from).collect();
    let options = s.linux.and_then(|l| l.namespaces).and_then(|n| n.options);
    pod.host_network = options.map(|o| o.network() == proto::NamespaceMode::Node);
    sandbox(pod, true)
}

fn sandbox(pod: Pod, is_status: bool) -> Observation {
    Observation {
        name: pod.name.clone(),
        attempt: pod.attempt,
        state: match pod.state {
            PodState::Ready => State::Running,
            PodState::NotReady => State::Exited,
            PodState::Unknown => State::Unknown,
        },
        pod_id: Some(pod.id.clone()),
        labels: pod.labels.clone(),
        annotations: pod.annotations.clone(),
        created_at: pod.created_at,
        is_status,
        ..Observation::of(pod.id.clone(), Kind::Sandbox)
    }
    .with_pod(pod)
}

fn pod(id: String, metadata: Option<proto::PodSandboxMetadata>, state: i32, created_at: i64) -> Pod {
    let metadata = metadata.unwrap_or_default();
    let mut pod = Pod::new(id.into());
    pod.name = metadata.name.into();
    pod.namespace = metadata.namespace.into();
    pod.uid = metadata.uid.into();
    pod.attempt = metadata.attempt;
    pod.state = pod_state(state);
    pod.created_at = known(created_at);
    pod
}

fn pod_state(state: i32) -> PodState {
    match proto::PodSandboxState::try_from(state) {
        Ok(proto::PodSandboxState::SandboxReady) => PodState::Ready,
        Ok(proto::PodSandboxState::SandboxNotready) => PodState::NotReady,
        Err(_) => PodState::Unknown,
    }
}

fn container_state(state: i32) -> State {
    match proto::ContainerState::try_from(state) {
        Ok(proto::ContainerState::ContainerCreated) => State::Created,
        Ok(proto::ContainerState::ContainerRunning) => State::Running,
        Ok(proto::ContainerState::ContainerExited) => State::Exited,
        Ok(proto::ContainerState::ContainerUnknown) | Err(_) => State::Unknown,
    }
}

fn labels(map: HashMap<String, String>) -> Arc<Labels> {
    if map.is_empty() { Arc::default() } else { Arc::new(map.into_iter().collect()) }
}

fn image(spec: Option<proto::ImageSpec>, reference: &str, id: &str) -> Image {
    let spec = spec.unwrap_or_default();
    // What the pod's author wrote, where the engine still knows; else what it made of it.
    let name = if spec.user_specified_image.is_empty() { spec.image } else { spec.user_specified_image };
    Image { name: name.into(), reference: reference.into(), id: id.into() }
}

fn some(id: &str) -> Option<Id> {
    (!id.is_empty()).then(|| id.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    const GO_ZERO_TIME: i64 = -6_795_364_578_871_345_152;

    #[test]
    fn garbage_times_are_unknown() {
        let pod = sandbox_status(proto::PodSandboxStatus { created_at: GO_ZERO_TIME, ..Default::default() });
        assert_eq!(pod.created_at, None);
        let c = proto::ContainerStatus { state: 2, started_at: GO_ZERO_TIME, finished_at: 0, ..Default::default() };
        let c = container_status(c, None);
        assert_eq!((c.started_at, c.finished_at), (None, None));
    }

    #[test]
    fn exit_facts_are_only_those_of_the_exited() {
        let running = proto::ContainerStatus { state: 1, finished_at: 7, exit_code: 1, ..Default::default() };
        let running = container_status(running, None);
        assert_eq!((running.finished_at, running.exit), (None, None));
        let unknown_code = proto::ContainerStatus { state: 2, exit_code: -1, ..Default::default() };
        assert_eq!(container_status(unknown_code, None).exit.unwrap().code, None);
    }

    #[test]
    fn states_that_are_not_in_the_contract_are_unknown() {
        assert_eq!(listed_container(proto::Container { state: 99, ..Default::default() }).state, State::Unknown);
        assert_eq!(listed_sandbox(proto::PodSandbox { state: 99, ..Default::default() }).state, State::Unknown);
    }

    #[test]
    fn a_pod_has_all_its_addresses() {
        let network = proto::PodSandboxNetworkStatus {
            ip: "10.0.0.7".into(),
            additional_ips: vec![proto::PodIp { ip: "fd00::7".into() }],
        };
        let pod = sandbox_status(proto::PodSandboxStatus { network: Some(network), ..Default::default() }).pod.unwrap();
        assert_eq!(pod.ips.iter().map(|ip| &**ip).collect::<Vec<_>>(), ["10.0.0.7", "fd00::7"]);
    }
}
