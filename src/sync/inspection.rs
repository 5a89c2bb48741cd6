//! Inspect: asks the engine about one container or sandbox, by its id or name.

use super::shared_state::SharedState;
use crate::config::Config;
use crate::cri::{Client, PidResolver, redact_environment};
use crate::error::{CRI_E_NOT_FOUND, CRI_E_PROCESSLESS, Error, Result};
use crate::model::*;
use crate::portfolio::{Portfolio, lookup, whole_id};

/// What to inspect, and how.
#[derive(Debug, Clone)]
pub struct Inspect {
    /// An id, a name or a path.
    pub id_or_name: String,
    /// Bits of `CRI_INSPECT_*`.
    pub flags: u32,
}

/// What the engine reports of one container or sandbox.
pub(super) struct Look {
    pub record: Container,
    /// The status, as the engine gives it.
    pub status: Option<serde_json::Value>,
    /// The verbose information, as the engine gives it.
    pub info: serde_json::Value,
    pub freshness: json::Freshness,
}

pub(super) async fn inspect(
    client: &Client,
    what: &Inspect,
    shared: &SharedState,
    config: &Config,
) -> Result<JsonText> {
    let (id, kind) = find(client, &what.id_or_name).await?;
    let Some(Look { record, status, mut info, freshness }) = look(client, &id, kind, shared, config).await? else {
        let message = format!("the engine has no container or pod {:?}", what.id_or_name);
        return Err(Error::new(CRI_E_NOT_FOUND, message));
    };
    if what.flags & CRI_INSPECT_REQUIRE_PROCESS != 0 && !record.is_running() {
        let message = format!("{} ({}) has no process: it is {}", record.path(), record.id, record.state.word());
        return Err(Error::new(CRI_E_PROCESSLESS, message));
    }
    if what.flags & CRI_INSPECT_SHOW_ENV == 0 {
        redact_environment(&mut info);
    }
    let apart = what.flags & CRI_INSPECT_SEPARATE_ANNOTATIONS != 0;
    let view = View::new(config.merge_annotations && !apart, config.attributes);
    Ok(freshness.inspect(&record, status.as_ref(), &info, view))
}

/// Asks the engine for everything about this id; `None` if the engine has no container or sandbox with it.
pub(super) async fn look(
    client: &Client,
    id: &Id,
    kind: Option<Kind>,
    shared: &SharedState,
    config: &Config,
) -> Result<Option<Look>> {
    let engine_pid = shared.latest().status.engine.pid.or(config.engine_pid).or(client.peer_pid());
    let pids = PidResolver::new(config, engine_pid);
    let Some(found) = client.inspect(id, kind, &pids).await? else {
        return Ok(None);
    };
    let pod = pod_of(client, &found.observation, shared, &pids).await?;
    let cached = shared.read();
    let record = cached.portfolio.record_of(&found.observation, pod);
    Ok(Some(Look { record, status: found.status, info: found.info, freshness: cached.freshness() }))
}

/// The id for an id or name. Only the engine knows its containers in all states, so names are looked up in a new list.
async fn find(client: &Client, id_or_name: &str) -> Result<(Id, Option<Kind>)> {
    if let Some(id) = whole_id(id_or_name) {
        return Ok((id.into(), None));
    }
    let listing = client.list(false).await?;
    let mut names = Portfolio::new(&Config::default());
    names.listed(0, 0, listing, Default::default());
    let found = lookup(names.containers(), id_or_name)?;
    Ok((found.id.clone(), Some(found.kind)))
}

/// The pod of a container, whose status has only the sandbox's id.
async fn pod_of(
    client: &Client,
    found: &Observation,
    shared: &SharedState,
    pids: &PidResolver,
) -> Result<Option<std::sync::Arc<Pod>>> {
    if found.pod.is_some() {
        return Ok(found.pod.clone());
    }
    let Some(pod_id) = &found.pod_id else {
        return Ok(None);
    };
    let known = shared.read().portfolio.pod(pod_id).cloned();
    match known {
        Some(pod) => Ok(Some(pod)),
        None => Ok(client.status(pod_id, Some(Kind::Sandbox), pids).await?.and_then(|observation| observation.pod)),
    }
}
