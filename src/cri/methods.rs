//! The methods that the watcher itself calls.

/// One method of the RuntimeService.
#[derive(Debug, Clone, Copy)]
pub(super) struct Method {
    /// Its name, as errors and statistics show it.
    pub name: &'static str,
    /// Its path on the wire.
    pub path: &'static str,
}

macro_rules! methods {
    ($($constant:ident = $name:literal),* $(,)?) => {
        $(pub(super) const $constant: Method =
            Method { name: $name, path: concat!("/runtime.v1.RuntimeService/", $name) };)*
    };
}

methods! {
    VERSION = "Version",
    STATUS = "Status",
    LIST_CONTAINERS = "ListContainers",
    LIST_SANDBOXES = "ListPodSandbox",
    STREAM_CONTAINERS = "StreamContainers",
    STREAM_SANDBOXES = "StreamPodSandboxes",
    CONTAINER_STATUS = "ContainerStatus",
    SANDBOX_STATUS = "PodSandboxStatus",
    CONTAINER_EVENTS = "GetContainerEvents",
}
