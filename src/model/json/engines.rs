//! The JSON of engines that were searched for.

use serde::Serialize;

use super::super::*;
use super::text;
use crate::error::{Error, status_name};
use crate::table::word_of;

/// `criwatch.engines/1`
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(title = "criwatch.engines/1"))]
pub(super) struct EnginesJson<'a> {
    /// The kind and version: `criwatch.engines/1`. Within one version, keys are only added.
    schema: &'static str,
    /// The engines and sockets that were found on the node, the best one first. A watcher without an endpoint takes the
    /// first engine that answers.
    engines: Vec<CandidateJson<'a>>,
    /// Well-known sockets that do not exist on this node.
    absent: Vec<&'a str>,
    /// What the search could not read, and what it left out, as text.
    notes: Vec<&'a str>,
}

/// An engine, or a socket at which an engine should listen.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "Candidate"))]
#[serde(rename_all = "camelCase")]
pub(super) struct CandidateJson<'a> {
    /// The endpoint of the engine, for a watcher.
    api: &'a str,
    /// Whether an engine answers at this endpoint.
    answers: bool,
    /// Why the search looked at this socket, the strongest reason first.
    reasons: Vec<ReasonJson<'a>>,
    /// Why the engine has this place in the order, as text.
    #[serde(skip_serializing_if = "Option::is_none")]
    rank: Option<&'a str>,
    #[serde(flatten)]
    runtime: RuntimeJson<'a>,
    /// The engine's id on this machine: the option `engine.id`, or the name of its host (option `engine.id_source`).
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    /// The pid of the engine, in the pid namespace of the process that searches.
    #[serde(skip_serializing_if = "Option::is_none")]
    pid: Option<i32>,
    /// How many sandboxes the engine has, in any state.
    #[serde(skip_serializing_if = "Option::is_none")]
    sandboxes: Option<u64>,
    /// Why the socket cannot be used; absent if it can.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<ErrorJson<'a>>,
}

/// The name and versions that an engine reports.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(super) struct RuntimeJson<'a> {
    /// The engine's name, e.g. `containerd`.
    #[serde(skip_serializing_if = "Option::is_none")]
    runtime_name: Option<&'a str>,
    /// The engine's version, e.g. `2.1.9`.
    #[serde(skip_serializing_if = "Option::is_none")]
    runtime_version: Option<&'a str>,
    /// The version of CRI that the engine speaks, e.g. `v1`.
    #[serde(skip_serializing_if = "Option::is_none")]
    runtime_api_version: Option<&'a str>,
}

impl<'a> RuntimeJson<'a> {
    pub(super) fn new(name: &'a str, version: &'a str, api_version: &'a str) -> Self {
        RuntimeJson { runtime_name: text(name), runtime_version: text(version), runtime_api_version: text(api_version) }
    }
}

/// One reason to look at a socket.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "Reason"))]
struct ReasonJson<'a> {
    /// The kind of evidence.
    #[cfg_attr(test, schemars(schema_with = "super::schema::evidence"))]
    evidence: &'static str,
    /// The evidence as text: which file or process names the socket.
    text: &'a str,
}

/// An error.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "Error"))]
#[serde(rename_all = "camelCase")]
struct ErrorJson<'a> {
    /// The number of the status, e.g. -7.
    status: i32,
    /// The name of the status, e.g. `CRI_E_PERMISSION`.
    name: &'static str,
    /// What failed, on what, why, and what to do.
    message: &'a str,
    /// The errno, if the error came from a system call.
    #[serde(skip_serializing_if = "Option::is_none")]
    os_code: Option<i32>,
    /// The gRPC status code, if the error came from the engine.
    #[serde(skip_serializing_if = "Option::is_none")]
    grpc_code: Option<i32>,
}

impl<'a> CandidateJson<'a> {
    pub(super) fn new(of: &'a Candidate) -> Self {
        let reasons = of.reasons.iter().map(|r| ReasonJson { evidence: r.evidence.word(), text: &r.text });
        CandidateJson {
            api: &of.api,
            answers: of.answers(),
            reasons: reasons.collect(),
            rank: text(&of.rank),
            runtime: RuntimeJson::new(&of.runtime_name, &of.runtime_version, &of.runtime_api_version),
            id: text(&of.id),
            pid: of.pid,
            sandboxes: of.sandboxes,
            error: of.error.as_ref().map(error),
        }
    }
}

fn error(of: &Error) -> ErrorJson<'_> {
    ErrorJson {
        status: of.status(),
        name: status_name(of.status()),
        message: of.message(),
        os_code: of.os_code(),
        grpc_code: of.grpc_code(),
    }
}

impl Engines {
    /// `criwatch.engines/1`.
    pub fn json(&self) -> JsonText {
        JsonText::of(&EnginesJson {
            schema: "criwatch.engines/1",
            engines: self.candidates.iter().map(CandidateJson::new).collect(),
            absent: self.absent.iter().map(|api| &**api).collect(),
            notes: self.notes.iter().map(|note| &**note).collect(),
        })
    }
}

/// `criwatch.engineNews/1`
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(title = "criwatch.engineNews/1"))]
pub(super) struct EngineNewsJson<'a> {
    /// The kind and version: `criwatch.engineNews/1`. Within one version, keys are only added.
    schema: &'static str,
    /// What happened to the engine.
    #[serde(rename = "type")]
    #[cfg_attr(test, schemars(schema_with = "super::schema::engine_news"))]
    news_type: &'static str,
    /// The engine, as it is now, or as the finder last saw it.
    engine: CandidateJson<'a>,
}

/// `criwatch.engineNews/1`: what happened to this engine, one of `CRI_ENGINE_*`.
pub fn engine_news(news_type: u32, engine: &Candidate) -> JsonText {
    JsonText::of(&EngineNewsJson {
        schema: "criwatch.engineNews/1",
        news_type: word_of(ENGINE_NEWS, news_type),
        engine: CandidateJson::new(engine),
    })
}
