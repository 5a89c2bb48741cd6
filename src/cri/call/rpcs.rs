//! The RPCs of the contract, and which of them may be called.

use std::sync::LazyLock;

use prost_reflect::{DescriptorPool, MessageDescriptor, MethodDescriptor};

use crate::error::{CRI_E_INTERNAL, CRI_E_INVALID_ARGUMENT, CRI_E_PERMISSION, CRI_E_UNSUPPORTED, Error, Result};

/// The RPCs that only read. All others change something, or open a session in which a client can change something. They
/// are refused unless the option `call.allow_mutations` is set.
pub static READ_ONLY: &[&str] = &[
    "RuntimeService/Version",
    "RuntimeService/Status",
    "RuntimeService/RuntimeConfig",
    "RuntimeService/ListPodSandbox",
    "RuntimeService/PodSandboxStatus",
    "RuntimeService/ListContainers",
    "RuntimeService/ContainerStatus",
    "RuntimeService/ListContainerStats",
    "RuntimeService/ContainerStats",
    "RuntimeService/ListPodSandboxStats",
    "RuntimeService/PodSandboxStats",
    "RuntimeService/ListMetricDescriptors",
    "RuntimeService/ListPodSandboxMetrics",
    "ImageService/ListImages",
    "ImageService/ImageStatus",
    "ImageService/ImageFsInfo",
];

/// The unary RPC to use instead of each RPC that answers with a stream.
static UNARY_TWINS: &[(&str, &str)] = &[
    ("RuntimeService/GetContainerEvents", "cri_watcher_subscribe or cri_event_queue_new"),
    ("RuntimeService/StreamPodSandboxes", "RuntimeService/ListPodSandbox"),
    ("RuntimeService/StreamContainers", "RuntimeService/ListContainers"),
    ("RuntimeService/StreamContainerStats", "RuntimeService/ListContainerStats"),
    ("RuntimeService/StreamPodSandboxStats", "RuntimeService/ListPodSandboxStats"),
    ("RuntimeService/StreamPodSandboxMetrics", "RuntimeService/ListPodSandboxMetrics"),
    ("ImageService/StreamImages", "ImageService/ListImages"),
];

/// The contract, read from its descriptors when it is first needed.
static CONTRACT: LazyLock<Result<DescriptorPool>> = LazyLock::new(|| {
    let descriptors: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/api.descriptors"));
    DescriptorPool::decode(descriptors)
        .map_err(|e| Error::new(CRI_E_INTERNAL, format!("the embedded descriptors of the CRI are broken: {e}")))
});

/// The unary RPC of this name, if it may be called.
pub(super) fn find(name: &str, allow_mutations: bool) -> Result<MethodDescriptor> {
    let Some(method) = all()?.find(|method| self::name(method) == name) else {
        return Err(unknown(name)?);
    };
    if method.is_server_streaming() || method.is_client_streaming() {
        let twin = UNARY_TWINS.iter().find(|(streaming, _)| *streaming == name).map_or("", |(_, twin)| twin);
        let message = format!("call {name}: it answers with a stream, and a call has one reply (use {twin})");
        return Err(Error::new(CRI_E_UNSUPPORTED, message));
    }
    if !allow_mutations && !READ_ONLY.contains(&name) {
        let message = format!("call {name}: it may change something (to allow that, set call.allow_mutations=true)");
        return Err(Error::new(CRI_E_PERMISSION, message));
    }
    Ok(method)
}

fn unknown(name: &str) -> Result<Error> {
    let near =
        |known: &String| name.split_once('/').is_none_or(|(service, _)| known.split('/').next() == Some(service));
    let all: Vec<_> = all()?.filter(|m| !m.is_server_streaming()).map(|m| self::name(&m)).collect();
    let mut known: Vec<_> = all.iter().filter(|known| near(known)).cloned().collect();
    if known.is_empty() {
        known = all;
    }
    let message = format!("call {name:?}: there is no such RPC (there are: {})", known.join(", "));
    Ok(Error::new(CRI_E_INVALID_ARGUMENT, message))
}

fn all() -> Result<impl Iterator<Item = MethodDescriptor>> {
    let contract = CONTRACT.as_ref().map_err(Error::clone)?;
    Ok(contract.services().flat_map(|service| service.methods().collect::<Vec<_>>()))
}

/// The message of this name.
pub(super) fn message(name: &str) -> Result<MessageDescriptor> {
    let pool = CONTRACT.as_ref().map_err(Clone::clone)?;
    let found = pool.get_message_by_name(&format!("runtime.v1.{name}"));
    found.ok_or_else(|| Error::new(CRI_E_INTERNAL, format!("the embedded descriptors of the CRI have no {name}")))
}

/// The method's name without the package, as in gRPC's paths: `RuntimeService/Status`.
pub(super) fn name(method: &MethodDescriptor) -> String {
    format!("{}/{}", method.parent_service().name(), method.name())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_the_contracts() {
        let all: Vec<_> = all().unwrap().collect();
        let names: Vec<_> = all.iter().map(name).collect();
        assert!(READ_ONLY.iter().all(|read| names.iter().any(|n| n == read)));
        for method in &all {
            let name = name(method);
            let twin = UNARY_TWINS.iter().find(|(streaming, _)| *streaming == name);
            assert_eq!(twin.is_some(), method.is_server_streaming(), "{name}");
            assert!(!method.is_client_streaming(), "{name}");
            assert!(twin.is_none_or(|(_, twin)| twin.starts_with("cri_") || READ_ONLY.contains(twin)), "{name}");
        }
    }

    #[test]
    fn what_changes_something_has_to_be_allowed() {
        assert!(find("RuntimeService/Status", false).is_ok());
        for name in ["RuntimeService/StopContainer", "RuntimeService/Exec", "ImageService/PullImage"] {
            let e = find(name, false).unwrap_err();
            assert_eq!(e.status(), CRI_E_PERMISSION);
            assert!(e.message().contains("call.allow_mutations=true"), "{e}");
            assert!(find(name, true).is_ok());
        }
    }

    #[test]
    fn streams_name_their_twins_and_the_unknown_what_exists() {
        let e = find("RuntimeService/StreamContainers", true).unwrap_err();
        assert_eq!(e.status(), CRI_E_UNSUPPORTED);
        assert!(e.message().contains("RuntimeService/ListContainers"), "{e}");
        let e = find("ImageService/List", false).unwrap_err();
        assert_eq!(e.status(), CRI_E_INVALID_ARGUMENT);
        assert!(e.message().contains("ImageService/ListImages") && !e.message().contains("RuntimeService"), "{e}");
        for name in ["", "Status", "Service/Status", "RuntimeService/"] {
            assert!(find(name, false).unwrap_err().message().contains("RuntimeService/Status"), "{name}");
        }
    }
}
