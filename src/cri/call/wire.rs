//! One unary RPC, as bytes.

use std::time::Duration;

use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::codegen::Bytes;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::{Request, Status};

use crate::cri::client::Client;
use crate::cri::failure;
use crate::error::{CRI_E_CONNECT, Error, Result};

/// A request of an RPC.
#[derive(Debug, Clone)]
pub struct Rpc {
    /// The name in errors, e.g. `RuntimeService/Status`.
    pub(super) name: String,
    pub(super) path: PathAndQuery,
    pub(super) request: Vec<u8>,
}

impl Client {
    /// Makes the call, and waits for `patience` (`None`: for ever). The watcher's own request timeout does not apply,
    /// because pulling an image takes minutes.
    pub async fn call(&self, rpc: Rpc, patience: Option<Duration>) -> Result<Vec<u8>> {
        let name = rpc.name.clone();
        let asking = self.call_patiently(rpc);
        let answer = async {
            let Some(patience) = patience else {
                return asking.await;
            };
            tokio::time::timeout(patience, asking).await.unwrap_or_else(|_| Err(failure::timeout(&name, patience)))
        };
        self.meter().measure(&name, answer).await
    }

    async fn call_patiently(&self, rpc: Rpc) -> Result<Vec<u8>> {
        let mut grpc = self.raw();
        let lost = |e: tonic::transport::Error| {
            let message = format!("{}: the connection to the engine is lost: {e}", rpc.name);
            Error::new(CRI_E_CONNECT, message).retriable()
        };
        grpc.ready().await.map_err(lost)?;
        let reply = grpc.unary(Request::new(rpc.request), rpc.path, BytesCodec).await;
        Ok(reply.map_err(|status| failure::rpc(&rpc.name, &status))?.into_inner())
    }
}

/// A codec that passes messages through as they are.
#[derive(Debug, Clone, Copy)]
struct BytesCodec;

impl Codec for BytesCodec {
    type Encode = Vec<u8>;
    type Decode = Vec<u8>;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        *self
    }

    fn decoder(&mut self) -> Self {
        *self
    }
}

impl Encoder for BytesCodec {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, message: Vec<u8>, to: &mut EncodeBuf<'_>) -> Result<(), Status> {
        use prost::bytes::BufMut;
        to.put(Bytes::from(message));
        Ok(())
    }
}

impl Decoder for BytesCodec {
    type Item = Vec<u8>;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<Vec<u8>>, Status> {
        use prost::bytes::Buf;
        let mut message = vec![0; from.remaining()];
        from.copy_to_slice(&mut message);
        Ok(Some(message))
    }
}
