//! RuntimeService: thin handlers over the engine.

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tonic::codegen::{BoxStream, async_trait};
use tonic::{Request, Response, Status};

use super::event_stream::EventStream;
use super::size::fitting;
use super::{demands, info};
use crate::engine::Engine;
use crate::pb::{self, runtime_service_server::RuntimeService};
use crate::profile::{Family, StreamedLists};
use crate::store::{Error, Result};

type Reply<T> = std::result::Result<Response<T>, Status>;

pub struct Runtime {
    engine: Arc<Engine>,
}

impl Runtime {
    pub fn new(engine: Arc<Engine>) -> Self {
        Runtime { engine }
    }

    /// Runs a handler to its end, even if the client cancels, because containerd's blocked event queue ignores the context.
    async fn act<T, F>(&self, of: impl FnOnce(Arc<Engine>) -> F) -> std::result::Result<T, Status>
    where
        T: Send + 'static,
        F: Future<Output = Result<T>> + Send + 'static,
    {
        let done = tokio::spawn(of(Arc::clone(&self.engine))).await;
        done.map_err(|e| Status::internal(e.to_string()))?.map_err(status)
    }

    /// The error for a status of an unknown or empty id (engine-facts §6).
    fn not_there(&self, error: Error) -> Status {
        match self.engine.profile.family {
            Family::Containerd => status(error),
            Family::Crio => Status::not_found(error.message()),
            Family::Dockerd => Status::unknown(error.message()),
        }
    }

    /// The value, or "not found" if that is claimed for the id.
    fn claimed<T>(&self, found: T, id: &str, verbose: bool) -> Result<T> {
        match self.engine.faults.claims().has_no_status(id, verbose) {
            true => Err(Error::NotFound("not found".into())),
            false => Ok(found),
        }
    }

    fn containers(&self, filter: &pb::ContainerFilter) -> Vec<pb::Container> {
        let mut items = self.engine.store().list_containers(filter, &self.engine.profile);
        let claims = self.engine.faults.claims();
        items.iter_mut().for_each(|item| claims.listed_container(item));
        items
    }

    fn sandboxes(&self, filter: &pb::PodSandboxFilter) -> Vec<pb::PodSandbox> {
        let mut items = self.engine.store().list_sandboxes(filter, &self.engine.profile);
        let claims = self.engine.faults.claims();
        items.iter_mut().for_each(|item| claims.listed_sandbox(item));
        items
    }

    /// A streamed list. An empty list sends no message (engine-facts §7).
    fn batches<T, M>(&self, all: Vec<T>, message: impl Fn(Vec<T>) -> M + Send + 'static) -> Response<BoxStream<M>>
    where
        T: Clone + Send + 'static,
        M: Send + 'static,
    {
        let size = match self.engine.profile.streamed_lists {
            StreamedLists::Batches(size) => size,
            StreamedLists::UnknownMethod | StreamedLists::NotImplemented => all.len().max(1),
        };
        let mut batches: Vec<_> = all.chunks(size).map(|batch| Ok(message(batch.to_vec()))).collect();
        if self.engine.faults.partial_lists() {
            batches.truncate(1);
            batches.push(Err(Status::unknown("failed to list: rpc error: code = Unknown desc = lost in the middle")));
        }
        Response::new(Box::pin(tokio_stream::iter(batches)))
    }
}

fn status(error: Error) -> Status {
    match error {
        Error::NotFound(message) => Status::not_found(message),
        Error::Unknown(message) => Status::unknown(message),
    }
}

#[async_trait]
impl RuntimeService for Runtime {
    async fn version(&self, _: Request<pb::VersionRequest>) -> Reply<pb::VersionResponse> {
        let profile = &self.engine.profile;
        Ok(Response::new(pb::VersionResponse {
            version: "0.1.0".into(),
            runtime_name: profile.runtime_name.into(),
            runtime_version: profile.runtime_version.into(),
            runtime_api_version: "v1".into(),
        }))
    }

    async fn status(&self, request: Request<pb::StatusRequest>) -> Reply<pb::StatusResponse> {
        let condition = |kind: &str| pb::RuntimeCondition { r#type: kind.into(), status: true, ..Default::default() };
        let handler = |name: &str| pb::RuntimeHandler { name: name.into(), features: Some(Default::default()) };
        let verbose = request.into_inner().verbose;
        Ok(Response::new(pb::StatusResponse {
            status: Some(pb::RuntimeStatus { conditions: vec![condition("RuntimeReady"), condition("NetworkReady")] }),
            info: if verbose {
                info::status(
                    &self.engine.host.pid_files_dir(),
                    self.engine.host.exits_dir().as_deref(),
                    &self.engine.profile,
                )
            } else {
                HashMap::new()
            },
            runtime_handlers: vec![handler(""), handler("runc")],
            features: Some(pb::RuntimeFeatures { supplemental_groups_policy: true, ..Default::default() }),
        }))
    }

    async fn runtime_config(&self, _: Request<pb::RuntimeConfigRequest>) -> Reply<pb::RuntimeConfigResponse> {
        let linux = pb::LinuxRuntimeConfiguration { cgroup_driver: pb::CgroupDriver::Cgroupfs.into() };
        Ok(Response::new(pb::RuntimeConfigResponse { linux: Some(linux) }))
    }

    async fn update_runtime_config(
        &self,
        _: Request<pb::UpdateRuntimeConfigRequest>,
    ) -> Reply<pb::UpdateRuntimeConfigResponse> {
        Ok(Response::new(pb::UpdateRuntimeConfigResponse {}))
    }

    async fn run_pod_sandbox(&self, request: Request<pb::RunPodSandboxRequest>) -> Reply<pb::RunPodSandboxResponse> {
        let pb::RunPodSandboxRequest { config, runtime_handler } = request.into_inner();
        let config = config.unwrap_or_default();
        let pod_sandbox_id = self.act(async move |e| e.run_pod(config, &runtime_handler).await).await?;
        Ok(Response::new(pb::RunPodSandboxResponse { pod_sandbox_id }))
    }

    async fn stop_pod_sandbox(&self, request: Request<pb::StopPodSandboxRequest>) -> Reply<pb::StopPodSandboxResponse> {
        let id = request.into_inner().pod_sandbox_id;
        self.act(async move |e| e.stop_pod(&id).await).await?;
        Ok(Response::new(pb::StopPodSandboxResponse {}))
    }

    async fn remove_pod_sandbox(
        &self,
        request: Request<pb::RemovePodSandboxRequest>,
    ) -> Reply<pb::RemovePodSandboxResponse> {
        let id = request.into_inner().pod_sandbox_id;
        self.act(async move |e| e.remove_pod(&id).await).await?;
        Ok(Response::new(pb::RemovePodSandboxResponse {}))
    }

    async fn pod_sandbox_status(
        &self,
        request: Request<pb::PodSandboxStatusRequest>,
    ) -> Reply<pb::PodSandboxStatusResponse> {
        let pb::PodSandboxStatusRequest { pod_sandbox_id, verbose } = request.into_inner();
        self.engine.faults.answerable(&pod_sandbox_id).await?;
        let store = self.engine.store();
        let sandbox = store
            .sandbox(&pod_sandbox_id)
            .and_then(|found| self.claimed(found, &found.id, verbose))
            .map_err(|e| self.not_there(e.context("an error occurred when try to find sandbox")))?;
        let profile = &self.engine.profile;
        let info = match verbose {
            true => info::sandbox(sandbox, profile),
            false if profile.info_unasked => info::unasked_sandbox(),
            false => HashMap::new(),
        };
        let timestamp = if profile.status_timestamp { self.engine.now() } else { 0 };
        let mut status = sandbox.status(profile);
        self.engine.faults.claims().sandbox_status(&mut status);
        let status = Some(status);
        Ok(Response::new(pb::PodSandboxStatusResponse { status, info, timestamp, ..Default::default() }))
    }

    async fn list_pod_sandbox(&self, request: Request<pb::ListPodSandboxRequest>) -> Reply<pb::ListPodSandboxResponse> {
        let filter = request.into_inner().filter.unwrap_or_default();
        let items = self.sandboxes(&filter);
        let max = self.engine.profile.max_message;
        fitting(pb::ListPodSandboxResponse { items }, max).map(Response::new)
    }

    async fn create_container(
        &self,
        request: Request<pb::CreateContainerRequest>,
    ) -> Reply<pb::CreateContainerResponse> {
        let request = request.into_inner();
        if self.engine.profile.demanding {
            demands::check(request.config.as_ref())?;
        }
        let container_id = self.act(async move |e| e.create_container(request).await).await?;
        Ok(Response::new(pb::CreateContainerResponse { container_id }))
    }

    async fn start_container(&self, request: Request<pb::StartContainerRequest>) -> Reply<pb::StartContainerResponse> {
        let id = request.into_inner().container_id;
        self.act(async move |e| e.start_container(&id).await).await?;
        Ok(Response::new(pb::StartContainerResponse {}))
    }

    async fn stop_container(&self, request: Request<pb::StopContainerRequest>) -> Reply<pb::StopContainerResponse> {
        let pb::StopContainerRequest { container_id, timeout } = request.into_inner();
        let timeout = Duration::from_secs(timeout.try_into().unwrap_or(0));
        self.act(async move |e| e.stop_container(&container_id, timeout).await).await?;
        Ok(Response::new(pb::StopContainerResponse {}))
    }

    async fn remove_container(
        &self,
        request: Request<pb::RemoveContainerRequest>,
    ) -> Reply<pb::RemoveContainerResponse> {
        let id = request.into_inner().container_id;
        self.act(async move |e| e.remove_container(&id).await).await?;
        Ok(Response::new(pb::RemoveContainerResponse {}))
    }

    async fn list_containers(&self, request: Request<pb::ListContainersRequest>) -> Reply<pb::ListContainersResponse> {
        let filter = request.into_inner().filter.unwrap_or_default();
        let containers = self.containers(&filter);
        let max = self.engine.profile.max_message;
        fitting(pb::ListContainersResponse { containers }, max).map(Response::new)
    }

    async fn container_status(
        &self,
        request: Request<pb::ContainerStatusRequest>,
    ) -> Reply<pb::ContainerStatusResponse> {
        let pb::ContainerStatusRequest { container_id, verbose } = request.into_inner();
        self.engine.faults.answerable(&container_id).await?;
        let store = self.engine.store();
        let found = store.container(&container_id).and_then(|found| self.claimed(found, &found.id, verbose));
        let container = found.map_err(|e| {
            self.not_there(e.context(format!("an error occurred when try to find container {container_id:?}")))
        })?;
        let sandbox = store.sandboxes.get(&container.sandbox_id);
        let profile = &self.engine.profile;
        let info = if verbose { info::container(container, sandbox, profile) } else { HashMap::new() };
        let mut status = container.status(profile);
        self.engine.faults.claims().container_status(&mut status);
        Ok(Response::new(pb::ContainerStatusResponse { status: Some(status), info }))
    }

    async fn stream_containers(
        &self,
        request: Request<pb::StreamContainersRequest>,
    ) -> Reply<BoxStream<pb::StreamContainersResponse>> {
        let filter = request.into_inner().filter.unwrap_or_default();
        let all = self.containers(&filter);
        Ok(self.batches(all, |containers| pb::StreamContainersResponse { containers }))
    }

    async fn stream_pod_sandboxes(
        &self,
        request: Request<pb::StreamPodSandboxesRequest>,
    ) -> Reply<BoxStream<pb::StreamPodSandboxesResponse>> {
        let filter = request.into_inner().filter.unwrap_or_default();
        let all = self.sandboxes(&filter);
        Ok(self.batches(all, |pod_sandboxes| pb::StreamPodSandboxesResponse { pod_sandboxes }))
    }

    /// The event stream. grpc-go sends the response's headers with the first message, tonic when this function returns
    /// (engine-facts §4).
    async fn get_container_events(
        &self,
        _: Request<pb::GetEventsRequest>,
    ) -> Reply<BoxStream<pb::ContainerEventResponse>> {
        let stream = EventStream::open(&self.engine).await?;
        Ok(Response::new(Box::pin(stream)))
    }
}
