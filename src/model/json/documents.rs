//! The committed documents: `docs/schema/*.json` and the generated part of `docs/json.md`.

use std::sync::Arc;

use serde_json::{Value, json};

use super::super::*;
use super::schema::{AnswerKind, answer_kinds};
use super::{CONTAINER_KEYS, Freshness, LagNumbers, Numbers, Readiness, RequestNumbers, engine_news, event};
use crate::committed::{assert_committed, pretty};
use crate::error::{CRI_E_PERMISSION, Error};
use crate::model::metrics::{BUCKET_MICROS, BUCKETS, COUNTERS, Metric, MetricKind};

const MARK: &str = "<!-- From here on made from the source: CRI_BLESS=1 cargo test rewrites it. -->\n";

#[test]
fn schemas_are_committed() {
    for kind in answer_kinds() {
        let text = serde_json::to_string_pretty(&kind.schema).unwrap() + "\n";
        assert_committed(&format!("docs/schema/{}.json", kind.name), &text);
    }
}

#[test]
fn the_key_list_is_the_types() {
    let containers = &answer_kinds()[0].schema["$defs"]["Container"]["properties"];
    let mut listed = CONTAINER_KEYS.to_vec();
    listed.sort_unstable();
    let mut keys: Vec<_> = containers.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    assert_eq!(listed, keys);
}

#[test]
fn json_md_shows_every_kind() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/json.md");
    let committed = std::fs::read_to_string(path).expect("docs/json.md");
    let (intro, _) = committed.split_once(MARK).expect("docs/json.md says where its generated part begins");
    let mut text = intro.to_owned() + MARK;
    let kinds = answer_kinds();
    for kind in &kinds {
        let example = example(kind);
        text += &format!("\n## criwatch.{}/1\n\n{} [Schema](schema/{}.json).\n\n", kind.name, kind.doc, kind.name);
        text += &format!("```json\n{}\n```\n", pretty(example.as_str()));
    }
    text += "\n## Keys\n";
    for (name, schema) in objects(&kinds) {
        let doc = schema["description"].as_str().unwrap_or_default();
        text += &format!("\n### {name}\n\n{doc}\n\n| key | type | meaning |\n|---|---|---|\n");
        for (key, property) in schema["properties"].as_object().unwrap() {
            let required = schema["required"].as_array().is_some_and(|all| all.contains(&json!(key)));
            let always = if required { "always" } else { "" };
            let doc = property["description"].as_str().unwrap_or_default().replace('\n', " ");
            text += &format!("| `{key}` | {}{} | {doc}{} |\n", type_of(property), comma(always), words_of(property));
        }
    }
    text +=
        "\n### Counters\n\nThe keys of `stats` in criwatch.stats/1. A counter only grows; a gauge rises and falls.\n\n";
    text += "| key | unit | kind | meaning |\n|---|---|---|---|\n";
    for Metric { name, unit, kind, help, .. } in COUNTERS {
        text += &format!("| `{name}` | {unit} | {} | {help} |\n", kind.word());
    }
    assert_committed("docs/json.md", &text);
}

#[test]
fn examples_obey_their_schemas() {
    for kind in answer_kinds() {
        let example: Value = serde_json::from_str(example(&kind).as_str()).unwrap();
        let validator = jsonschema::options().should_validate_formats(true).build(&kind.schema).unwrap();
        let faults: Vec<_> = validator.iter_errors(&example).map(|e| format!("{}: {e}", e.instance_path())).collect();
        assert!(faults.is_empty(), "{}: {faults:?}", kind.name);
    }
}

/// The types to show, each once: the keys that all answers begin with, events, and their parts.
fn objects(kinds: &[AnswerKind]) -> Vec<(String, Value)> {
    let of = |name: &str| kinds.iter().find(|k| k.name == name).unwrap().schema.clone();
    let mut envelope = of("engine");
    envelope["description"] = json!("The keys that every answer except an event begins with.");
    envelope["properties"].as_object_mut().unwrap().remove("ready");
    let mut event = of("event");
    event["description"] = json!("Something that happened.");
    let kinds = kinds.iter().rev(); // A list's containers may lack keys: one whole container comes before it.
    let mut all = vec![("Every answer".to_owned(), envelope), ("Event".to_owned(), event)];
    for kind in kinds {
        for (name, schema) in kind.schema["$defs"].as_object().into_iter().flatten() {
            if name != "PodWithContainers" && all.iter().all(|(known, _)| known != name) {
                all.push((name.clone(), schema.clone()));
            }
        }
    }
    all
}

fn type_of(property: &Value) -> String {
    let reference = |v: &Value| {
        let name = v["$ref"].as_str()?.rsplit('/').next()?.to_owned();
        Some(format!("[{name}](#{})", name.to_lowercase()))
    };
    if let Some(link) = reference(property) {
        return link;
    }
    match property["type"].as_str() {
        Some("array") => format!("array of {}", type_of(&property["items"])),
        Some("object") if property["additionalProperties"].is_object() => {
            format!("object of {}", type_of(&property["additionalProperties"]))
        }
        Some("string") if property["format"] == "date-time" => "time".into(),
        Some(name) => name.into(),
        None => "anything".into(),
    }
}

fn words_of(property: &Value) -> String {
    let of = |v: &Value| v["enum"].as_array().or(v["examples"].as_array()).cloned();
    let words = of(property).or_else(|| of(&property["items"])).unwrap_or_default();
    let words: Vec<_> = words.iter().map(|w| format!("`{}`", w.as_str().unwrap_or_default())).collect();
    if words.is_empty() { String::new() } else { format!(" One of {}.", words.join(", ")) }
}

fn comma(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!(", {text}") }
}

fn example(kind: &AnswerKind) -> JsonText {
    let (freshness, pod, sandbox, nginx) = sample();
    let view = View::default();
    match kind.name {
        "containers" => freshness.containers([&sandbox, &nginx], view, None),
        "pods" => freshness.pods(&[(pod, vec![sandbox, nginx])], view, Some(&["name", "kind", "state", "pid"])),
        "container" => freshness.container(&exited(&nginx), view),
        "event" => event(&exit_event(&nginx), view),
        "inspect" => {
            let info = json!({"pid": 48213, "sandboxID": pod.id, "runtimeType": "io.containerd.runc.v2"});
            let status =
                json!({"id": nginx.id, "state": "CONTAINER_RUNNING", "logPath": "/var/log/pods/shop_web/nginx/1.log"});
            freshness.inspect(&nginx, Some(&status), &info, view)
        }
        "engine" => {
            let engine = Engine { candidates: engines().candidates[1..].into(), ..Engine::clone(&freshness.engine) };
            Freshness { engine: engine.into(), ..freshness }.engine(Some(Readiness::new(true, 0)))
        }
        "engines" => engines().json(),
        "engineNews" => engine_news(CRI_ENGINE_FOUND, &engines().candidates[0]),
        "stats" => freshness.stats(&numbers()),
        other => panic!("criwatch.{other}/1 has no example"),
    }
}

fn numbers() -> Numbers {
    let mut buckets = [0; BUCKETS];
    (buckets[4], buckets[5]) = (2, 1);
    let requests = |count, not_found, total_micros, max_micros| RequestNumbers {
        buckets: buckets.map(|some| some * count / 3),
        count,
        failures: 0,
        not_found,
        total_micros,
        max_micros,
    };
    let count = |counter: &'static Metric| (counter, if counter.kind == MetricKind::Counter { 3 } else { 1 });
    Numbers {
        stats: COUNTERS.iter().copied().map(count).collect(),
        bucket_micros: &BUCKET_MICROS,
        requests: [
            ("ContainerStatus".to_owned(), requests(24, 1, 71_320, 8_114)),
            ("ListContainers".to_owned(), requests(3, 0, 12_606, 5_023)),
        ]
        .into(),
        event_lag: Some(LagNumbers { last_micros: 412, max_micros: 9_870, count: 3, total_micros: 14_210, buckets }),
    }
}

/// A node with the cluster's engine, and a socket that may not be used.
fn engines() -> Engines {
    let reason = |evidence, text: &str| Reason { evidence, text: text.into() };
    let chosen = Candidate {
        api: "unix:///run/containerd/containerd.sock".into(),
        reasons: vec![
            reason(
                Evidence::Kubelet,
                "kubelet (pid 1310): --config=/var/lib/kubelet/config.yaml: containerRuntimeEndpoint",
            ),
            reason(Evidence::WellKnown, "containerd"),
        ],
        rank: "the kubelet uses it".into(),
        runtime_name: "containerd".into(),
        runtime_version: "2.1.9".into(),
        runtime_api_version: "v1".into(),
        id: "node-17".into(),
        pid: Some(1204),
        sandboxes: Some(23),
        error: None,
    };
    let message = "connect unix:///run/crio/crio.sock: permission denied (run as root or join the socket's group)";
    let refused = Candidate {
        api: "unix:///run/crio/crio.sock".into(),
        reasons: vec![reason(Evidence::WellKnown, "CRI-O")],
        rank: "it does not answer".into(),
        error: Some(Error::new(CRI_E_PERMISSION, message).with_os_code(Some(13))),
        ..Candidate::default()
    };
    let absent = vec!["unix:///run/k3s/containerd/containerd.sock".into()];
    Engines { candidates: vec![chosen, refused], absent, notes: Vec::new() }
}

/// 2026-02-03T04:05:06Z.
const NOON: Time = 1_770_091_506_000_000_000;

fn sample() -> (Freshness, Arc<Pod>, Arc<Container>, Arc<Container>) {
    let labels = |pairs: &[(&str, &str)]| Arc::new(pairs.iter().copied().collect());
    let mut pod = Pod::new("7de4a1c09b3f".repeat(6)[..64].into());
    (pod.name, pod.namespace) = ("web-5d9c7b6f4-x2x7q".into(), "shop".into());
    pod.uid = "5b0c2f1e-7c43-4a55-9d0a-3f3f4f1c2b11".into();
    (pod.state, pod.host_network) = (PodState::Ready, Some(false));
    pod.labels = labels(&[("app", "web"), ("pod-template-hash", "5d9c7b6f4")]);
    pod.annotations = labels(&[("kubernetes.io/config.source", "api")]);
    pod.ips = vec![Arc::from("10.244.1.17")].into();
    pod.created_at = Some(NOON);
    (pod.host_pid, pod.host_ipc, pod.static_pod) = (Some(false), Some(false), Some(false));
    pod.net_namespace = 4_026_532_281;
    pod.cgroup_path = Some(format!("/kubepods/besteffort/pod{}", pod.uid).into());
    let port = Port {
        container: "nginx".into(),
        name: "http".into(),
        container_port: 8080,
        host_port: 0,
        protocol: "TCP".into(),
    };
    pod.ports = [port].into();
    let pod = Arc::new(pod);

    let mut sandbox = Container::new(pod.id.clone(), Kind::Sandbox);
    (sandbox.name, sandbox.state) = (pod.name.clone(), State::Running);
    (sandbox.pod, sandbox.pid) = (Some(pod.clone()), Some(48170));
    (sandbox.labels, sandbox.annotations) = (pod.labels.clone(), pod.annotations.clone());
    sandbox.created_at = pod.created_at;

    let mut nginx = Container::new("72e0b85d6a14".repeat(6)[..64].into(), Kind::Container);
    (nginx.name, nginx.state, nginx.attempt) = ("nginx".into(), State::Running, 1);
    (nginx.pod, nginx.pid) = (Some(pod.clone()), Some(48213));
    nginx.labels = labels(&[("io.kubernetes.container.name", "nginx")]);
    nginx.annotations = labels(&[("io.kubernetes.container.restartCount", "1")]);
    nginx.image.name = "docker.io/library/nginx:1.27".into();
    nginx.image.reference = "docker.io/library/nginx@sha256:9f2e".into();
    (nginx.created_at, nginx.started_at) = (Some(NOON + 900_000_000), Some(NOON + 1_020_345_678));
    let cgroup = format!("/kubepods/besteffort/pod{}/{}", pod.uid, nginx.id);
    nginx.cgroup_path = Some(cgroup.into());
    nginx.cgroup_id = Some(7_204);
    (nginx.namespaces.net, nginx.namespaces.pid) = (pod.net_namespace, 4_026_532_284);
    nginx.spec = spec().into();
    let previous = Previous { exit_code: Some(137), reason: "OOMKilled".into(), finished_at: Some(NOON + 800_000_000) };
    nginx.previous = Some(previous.into());

    let engine = Engine {
        runtime_name: "containerd".into(),
        runtime_version: "2.1.9".into(),
        runtime_api_version: "v1".into(),
        api: "unix:///run/containerd/containerd.sock".into(),
        id: "node-17".into(),
        pid: Some(1204),
        namespaces: Namespaces::default(),
        events: Events { streaming: true, reason: "the engine streams events".into() },
        witness: Arc::new(WitnessMeans {
            used: vec!["folders", "pidFiles", "pidfds"],
            lacks: vec![("exitCodes", "no: not in this kernel".into())],
        }),
        candidates: Arc::new([]),
        not_told: Arc::new([("startedAt", 2)]),
    };
    let as_of = Some(NOON + 60_000_000_000);
    let freshness = Freshness { generation: 42, state: WatcherState::Watching, as_of, engine: engine.into() };
    (freshness, pod, sandbox.into(), nginx.into())
}

fn spec() -> Spec {
    let (mut spec, mut mount, mut limits, mut user) =
        (Spec::default(), Mount::default(), Resources::default(), User::default());
    (mount.container_path, mount.host_path) = ("/etc/hosts".into(), "/var/lib/kubelet/pods/5b0c2f1e/etc-hosts".into());
    (limits.cpu_shares, limits.memory_limit, limits.oom_score_adj) = (Some(102), Some(134_217_728), Some(1000));
    (user.uid, user.gid) = (101, 101);
    spec.log_path = "/var/log/pods/shop_web-5d9c7b6f4-x2x7q_5b0c2f1e/nginx/1.log".into();
    (spec.command, spec.args) = ([Arc::from("nginx")].into(), ["-g", "daemon off;"].map(Arc::from).into());
    (spec.working_dir, spec.privileged) = ("/".into(), Some(false));
    (spec.mounts, spec.resources, spec.user) = ([mount].into(), Some(limits), Some(user));
    spec
}

fn exited(running: &Container) -> Container {
    let mut c = running.clone();
    (c.state, c.finished_at) = (State::Exited, Some(NOON + 75_500_000_000));
    c.exit = Some(Exit { code: Some(137), reason: "OOMKilled".into(), message: "".into() });
    c
}

fn exit_event(nginx: &Container) -> Event {
    Event {
        event_type: EventType::Exited,
        flags: CRI_EVENT_FLAG_PROVISIONAL,
        seq: 118,
        generation: 43,
        lost: 0,
        changed: 0,
        time: NOON + 75_500_000_000,
        observed: NOON + 75_503_000_000,
        container: Some(exited(nginx).into()),
        state: WatcherState::Watching,
        message: None,
        log_level: None,
    }
}
