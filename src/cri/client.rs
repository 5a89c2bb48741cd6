//! A connection to one engine, and how any request on it is made.

use std::future::Future;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hyper_util::rt::TokioIo;
use tokio::net::UnixStream;
use tonic::transport::{Channel, Uri};
use tonic::{Response, Status};

use super::convert::Limits;
use super::endpoint::{Endpoint, SocketId};
use super::meter::Meter;
use super::observed::VersionResponse;
use super::proto::VersionRequest;
use super::proto::image_service_client::ImageServiceClient;
use super::proto::runtime_service_client::RuntimeServiceClient;
use super::{failure, methods};
use crate::config::Config;
use crate::error::Result;

/// The bytes that the engine can send while this host is stopped, before the engine's event queue fills up. On
/// containerd 2.x, a reader that does not read freezes container starts.
const STREAM_WINDOW: u32 = 16 << 20;
const CONNECTION_WINDOW: u32 = 32 << 20;
/// hyper's default of 16 KiB cuts long error messages, which travel as headers.
const HEADER_LIST: u32 = 256 << 10;

/// What is to be done when a socket was opened. Gets the pid of the process that made the socket, if it is known. One type,
/// so that connecting is compiled once.
pub type Opened<'a> = dyn Fn(Option<i32>) + Send + Sync + 'a;

/// The engine's name and versions, as it reports them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Version {
    /// E.g. `containerd`.
    pub runtime_name: String,
    /// E.g. `2.1.9`; without a leading "v".
    pub runtime_version: String,
    /// E.g. `v1`.
    pub runtime_api_version: String,
}

/// One connection. When it breaks it stays broken: its owner makes a new one, and lists again.
#[derive(Clone)]
pub struct Client {
    endpoint: Endpoint,
    channel: Channel,
    version: Version,
    peer_pid: Option<i32>,
    socket_id: Option<SocketId>,
    request_timeout: Duration,
    message_max_bytes: usize,
    limits: Limits,
    meter: Arc<Meter>,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client")
            .field("endpoint", &self.endpoint)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

impl Client {
    /// Connects, and asks for the version. This is the first request on any connection, because CRI-O's multiplexer
    /// wants one at once, and because a socket that merely accepts is not an engine.
    ///
    /// `opened` is called before that request is made.
    pub async fn connect(
        endpoint: &Endpoint,
        config: &Config,
        meter: &Arc<Meter>,
        opened: &Opened<'_>,
    ) -> Result<Client> {
        let connecting = Self::connect_within(endpoint, config, meter, opened);
        match tokio::time::timeout(config.connect_timeout, connecting).await {
            Ok(client) => client,
            Err(_) => {
                let late = failure::timeout("Version", config.connect_timeout);
                Err(late.context(format!("connect {endpoint}")))
            }
        }
    }

    async fn connect_within(
        endpoint: &Endpoint,
        config: &Config,
        meter: &Arc<Meter>,
        opened: &Opened<'_>,
    ) -> Result<Client> {
        let refused = |e: &io::Error| failure::connect(endpoint, e);
        let path = endpoint.connect_path().map_err(|e| refused(&e))?;
        // Read before connecting: a socket that replaces it in between then shows as another one.
        let socket_id = endpoint.socket_id().ok();
        let socket = UnixStream::connect(path.path()).await.map_err(|e| refused(&e))?;
        let peer_pid = socket.peer_cred().ok().and_then(|c| c.pid()).filter(|pid| *pid > 0);
        opened(peer_pid);
        let channel = channel(socket).await.map_err(|e| failure::handshake(endpoint, &e))?;
        let mut client = Client {
            endpoint: endpoint.clone(),
            channel,
            version: Version::default(),
            peer_pid,
            socket_id,
            request_timeout: config.request_timeout,
            message_max_bytes: config.message_max_bytes,
            limits: Limits { labels_max: config.labels_max_bytes },
            meter: meter.clone(),
        };
        client.version =
            client.ask_version(config.connect_timeout).await.map_err(|e| e.context(format!("connect {endpoint}")))?;
        Ok(client)
    }

    async fn ask_version(&self, timeout: Duration) -> Result<Version> {
        let reply: VersionResponse = self.ask_within(methods::VERSION, timeout, VersionRequest::default()).await?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let version = text(&reply.runtime_version);
        let version = version.strip_prefix('v').unwrap_or(&version);
        Ok(Version {
            // Debian's builds of containerd call themselves 2.1.9+unknown.
            runtime_version: version.strip_suffix("+unknown").unwrap_or(version).to_owned(),
            runtime_name: text(&reply.runtime_name),
            runtime_api_version: text(&reply.runtime_api_version),
        })
    }

    /// The endpoint of this connection.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// The engine's name and versions, as reported when the connection was made.
    pub fn version(&self) -> &Version {
        &self.version
    }

    /// The pid of the process that made the socket, in our pid namespace; `None` where it runs in another one.
    pub fn peer_pid(&self) -> Option<i32> {
        self.peer_pid
    }

    /// The socket that was connected to; `None` if it is not known.
    pub(super) fn socket_id(&self) -> Option<SocketId> {
        self.socket_id
    }

    /// Where requests are counted.
    pub(super) fn meter(&self) -> &Meter {
        &self.meter
    }

    /// How long one request may take.
    pub fn request_timeout(&self) -> Duration {
        self.request_timeout
    }

    /// The greatest size of a message, and of a list that comes in pieces.
    pub(super) fn message_max_bytes(&self) -> usize {
        self.message_max_bytes
    }

    /// How much of the engine's texts is kept.
    pub(super) fn limits(&self) -> Limits {
        self.limits
    }

    pub(crate) fn runtime(&self) -> RuntimeServiceClient<Channel> {
        // The default of 4 MiB is enough for only 1,500 to 2,800 containers.
        RuntimeServiceClient::new(self.channel.clone()).max_decoding_message_size(self.message_max_bytes)
    }

    pub(crate) fn images(&self) -> ImageServiceClient<Channel> {
        ImageServiceClient::new(self.channel.clone()).max_decoding_message_size(self.message_max_bytes)
    }

    /// A gRPC client for requests whose types are not known at compile time.
    pub(super) fn raw(&self) -> tonic::client::Grpc<Channel> {
        tonic::client::Grpc::new(self.channel.clone()).max_decoding_message_size(self.message_max_bytes)
    }

    /// Makes a request with a deadline. `Endpoint::timeout` is not used, because it would also end the event stream.
    pub(super) async fn unary_within<T>(
        &self,
        method: &str,
        timeout: Duration,
        call: impl Future<Output = Result<Response<T>, Status>>,
    ) -> Result<T> {
        // A request's future takes some kilobytes. Boxed, it does not count in each of the futures around it, which a
        // build without optimisation copies on a small stack.
        let call = Box::pin(call);
        let answer = async {
            match tokio::time::timeout(timeout, call).await {
                Ok(Ok(response)) => Ok(response.into_inner()),
                Ok(Err(status)) => Err(failure::rpc(method, &status)),
                Err(_) => Err(failure::timeout(method, timeout)),
            }
        };
        self.meter.measure(method, answer).await
    }
}

/// The error for a second attempt to connect, when the one socket has been used.
fn closed() -> io::Error {
    io::Error::new(io::ErrorKind::NotConnected, "it was closed from the other side")
}

/// HTTP/2 over this one socket. No keepalive, because engines answer pings with ENHANCE_YOUR_CALM. No automatic
/// reconnects, because the new connection might be to another engine without our noticing.
async fn channel(socket: UnixStream) -> Result<Channel, tonic::transport::Error> {
    let socket = Arc::new(Mutex::new(Some(socket)));
    let connector = tower::service_fn(move |_: Uri| {
        let socket = socket.lock().unwrap_or_else(PoisonError::into_inner).take();
        async move { socket.map(TokioIo::new).ok_or_else(closed) }
    });
    tonic::transport::Endpoint::from_static("http://localhost")
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .http2_max_header_list_size(HEADER_LIST)
        .connect_with_connector(connector)
        .await
}
