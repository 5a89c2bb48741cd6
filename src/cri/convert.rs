//! Converts the engine's messages to observations. Pure.

use prost::Message;
use prost::bytes::Bytes;

use super::observed as wire;
use super::spec;
use super::text::Reader;
use crate::model::*;

/// The options for converting.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// How many bytes of labels are kept for each item, and how many of annotations.
    pub labels_max: usize,
}

/// An item that cannot be decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unreadable {
    /// The id, where the item begins with one.
    pub id: Option<Id>,
    /// What is wrong with it.
    pub reason: String,
}

impl Unreadable {
    /// The statement that the engine has this id, if there is an id.
    pub fn observation(&self, kind: Kind) -> Option<Observation> {
        let of = |id: &Id| Observation { flags: CRI_CONTAINER_FLAG_UNREADABLE, ..Observation::of(id.clone(), kind) };
        self.id.as_ref().map(of)
    }
}

/// An entry of ListContainers.
pub(super) fn listed_container(bytes: Bytes, limits: Limits) -> Result<Observation, Unreadable> {
    let c: wire::Container = decode(bytes)?;
    let mut read = Reader::new(limits.labels_max);
    let metadata = c.metadata.unwrap_or_default();
    let observation = Observation {
        name: read.text(metadata.name),
        attempt: metadata.attempt,
        state: container_state(c.state),
        pod_id: read.id(c.pod_sandbox_id),
        labels: read.labels(c.labels),
        annotations: read.labels(c.annotations),
        image: image(&mut read, c.image, c.image_ref, c.image_id),
        created_at: known(c.created_at),
        ..Observation::of(read.text(c.id), Kind::Container)
    };
    Ok(finished(observation, &read))
}

/// A container's status, from a reply or an event. An event also has the pod.
pub(super) fn container_status(c: wire::ContainerStatus, pod_id: Option<Id>, limits: Limits) -> Observation {
    let mut read = Reader::new(limits.labels_max);
    let state = container_state(c.state);
    let exited = state == State::Exited;
    let spec = spec::of_status(&mut read, c.log_path, c.mounts, c.resources, c.user);
    let metadata = c.metadata.unwrap_or_default();
    let observation = Observation {
        name: read.text(metadata.name),
        attempt: metadata.attempt,
        state,
        pod_id,
        labels: read.labels(c.labels),
        annotations: read.labels(c.annotations),
        image: image(&mut read, c.image, c.image_ref, c.image_id),
        created_at: known(c.created_at),
        started_at: known(c.started_at),
        finished_at: known(c.finished_at).filter(|_| exited),
        // CRI-O's -1 stands for "unknown".
        exit: exited.then(|| Exit {
            code: Some(c.exit_code).filter(|code| *code >= 0),
            reason: read.text(c.reason),
            message: read.text(c.message),
        }),
        is_status: true,
        spec: Some(spec.into()),
        ..Observation::of(read.text(c.id), Kind::Container)
    };
    finished(observation, &read)
}

/// A container's status that an event carries, as bytes.
pub(super) fn container_status_item(bytes: Bytes, limits: Limits) -> Result<Observation, Unreadable> {
    Ok(container_status(decode(bytes)?, None, limits))
}

/// An entry of ListPodSandbox.
pub(super) fn listed_sandbox(bytes: Bytes, limits: Limits) -> Result<Observation, Unreadable> {
    let s: wire::PodSandbox = decode(bytes)?;
    let mut read = Reader::new(limits.labels_max);
    let mut pod = pod(&mut read, s.id, s.metadata, s.state, s.created_at);
    (pod.labels, pod.annotations) = (read.labels(s.labels), read.labels(s.annotations));
    pod.runtime_handler = read.text(s.runtime_handler);
    Ok(finished(sandbox(pod, false), &read))
}

/// A sandbox's status that an event carries, as bytes.
pub(super) fn sandbox_status_item(bytes: Bytes, limits: Limits) -> Result<Observation, Unreadable> {
    Ok(sandbox_status(decode(bytes)?, limits))
}

/// A sandbox's status, from a reply or an event.
pub(super) fn sandbox_status(s: wire::PodSandboxStatus, limits: Limits) -> Observation {
    let mut read = Reader::new(limits.labels_max);
    let mut pod = pod(&mut read, s.id, s.metadata, s.state, s.created_at);
    (pod.labels, pod.annotations) = (read.labels(s.labels), read.labels(s.annotations));
    pod.runtime_handler = read.text(s.runtime_handler);
    let network = s.network.unwrap_or_default();
    let ips = std::iter::once(network.ip).chain(network.additional_ips.into_iter().map(|a| a.ip));
    pod.ips = ips.filter(|ip| !ip.is_empty()).map(|ip| read.text(ip)).collect();
    let options = s.linux.and_then(|l| l.namespaces).and_then(|n| n.options);
    let is_node = |mode: wire::NamespaceMode| mode == wire::NamespaceMode::Node;
    pod.host_network = options.as_ref().map(|o| is_node(o.network()));
    pod.host_pid = options.as_ref().map(|o| is_node(o.pid()));
    pod.host_ipc = options.as_ref().map(|o| is_node(o.ipc()));
    finished(sandbox(pod, true), &read)
}

fn finished(observation: Observation, read: &Reader) -> Observation {
    Observation { flags: read.flags(), ..observation }
}

fn decode<T: Message + Default>(bytes: Bytes) -> Result<T, Unreadable> {
    T::decode(bytes.clone()).map_err(|e| Unreadable { id: leading_id(&bytes).map(Id::from), reason: e.to_string() })
}

/// The id of an item whose other fields are broken. The id is field 1 of every item, and every engine writes it first.
pub(super) fn leading_id(bytes: &[u8]) -> Option<&str> {
    /// Field 1, length-delimited.
    const ID_KEY: u8 = 1 << 3 | 2;
    let [ID_KEY, length, rest @ ..] = bytes else {
        return None;
    };
    // Engines make no ids longer than 127 bytes.
    let id = rest.get(..usize::from(*length)).filter(|_| *length < 128)?;
    let id = std::str::from_utf8(id).ok()?;
    (!id.is_empty()).then_some(id)
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

fn pod(read: &mut Reader, id: Bytes, metadata: Option<wire::PodSandboxMetadata>, state: i32, created_at: i64) -> Pod {
    let metadata = metadata.unwrap_or_default();
    let mut pod = Pod::new(read.text(id));
    pod.name = read.text(metadata.name);
    pod.namespace = read.text(metadata.namespace);
    pod.uid = read.text(metadata.uid);
    pod.attempt = metadata.attempt;
    pod.state = pod_state(state);
    pod.created_at = known(created_at);
    pod
}

fn pod_state(state: i32) -> PodState {
    match wire::PodSandboxState::try_from(state) {
        Ok(wire::PodSandboxState::SandboxReady) => PodState::Ready,
        Ok(wire::PodSandboxState::SandboxNotready) => PodState::NotReady,
        Err(_) => PodState::Unknown,
    }
}

fn container_state(state: i32) -> State {
    match wire::ContainerState::try_from(state) {
        Ok(wire::ContainerState::ContainerCreated) => State::Created,
        Ok(wire::ContainerState::ContainerRunning) => State::Running,
        Ok(wire::ContainerState::ContainerExited) => State::Exited,
        Ok(wire::ContainerState::ContainerUnknown) | Err(_) => State::Unknown,
    }
}

/// Sorts out what the image's fields mean. Engines disagree on `image_ref` and `image_id`, and so do the lists and
/// statuses of one engine: a repository with a digest is a reference, and a digest alone is the id of the image's
/// configuration.
fn image(read: &mut Reader, spec: Option<wire::ImageSpec>, reference: Bytes, id: Bytes) -> ImageNames {
    let spec = spec.unwrap_or_default();
    let author = read.text(spec.user_specified_image);
    let engine = read.text(spec.image);
    let mut names = ImageNames { author, engine, ..ImageNames::default() };
    for text in [read.text(id), read.text(reference)] {
        if is_bare_digest(&text) {
            let whole = || if text.contains(':') { text.clone() } else { format!("sha256:{text}").into() };
            names.id = if names.id.is_empty() { whole() } else { names.id };
        } else if text.contains('@') {
            names.reference = text;
        }
    }
    names
}

#[cfg(test)]
mod tests;
