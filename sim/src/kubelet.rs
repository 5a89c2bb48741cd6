//! Requests as the kubelet makes them. Scripts and workloads describe pods; this module adds the kubelet's labels,
//! annotations and cgroups.

use std::collections::HashMap;

use crate::pb;

pub const POD_NAME: &str = "io.kubernetes.pod.name";
pub const POD_NAMESPACE: &str = "io.kubernetes.pod.namespace";
pub const POD_UID: &str = "io.kubernetes.pod.uid";
pub const CONTAINER_NAME: &str = "io.kubernetes.container.name";
const RESTART_COUNT: &str = "io.kubernetes.container.restartCount";
const CONFIG_SOURCE: &str = "kubernetes.io/config.source";

#[derive(Clone, Debug, PartialEq)]
pub struct PodSpec {
    pub name: String,
    pub namespace: String,
    /// The pod's uid; if it is empty, a new one is made.
    pub uid: String,
    pub attempt: u32,
    pub labels: HashMap<String, String>,
    pub annotations: HashMap<String, String>,
    /// The cgroup; `None`: the kubelet's, made from the uid.
    pub cgroup_parent: Option<String>,
    pub host_network: bool,
}

impl PodSpec {
    pub fn new(name: &str) -> Self {
        PodSpec {
            name: name.into(),
            namespace: "default".into(),
            uid: String::new(),
            attempt: 0,
            labels: HashMap::new(),
            annotations: HashMap::new(),
            cgroup_parent: None,
            host_network: false,
        }
    }

    pub fn config(self, new_uid: impl FnOnce() -> String) -> pb::PodSandboxConfig {
        let uid = if self.uid.is_empty() { new_uid() } else { self.uid };
        let cgroup_parent = self.cgroup_parent.unwrap_or_else(|| format!("/kubepods/besteffort/pod{uid}"));
        let network = if self.host_network { pb::NamespaceMode::Node } else { pb::NamespaceMode::Pod };
        let options = pb::NamespaceOption {
            network: network.into(),
            pid: pb::NamespaceMode::Container.into(),
            ..Default::default()
        };
        let security = pb::LinuxSandboxSecurityContext { namespace_options: Some(options), ..Default::default() };
        let mut labels = pod_labels(&self.name, &self.namespace, &uid);
        labels.extend(self.labels);
        let mut annotations = HashMap::from([(CONFIG_SOURCE.into(), "api".into())]);
        annotations.extend(self.annotations);
        pb::PodSandboxConfig {
            hostname: self.name.clone(),
            log_directory: format!("/var/log/pods/{}_{}_{uid}", self.namespace, self.name),
            metadata: Some(pb::PodSandboxMetadata {
                name: self.name,
                uid,
                namespace: self.namespace,
                attempt: self.attempt,
            }),
            labels,
            annotations,
            linux: Some(pb::LinuxPodSandboxConfig {
                cgroup_parent,
                security_context: Some(security),
                ..Default::default()
            }),
            ..Default::default()
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct ContainerSpec {
    pub name: String,
    pub image: String,
    /// The image as the pod's author wrote it; empty if it is the same.
    pub user_image: String,
    /// Paths on the host and in the container.
    pub mounts: Vec<(String, String)>,
    pub attempt: u32,
    pub labels: HashMap<String, String>,
    pub annotations: HashMap<String, String>,
    pub env: Vec<(String, String)>,
    /// The command; if it is empty, the image's own entrypoint, a server that never ends.
    pub command: Vec<String>,
}

impl ContainerSpec {
    pub fn new(name: &str) -> Self {
        ContainerSpec {
            name: name.into(),
            image: format!("registry.example/{name}:1.0"),
            user_image: String::new(),
            mounts: Vec::new(),
            attempt: 0,
            labels: HashMap::new(),
            annotations: HashMap::new(),
            env: Vec::new(),
            command: Vec::new(),
        }
    }

    pub fn request(self, sandbox_id: &str, pod: &pb::PodSandboxConfig) -> pb::CreateContainerRequest {
        let m = pod.metadata.clone().unwrap_or_default();
        let mut labels = pod_labels(&m.name, &m.namespace, &m.uid);
        labels.insert(CONTAINER_NAME.into(), self.name.clone());
        labels.extend(self.labels);
        let mut annotations = HashMap::from([(RESTART_COUNT.into(), self.attempt.to_string())]);
        annotations.extend(self.annotations);
        let envs = self.env.into_iter().map(|(key, value)| pb::KeyValue { key, value: value.into() }).collect();
        let config = pb::ContainerConfig {
            log_path: format!("{}/{}.log", self.name, self.attempt),
            metadata: Some(pb::ContainerMetadata { name: self.name, attempt: self.attempt }),
            image: Some(pb::ImageSpec {
                image: self.image,
                user_specified_image: self.user_image,
                ..Default::default()
            }),
            mounts: self.mounts.into_iter().map(mount).collect(),
            command: self.command,
            envs,
            labels,
            annotations,
            ..Default::default()
        };
        pb::CreateContainerRequest {
            pod_sandbox_id: sandbox_id.into(),
            config: Some(config),
            sandbox_config: Some(pod.clone()),
        }
    }
}

fn mount((host_path, container_path): (String, String)) -> pb::Mount {
    pb::Mount { host_path, container_path, ..Default::default() }
}

fn pod_labels(name: &str, namespace: &str, uid: &str) -> HashMap<String, String> {
    let labels = [(POD_NAME, name), (POD_NAMESPACE, namespace), (POD_UID, uid)];
    labels.map(|(key, value)| (key.to_owned(), value.to_owned())).into()
}
