//! Runs pods and containers on an engine, over CRI: asynchronous inside, blocking outside.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use criwatch::cri::proto::image_service_client::ImageServiceClient;
use criwatch::cri::proto::runtime_service_client::RuntimeServiceClient;
use criwatch::cri::proto::*;
use tempfile::TempDir;
use tonic::transport::{Channel, Endpoint, Uri};
use tonic::{Response, Status};

/// How long one request may take.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);

/// A failed request.
pub struct Failed {
    /// Which one, e.g. `StartContainer`.
    pub rpc: &'static str,
    /// The engine's answer.
    pub status: Box<Status>,
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {:?}: {}", self.rpc, self.status.code(), self.status.message())
    }
}

impl fmt::Debug for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Failed {}

/// What a request gives.
pub type Result<T> = std::result::Result<T, Failed>;

/// A pod to be run. It shares the host's network: no CNI is needed.
#[derive(Debug, Clone, Default)]
pub struct PodSpec {
    /// Its name.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
    /// Its uid.
    pub uid: String,
    /// How often its sandbox was made before.
    pub attempt: u32,
    /// Beside the labels that a kubelet gives.
    pub labels: HashMap<String, String>,
    /// Its annotations.
    pub annotations: HashMap<String, String>,
}

impl PodSpec {
    /// A pod of that namespace and name, with a uid of its own.
    pub fn new(namespace: &str, name: &str) -> PodSpec {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let uid = format!("{:08x}-0000-4000-8000-{count:012x}", std::process::id());
        PodSpec { name: name.into(), namespace: namespace.into(), uid, ..PodSpec::default() }
    }

    /// Adds a label.
    pub fn label(mut self, key: &str, value: &str) -> PodSpec {
        self.labels.insert(key.into(), value.into());
        self
    }

    /// Adds an annotation.
    pub fn annotation(mut self, key: &str, value: &str) -> PodSpec {
        self.annotations.insert(key.into(), value.into());
        self
    }

    /// The labels as a kubelet sets them: CRI-O finds a pod's containers by them.
    pub fn all_labels(&self) -> HashMap<String, String> {
        let mut labels = self.labels.clone();
        for (key, value) in [("name", &self.name), ("namespace", &self.namespace), ("uid", &self.uid)] {
            labels.insert(format!("io.kubernetes.pod.{key}"), value.clone());
        }
        labels
    }
}

/// A container to be made.
#[derive(Debug, Clone, Default)]
pub struct ContainerSpec {
    /// Its name.
    pub name: String,
    /// Its command and arguments.
    pub command: Vec<String>,
    /// The image; `None`: the tests' own.
    pub image: Option<String>,
    /// The image as the pod's author wrote it; `None`: the same.
    pub user_image: Option<String>,
    /// How often it was made before.
    pub attempt: u32,
    /// Beside the labels that a kubelet gives.
    pub labels: HashMap<String, String>,
    /// Its annotations.
    pub annotations: HashMap<String, String>,
}

impl ContainerSpec {
    /// A container of that name that runs the command.
    pub fn new<const N: usize>(name: &str, command: [&str; N]) -> ContainerSpec {
        let command = command.map(str::to_owned).to_vec();
        ContainerSpec { name: name.into(), command, ..ContainerSpec::default() }
    }

    /// A container that runs until it is stopped.
    pub fn lasting(name: &str) -> ContainerSpec {
        ContainerSpec::new(name, ["sleep", "1000000"])
    }

    /// A container that runs until it is asked to stop, and exits with that code then.
    pub fn stoppable(name: &str, exit_code: i32) -> ContainerSpec {
        let script = format!("trap 'exit {exit_code}' TERM; sleep 1000000 & wait");
        ContainerSpec::new(name, ["sh", "-c", &script])
    }

    /// Sets how often it was made before.
    pub fn attempt(mut self, attempt: u32) -> ContainerSpec {
        self.attempt = attempt;
        self
    }

    /// Sets the image, and how the pod's author wrote it.
    pub fn image(mut self, image: &str, user_image: &str) -> ContainerSpec {
        (self.image, self.user_image) = (Some(image.into()), Some(user_image.into()));
        self
    }

    /// The labels as a kubelet sets them.
    pub fn all_labels(&self, pod: &PodSpec) -> HashMap<String, String> {
        let mut labels = PodSpec { labels: self.labels.clone(), ..pod.clone() }.all_labels();
        labels.insert("io.kubernetes.container.name".into(), self.name.clone());
        labels
    }

    /// Adds a label.
    pub fn label(mut self, key: &str, value: &str) -> ContainerSpec {
        self.labels.insert(key.into(), value.into());
        self
    }

    /// Adds an annotation.
    pub fn annotation(mut self, key: &str, value: &str) -> ContainerSpec {
        self.annotations.insert(key.into(), value.into());
        self
    }
}

/// A pod that was run: its sandbox, and what it was made from, which its containers need again.
#[derive(Debug, Clone)]
pub struct Pod {
    /// The sandbox's id.
    pub id: String,
    /// What it was made from.
    pub spec: PodSpec,
    config: PodSandboxConfig,
}

/// The driver.
pub struct Pods {
    runtime: tokio::runtime::Runtime,
    client: RuntimeServiceClient<Channel>,
    images: ImageServiceClient<Channel>,
    image: String,
    cgroup_parent: String,
    logs: TempDir,
    /// The pods to remove in the end.
    made: Option<Mutex<Vec<String>>>,
}

impl Pods {
    /// A driver for the engine at `unix:///...`; containers run `image` and log below the folder. Connects with the
    /// first request, and anew when the engine was restarted.
    pub fn connect(endpoint: &str, image: &str, folder: &Path) -> std::result::Result<Pods, String> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| format!("a tokio runtime: {error}"))?;
        let address = Endpoint::from_shared(endpoint.to_owned()).map_err(|error| format!("{endpoint}: {error}"))?;
        let address = address.origin(Uri::from_static("http://localhost"));
        let channel = runtime.block_on(async { address.connect_lazy() });
        Ok(Pods {
            client: RuntimeServiceClient::new(channel.clone()).max_decoding_message_size(80 << 20),
            images: ImageServiceClient::new(channel),
            runtime,
            image: image.into(),
            cgroup_parent: String::new(),
            logs: tempfile::tempdir_in(folder).map_err(|error| format!("a folder for logs: {error}"))?,
            made: None,
        })
    }

    /// Removes the pods it made when it is dropped: for engines that live on.
    pub fn leaving_nothing(mut self) -> Pods {
        self.made = Some(Mutex::default());
        self
    }

    /// Puts the pods' cgroups below `parent`.
    pub fn with_cgroup_parent(mut self, parent: &str) -> Pods {
        self.cgroup_parent = format!("/{parent}");
        self
    }

    /// The cgroup of its pods.
    pub fn cgroup_parent(&self) -> String {
        self.cgroup_parent.clone()
    }

    /// The engine's name and version.
    pub fn version(&self) -> Result<VersionResponse> {
        self.call("Version", |mut cri| async move { cri.version(VersionRequest::default()).await })
    }

    /// Whether the engine has this image.
    pub fn has_image(&self, name: &str) -> Result<bool> {
        let image = Some(ImageSpec { image: name.into(), ..ImageSpec::default() });
        let mut images = self.images.clone();
        let request = ImageStatusRequest { image, verbose: false };
        let reply = self.call("ImageStatus", |_| async move { images.image_status(request).await })?;
        Ok(reply.image.is_some())
    }

    /// The image that containers run if they name no other.
    pub fn image(&self) -> &str {
        &self.image
    }

    /// The id of this image.
    pub fn image_id(&self, name: &str) -> Result<String> {
        let image = Some(ImageSpec { image: name.into(), ..ImageSpec::default() });
        let mut images = self.images.clone();
        let request = ImageStatusRequest { image, verbose: false };
        let reply = self.call("ImageStatus", |_| async move { images.image_status(request).await })?;
        Ok(reply.image.unwrap_or_default().id)
    }

    /// Runs a pod's sandbox.
    pub fn run_pod(&self, spec: &PodSpec) -> Result<Pod> {
        let config = self.pod_config(spec);
        let request = RunPodSandboxRequest { config: Some(config.clone()), ..RunPodSandboxRequest::default() };
        let reply = self.call("RunPodSandbox", |mut cri| async move { cri.run_pod_sandbox(request).await })?;
        let id = reply.pod_sandbox_id;
        self.with_made(|made| made.push(id.clone()));
        Ok(Pod { id, spec: spec.clone(), config })
    }

    fn pod_config(&self, spec: &PodSpec) -> PodSandboxConfig {
        let security = LinuxSandboxSecurityContext {
            namespace_options: Some(namespaces()),
            ..LinuxSandboxSecurityContext::default()
        };
        PodSandboxConfig {
            metadata: Some(PodSandboxMetadata {
                name: spec.name.clone(),
                uid: spec.uid.clone(),
                namespace: spec.namespace.clone(),
                attempt: spec.attempt,
            }),
            log_directory: self.logs.path().display().to_string(),
            labels: spec.all_labels(),
            annotations: spec.annotations.clone(),
            linux: Some(LinuxPodSandboxConfig {
                cgroup_parent: self.cgroup_parent.clone(),
                security_context: Some(security),
                ..LinuxPodSandboxConfig::default()
            }),
            ..PodSandboxConfig::default()
        }
    }

    /// Makes a container, and answers its id. It is given all that a kubelet gives, because CRI-O insists on it: the
    /// image as the pod's author wrote it, whole paths of programs, and namespace options of its own.
    pub fn create(&self, pod: &Pod, spec: &ContainerSpec) -> Result<String> {
        let image = spec.image.clone().unwrap_or_else(|| self.image.clone());
        let user_specified_image = spec.user_image.clone().unwrap_or_else(|| image.clone());
        let config = ContainerConfig {
            metadata: Some(ContainerMetadata { name: spec.name.clone(), attempt: spec.attempt }),
            image: Some(ImageSpec { image, user_specified_image, ..ImageSpec::default() }),
            command: whole_path(&spec.command),
            labels: spec.all_labels(&pod.spec),
            annotations: spec.annotations.clone(),
            log_path: format!("{}_{}_{}.log", pod.spec.uid, spec.name, spec.attempt),
            linux: Some(LinuxContainerConfig {
                security_context: Some(LinuxContainerSecurityContext {
                    namespace_options: Some(namespaces()),
                    ..LinuxContainerSecurityContext::default()
                }),
                ..LinuxContainerConfig::default()
            }),
            ..ContainerConfig::default()
        };
        let request = CreateContainerRequest {
            pod_sandbox_id: pod.id.clone(),
            config: Some(config),
            sandbox_config: Some(pod.config.clone()),
        };
        let reply = self.call("CreateContainer", |mut cri| async move { cri.create_container(request).await })?;
        Ok(reply.container_id)
    }

    /// Starts a container that was made.
    pub fn start(&self, id: &str) -> Result<()> {
        let request = StartContainerRequest { container_id: id.into() };
        self.call("StartContainer", |mut cri| async move { cri.start_container(request).await }).map(drop)
    }

    /// Makes and starts a container, and answers its id.
    pub fn run(&self, pod: &Pod, spec: &ContainerSpec) -> Result<String> {
        let id = self.create(pod, spec)?;
        self.start(&id)?;
        Ok(id)
    }

    /// Stops a container, by force after `grace_seconds`.
    pub fn stop(&self, id: &str, grace_seconds: i64) -> Result<()> {
        let request = StopContainerRequest { container_id: id.into(), timeout: grace_seconds };
        self.call("StopContainer", |mut cri| async move { cri.stop_container(request).await }).map(drop)
    }

    /// Removes a container.
    pub fn remove(&self, id: &str) -> Result<()> {
        let request = RemoveContainerRequest { container_id: id.into() };
        self.call("RemoveContainer", |mut cri| async move { cri.remove_container(request).await }).map(drop)
    }

    /// Stops a pod and its containers. Asks once more if that failed, as the kubelet does: containerd 2.1 may fail with `ttrpc: closed`
    /// if a container ends by itself at the same moment.
    pub fn stop_pod(&self, id: &str) -> Result<()> {
        let request = || StopPodSandboxRequest { pod_sandbox_id: id.into() };
        let stop =
            || self.call("StopPodSandbox", |mut cri| async move { cri.stop_pod_sandbox(request()).await }).map(drop);
        stop().or_else(|_| stop())
    }

    /// Stops a pod and removes it with its containers.
    pub fn remove_pod(&self, id: &str) -> Result<()> {
        self.stop_pod(id)?;
        let request = RemovePodSandboxRequest { pod_sandbox_id: id.into() };
        self.call("RemovePodSandbox", |mut cri| async move { cri.remove_pod_sandbox(request).await })?;
        self.with_made(|made| made.retain(|made| made != id));
        Ok(())
    }

    fn with_made(&self, change: impl FnOnce(&mut Vec<String>)) {
        if let Some(made) = &self.made {
            change(&mut made.lock().unwrap_or_else(PoisonError::into_inner));
        }
    }

    /// All sandboxes.
    pub fn sandboxes(&self) -> Result<Vec<PodSandbox>> {
        let request = ListPodSandboxRequest::default();
        Ok(self.call("ListPodSandbox", |mut cri| async move { cri.list_pod_sandbox(request).await })?.items)
    }

    /// All containers.
    pub fn containers(&self) -> Result<Vec<Container>> {
        let request = ListContainersRequest::default();
        Ok(self.call("ListContainers", |mut cri| async move { cri.list_containers(request).await })?.containers)
    }

    /// What the engine reports of a container, with its verbose `info`.
    pub fn container_status(&self, id: &str) -> Result<ContainerStatusResponse> {
        let request = ContainerStatusRequest { container_id: id.into(), verbose: true };
        self.call("ContainerStatus", |mut cri| async move { cri.container_status(request).await })
    }

    /// What the engine reports of a container without looking deeper.
    pub fn brief_status(&self, id: &str) -> Result<ContainerStatus> {
        let request = ContainerStatusRequest { container_id: id.into(), verbose: false };
        let reply = self.call("ContainerStatus", |mut cri| async move { cri.container_status(request).await })?;
        Ok(reply.status.unwrap_or_default())
    }

    /// What the engine reports of a sandbox, with its verbose `info`.
    pub fn sandbox_status(&self, id: &str) -> Result<PodSandboxStatusResponse> {
        let request = PodSandboxStatusRequest { pod_sandbox_id: id.into(), verbose: true };
        self.call("PodSandboxStatus", |mut cri| async move { cri.pod_sandbox_status(request).await })
    }

    /// One request of any kind, with a deadline.
    pub fn call<T, F>(&self, rpc: &'static str, request: impl FnOnce(RuntimeServiceClient<Channel>) -> F) -> Result<T>
    where
        F: Future<Output = std::result::Result<Response<T>, Status>>,
    {
        let reply = request(self.client.clone());
        let reply = self.runtime.block_on(async { tokio::time::timeout(REQUEST_TIMEOUT, reply).await });
        let reply =
            reply.unwrap_or_else(|_| Err(Status::deadline_exceeded(format!("no reply in {REQUEST_TIMEOUT:?}"))));
        reply.map(Response::into_inner).map_err(|status| Failed { rpc, status: Box::new(status) })
    }
}

/// Of pods and containers alike: the host's network, and each container's own processes.
fn namespaces() -> NamespaceOption {
    NamespaceOption {
        network: NamespaceMode::Node.into(),
        pid: NamespaceMode::Container.into(),
        ..NamespaceOption::default()
    }
}

/// The programs of the tests' image are in /bin, and its environment may lack PATH.
fn whole_path(command: &[String]) -> Vec<String> {
    let mut command = command.to_vec();
    if let Some(program) = command.first_mut().filter(|program| !program.starts_with('/')) {
        *program = format!("/bin/{program}");
    }
    command
}

impl Drop for Pods {
    fn drop(&mut self) {
        let mut left = Vec::new();
        self.with_made(|made| std::mem::swap(made, &mut left));
        for id in left {
            if let Err(error) = self.remove_pod(&id) {
                eprintln!("pod {id} could not be removed: {error}");
            }
        }
    }
}
