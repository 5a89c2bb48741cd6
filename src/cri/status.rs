//! The status of one container or sandbox, with the process and everything else that only a verbose reply has.

use std::borrow::Cow;
use std::collections::HashMap;
use std::time::Duration;

use prost::Message;
use serde_json::Value;

use super::call::as_json;
use super::client::Client;
use super::observed::{ContainerStatusResponse, Pair, PodSandboxStatusResponse, StatusResponse};
use super::pid::PidResolver;
use super::proto::{ContainerStatusRequest, PodSandboxStatusRequest, StatusRequest};
use super::{convert, info, methods};
use crate::error::{CRI_E_NOT_FOUND, CRI_E_PROTOCOL, Error, Result};
use crate::model::{Id, Kind, Observation, State};

/// A reply: the status, and the engine's `info` map, which is `None` unless the reply is verbose.
struct Reply {
    observation: Observation,
    /// The status as JSON, if it is wanted.
    status: Option<Value>,
    info: Option<Vec<Pair>>,
}

/// How much of a reply is wanted.
#[derive(Clone, Copy, PartialEq)]
enum Wanted {
    Observation,
    Everything,
}

/// How to ask for a status.
#[derive(Clone, Copy)]
struct How {
    verbose: bool,
    wanted: Wanted,
}

/// Everything that the engine gives for one container or sandbox.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Inspection {
    /// The status.
    pub observation: Observation,
    /// The status as the engine gives it, in the canonical JSON of protocol buffers; `None` in a build without the feature
    /// `call`.
    pub status: Option<Value>,
    /// The verbose information, as the engine gives it.
    pub info: Value,
}

impl Client {
    /// The status of exactly this id; `None` if the engine does not have it. If the kind is unknown, the id is first
    /// taken for a container's.
    pub async fn status(&self, id: &Id, kind: Option<Kind>, pids: &PidResolver) -> Result<Option<Observation>> {
        let attempts: &[_] = match kind {
            Some(kind) => &[(kind, true), (kind, false)],
            // A list shows the kind of each id. For an id that no list has shown, one attempt of each kind is enough.
            None => &[(Kind::Container, true), (Kind::Sandbox, true)],
        };
        Ok(self.ask_status(id, attempts, pids, Wanted::Observation).await?.map(|found| found.observation))
    }

    /// As `status`, with everything else that the engine gives.
    pub async fn inspect(&self, id: &Id, kind: Option<Kind>, pids: &PidResolver) -> Result<Option<Inspection>> {
        let kinds: &[_] = match kind {
            Some(Kind::Container) => &[Kind::Container],
            Some(Kind::Sandbox) => &[Kind::Sandbox],
            None => &[Kind::Container, Kind::Sandbox],
        };
        let attempts: Vec<_> = [true, false].iter().flat_map(|v| kinds.iter().map(|kind| (*kind, *v))).collect();
        let found = self.ask_status(id, &attempts, pids, Wanted::Everything).await?;
        let whole = |found: Reply| Inspection {
            observation: found.observation,
            status: found.status,
            info: info::as_json(texts(&found.info.unwrap_or_default())),
        };
        Ok(found.map(whole))
    }

    /// The verbose information of the engine itself, such as its configuration.
    pub(super) async fn runtime_info(&self, patience: Duration) -> Result<HashMap<String, String>> {
        let timeout = patience.min(self.request_timeout());
        let reply: StatusResponse = self.ask_within(methods::STATUS, timeout, StatusRequest { verbose: true }).await?;
        Ok(texts(&reply.info))
    }

    /// The first answer of these attempts; each has a kind, and whether it is verbose. For a verbose reply, containerd
    /// needs the container's task and spec, and says "not found" if it has lost them. The plain status of such a
    /// container still exists.
    async fn ask_status(
        &self,
        id: &Id,
        attempts: &[(Kind, bool)],
        pids: &PidResolver,
        wanted: Wanted,
    ) -> Result<Option<Reply>> {
        let mut found = None;
        for (kind, verbose) in attempts {
            found = self.one_status(id, *kind, How { verbose: *verbose, wanted }).await?;
            if found.is_some() {
                break;
            }
        }
        let Some(mut found) = found else {
            return Ok(None);
        };
        if found.observation.id != *id {
            // Engines take an id as a prefix, so an answer about another id does not count.
            let message = format!("status of {id}: the engine's reply is about {:?}", found.observation.id);
            return Err(Error::new(CRI_E_PROTOCOL, message));
        }
        if let Some(pairs) = &found.info {
            let read = info::read(&information(pairs));
            let running = found.observation.state == State::Running;
            found.observation.pod_id = found.observation.pod_id.or_else(|| read.sandbox_id.clone());
            let image = &mut found.observation.image;
            if let Some(author) = read.author_image.as_deref().filter(|_| image.author.is_empty()) {
                image.author = author.into();
            }
            image.annotated = read.annotated_image.as_deref().unwrap_or_default().into();
            found.observation.details = Some(pids.details(id, &read, running));
        }
        Ok(Some(found))
    }

    async fn one_status(&self, id: &Id, kind: Kind, how: How) -> Result<Option<Reply>> {
        let (asked, verbose) = (id.to_string(), how.verbose);
        let (observation, status, info) = match kind {
            Kind::Container => {
                let request = ContainerStatusRequest { container_id: asked, verbose };
                let reply = self.ask::<ContainerStatusResponse>(methods::CONTAINER_STATUS, request).await;
                let Some(reply) = absent_is_none(reply)? else { return Ok(None) };
                let status = reply.status.ok_or_else(|| empty(methods::CONTAINER_STATUS, id))?;
                let json = json_if_wanted("ContainerStatus", &status, how.wanted)?;
                (convert::container_status(status, None, self.limits()), json, reply.info)
            }
            Kind::Sandbox => {
                let request = PodSandboxStatusRequest { pod_sandbox_id: asked, verbose };
                let reply = self.ask::<PodSandboxStatusResponse>(methods::SANDBOX_STATUS, request).await;
                let Some(reply) = absent_is_none(reply)? else { return Ok(None) };
                let status = reply.status.ok_or_else(|| empty(methods::SANDBOX_STATUS, id))?;
                let json = json_if_wanted("PodSandboxStatus", &status, how.wanted)?;
                (convert::sandbox_status(status, self.limits()), json, reply.info)
            }
        };
        // containerd 2.3 sends an empty info in replies that are not verbose.
        Ok(Some(Reply { observation, status, info: verbose.then_some(info) }))
    }
}

/// The status as JSON, if it is wanted. The types of `observed` have the wire format of the published contract.
fn json_if_wanted(message: &str, status: &impl Message, wanted: Wanted) -> Result<Option<Value>> {
    if wanted == Wanted::Everything { as_json(message, status) } else { Ok(None) }
}

/// The `info` map; bad bytes in it are replaced.
pub(super) fn texts(info: &[Pair]) -> HashMap<String, String> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    info.iter().map(|Pair { key, value }| (text(key), text(value))).collect()
}

/// The text under the one key that all engines have. If the key is repeated, the last value counts. The text may be as
/// long as all the rest of a reply, so it is not copied.
pub(super) fn information(info: &[Pair]) -> Cow<'_, str> {
    let found = info.iter().rev().find(|pair| &*pair.key == b"info");
    found.map_or(Cow::Borrowed(""), |pair| String::from_utf8_lossy(&pair.value))
}

fn absent_is_none<T>(reply: Result<T>) -> Result<Option<T>> {
    match reply {
        Ok(reply) => Ok(Some(reply)),
        Err(e) if e.status() == CRI_E_NOT_FOUND => Ok(None),
        Err(e) => Err(e),
    }
}

fn empty(method: methods::Method, id: &str) -> Error {
    Error::new(CRI_E_PROTOCOL, format!("{} of {id}: the engine's reply has no status", method.name))
}
