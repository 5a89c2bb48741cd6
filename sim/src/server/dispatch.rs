//! Leads each request to its service by its path, and refuses what the engine does not know in grpc-go's words.

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};

use tonic::Status;
use tonic::body::Body;
use tonic::codegen::{BoxFuture, Service, http};

use super::calls::Calls;
use super::image::Images;
use super::runtime::Runtime;
use crate::engine::Engine;
use crate::pb::image_service_server::{self as images, ImageServiceServer};
use crate::pb::runtime_service_server::{self as runtime, RuntimeServiceServer};

#[derive(Clone)]
pub struct Dispatch {
    runtime: RuntimeServiceServer<Runtime>,
    images: ImageServiceServer<Images>,
    calls: Arc<Calls>,
}

impl Dispatch {
    pub fn new(engine: Arc<Engine>, calls: Arc<Calls>) -> Self {
        let max = engine.profile.max_message;
        let runtime = RuntimeServiceServer::new(Runtime::new(Arc::clone(&engine)));
        let images = ImageServiceServer::new(Images::new(engine));
        Dispatch {
            runtime: runtime.max_decoding_message_size(max).max_encoding_message_size(max),
            images: images.max_decoding_message_size(max).max_encoding_message_size(max),
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
            match route(request.uri().path()) {
                Ok(Route { service, method }) => {
                    to.calls.count(method);
                    match service {
                        Target::Runtime => to.runtime.call(request).await,
                        Target::Images => to.images.call(request).await,
                    }
                }
                Err(message) => Ok(Status::unimplemented(message).into_http()),
            }
        })
    }
}

#[derive(Debug, PartialEq)]
enum Target {
    Runtime,
    Images,
}

#[derive(Debug, PartialEq)]
struct Route<'a> {
    service: Target,
    method: &'a str,
}

const RUNTIME_METHODS: &[&str] = &[
    "ContainerStatus",
    "CreateContainer",
    "GetContainerEvents",
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

/// What the engines know and this simulation does not do; everything else they do not know either.
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

fn route(path: &str) -> Result<Route<'_>, String> {
    let malformed = || format!("malformed method name: {path:?}");
    let (service, method) = path
        .strip_prefix('/')
        .and_then(|p| p.rsplit_once('/'))
        .ok_or_else(malformed)?;
    let (target, served) = match service {
        runtime::SERVICE_NAME => (Target::Runtime, RUNTIME_METHODS),
        images::SERVICE_NAME => (Target::Images, IMAGE_METHODS),
        _ => return Err(format!("unknown service {service}")),
    };
    if served.contains(&method) {
        Ok(Route {
            service: target,
            method,
        })
    } else if NOT_SIMULATED.contains(&method) {
        Err(format!("method {method} not implemented"))
    } else {
        Err(format!("unknown method {method} for service {service}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routes_and_refusals() {
        let ok = |service, method| Ok(Route { service, method });
        assert_eq!(
            route("/runtime.v1.RuntimeService/Version"),
            ok(Target::Runtime, "Version")
        );
        assert_eq!(
            route("/runtime.v1.ImageService/ListImages"),
            ok(Target::Images, "ListImages")
        );
        assert_eq!(
            route("/runtime.v1.RuntimeService/ExecSync"),
            Err("method ExecSync not implemented".into())
        );
        assert_eq!(
            route("/runtime.v1.RuntimeService/StreamContainers"),
            Err("unknown method StreamContainers for service runtime.v1.RuntimeService".into())
        );
        assert_eq!(
            route("/runtime.v1alpha2.RuntimeService/Version"),
            Err("unknown service runtime.v1alpha2.RuntimeService".into())
        );
        assert_eq!(route("Version"), Err("malformed method name: \"Version\"".into()));
    }
}
