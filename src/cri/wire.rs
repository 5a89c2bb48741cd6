//! What the engine's bytes become: for tests that make up bytes. Without the feature `test-hooks`, this is not there.

use prost::Message;

use super::{EngineEvent, Listing, convert, info, proto, redact_environment, stream};
use crate::model::Observation;

/// A message of the event stream.
pub fn event(bytes: &[u8]) -> Option<EngineEvent> {
    proto::ContainerEventResponse::decode(bytes).ok().map(stream::event)
}

/// The two lists, from one reply each.
pub fn listing(containers: &[u8], sandboxes: &[u8]) -> Option<Listing> {
    let containers = proto::ListContainersResponse::decode(containers).ok()?.containers;
    let sandboxes = proto::ListPodSandboxResponse::decode(sandboxes).ok()?.items;
    Some(Listing {
        containers: containers.into_iter().map(convert::listed_container).collect(),
        sandboxes: sandboxes.into_iter().map(convert::listed_sandbox).collect(),
        streamed: None,
    })
}

/// A container's status, and what its verbose information says: the pid, and everything as JSON.
pub fn container_status(bytes: &[u8]) -> Option<Observation> {
    let reply = proto::ContainerStatusResponse::decode(bytes).ok()?;
    let mut observation = convert::container_status(reply.status?, None);
    observation.pod_id = info::read(&reply.info).sandbox_id;
    let mut all = info::as_json(reply.info);
    redact_environment(&mut all);
    Some(observation)
}

/// A sandbox's status.
pub fn sandbox_status(bytes: &[u8]) -> Option<Observation> {
    let reply = proto::PodSandboxStatusResponse::decode(bytes).ok()?;
    reply.status.map(convert::sandbox_status)
}

/// Verbose information; the redacted whole, as JSON.
pub fn verbose_info(text: &str) -> String {
    let map = || [("info".to_owned(), text.to_owned())].into();
    info::read(&map());
    let mut all = info::as_json(map());
    redact_environment(&mut all);
    all.to_string()
}
