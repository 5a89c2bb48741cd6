//! The verbose `info` of a status: one JSON text under the key "info", with containerd's keys (engine-facts §5).

use std::collections::HashMap;
use std::path::Path;

use serde_json::{Value, json};

use crate::command;
use crate::pb;
use crate::store::{Container, Controller, Sandbox, cgroups_path, on_host_network};

type Info = HashMap<String, String>;

const SNAPSHOTTER: &str = "overlayfs";
const RUNTIME_TYPE: &str = "io.containerd.runc.v2";
const PAUSE_IMAGE: &str = "registry.k8s.io/pause:3.10";
const PATH: &str = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

pub fn status(state_dir: &Path) -> Info {
    let config = json!({
        "containerd": { "defaultRuntimeName": "runc", "runtimes": { "runc": { "runtimeType": RUNTIME_TYPE } } },
        "containerdRootDir": "/var/lib/containerd",
        "rootDir": "/var/lib/containerd/io.containerd.grpc.v1.cri",
        "stateDir": state_dir,
    });
    HashMap::from([
        ("config".into(), config.to_string()),
        ("lastCNILoadStatus".into(), json!("OK").to_string()),
    ])
}

pub fn container(c: &Container, sandbox: Option<&Sandbox>) -> Info {
    text(json!({
        "sandboxID": c.sandbox_id,
        "pid": c.status.pid,
        "removing": c.status.removing,
        "snapshotKey": c.id,
        "snapshotter": SNAPSHOTTER,
        "runtimeType": RUNTIME_TYPE,
        "runtimeOptions": {},
        "config": container_config(&c.config),
        "runtimeSpec": container_spec(c, sandbox),
    }))
}

pub fn sandbox(s: &Sandbox) -> Info {
    let process = match s.controller {
        Controller::Ready => "running",
        Controller::NotReady | Controller::Forgotten => "deleted",
    };
    text(json!({
        "pid": s.pid,
        "processStatus": process,
        "netNamespaceClosed": s.netns_closed,
        "image": PAUSE_IMAGE,
        "snapshotKey": s.id,
        "snapshotter": SNAPSHOTTER,
        "runtimeType": RUNTIME_TYPE,
        "runtimeOptions": {},
        "config": sandbox_config(&s.config),
        "runtimeSpec": sandbox_spec(s),
        "cniResult": cni_result(s),
        "sandboxMetadata": { "ID": s.id, "NetNSPath": s.netns, "IP": s.ip, "RuntimeHandler": s.runtime_handler },
    }))
}

fn text(info: Value) -> Info {
    HashMap::from([("info".into(), info.to_string())])
}

fn container_spec(c: &Container, sandbox: Option<&Sandbox>) -> Value {
    let name = c.config.metadata.as_ref().map_or("", |m| m.name.as_str());
    let image = c.config.image.as_ref().map_or("", |i| i.image.as_str());
    let mut annotations = pod_annotations("container", &c.sandbox_id, sandbox);
    annotations["io.kubernetes.cri.container-name"] = json!(name);
    annotations["io.kubernetes.cri.image-name"] = json!(image);
    let mut env = vec![PATH.to_owned()];
    env.extend(
        c.config
            .envs
            .iter()
            .map(|e| format!("{}={}", e.key, String::from_utf8_lossy(&e.value))),
    );
    let mut args: Vec<&str> = c
        .config
        .command
        .iter()
        .chain(&c.config.args)
        .map(String::as_str)
        .collect();
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

fn sandbox_spec(s: &Sandbox) -> Value {
    let parent = s.config.linux.as_ref().map_or("", |l| l.cgroup_parent.as_str());
    let mut namespaces = vec![json!({"type": "pid"}), json!({"type": "ipc"}), json!({"type": "mount"})];
    if !on_host_network(&s.config) {
        namespaces.push(json!({"type": "uts"}));
        namespaces.push(json!({"type": "network", "path": s.netns}));
    }
    json!({
        "ociVersion": "1.2.1",
        "process": { "user": { "uid": 65535, "gid": 65535 }, "args": ["/pause"], "env": [PATH], "cwd": "/" },
        "root": { "path": "rootfs", "readonly": true },
        "hostname": s.config.hostname,
        "mounts": [{ "destination": "/proc", "type": "proc", "source": "proc" }],
        "annotations": pod_annotations("sandbox", &s.id, Some(s)),
        "linux": { "cgroupsPath": cgroups_path(parent, &s.id), "namespaces": namespaces },
    })
}

fn pod_annotations(kind: &str, sandbox_id: &str, sandbox: Option<&Sandbox>) -> Value {
    let pod = sandbox.and_then(|s| s.config.metadata.clone()).unwrap_or_default();
    json!({
        "io.kubernetes.cri.container-type": kind,
        "io.kubernetes.cri.sandbox-id": sandbox_id,
        "io.kubernetes.cri.sandbox-name": pod.name,
        "io.kubernetes.cri.sandbox-namespace": pod.namespace,
        "io.kubernetes.cri.sandbox-uid": pod.uid,
    })
}

/// A container shares the sandbox's ipc, uts and network namespaces and has the others for itself.
fn container_namespaces(sandbox: Option<&Sandbox>) -> Value {
    let pid = sandbox.map_or(0, |s| s.pid);
    let shared = |kind: &str, file: &str| json!({ "type": kind, "path": format!("/proc/{pid}/ns/{file}") });
    json!([{"type": "pid"}, {"type": "mount"}, shared("ipc", "ipc"), shared("uts", "uts"), shared("network", "net")])
}

fn mounts(config: &pb::ContainerConfig) -> Vec<Value> {
    let own = config.mounts.iter().map(|m| {
        let mode = if m.readonly { "ro" } else { "rw" };
        let options = ["rbind", "rprivate", mode];
        json!({ "destination": m.container_path, "type": "bind", "source": m.host_path, "options": options })
    });
    std::iter::once(json!({ "destination": "/proc", "type": "proc", "source": "proc" }))
        .chain(own)
        .collect()
}

/// Go's JSON of the CRI message: the names of the .proto.
fn container_config(c: &pb::ContainerConfig) -> Value {
    let metadata = c.metadata.clone().unwrap_or_default();
    let image = c.image.as_ref().map_or("", |i| i.image.as_str());
    let envs: Vec<Value> = c
        .envs
        .iter()
        .map(|e| json!({ "key": e.key, "value": String::from_utf8_lossy(&e.value) }))
        .collect();
    json!({
        "metadata": { "name": metadata.name, "attempt": metadata.attempt },
        "image": { "image": image },
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
