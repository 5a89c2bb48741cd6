//! One container's or sandbox's status, with the process and whatever else only a verbose reply tells.

use std::collections::HashMap;

use serde_json::Value;

use super::client::Client;
use super::observed::{ContainerStatusResponse, Pair, PodSandboxStatusResponse};
use super::pid::PidResolver;
use super::proto::{ContainerStatusRequest, PodSandboxStatusRequest};
use super::{convert, info, request};
use crate::error::{CRI_E_NOT_FOUND, CRI_E_PROTOCOL, Error, Result};
use crate::model::{Id, Kind, Observation, State};

/// A reply: the status, and the engine's `info` map; `None` of a reply that is not verbose.
struct Reply {
    observation: Observation,
    info: Option<HashMap<String, String>>,
}

/// All that an engine says of one container or sandbox.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Inspection {
    /// The status.
    pub observation: Observation,
    /// The verbose information, as the engine gives it.
    pub info: Value,
}

impl Client {
    /// The status of exactly this id; `None` if the engine has no such thing. Where the kind is not known, it is
    /// first taken for a container.
    pub async fn status(&self, id: &Id, kind: Option<Kind>, pids: &PidResolver) -> Result<Option<Observation>> {
        Ok(self.ask_status(id, kind, pids).await?.map(|found| found.observation))
    }

    /// As `status`, with everything else that the engine tells.
    pub async fn inspect(&self, id: &Id, kind: Option<Kind>, pids: &PidResolver) -> Result<Option<Inspection>> {
        let found = self.ask_status(id, kind, pids).await?;
        let whole = |found: Reply| Inspection {
            observation: found.observation,
            info: info::as_json(found.info.unwrap_or_default()),
        };
        Ok(found.map(whole))
    }

    async fn ask_status(&self, id: &Id, kind: Option<Kind>, pids: &PidResolver) -> Result<Option<Reply>> {
        let found = match kind {
            Some(kind) => self.status_of_kind(id, kind).await?,
            None => match self.one_status(id, Kind::Container, true).await? {
                None => self.one_status(id, Kind::Sandbox, true).await?,
                found => found,
            },
        };
        let Some(mut found) = found else {
            return Ok(None);
        };
        if found.observation.id != *id {
            // Engines take ids for prefixes; an answer about another one is no answer.
            let message = format!("status of {id}: the engine's reply is about {:?}", found.observation.id);
            return Err(Error::new(CRI_E_PROTOCOL, message));
        }
        if let Some(map) = &found.info {
            let read = info::read(map);
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

    /// containerd needs the container's task and spec for a verbose reply, and says "not found" where it has lost them;
    /// the plain status of such a container is still there.
    async fn status_of_kind(&self, id: &Id, kind: Kind) -> Result<Option<Reply>> {
        match self.one_status(id, kind, true).await? {
            None => self.one_status(id, kind, false).await,
            found => Ok(found),
        }
    }

    async fn one_status(&self, id: &Id, kind: Kind, verbose: bool) -> Result<Option<Reply>> {
        let asked = id.to_string();
        let (observation, info) = match kind {
            Kind::Container => {
                let request = ContainerStatusRequest { container_id: asked, verbose };
                let reply = self.ask::<ContainerStatusResponse>(request::CONTAINER_STATUS, request).await;
                let Some(reply) = absent_is_none(reply)? else { return Ok(None) };
                let status = reply.status.ok_or_else(|| empty(request::CONTAINER_STATUS, id))?;
                (convert::container_status(status, None, self.limits()), reply.info)
            }
            Kind::Sandbox => {
                let request = PodSandboxStatusRequest { pod_sandbox_id: asked, verbose };
                let reply = self.ask::<PodSandboxStatusResponse>(request::SANDBOX_STATUS, request).await;
                let Some(reply) = absent_is_none(reply)? else { return Ok(None) };
                let status = reply.status.ok_or_else(|| empty(request::SANDBOX_STATUS, id))?;
                (convert::sandbox_status(status, self.limits()), reply.info)
            }
        };
        // containerd 2.3 has an info without content in replies that are not verbose.
        Ok(Some(Reply { observation, info: verbose.then(|| texts(info)) }))
    }
}

/// The `info` map, read lossily.
pub(super) fn texts(info: Vec<Pair>) -> HashMap<String, String> {
    let text = |bytes: Vec<u8>| {
        String::from_utf8(bytes).unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned())
    };
    info.into_iter().map(|Pair { key, value }| (text(key), text(value))).collect()
}

fn absent_is_none<T>(reply: Result<T>) -> Result<Option<T>> {
    match reply {
        Ok(reply) => Ok(Some(reply)),
        Err(e) if e.status() == CRI_E_NOT_FOUND => Ok(None),
        Err(e) => Err(e),
    }
}

fn empty(method: request::Method, id: &str) -> Error {
    Error::new(CRI_E_PROTOCOL, format!("{} of {id}: the engine's reply has no status", method.name))
}
