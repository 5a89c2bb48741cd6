//! The JSON of everything: lowerCamelCase, crictl's leaf names, absent where unknown.

use std::sync::Arc;

use serde::Serialize;
use serde_json::value::RawValue;

use super::labels::merged;
use super::*;

/// The JSON of one container, made once for each version of it.
pub fn container(container: &Container, view: LabelView) -> Arc<RawValue> {
    container.json.get_or_init(|| Arc::new(Keep(raw(&ContainerJson::new(container, view))))).0.clone()
}

struct Keep(Arc<RawValue>);

fn raw(value: &impl Serialize) -> Arc<RawValue> {
    serde_json::value::to_raw_value(value).expect("plain data has JSON").into()
}

fn text(value: &str) -> Option<&str> {
    (!value.is_empty()).then_some(value)
}

/// A container, as JSON shows it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ContainerJson<'a> {
    id: &'a str,
    name: &'a str,
    kind: String,
    state: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pid: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    engine_pid: Option<i32>,
    attempt: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pod: Option<PodJson<'a>>,
    labels: std::borrow::Cow<'a, Labels>,
    #[serde(skip_serializing_if = "Option::is_none")]
    annotations: Option<&'a Labels>,
    #[serde(skip_serializing_if = "Option::is_none")]
    image: Option<ImageJson<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    created_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    started_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    finished_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exit_code: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cgroup_path: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rucksack: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    missing: Vec<&'static str>,
}

impl<'a> ContainerJson<'a> {
    fn new(c: &'a Container, view: LabelView) -> Self {
        let (labels, annotations) = match view {
            LabelView::Merged => (std::borrow::Cow::Owned(merged(c)), None),
            LabelView::Separate => (std::borrow::Cow::Borrowed(&*c.labels), Some(&*c.annotations)),
        };
        ContainerJson {
            id: &c.id,
            name: &c.name,
            kind: c.kind.word(),
            state: c.state.word(),
            pid: c.pid,
            engine_pid: c.engine_pid,
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
            cgroup_path: c.cgroup_path.as_deref(),
            rucksack: c.rucksack.as_ref().map(JsonText::as_raw),
            missing: missing_keys(c.missing),
        }
    }
}

/// The JSON keys that the bits of `CRI_MISSING_*` stand for.
pub(crate) fn missing_keys(bits: u64) -> Vec<&'static str> {
    let keys = [
        (CRI_MISSING_PID, "pid"),
        (CRI_MISSING_POD, "pod"),
        (CRI_MISSING_STARTED_AT, "startedAt"),
        (CRI_MISSING_EXIT, "exitCode"),
    ];
    keys.into_iter().filter(|(bit, _)| bits & bit != 0).map(|(_, key)| key).collect()
}

#[derive(Serialize)]
struct ImageJson<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
    reference: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
}

impl<'a> ImageJson<'a> {
    fn new(image: &'a Image) -> Self {
        ImageJson { name: text(&image.name), reference: text(&image.reference), id: text(&image.id) }
    }
}

/// A pod, as JSON shows it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PodJson<'a> {
    id: &'a str,
    name: &'a str,
    namespace: &'a str,
    uid: &'a str,
    attempt: u32,
    state: &'static str,
    labels: &'a Labels,
    annotations: &'a Labels,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    ips: &'a [Arc<str>],
    #[serde(skip_serializing_if = "Option::is_none")]
    host_network: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    runtime_handler: Option<&'a str>,
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
            runtime_handler: text(&pod.runtime_handler),
            created_at: pod.created_at.map(rfc3339),
        }
    }
}

/// The engine, as JSON shows it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EngineJson<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    runtime_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    runtime_version: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    runtime_api_version: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    #[serde(rename = "type")]
    engine_type: &'static str,
    api: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pid: Option<i32>,
    events: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    events_reason: Option<&'a str>,
}

impl<'a> EngineJson<'a> {
    pub(crate) fn new(engine: &'a Engine) -> Self {
        EngineJson {
            runtime_name: text(&engine.runtime_name),
            runtime_version: text(&engine.runtime_version),
            runtime_api_version: text(&engine.runtime_api_version),
            version: text(&engine.runtime_name).map(|_| engine.version_line()),
            engine_type: CRI_ENGINE_TYPE,
            api: &engine.api,
            id: text(&engine.id),
            pid: engine.pid,
            events: engine.events.word(),
            events_reason: text(&engine.events.reason),
        }
    }
}

/// What stands around every answer: what it is, how fresh it is, and whose word it is.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Envelope<'a, T> {
    schema: &'static str,
    generation: u64,
    state: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    as_of: Option<String>,
    engine: EngineJson<'a>,
    #[serde(flatten)]
    body: T,
}

/// How fresh an answer is, and where it comes from.
#[derive(Clone)]
pub struct Standing {
    /// The picture's generation.
    pub generation: u64,
    /// What the watcher is doing.
    pub state: WatcherState,
    /// When the newest full list began.
    pub as_of: Option<Time>,
    /// The engine.
    pub engine: Arc<Engine>,
}

impl Standing {
    /// Whether an answer made for the one is the same as for the other.
    pub(crate) fn is_same(&self, other: &Standing) -> bool {
        let key = |s: &Standing| (s.generation, s.state, s.as_of);
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

    /// `criwatch.containers/1`.
    pub fn containers(&self, containers: &[Arc<Container>], view: LabelView) -> JsonText {
        #[derive(Serialize)]
        struct Body {
            containers: Vec<Arc<RawValue>>,
        }
        let containers = containers.iter().map(|c| self::container(c, view)).collect();
        self.envelope("criwatch.containers/1", Body { containers })
    }

    /// `criwatch.stats/1`: counters, by name.
    pub fn stats(&self, counters: &[(&'static str, u64)]) -> JsonText {
        #[derive(Serialize)]
        struct Body {
            stats: serde_json::Map<String, serde_json::Value>,
        }
        let stats = counters.iter().map(|(name, count)| ((*name).to_owned(), (*count).into())).collect();
        self.envelope("criwatch.stats/1", Body { stats })
    }

    /// `criwatch.engine/1`.
    pub fn engine(&self) -> JsonText {
        #[derive(Serialize)]
        struct Body {}
        self.envelope("criwatch.engine/1", Body {})
    }

    /// `criwatch.inspect/1`: the container, and the engine's verbose information on it.
    pub fn inspect(&self, container: &Container, info: &serde_json::Value, view: LabelView) -> JsonText {
        #[derive(Serialize)]
        struct Body<'a> {
            container: Arc<RawValue>,
            info: &'a serde_json::Value,
        }
        self.envelope("criwatch.inspect/1", Body { container: self::container(container, view), info })
    }
}

/// `criwatch.event/1`.
pub fn event(event: &Event, view: LabelView) -> JsonText {
    let flags = EVENT_FLAGS.iter().filter(|flag| event.flags & flag.value != 0);
    let changed = CHANGED.iter().filter(|bit| event.changed & bit.value != 0);
    JsonText::of(&EventJson {
        schema: "criwatch.event/1",
        event_type: camel(event.event_type.word()),
        flags: flags.map(|flag| camel(word_of(flag.name, "CRI_EVENT_FLAG_"))).collect(),
        seq: event.seq,
        generation: event.generation,
        time: rfc3339(event.time),
        observed: rfc3339(event.observed),
        state: event.state.word(),
        lost: (event.event_type == EventType::Overflow).then_some(event.lost),
        changed: changed.map(|bit| camel(word_of(bit.name, "CRI_CHANGED_"))).collect(),
        level: event.log_level.map(LogLevel::word),
        message: event.message.as_deref(),
        container: event.container.as_deref().map(|c| container(c, view)),
    })
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct EventJson<'a> {
    schema: &'static str,
    #[serde(rename = "type")]
    event_type: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    flags: Vec<String>,
    seq: u64,
    generation: u64,
    time: String,
    observed: String,
    state: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    lost: Option<u64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    changed: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    level: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    container: Option<Arc<RawValue>>,
}

/// `never_started` as JSON spells it: `neverStarted`.
fn camel(word: String) -> String {
    let mut parts = word.split('_');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |all, part| {
        let (initial, rest) = part.split_at(part.len().min(1));
        all + &initial.to_ascii_uppercase() + rest
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_is_absent_and_missing_says_what_is_still_asked_for() {
        let mut c = Container::new("ab".repeat(32).into(), Kind::Container);
        c.name = "app".into();
        c.missing = CRI_MISSING_PID | CRI_MISSING_STARTED_AT;
        let json: serde_json::Value = serde_json::from_str(container(&c, LabelView::Separate).get()).unwrap();
        assert_eq!(json["missing"], serde_json::json!(["pid", "startedAt"]));
        assert_eq!(json["kind"], "container");
        for key in ["pid", "pod", "startedAt", "exitCode", "cgroupPath"] {
            assert!(json.get(key).is_none(), "{key}");
        }
    }

    #[test]
    fn an_exit_is_told_whole() {
        let mut c = Container::new("x".into(), Kind::Container);
        c.state = State::Exited;
        c.finished_at = Some(1_000_000_000);
        c.exit = Some(Exit { code: Some(137), reason: "OOMKilled".into(), message: "".into() });
        let json: serde_json::Value = serde_json::from_str(container(&c, LabelView::Merged).get()).unwrap();
        assert_eq!((&json["exitCode"], &json["reason"]), (&137.into(), &"OOMKilled".into()));
        assert_eq!(json["finishedAt"], "1970-01-01T00:00:01Z");
        assert!(json.get("message").is_none());
    }
}
