//! The envelope of every answer: its kind, its freshness, and the engine that it comes from.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;

use super::super::*;
#[cfg(test)]
use super::ContainerJson;
use super::engines::{CandidateJson, RuntimeJson};
#[cfg(test)]
use super::schema;
use super::{Numbers, PodJson, Shape, text};

/// The keys that every answer begins with.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "{Body}"))]
#[serde(rename_all = "camelCase")]
pub(super) struct Envelope<'a, Body> {
    /// The kind and version of the answer, e.g. `criwatch.containers/1`. Within one version, keys are only added.
    schema: &'static str,
    /// The generation: a number that grows with every change of the cache.
    generation: u64,
    /// The state of the watcher.
    #[cfg_attr(test, schemars(schema_with = "schema::watcher_states"))]
    state: &'static str,
    /// When the newest full list began. The answer includes everything that happened before this time.
    #[cfg_attr(test, schemars(schema_with = "schema::time"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    as_of: Option<String>,
    /// The engine that the answer comes from.
    engine: EngineJson<'a>,
    #[serde(flatten)]
    body: Body,
}

/// The engine. What is not known yet is absent.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "Engine"))]
#[serde(rename_all = "camelCase")]
struct EngineJson<'a> {
    #[serde(flatten)]
    runtime: RuntimeJson<'a>,
    /// Name, version and CRI version in one line, e.g. `containerd 2.1.9 [API v1]`.
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    /// The kind of engine: `k8s.io/cri-api`.
    #[serde(rename = "type")]
    engine_type: &'static str,
    /// The endpoint of the engine; "" while no engine was found.
    api: &'a str,
    /// The engine's id on this machine: the option `engine.id`, or the name of its host (option `engine.id_source`).
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    /// The pid of the engine, in the pid namespace of the watching process.
    #[serde(skip_serializing_if = "Option::is_none")]
    pid: Option<i32>,
    /// How the watcher notices changes: `stream` (by the engine's event stream) or `poll` (by repeated lists); absent
    /// before the watcher has decided.
    #[cfg_attr(test, schemars(schema_with = "schema::event_sources"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    events: Option<&'static str>,
    /// Why the watcher notices changes in this way.
    #[serde(skip_serializing_if = "Option::is_none")]
    events_reason: Option<&'a str>,
    /// What the watcher learns from the host in addition to the engine; absent before this is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    witness: Option<WitnessJson<'a>>,
    /// Keys that this engine does not give, each with the number of containers that lack it. The watcher has asked
    /// several times for each.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    not_told: BTreeMap<&'a str, u64>,
}

/// What the watcher learns from the host in addition to the engine (docs/witness.md).
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "Witness"))]
struct WitnessJson<'a> {
    /// The means that the watcher uses: `folders` (inotify on the engine's folders), or instead of it `fanotify` or
    /// `cgroups` (on the cgroups of its containers); `pidFiles`, `pidfds`, `exitCodes`.
    means: &'a [&'static str],
    /// The means that the watcher does not use, each with the reason. `all`: it uses none.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    lacks: BTreeMap<&'a str, &'a str>,
}

impl<'a> WitnessJson<'a> {
    fn new(witness: &'a WitnessMeans) -> Option<Self> {
        let is_known = !witness.used.is_empty() || !witness.lacks.is_empty();
        let lacks = witness.lacks.iter().map(|(what, why)| (*what, &**why)).collect();
        is_known.then_some(WitnessJson { means: &witness.used, lacks })
    }
}

impl<'a> EngineJson<'a> {
    fn new(engine: &'a Engine) -> Self {
        EngineJson {
            runtime: RuntimeJson::new(&engine.runtime_name, &engine.runtime_version, &engine.runtime_api_version),
            version: text(&engine.runtime_name).map(|_| engine.version_line()),
            engine_type: CRI_ENGINE_TYPE,
            api: &engine.api,
            id: text(&engine.id),
            pid: engine.pid,
            events: text(&engine.events.reason).map(|_| engine.events.word()),
            events_reason: text(&engine.events.reason),
            witness: WitnessJson::new(&engine.witness),
            not_told: engine.not_told.iter().copied().collect(),
        }
    }
}

/// `criwatch.containers/1`
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct Containers<'a> {
    /// The containers and sandboxes, sorted by namespace, pod and name. In a pod, the sandbox comes first.
    #[cfg_attr(test, schemars(with = "Vec<ContainerJson>"))]
    containers: Vec<Shape<'a>>,
}

/// `criwatch.pods/1`
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct Pods<'a> {
    /// The pods, sorted by namespace and name.
    pods: Vec<PodWithContainersJson<'a>>,
}

/// A pod with its containers.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "PodWithContainers"))]
struct PodWithContainersJson<'a> {
    #[serde(flatten)]
    pod: PodJson<'a>,
    /// The sandbox, and then the containers, sorted by name.
    #[cfg_attr(test, schemars(with = "Vec<ContainerJson>"))]
    containers: Vec<Shape<'a>>,
}

/// `criwatch.container/1`
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct One<'a> {
    /// The container or sandbox, as it is now, or as the watcher last saw it.
    #[cfg_attr(test, schemars(with = "ContainerJson"))]
    container: Shape<'a>,
}

/// `criwatch.inspect/1`
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct Inspection<'a> {
    /// The container or sandbox, as the engine's answer shows it.
    #[cfg_attr(test, schemars(with = "ContainerJson"))]
    container: Shape<'a>,
    /// CRI's `ContainerStatus` or `PodSandboxStatus` from the engine, in the canonical JSON of protocol buffers: log path,
    /// mounts, resources, user and so on. Absent in a build without the feature `call`.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<&'a serde_json::Value>,
    /// The engine's verbose information. Each engine has keys of its own.
    info: &'a serde_json::Value,
}

/// `criwatch.engine/1`
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct EngineAnswer<'a> {
    /// The other engines that the watcher found when it chose this one, the best one first; absent if the program gave
    /// an endpoint.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    candidates: Vec<CandidateJson<'a>>,
    /// How complete the cache is; absent before the first lists are in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    ready: Option<Readiness>,
}

/// How complete the cache is. The watcher becomes ready when the first lists are in the cache and the engine has answered
/// one status request for each container that needs one, or after the time in the option `ready.pid_wait_ms`. Later
/// answers come in UPDATED events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "Ready"))]
#[non_exhaustive]
pub struct Readiness {
    /// Whether no status request (for a pid, a contradiction or an exit) still waits for its first answer.
    pub complete: bool,
    /// How many status requests still wait for their first answer.
    pub open: u64,
}

impl Readiness {
    /// A `Readiness` with these values.
    pub fn new(complete: bool, open: u64) -> Readiness {
        Readiness { complete, open }
    }
}

/// A pod, and those of its containers that are to be shown.
pub type PodWithContainers = (Arc<Pod>, Vec<Arc<Container>>);

/// How fresh an answer is, and where it comes from.
#[derive(Clone)]
#[non_exhaustive]
pub struct Freshness {
    /// The cache's generation.
    pub generation: u64,
    /// The state of the watcher.
    pub state: WatcherState,
    /// When the newest full list began.
    pub as_of: Option<Time>,
    /// The engine.
    pub engine: Arc<Engine>,
}

impl Freshness {
    /// Whether an answer for the one is the same as for the other.
    pub(crate) fn is_same(&self, other: &Freshness) -> bool {
        let key = |s: &Freshness| (s.generation, s.state, s.as_of);
        key(self) == key(other) && Arc::ptr_eq(&self.engine, &other.engine)
    }

    fn envelope<T: Serialize>(&self, schema: &'static str, body: T) -> JsonText {
        let envelope = Envelope {
            schema,
            generation: self.generation,
            state: self.state.word(),
            as_of: self.as_of.map(rfc3339),
            engine: EngineJson::new(&self.engine),
            body,
        };
        JsonText::of(&envelope)
    }

    /// `criwatch.containers/1`; `fields`: only these keys of each container.
    pub fn containers<'a>(
        &self,
        containers: impl IntoIterator<Item = &'a Arc<Container>>,
        view: View,
        fields: Option<&[&str]>,
    ) -> JsonText {
        let containers = containers.into_iter().map(|c| Shape { fields, ..Shape::whole(c, view) }).collect();
        self.envelope("criwatch.containers/1", Containers { containers })
    }

    /// `criwatch.pods/1`; `fields`: only these keys of each container.
    pub fn pods(&self, pods: &[PodWithContainers], view: View, fields: Option<&[&str]>) -> JsonText {
        let inner = |c| Shape { fields, with_pod: false, ..Shape::whole(c, view) };
        let pods = pods.iter().map(|(pod, containers)| PodWithContainersJson {
            pod: PodJson::new(pod),
            containers: containers.iter().map(|c| inner(c)).collect(),
        });
        let pods = pods.collect();
        self.envelope("criwatch.pods/1", Pods { pods })
    }

    /// `criwatch.container/1`.
    pub fn container(&self, container: &Container, view: View) -> JsonText {
        self.envelope("criwatch.container/1", One { container: Shape::whole(container, view) })
    }

    /// `criwatch.stats/1`.
    pub fn stats(&self, numbers: &Numbers) -> JsonText {
        self.envelope("criwatch.stats/1", numbers)
    }

    /// `criwatch.engine/1`; `ready`: how complete the cache is, if there is one.
    pub fn engine(&self, ready: Option<Readiness>) -> JsonText {
        let candidates = self.engine.candidates.iter().map(CandidateJson::new).collect();
        self.envelope("criwatch.engine/1", EngineAnswer { candidates, ready })
    }

    /// `criwatch.inspect/1`: the container, and the engine's status and verbose information on it.
    pub fn inspect(
        &self,
        container: &Container,
        status: Option<&serde_json::Value>,
        info: &serde_json::Value,
        view: View,
    ) -> JsonText {
        self.envelope("criwatch.inspect/1", Inspection { container: Shape::whole(container, view), status, info })
    }
}
