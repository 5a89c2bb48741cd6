//! One container's or sandbox's status, with the process and whatever else only a verbose reply tells.

use std::collections::HashMap;

use serde_json::Value;

use super::client::Client;
use super::pid::PidResolver;
use super::proto::{ContainerStatusRequest, PodSandboxStatusRequest};
use super::{convert, info};
use crate::error::{CRI_E_NOT_FOUND, CRI_E_PROTOCOL, Error, Result};
use crate::model::{Id, Kind, Observation, State};

/// A verbose reply: the status, and the engine's `info` map.
struct Verbose {
    observation: Observation,
    info: HashMap<String, String>,
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
        Ok(self.verbose(id, kind, pids).await?.map(|found| found.observation))
    }

    /// As `status`, with everything else that the engine tells.
    pub async fn inspect(&self, id: &Id, kind: Option<Kind>, pids: &PidResolver) -> Result<Option<Inspection>> {
        let found = self.verbose(id, kind, pids).await?;
        Ok(found.map(|found| Inspection { observation: found.observation, info: info::as_json(found.info) }))
    }

    async fn verbose(&self, id: &Id, kind: Option<Kind>, pids: &PidResolver) -> Result<Option<Verbose>> {
        let found = match kind {
            Some(Kind::Container) => self.container_status(id).await?,
            Some(Kind::Sandbox) => self.sandbox_status(id).await?,
            None => match self.container_status(id).await? {
                None => self.sandbox_status(id).await?,
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
        let observation = info::read(&found.info);
        let running = found.observation.state == State::Running;
        found.observation.details = Some(pids.details(id, &observation, running));
        found.observation.pod_id = found.observation.pod_id.or(observation.sandbox_id);
        Ok(Some(found))
    }

    async fn container_status(&self, id: &Id) -> Result<Option<Verbose>> {
        let request = ContainerStatusRequest { container_id: id.to_string(), verbose: true };
        let reply = self.unary("ContainerStatus", self.runtime().container_status(request)).await;
        let Some(reply) = absent_is_none(reply)? else {
            return Ok(None);
        };
        let status = reply.status.ok_or_else(|| empty("ContainerStatus", id))?;
        Ok(Some(Verbose { observation: convert::container_status(status, None), info: reply.info }))
    }

    async fn sandbox_status(&self, id: &Id) -> Result<Option<Verbose>> {
        let request = PodSandboxStatusRequest { pod_sandbox_id: id.to_string(), verbose: true };
        let reply = self.unary("PodSandboxStatus", self.runtime().pod_sandbox_status(request)).await;
        let Some(reply) = absent_is_none(reply)? else {
            return Ok(None);
        };
        let status = reply.status.ok_or_else(|| empty("PodSandboxStatus", id))?;
        Ok(Some(Verbose { observation: convert::sandbox_status(status), info: reply.info }))
    }
}

fn absent_is_none<T>(reply: Result<T>) -> Result<Option<T>> {
    match reply {
        Ok(reply) => Ok(Some(reply)),
        Err(e) if e.status() == CRI_E_NOT_FOUND => Ok(None),
        Err(e) => Err(e),
    }
}

fn empty(method: &str, id: &str) -> Error {
    Error::new(CRI_E_PROTOCOL, format!("{method} of {id}: the engine's reply has no status"))
}
