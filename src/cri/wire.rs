//! Decodes the engine's bytes, for tests that make bytes up. Only with the feature `test-hooks`.

use super::convert::{self, Limits};
use super::request::decode;
use super::status::{information, texts};
use super::{EngineEvent, Listing, info, observed, redact_environment, stream};
use crate::model::Observation;

/// The default of the option.
const LIMITS: Limits = Limits { labels_max: 1 << 20 };

/// A message of the event stream.
pub fn event(bytes: &[u8]) -> Option<EngineEvent> {
    decode(bytes).ok().map(|message| stream::event(message, LIMITS))
}

/// The two lists, from one reply each.
pub fn listing(containers: &[u8], sandboxes: &[u8]) -> Option<Listing> {
    let containers: observed::ListContainersResponse = decode(containers).ok()?.message;
    let sandboxes: observed::ListPodSandboxResponse = decode(sandboxes).ok()?.message;
    Some(Listing::of(sandboxes.items, containers.containers, LIMITS).decoded())
}

/// A container's status, with the sandbox id of its verbose information.
pub fn container_status(bytes: &[u8]) -> Option<Observation> {
    let reply: observed::ContainerStatusResponse = decode(bytes).ok()?.message;
    let mut observation = convert::container_status(reply.status?, None, LIMITS);
    observation.pod_id = info::read(&information(&reply.info)).sandbox_id;
    let mut all = info::as_json(texts(&reply.info));
    redact_environment(&mut all);
    Some(observation)
}

/// A sandbox's status.
pub fn sandbox_status(bytes: &[u8]) -> Option<Observation> {
    let reply: observed::PodSandboxStatusResponse = decode(bytes).ok()?.message;
    reply.status.map(|status| convert::sandbox_status(status, LIMITS))
}

/// Verbose information as JSON, with its secrets redacted.
pub fn verbose_info(text: &str) -> String {
    info::read(text);
    let mut all = info::as_json([("info".to_owned(), text.to_owned())].into());
    redact_environment(&mut all);
    all.to_string()
}
