//! The gRPC server of the engine: two services on one unix socket.

mod calls;
mod connection;
mod demands;
mod dispatch;
mod event_stream;
mod hostile;
mod image;
mod info;
mod marks;
mod runtime;
mod size;
mod socket;

use std::sync::Arc;

use tonic::transport::Server;

use crate::engine::Engine;

pub use calls::Calls;
pub use socket::{Connections, Socket};

/// A running server.
pub struct Serving {
    pub calls: Arc<Calls>,
    pub socket: Socket,
}

/// Serves the socket. It needs a tokio runtime.
pub fn serve(engine: Arc<Engine>, socket: Socket, connections: Connections) -> Serving {
    let calls = Arc::new(Calls::default());
    let service = dispatch::Dispatch::new(engine, Arc::clone(&calls));
    tokio::spawn(async move {
        // As in grpc-go, there is no limit for the streams of a connection, nor for the data that waits for a stalled
        // stream.
        let server = Server::builder().max_concurrent_streams(u32::MAX);
        // This ends only with the program, because a failed connection is no error here.
        if let Err(e) = server.serve_with_incoming(service, connections).await {
            eprintln!("cri-sim: the gRPC server ended: {e}");
        }
    });
    Serving { calls, socket }
}
