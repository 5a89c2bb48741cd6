//! Requests whose replies are decoded to the types of `observed`: the wire is the generated clients', and bad text is repaired.

use std::time::Duration;

use prost::Message;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::{Request, Response, Status, Streaming};
use tonic_prost::ProstCodec;

use super::client::Client;
use super::methods::Method;
use crate::error::Result;

impl Client {
    /// Makes one request, within the request timeout.
    pub(super) async fn ask<T: Message + Default + 'static>(
        &self,
        method: Method,
        request: impl Message + 'static,
    ) -> Result<T> {
        self.ask_within(method, self.request_timeout(), request).await
    }

    /// Makes one request, within this time.
    pub(super) async fn ask_within<T: Message + Default + 'static>(
        &self,
        method: Method,
        timeout: Duration,
        request: impl Message + 'static,
    ) -> Result<T> {
        self.unary_within(method.name, timeout, self.send(method, request)).await
    }

    async fn send<Q: Message + 'static, T: Message + Default + 'static>(
        &self,
        method: Method,
        request: Q,
    ) -> Result<Response<T>, Status> {
        let mut grpc = self.raw();
        grpc.ready().await.map_err(not_ready)?;
        grpc.unary(Request::new(request), PathAndQuery::from_static(method.path), ProstCodec::<Q, T>::default()).await
    }

    /// Opens a stream of replies. There is no deadline: an engine's headers come with its first message.
    pub(super) async fn open<Q: Message + 'static, T: Message + Default + 'static>(
        &self,
        method: Method,
        request: Q,
    ) -> Result<Response<Streaming<T>>, Status> {
        let mut grpc = self.raw();
        grpc.ready().await.map_err(not_ready)?;
        let codec = ProstCodec::<Q, T>::default();
        grpc.server_streaming(Request::new(request), PathAndQuery::from_static(method.path), codec).await
    }
}

/// The error for a channel that is not ready, as the generated clients have it.
fn not_ready(e: tonic::transport::Error) -> Status {
    Status::unknown(format!("Service was not ready: {e}"))
}
