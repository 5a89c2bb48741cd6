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
    /// What this is: `criwatch.engines/1`. Within one number, keys are only added.
    schema: &'static str,
    /// What was found on the node, best first. A watcher without an endpoint takes the first that answers.
    engines: Vec<CandidateJson<'a>>,
    /// Well-known sockets that are not there.
    absent: Vec<&'a str>,
    /// What could not be read, and what was left out, as text.
    notes: Vec<&'a str>,
}

/// An engine, or a socket at which one should be.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "Candidate"))]
#[serde(rename_all = "camelCase")]
pub(super) struct CandidateJson<'a> {
    /// Where it is reached: an endpoint for a watcher.
    api: &'a str,
    /// Whether an engine answers there.
    answers: bool,
    /// Why it was looked at, the strongest reason first.
    reasons: Vec<ReasonJson<'a>>,
    /// Why it has this place in the order, as text.
    #[serde(skip_serializing_if = "Option::is_none")]
    rank: Option<&'a str>,
    #[serde(flatten)]
    runtime: RuntimeJson<'a>,
    /// Who it is on this machine: the host name of its UTS namespace, or the option `engine.id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    /// Its process, in the asking process's pid namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pid: Option<i32>,
    /// How many sandboxes it has, in any state.
    #[serde(skip_serializing_if = "Option::is_none")]
    sandboxes: Option<u64>,
    /// Why it cannot be used.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<ErrorJson<'a>>,
}

/// What an engine says that it is.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(super) struct RuntimeJson<'a> {
    /// Its name, e.g. `containerd`.
    #[serde(skip_serializing_if = "Option::is_none")]
    runtime_name: Option<&'a str>,
    /// Its version, e.g. `2.1.9`.
    #[serde(skip_serializing_if = "Option::is_none")]
    runtime_version: Option<&'a str>,
    /// The CRI version it speaks.
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
    /// Of what kind.
    #[cfg_attr(test, schemars(schema_with = "super::schema::evidence"))]
    evidence: &'static str,
    /// As text: which file or process says so.
    text: &'a str,
}

/// An error.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "Error"))]
#[serde(rename_all = "camelCase")]
struct ErrorJson<'a> {
    /// The status's number, e.g. -7.
    status: i32,
    /// Its name, e.g. `CRI_E_PERMISSION`.
    name: &'static str,
    /// What was tried, and what to do.
    message: &'a str,
    /// The errno, where a system call was the cause.
    #[serde(skip_serializing_if = "Option::is_none")]
    os_code: Option<i32>,
    /// The gRPC code, where the engine's answer was the cause.
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
    /// What this is: `criwatch.engineNews/1`. Within one number, keys are only added.
    schema: &'static str,
    /// What happened to the engine.
    #[serde(rename = "type")]
    #[cfg_attr(test, schemars(schema_with = "super::schema::engine_news"))]
    news_type: &'static str,
    /// The engine, as it is now, or was at last.
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
