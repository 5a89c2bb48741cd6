//! The JSON of everything: lowerCamelCase, crictl's leaf names, absent where unknown.
//!
//! Tests (`documents`) make `docs/schema` and `docs/json.md` from the types here.

#[cfg(test)]
mod documents;
mod engines;
mod envelope;
mod event;
mod numbers;
#[cfg(test)]
mod schema;
mod spec;

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use super::attributes::attributes;
use super::labels::merged;
use super::*;
use crate::table::Constant;

pub use engines::engine_news;
pub use envelope::{Freshness, PodWithContainers, Readiness};
pub use event::event;
use spec::{MountJson, NamespacesJson, PortJson, PreviousJson, ResourcesJson, UserJson, words};

pub use numbers::{LagNumbers, Numbers, RequestNumbers, micros};

/// The JSON of one container.
pub fn container(container: &Container, view: View) -> JsonText {
    JsonText::of(&Shape::whole(container, view))
}

/// A container, as it is to be shown. Its JSON is written directly into the answer.
#[derive(Clone, Copy)]
pub(super) struct Shape<'a> {
    container: &'a Container,
    view: View,
    /// The keys to show, beside the id.
    fields: Option<&'a [&'a str]>,
    /// Whether its pod is shown, too.
    with_pod: bool,
}

impl<'a> Shape<'a> {
    fn whole(container: &'a Container, view: View) -> Self {
        Shape { container, view, fields: None, with_pod: true }
    }
}

impl Serialize for Shape<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut whole = ContainerJson::new(self.container, self.view);
        whole.pod = whole.pod.filter(|_| self.with_pod);
        match self.fields {
            None => whole.serialize(serializer),
            Some(fields) => only(&whole, fields, serializer),
        }
    }
}

/// Writes only these keys of a container's JSON, and its id.
fn only<S: Serializer>(whole: &ContainerJson<'_>, fields: &[&str], serializer: S) -> Result<S::Ok, S::Error> {
    let whole = JsonText::of(whole);
    let all: HashMap<&str, &RawValue> = serde_json::from_str(whole.as_str()).expect("it is a JSON object");
    let wanted = CONTAINER_KEYS.iter().filter(|key| **key == "id" || fields.contains(key));
    serializer.collect_map(wanted.filter_map(|key| Some((*key, *all.get(key)?))))
}

fn text(value: &str) -> Option<&str> {
    (!value.is_empty()).then_some(value)
}

/// The keys of a container, in their order: those that a query may ask for. A test compares them with the schema.
pub const CONTAINER_KEYS: &[&str] = &[
    "id",
    "name",
    "kind",
    "state",
    "pid",
    "enginePid",
    "pidStartTicks",
    "attempt",
    "pod",
    "labels",
    "annotations",
    "image",
    "createdAt",
    "startedAt",
    "finishedAt",
    "exitCode",
    "reason",
    "message",
    "previous",
    "cgroupPath",
    "cgroupId",
    "namespaces",
    "logPath",
    "command",
    "args",
    "workingDir",
    "user",
    "privileged",
    "mounts",
    "resources",
    "rucksack",
    "flags",
    "missing",
    "attributes",
];

/// A container or sandbox, as it was at one moment. What is not known is absent.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "Container"))]
#[serde(rename_all = "camelCase")]
struct ContainerJson<'a> {
    /// The engine's id: 64 hex digits.
    id: &'a str,
    /// The name inside the pod. For a sandbox: the name of the pod.
    name: &'a str,
    /// The kind: a container, or the sandbox of a pod.
    #[cfg_attr(test, schemars(schema_with = "schema::kinds"))]
    kind: &'static str,
    /// The state that the engine last reported. A sandbox is `running` while it is ready, and `exited` when it is not.
    #[cfg_attr(test, schemars(schema_with = "schema::states"))]
    state: &'static str,
    /// The pid of the first process, in the pid namespace of the watching process. After the exit, it is still the pid
    /// that the process had.
    #[serde(skip_serializing_if = "Option::is_none")]
    pid: Option<i32>,
    /// The pid that the engine reports, if it differs from `pid`.
    #[serde(skip_serializing_if = "Option::is_none")]
    engine_pid: Option<i32>,
    /// The start time of the first process, in clock ticks since boot. Together with this time, a pid is unique.
    #[serde(skip_serializing_if = "Option::is_none")]
    pid_start_ticks: Option<u64>,
    /// The attempt number; 0 for the first container of this name in the pod.
    attempt: u32,
    /// The pod of the container. A list of pods does not repeat it inside each pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pod: Option<PodJson<'a>>,
    /// The labels of the container. By default they include the names of its pod and of the container under Kubernetes'
    /// own keys, and the annotations, with `io.kubernetes.annotation/` before their keys.
    #[cfg_attr(test, schemars(schema_with = "schema::texts"))]
    labels: Cow<'a, Labels>,
    /// The annotations of the container; present only with the option `labels.annotations=separate`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(schema_with = "schema::texts"))]
    annotations: Option<&'a Labels>,
    /// The image. A sandbox has no such key.
    #[serde(skip_serializing_if = "Option::is_none")]
    image: Option<ImageJson<'a>>,
    /// When it was created.
    #[cfg_attr(test, schemars(schema_with = "schema::time"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    created_at: Option<String>,
    /// When it was started. A sandbox has no such time.
    #[cfg_attr(test, schemars(schema_with = "schema::time"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    started_at: Option<String>,
    /// When it ended.
    #[cfg_attr(test, schemars(schema_with = "schema::time"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    finished_at: Option<String>,
    /// The exit code; absent if it is unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    exit_code: Option<i32>,
    /// Why the run ended, in one word, e.g. `Completed`, `Error`, `OOMKilled`; `gone` if the container vanished without
    /// an exit.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    /// A longer text about the exit.
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'a str>,
    /// How the previous run ended: the run of the last attempt with the same name in the same pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    previous: Option<PreviousJson<'a>>,
    /// The cgroup: a path below the mount of the cgroup file system.
    #[serde(skip_serializing_if = "Option::is_none")]
    cgroup_path: Option<&'a str>,
    /// The id of the cgroup in cgroup v2, as `bpf_get_current_cgroup_id` gives it.
    #[serde(skip_serializing_if = "Option::is_none")]
    cgroup_id: Option<u64>,
    /// The namespaces of the first process.
    #[serde(skip_serializing_if = "Option::is_none")]
    namespaces: Option<NamespacesJson>,
    /// The file that the engine writes the container's output to, as the engine sees the file system.
    #[serde(skip_serializing_if = "Option::is_none")]
    log_path: Option<&'a str>,
    /// The entry point: what the author of the pod set, otherwise the first word of the command line that the engine
    /// starts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    command: Vec<&'a str>,
    /// The arguments: what the author of the pod set, otherwise the rest of the command line.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    args: Vec<&'a str>,
    /// The working directory inside the container.
    #[serde(skip_serializing_if = "Option::is_none")]
    working_dir: Option<&'a str>,
    /// The user of the first process.
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<UserJson<'a>>,
    /// Whether the container is privileged.
    #[serde(skip_serializing_if = "Option::is_none")]
    privileged: Option<bool>,
    /// The mounts that the author of the pod and the kubelet asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    mounts: Vec<MountJson<'a>>,
    /// The limits of the container.
    #[serde(skip_serializing_if = "Option::is_none")]
    resources: Option<ResourcesJson<'a>>,
    /// The rucksack: any JSON that the program itself added (`cri_watcher_set_packer`, `cri_watcher_attach`).
    #[cfg_attr(test, schemars(with = "Option<serde_json::Value>"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    rucksack: Option<&'a RawValue>,
    /// What the watcher repaired or cut in the engine's texts, or could not decode. The header describes each flag.
    #[cfg_attr(test, schemars(schema_with = "schema::container_flags"))]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    flags: Vec<&'static str>,
    /// Keys that are absent because their values are unknown so far. The watcher still asks the engine for them. Other
    /// absent keys do not apply, or this engine does not report them.
    #[cfg_attr(test, schemars(schema_with = "schema::missing"))]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    missing: Vec<&'static str>,
    /// The container's facts under the names of OpenTelemetry, Falco or ECS, all as text (docs/lookups.md); present only
    /// if the option `attributes` or the query's key `attributes` asks for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(schema_with = "schema::texts"))]
    attributes: Option<Labels>,
}

impl<'a> ContainerJson<'a> {
    fn new(c: &'a Container, view: View) -> Self {
        let (labels, annotations) = match view.labels {
            LabelView::Merged => (Cow::Owned(merged(c)), None),
            LabelView::Separate => (Cow::Borrowed(&*c.labels), Some(&*c.annotations)),
        };
        ContainerJson {
            id: &c.id,
            name: &c.name,
            kind: c.kind.word(),
            state: c.state.word(),
            pid: c.pid,
            engine_pid: c.engine_pid,
            pid_start_ticks: c.pid_start_ticks,
            attempt: c.attempt,
            pod: c.pod.as_deref().map(PodJson::new),
            labels,
            annotations,
            image: (c.kind == Kind::Container).then(|| ImageJson::new(&c.image)),
            created_at: c.created_at.map(rfc3339),
            started_at: c.started_at.map(rfc3339),
            finished_at: c.finished_at.map(rfc3339),
            exit_code: c.exit.as_ref().and_then(|e| e.code),
            reason: c.exit.as_ref().and_then(|e| text(&e.reason)),
            message: c.exit.as_ref().and_then(|e| text(&e.message)),
            previous: c.previous.as_deref().map(PreviousJson::new),
            cgroup_path: c.cgroup_path.as_deref(),
            cgroup_id: c.cgroup_id,
            namespaces: NamespacesJson::new(c.namespaces),
            log_path: text(&c.spec.log_path),
            command: words(&c.spec.command),
            args: words(&c.spec.args),
            working_dir: text(&c.spec.working_dir),
            user: c.spec.user.as_ref().map(UserJson::new),
            privileged: c.spec.privileged,
            mounts: c.spec.mounts.iter().map(MountJson::new).collect(),
            resources: c.spec.resources.as_ref().map(ResourcesJson::new),
            flags: flag_words(c.flags),
            rucksack: c.rucksack.as_ref().map(JsonText::as_raw),
            missing: missing_keys(c.missing),
            attributes: view.attributes.map(|schema| attributes(c, schema).into_iter().collect()),
        }
    }
}

/// The JSON names of the bits of `CRI_CONTAINER_FLAG_*`.
fn flag_words(bits: u32) -> Vec<&'static str> {
    container_flags().filter(|flag| bits & flag.value != 0).map(Constant::word).collect()
}

/// The flags that are shown in `flags`. Whether a container is privileged has a key of its own.
fn container_flags() -> impl Iterator<Item = &'static Constant<u32>> {
    let of_privilege = CRI_CONTAINER_FLAG_PRIVILEGED | CRI_CONTAINER_FLAG_UNPRIVILEGED;
    CONTAINER_FLAGS.iter().filter(move |flag| flag.value & of_privilege == 0)
}

/// The keys that the bits of `CRI_MISSING_*` stand for.
pub(crate) fn missing_keys(bits: u64) -> Vec<&'static str> {
    MISSING.iter().filter(|missing| bits & missing.value != 0).map(Constant::word).collect()
}

/// The image that a container was made from. Each key means the same on every engine.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "Image"))]
struct ImageJson<'a> {
    /// The name, as the author of the pod wrote it.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    /// The repository with the digest of the manifest.
    #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
    reference: Option<&'a str>,
    /// The id of the image: the digest of its configuration.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    /// The name without tag and digest.
    #[serde(skip_serializing_if = "Option::is_none")]
    repository: Option<&'a str>,
    /// The tag; absent if the name has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    tag: Option<&'a str>,
    /// The digest of the manifest.
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<&'a str>,
}

impl<'a> ImageJson<'a> {
    fn new(image: &'a Image) -> Self {
        ImageJson {
            name: text(&image.name),
            reference: text(&image.reference),
            id: text(&image.id),
            repository: text(image.repository()),
            tag: text(image.tag()),
            digest: text(image.digest()),
        }
    }
}

/// A pod, as its sandbox shows it.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "Pod"))]
#[serde(rename_all = "camelCase")]
struct PodJson<'a> {
    /// The sandbox's id.
    id: &'a str,
    /// The pod's name.
    name: &'a str,
    /// The pod's namespace.
    namespace: &'a str,
    /// The pod's uid, as Kubernetes gives it.
    uid: &'a str,
    /// The attempt number; 0 for the first sandbox of the pod.
    attempt: u32,
    /// Whether the sandbox is ready.
    #[cfg_attr(test, schemars(schema_with = "schema::pod_states"))]
    state: &'static str,
    /// The pod's labels.
    #[cfg_attr(test, schemars(schema_with = "schema::texts"))]
    labels: &'a Labels,
    /// The pod's annotations.
    #[cfg_attr(test, schemars(schema_with = "schema::texts"))]
    annotations: &'a Labels,
    /// The pod's addresses, the primary one first; absent if the pod uses the network of the node.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    #[cfg_attr(test, schemars(with = "Vec<String>"))]
    ips: &'a [Arc<str>],
    /// Whether the pod uses the node's network.
    #[serde(skip_serializing_if = "Option::is_none")]
    host_network: Option<bool>,
    /// Whether the pod uses the node's process ids.
    #[serde(skip_serializing_if = "Option::is_none")]
    host_pid: Option<bool>,
    /// Whether the pod uses the node's IPC.
    #[serde(skip_serializing_if = "Option::is_none")]
    host_ipc: Option<bool>,
    /// The inode number of the pod's network namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    net_namespace: Option<u64>,
    /// The pod's cgroup, the parent of its containers' cgroups.
    #[serde(skip_serializing_if = "Option::is_none")]
    cgroup_path: Option<&'a str>,
    /// The ports that its containers declare. A declaration opens no port.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ports: Vec<PortJson<'a>>,
    /// Whether the kubelet made the pod from a file or a URL, without the API server; absent if this is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    static_pod: Option<bool>,
    /// The handler of the pod's runtime class; absent for the default one.
    #[serde(skip_serializing_if = "Option::is_none")]
    runtime_handler: Option<&'a str>,
    /// When the sandbox was created.
    #[cfg_attr(test, schemars(schema_with = "schema::time"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    created_at: Option<String>,
}

impl<'a> PodJson<'a> {
    fn new(pod: &'a Pod) -> Self {
        PodJson {
            id: &pod.id,
            name: &pod.name,
            namespace: &pod.namespace,
            uid: &pod.uid,
            attempt: pod.attempt,
            state: pod.state.word(),
            labels: &pod.labels,
            annotations: &pod.annotations,
            ips: &pod.ips,
            host_network: pod.host_network,
            host_pid: pod.host_pid,
            host_ipc: pod.host_ipc,
            net_namespace: (pod.net_namespace != 0).then_some(pod.net_namespace),
            cgroup_path: pod.cgroup_path.as_deref(),
            ports: pod.ports.iter().map(PortJson::new).collect(),
            static_pod: pod.static_pod,
            runtime_handler: text(&pod.runtime_handler),
            created_at: pod.created_at.map(rfc3339),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_is_absent_and_missing_says_what_is_still_asked_for() {
        let mut c = Container::new("ab".repeat(32).into(), Kind::Container);
        c.name = "app".into();
        c.missing = CRI_MISSING_PID | CRI_MISSING_STARTED_AT;
        let json: serde_json::Value = serde_json::from_str(container(&c, LabelView::Separate.into()).as_str()).unwrap();
        assert_eq!(json["missing"], serde_json::json!(["pid", "startedAt"]));
        assert_eq!(json["kind"], "container");
        for key in ["pid", "pod", "startedAt", "exitCode", "cgroupPath"] {
            assert!(json.get(key).is_none(), "{key}");
        }
    }

    #[test]
    fn fields_keep_the_id_and_the_order() {
        let mut c = Container::new("ab".into(), Kind::Container);
        (c.pid, c.state) = (Some(7), State::Running);
        let part = |fields| JsonText::of(&Shape { fields: Some(fields), ..Shape::whole(&c, View::default()) });
        assert_eq!(part(&["pid", "state", "exitCode"]).as_str(), r#"{"id":"ab","state":"running","pid":7}"#);
        assert_eq!(part(&[]).as_str(), r#"{"id":"ab"}"#);
    }

    #[test]
    fn an_exit_has_all_its_fields() {
        let mut c = Container::new("x".into(), Kind::Container);
        c.state = State::Exited;
        c.finished_at = Some(1_000_000_000);
        c.exit = Some(Exit { code: Some(137), reason: "OOMKilled".into(), message: "".into() });
        let json: serde_json::Value = serde_json::from_str(container(&c, View::default()).as_str()).unwrap();
        assert_eq!((&json["exitCode"], &json["reason"]), (&137.into(), &"OOMKilled".into()));
        assert_eq!(json["finishedAt"], "1970-01-01T00:00:01Z");
        assert!(json.get("message").is_none());
    }
}
