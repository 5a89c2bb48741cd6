//! Requests whose replies are decoded to the types of `observed`. They use the wire format of the generated clients,
//! and repair bad text.

use std::marker::PhantomData;
use std::time::Duration;

use prost::Message;
use prost::bytes::{Buf, Bytes};
use tonic::codec::{Codec, DecodeBuf, Decoder};
use tonic::codegen::http::uri::PathAndQuery;
use tonic::{Request, Response, Status, Streaming};
use tonic_prost::ProstEncoder;

use super::client::Client;
use super::methods::Method;
use super::weight::{self, Shaped};
use crate::error::Result;

/// A message of the engine that was decoded.
pub(super) struct Decoded<T> {
    pub message: T,
    /// The message as it came over the wire.
    pub encoded: Bytes,
}

impl<T: Shaped> Decoded<T> {
    /// How many bytes of memory it takes, about.
    pub fn weight(&self) -> usize {
        weight::of(&T::SHAPE, &self.encoded)
    }
}

impl Client {
    /// Makes one request, within the request timeout.
    pub(super) async fn ask<T: Message + Shaped + Default + 'static>(
        &self,
        method: Method,
        request: impl Message + 'static,
    ) -> Result<T> {
        self.ask_within(method, self.request_timeout(), request).await
    }

    /// Makes one request, with this timeout.
    pub(super) async fn ask_within<T: Message + Shaped + Default + 'static>(
        &self,
        method: Method,
        timeout: Duration,
        request: impl Message + 'static,
    ) -> Result<T> {
        let decoded: Decoded<T> = self.unary_within(method.name, timeout, self.send(method, request)).await?;
        Ok(decoded.message)
    }

    async fn send<Q: Message + 'static, T: Message + Shaped + Default + 'static>(
        &self,
        method: Method,
        request: Q,
    ) -> Result<Response<Decoded<T>>, Status> {
        let mut grpc = self.raw();
        grpc.ready().await.map_err(not_ready)?;
        grpc.unary(Request::new(request), PathAndQuery::from_static(method.path), Weighing::<Q, T>::default()).await
    }

    /// Opens a stream of replies. There is no deadline, because an engine sends its headers only with its first
    /// message.
    pub(super) async fn open<Q: Message + 'static, T: Message + Shaped + Default + 'static>(
        &self,
        method: Method,
        request: Q,
    ) -> Result<Response<Streaming<Decoded<T>>>, Status> {
        let mut grpc = self.raw();
        grpc.ready().await.map_err(not_ready)?;
        let codec = Weighing::<Q, T>::default();
        grpc.server_streaming(Request::new(request), PathAndQuery::from_static(method.path), codec).await
    }
}

/// Decodes a message, unless it would take more memory than a message of its size may.
pub(super) fn decode<T: Message + Shaped + Default>(message: impl Buf) -> Result<Decoded<T>, Status> {
    let mut message = message;
    // The items of the decoded message share this memory.
    let encoded = message.copy_to_bytes(message.remaining());
    let is_allowed = || weight::of(&T::SHAPE, &encoded) <= weight::allowed(encoded.len());
    if !weight::is_light::<T>(&encoded) && !is_allowed() {
        return Err(Status::data_loss(weight::refusal(encoded.len())));
    }
    // The same error as that of tonic's own codec.
    let message = T::decode(encoded.clone()).map_err(|e| Status::internal(e.to_string()))?;
    Ok(Decoded { message, encoded })
}

/// A codec for requests `Q` whose replies are weighed before they are decoded.
struct Weighing<Q, T>(PhantomData<(Q, T)>);

impl<Q, T> Default for Weighing<Q, T> {
    fn default() -> Self {
        Weighing(PhantomData)
    }
}

impl<Q: Message + 'static, T: Message + Shaped + Default + 'static> Codec for Weighing<Q, T> {
    type Encode = Q;
    type Decode = Decoded<T>;
    type Encoder = ProstEncoder<Q>;
    type Decoder = Self;

    fn encoder(&mut self) -> ProstEncoder<Q> {
        ProstEncoder::default()
    }

    fn decoder(&mut self) -> Self {
        Self::default()
    }
}

impl<Q, T: Message + Shaped + Default> Decoder for Weighing<Q, T> {
    type Item = Decoded<T>;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<Decoded<T>>, Status> {
        decode(from).map(Some)
    }
}

/// The error for a channel that is not ready, the same as that of the generated clients.
fn not_ready(e: tonic::transport::Error) -> Status {
    Status::unknown(format!("Service was not ready: {e}"))
}
