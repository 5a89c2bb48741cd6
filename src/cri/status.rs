//! One container's or sandbox's status, with the process and whatever else only a verbose reply tells.

use std::collections::HashMap;

use serde_json::Value;

use super::call::as_json;
use super::client::Client;
use super::pid::PidResolver;
use super::proto::{ContainerStatusRequest, PodSandboxStatusRequest};
use super::{convert, info};
use crate::error::{CRI_E_NOT_FOUND, CRI_E_PROTOCOL, Error, Result};
use crate::model::{Id, Kind, Sighting, State};

/// A verbose reply: the status, and the engine's `info` map.
struct Verbose {
    sighting: Sighting,
    /// The status as JSON, where it is wanted.
    status: Option<Value>,
    info: HashMap<String, String>,
}

/// How much of a reply is wanted.
#[derive(Clone, Copy, PartialEq)]
enum Wanted {
    Sighting,
    Everything,
}

/// All that an engine says of one container or sandbox.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Inspection {
    /// The status.
    pub sighting: Sighting,
    /// The status as the engine gives it, in the canonical JSON of protocol buffers; `None` in a build without the feature
    /// `call`.
    pub status: Option<Value>,
    /// The verbose information, as the engine gives it.
    pub info: Value,
}

impl Client {
    /// The status of exactly this id; `None` if the engine has no such thing. Where the kind is not known, it is
    /// first taken for a container.
    pub async fn status(&self, id: &Id, kind: Option<Kind>, pids: &PidResolver) -> Result<Option<Sighting>> {
        Ok(self.verbose(id, kind, pids, Wanted::Sighting).await?.map(|found| found.sighting))
    }

    /// As `status`, with everything else that the engine tells.
    pub async fn inspect(&self, id: &Id, kind: Option<Kind>, pids: &PidResolver) -> Result<Option<Inspection>> {
        let found = self.verbose(id, kind, pids, Wanted::Everything).await?;
        Ok(found.map(|found| Inspection {
            sighting: found.sighting,
            status: found.status,
            info: info::as_json(found.info),
        }))
    }

    async fn verbose(
        &self,
        id: &Id,
        kind: Option<Kind>,
        pids: &PidResolver,
        wanted: Wanted,
    ) -> Result<Option<Verbose>> {
        let found = match kind {
            Some(Kind::Container) => self.container_status(id, wanted).await?,
            Some(Kind::Sandbox) => self.sandbox_status(id, wanted).await?,
            None => match self.container_status(id, wanted).await? {
                None => self.sandbox_status(id, wanted).await?,
                found => found,
            },
        };
        let Some(mut found) = found else {
            return Ok(None);
        };
        if found.sighting.id != *id {
            // Engines take ids for prefixes; an answer about another one is no answer.
            let message = format!("status of {id}: the engine's reply is about {:?}", found.sighting.id);
            return Err(Error::new(CRI_E_PROTOCOL, message));
        }
        let said = info::read(&found.info);
        let running = found.sighting.state == State::Running;
        found.sighting.details = Some(pids.details(id, &said, running));
        found.sighting.pod_id = found.sighting.pod_id.or(said.sandbox_id);
        Ok(Some(found))
    }

    async fn container_status(&self, id: &Id, wanted: Wanted) -> Result<Option<Verbose>> {
        let request = ContainerStatusRequest { container_id: id.to_string(), verbose: true };
        let reply = self.unary("ContainerStatus", self.runtime().container_status(request)).await;
        let Some(reply) = absent_is_none(reply)? else {
            return Ok(None);
        };
        let status = reply.status.ok_or_else(|| empty("ContainerStatus", id))?;
        let json = wanted.of("ContainerStatus", &status)?;
        Ok(Some(Verbose { sighting: convert::container_status(status, None), status: json, info: reply.info }))
    }

    async fn sandbox_status(&self, id: &Id, wanted: Wanted) -> Result<Option<Verbose>> {
        let request = PodSandboxStatusRequest { pod_sandbox_id: id.to_string(), verbose: true };
        let reply = self.unary("PodSandboxStatus", self.runtime().pod_sandbox_status(request)).await;
        let Some(reply) = absent_is_none(reply)? else {
            return Ok(None);
        };
        let status = reply.status.ok_or_else(|| empty("PodSandboxStatus", id))?;
        let json = wanted.of("PodSandboxStatus", &status)?;
        Ok(Some(Verbose { sighting: convert::sandbox_status(status), status: json, info: reply.info }))
    }
}

impl Wanted {
    /// The status as JSON, if it is wanted.
    fn of(self, message: &str, status: &impl prost::Message) -> Result<Option<Value>> {
        if self == Wanted::Everything { as_json(message, status) } else { Ok(None) }
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
