//! The verbose `info` of a status: one JSON text under the key "info", with the keys of
//! the engine (engine-facts §5).

use std::collections::HashMap;
use std::path::Path;

use serde_json::{Value, json};

use crate::command;
use crate::pb;
use crate::profile::{Family, Profile};
use crate::store::{Container, Controller, Sandbox, cgroups_path, on_host_network};

type Info = HashMap<String, String>;

const SNAPSHOTTER: &str = "overlayfs";
const RUNTIME_TYPE: &str = "io.containerd.runc.v2";
const PAUSE_IMAGE: &str = "registry.k8s.io/pause:3.10";
const PATH: &str = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The info of a verbose Status. Clients find the engine's pid files by the folder `dir`, and CRI-O's exit files by
/// `exits`.
pub fn status(dir: &Path, exits: Option<&Path>, profile: &Profile) -> Info {
    let config = match profile.family {
        Family::Containerd => json!({
            "containerd": { "defaultRuntimeName": "runc", "runtimes": { "runc": { "runtimeType": RUNTIME_TYPE } } },
            "containerdRootDir": "/var/lib/containerd",
            "rootDir": "/var/lib/containerd/io.containerd.grpc.v1.cri",
            "stateDir": dir,
        }),
        Family::Crio => json!({
            "sandboxImage": PAUSE_IMAGE,
            "crio": { "ContainerAttachSocketDir": dir, "ContainerExitsDir": exits },
        }),
        Family::Dockerd => return Info::new(),
    };
    HashMap::from([("config".into(), config.to_string())])
}

pub fn container(c: &Container, sandbox: Option<&Sandbox>, profile: &Profile) -> Info {
    let pid = c.shown_pid(profile);
    text(match profile.family {
        Family::Containerd => json!({
            "sandboxID": c.sandbox_id,
            "pid": pid,
            "removing": c.status.removing,
            "snapshotKey": c.id,
            "snapshotter": SNAPSHOTTER,
            "runtimeType": RUNTIME_TYPE,
            "runtimeOptions": {},
            "config": container_config(&c.config),
            "runtimeSpec": container_spec(c, sandbox, profile),
        }),
        Family::Crio => json!({
            "sandboxID": c.sandbox_id,
            "pid": pid,
            "runtimeSpec": container_spec(c, sandbox, profile),
            "privileged": false,
        }),
        Family::Dockerd => json!({ "sandboxID": c.sandbox_id, "pid": pid }),
    })
}

pub fn sandbox(s: &Sandbox, profile: &Profile) -> Info {
    match profile.family {
        Family::Containerd => text(containerd_sandbox(s, profile)),
        // Without an infra container there is no process, so no pid and no image.
        Family::Crio => text(json!({ "runtimeSpec": sandbox_spec(s, profile) })),
        Family::Dockerd => Info::new(),
    }
}

/// containerd 2.3's info of a status that was not verbose: the struct's zero values.
pub fn unasked_sandbox() -> Info {
    text(json!({
        "pid": 0,
        "processStatus": "",
        "netNamespaceClosed": false,
        "image": "",
        "snapshotKey": "",
        "snapshotter": "",
        "runtimeHandler": "",
        "runtimeType": "",
        "runtimeOptions": null,
        "config": null,
        "runtimeSpec": null,
        "cniResult": null,
        "sandboxMetadata": null,
        "overhead": null,
        "resources": null,
    }))
}

fn containerd_sandbox(s: &Sandbox, profile: &Profile) -> Value {
    let process = match s.controller {
        Controller::Ready => "running",
        Controller::NotReady | Controller::Forgotten => "deleted",
    };
    json!({
        "pid": s.pid,
        "processStatus": process,
        "netNamespaceClosed": s.netns_closed,
        "image": PAUSE_IMAGE,
        "snapshotKey": s.id,
        "snapshotter": SNAPSHOTTER,
        "runtimeType": RUNTIME_TYPE,
        "runtimeOptions": {},
        "config": sandbox_config(&s.config),
        "runtimeSpec": sandbox_spec(s, profile),
        "cniResult": cni_result(s),
        "sandboxMetadata": { "ID": s.id, "NetNSPath": s.netns, "IP": s.ip, "RuntimeHandler": s.runtime_handler },
    })
}

fn text(info: Value) -> Info {
    HashMap::from([("info".into(), info.to_string())])
}

fn container_spec(c: &Container, sandbox: Option<&Sandbox>, profile: &Profile) -> Value {
    let name = c.config.metadata.as_ref().map_or("", |m| m.name.as_str());
    let mut annotations = pod_annotations("container", &c.sandbox_id, sandbox, profile);
    let name_key = match profile.family {
        Family::Crio => "io.kubernetes.cri-o.ContainerName",
        _ => "io.kubernetes.cri.container-name",
    };
    annotations[name_key] = json!(name);
    for (key, value) in c.image_annotations(profile) {
        annotations[key] = json!(value);
    }
    let mut env = vec![PATH.to_owned()];
    env.extend(c.config.envs.iter().map(|e| format!("{}={}", e.key, String::from_utf8_lossy(&e.value))));
    let mut args: Vec<&str> = c.config.command.iter().chain(&c.config.args).map(String::as_str).collect();
    if args.is_empty() {
        args.push(command::ENTRYPOINT);
    }
    json!({
        "ociVersion": "1.2.1",
        "process": { "user": { "uid": 0, "gid": 0 }, "args": args, "env": env, "cwd": "/" },
        "root": { "path": "rootfs" },
        "mounts": mounts(&c.config),
        "annotations": annotations,
        "linux": { "cgroupsPath": c.cgroups_path, "namespaces": container_namespaces(sandbox) },
    })
}

fn sandbox_spec(s: &Sandbox, profile: &Profile) -> Value {
    let parent = s.config.linux.as_ref().map_or("", |l| l.cgroup_parent.as_str());
    json!({
        "ociVersion": "1.2.1",
        "process": { "user": { "uid": 65535, "gid": 65535 }, "args": ["/pause"], "env": [PATH], "cwd": "/" },
        "root": { "path": "rootfs", "readonly": true },
        "hostname": s.config.hostname,
        "mounts": [{ "destination": "/proc", "type": "proc", "source": "proc" }],
        "annotations": pod_annotations("sandbox", &s.id, Some(s), profile),
        "linux": {
            "cgroupsPath": cgroups_path(profile.family, parent, &s.id),
            "namespaces": sandbox_namespaces(s),
        },
    })
}

/// If the pod has no process, files hold its namespaces.
fn sandbox_namespaces(s: &Sandbox) -> Vec<Value> {
    let held = |kind: &str| match s.pid {
        0 => json!({ "type": kind, "path": pinned(s, kind) }),
        _ => json!({ "type": kind }),
    };
    let mut namespaces = vec![json!({"type": "pid"}), held("ipc"), json!({"type": "mount"})];
    if !on_host_network(&s.config) {
        namespaces.push(held("uts"));
        namespaces.push(json!({"type": "network", "path": s.netns}));
    }
    namespaces
}

fn pinned(s: &Sandbox, kind: &str) -> String {
    format!("/var/run/{kind}ns/{}", s.netns.rsplit('/').next().unwrap_or(&s.id))
}

fn pod_annotations(kind: &str, sandbox_id: &str, sandbox: Option<&Sandbox>, profile: &Profile) -> Value {
    let pod = sandbox.and_then(|s| s.config.metadata.clone()).unwrap_or_default();
    if profile.family == Family::Crio {
        return json!({
            "io.kubernetes.cri-o.ContainerType": kind,
            "io.kubernetes.cri-o.SandboxID": sandbox_id,
            "io.kubernetes.cri-o.KubeName": pod.name,
            "io.kubernetes.cri-o.Namespace": pod.namespace,
        });
    }
    json!({
        "io.kubernetes.cri.container-type": kind,
        "io.kubernetes.cri.sandbox-id": sandbox_id,
        "io.kubernetes.cri.sandbox-name": pod.name,
        "io.kubernetes.cri.sandbox-namespace": pod.namespace,
        "io.kubernetes.cri.sandbox-uid": pod.uid,
    })
}

/// The namespaces of a container. It shares the sandbox's ipc, uts and network namespaces, and has its own of the other
/// kinds.
fn container_namespaces(sandbox: Option<&Sandbox>) -> Value {
    let shared = |kind: &str, file: &str| {
        let path = match sandbox {
            Some(s) if s.pid == 0 && kind == "network" => s.netns.clone(),
            Some(s) if s.pid == 0 => pinned(s, kind),
            other => format!("/proc/{}/ns/{file}", other.map_or(0, |s| s.pid)),
        };
        json!({ "type": kind, "path": path })
    };
    json!([{"type": "pid"}, {"type": "mount"}, shared("ipc", "ipc"), shared("uts", "uts"), shared("network", "net")])
}

fn mounts(config: &pb::ContainerConfig) -> Vec<Value> {
    let own = config.mounts.iter().map(|m| {
        let mode = if m.readonly { "ro" } else { "rw" };
        let options = ["rbind", "rprivate", mode];
        json!({ "destination": m.container_path, "type": "bind", "source": m.host_path, "options": options })
    });
    std::iter::once(json!({ "destination": "/proc", "type": "proc", "source": "proc" })).chain(own).collect()
}

/// The CRI message as Go writes it in JSON: with the names of the .proto file.
fn container_config(c: &pb::ContainerConfig) -> Value {
    let metadata = c.metadata.clone().unwrap_or_default();
    let image = c.image.clone().unwrap_or_default();
    let image = match image.user_specified_image.as_str() {
        "" => json!({ "image": image.image }),
        author => json!({ "image": image.image, "user_specified_image": author }),
    };
    let envs: Vec<Value> =
        c.envs.iter().map(|e| json!({ "key": e.key, "value": String::from_utf8_lossy(&e.value) })).collect();
    json!({
        "metadata": { "name": metadata.name, "attempt": metadata.attempt },
        "image": image,
        "command": c.command,
        "args": c.args,
        "envs": envs,
        "labels": c.labels,
        "annotations": c.annotations,
        "log_path": c.log_path,
    })
}

fn sandbox_config(s: &pb::PodSandboxConfig) -> Value {
    let metadata = s.metadata.clone().unwrap_or_default();
    json!({
        "metadata": {
            "name": metadata.name, "uid": metadata.uid, "namespace": metadata.namespace, "attempt": metadata.attempt,
        },
        "hostname": s.hostname,
        "log_directory": s.log_directory,
        "labels": s.labels,
        "annotations": s.annotations,
        "linux": { "cgroup_parent": s.linux.as_ref().map_or("", |l| l.cgroup_parent.as_str()) },
    })
}

fn cni_result(s: &Sandbox) -> Value {
    if s.ip.is_empty() {
        return Value::Null;
    }
    json!({ "Interfaces": { "eth0": { "IPConfigs": [{ "IP": s.ip, "Gateway": "" }], "Sandbox": s.netns } } })
}
