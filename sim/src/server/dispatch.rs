//! Sends each request to its service by its path, and refuses unknown ones with grpc-go's texts.

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};

use tonic::Status;
use tonic::body::Body;
use tonic::codegen::{BoxFuture, Service, http};

use super::calls::Calls;
use super::hostile;
use super::image::Images;
use super::marks;
use super::runtime::Runtime;
use crate::engine::Engine;
use crate::pb::image_service_server::{self as images, ImageServiceServer};
use crate::pb::runtime_service_server::{self as runtime, RuntimeServiceServer};
use crate::profile::{Delivery, Profile, StreamedLists};

#[derive(Clone)]
pub struct Dispatch {
    runtime: RuntimeServiceServer<Runtime>,
    images: ImageServiceServer<Images>,
    engine: Arc<Engine>,
    calls: Arc<Calls>,
}

impl Dispatch {
    pub fn new(engine: Arc<Engine>, calls: Arc<Calls>) -> Self {
        let max = engine.profile.max_message;
        let runtime = RuntimeServiceServer::new(Runtime::new(Arc::clone(&engine)));
        let images = ImageServiceServer::new(Images::new(Arc::clone(&engine)));
        Dispatch {
            runtime: runtime.max_decoding_message_size(max).max_encoding_message_size(max),
            images: images.max_decoding_message_size(max).max_encoding_message_size(max),
            engine,
            calls,
        }
    }
}

impl Service<http::Request<Body>> for Dispatch {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Self::Response, Self::Error>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let mut to = self.clone();
        Box::pin(async move {
            let path = request.uri().path();
            to.calls.count(path.rsplit('/').next().unwrap_or(path));
            if let Err(status) = to.engine.faults.suffer().await {
                return Ok(status.into_http());
            }
            let request = match to.engine.faults.hostility() {
                Some(hostility) => match hostile::reply(hostility, request).await {
                    Ok(reply) => return Ok(reply),
                    Err(request) => request,
                },
                None => request,
            };
            match route(request.uri().path(), &to.engine.profile) {
                Ok(Target::Runtime) => Ok(to.runtime.call(request).await?.map(marks::changed)),
                Ok(Target::Images) => to.images.call(request).await,
                Err(status) => Ok(status.into_http()),
            }
        })
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Target {
    Runtime,
    Images,
}

const RUNTIME_METHODS: &[&str] = &[
    "ContainerStatus",
    "CreateContainer",
    "ListContainers",
    "ListPodSandbox",
    "PodSandboxStatus",
    "RemoveContainer",
    "RemovePodSandbox",
    "RunPodSandbox",
    "RuntimeConfig",
    "StartContainer",
    "Status",
    "StopContainer",
    "StopPodSandbox",
    "UpdateRuntimeConfig",
    "Version",
];

const IMAGE_METHODS: &[&str] = &["ImageFsInfo", "ImageStatus", "ListImages", "PullImage"];

/// RPCs that real engines have and this simulation does not. Any other RPC is unknown to real engines, too.
const NOT_SIMULATED: &[&str] = &[
    "Attach",
    "CheckpointContainer",
    "ContainerStats",
    "Exec",
    "ExecSync",
    "ListContainerStats",
    "ListMetricDescriptors",
    "ListPodSandboxMetrics",
    "ListPodSandboxStats",
    "PodSandboxStats",
    "PortForward",
    "RemoveImage",
    "ReopenContainerLog",
    "UpdateContainerResources",
    "UpdatePodSandboxResources",
];

/// `Err` is the complete response.
fn route(path: &str, profile: &Profile) -> Result<Target, Status> {
    let malformed = || Status::unimplemented(format!("malformed method name: {path:?}"));
    let (service, method) = path.strip_prefix('/').and_then(|p| p.rsplit_once('/')).ok_or_else(malformed)?;
    let (target, served) = match service {
        runtime::SERVICE_NAME => (Target::Runtime, RUNTIME_METHODS),
        images::SERVICE_NAME => (Target::Images, IMAGE_METHODS),
        _ => return Err(Status::unimplemented(format!("unknown service {service}"))),
    };
    let not_implemented = || Err(Status::unimplemented(format!("method {method} not implemented")));
    let unknown = || Err(Status::unimplemented(format!("unknown method {method} for service {service}")));
    match method {
        "GetContainerEvents" => match profile.delivery {
            Delivery::Unimplemented => not_implemented(),
            // grpc-go ends a stream without a message by headers and status in one frame (engine-facts §3).
            Delivery::Disabled => Err(Status::ok("")),
            _ => Ok(target),
        },
        "StreamContainers" | "StreamPodSandboxes" => match profile.streamed_lists {
            StreamedLists::UnknownMethod => unknown(),
            StreamedLists::NotImplemented => not_implemented(),
            StreamedLists::Batches(_) => Ok(target),
        },
        _ if served.contains(&method) => Ok(target),
        _ if NOT_SIMULATED.contains(&method) => not_implemented(),
        _ => unknown(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::{CONTAINERD_1_6, CONTAINERD_2, CONTAINERD_2_3, CRIO, CRIO_EVENTS_OFF};

    fn refused(path: &str, profile: &Profile) -> String {
        let status = route(path, profile).unwrap_err();
        assert_eq!(status.code(), tonic::Code::Unimplemented);
        status.message().to_owned()
    }

    #[test]
    fn routes_and_refusals() {
        let to = |path| route(path, &CONTAINERD_2).ok();
        assert_eq!(to("/runtime.v1.RuntimeService/Version"), Some(Target::Runtime));
        assert_eq!(to("/runtime.v1.ImageService/ListImages"), Some(Target::Images));
        let refused = |path| refused(path, &CONTAINERD_2);
        assert_eq!(refused("/runtime.v1.RuntimeService/ExecSync"), "method ExecSync not implemented");
        let path = "/runtime.v1alpha2.RuntimeService/Version";
        assert_eq!(refused(path), "unknown service runtime.v1alpha2.RuntimeService");
        assert_eq!(refused("Version"), "malformed method name: \"Version\"");
    }

    #[test]
    fn the_profile_decides_on_streams() {
        let lists = "/runtime.v1.RuntimeService/StreamContainers";
        let unknown = "unknown method StreamContainers for service runtime.v1.RuntimeService";
        assert_eq!(refused(lists, &CONTAINERD_2), unknown);
        assert_eq!(refused(lists, &CONTAINERD_2_3), "method StreamContainers not implemented");
        assert_eq!(route(lists, &CRIO).ok(), Some(Target::Runtime));
        let events = "/runtime.v1.RuntimeService/GetContainerEvents";
        assert_eq!(refused(events, &CONTAINERD_1_6), "method GetContainerEvents not implemented");
        assert_eq!(route(events, &CRIO_EVENTS_OFF).unwrap_err().code(), tonic::Code::Ok);
    }
}
