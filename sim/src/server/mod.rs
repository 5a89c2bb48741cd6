//! The gRPC face of the engine: two services on one unix socket.

mod calls;
mod connection;
mod dispatch;
mod event_stream;
mod hostile;
mod image;
mod info;
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

/// Serves what comes in through the socket. Needs a tokio runtime.
pub fn serve(engine: Arc<Engine>, socket: Socket, connections: Connections) -> Serving {
    let calls = Arc::new(Calls::default());
    let service = dispatch::Dispatch::new(engine, Arc::clone(&calls));
    tokio::spawn(async move {
        // grpc-go limits neither the streams of a connection nor what waits for a stalled one.
        let server = Server::builder().max_concurrent_streams(u32::MAX);
        // Ends only with the program: connections that fail are no error here.
        if let Err(e) = server.serve_with_incoming(service, connections).await {
            eprintln!("cri-sim: the gRPC server ended: {e}");
        }
    });
    Serving { calls, socket }
}
