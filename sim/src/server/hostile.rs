//! Answers of a hostile or broken engine: `fault hostile`.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use prost::Message;
use prost::bytes::{Buf, BufMut};
use tonic::body::Body;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::codegen::{BoxFuture, BoxStream, http};
use tonic::server::{Grpc, ServerStreamingService};
use tonic::{Request, Response, Status};

use crate::faults::Hostility;
use crate::pb;

/// The hostile answer to this call, if there is one.
pub async fn reply(
    hostility: Hostility,
    request: http::Request<Body>,
) -> Result<http::Response<Body>, http::Request<Body>> {
    let method = request.uri().path().rsplit('/').next().unwrap_or_default().to_owned();
    if !concerns(hostility, &method) {
        return Err(request);
    }
    Ok(Grpc::new(Bytes).server_streaming(Answer { hostility, method }, request).await)
}

fn concerns(hostility: Hostility, method: &str) -> bool {
    match hostility {
        Hostility::Garbage | Hostility::WrongTypes => method != "Version",
        Hostility::Huge | Hostility::EmptyEntries | Hostility::SmallEntries => method == "ListContainers",
        Hostility::Labels | Hostility::Ids => ["ListContainers", "ContainerStatus"].contains(&method),
        Hostility::Flood => method == "GetContainerEvents",
        Hostility::EndlessLists => method == "StreamContainers",
        Hostility::Deep | Hostility::Wide => ["ContainerStatus", "PodSandboxStatus"].contains(&method),
    }
}

struct Answer {
    hostility: Hostility,
    method: String,
}

impl ServerStreamingService<Vec<u8>> for Answer {
    type Response = Vec<u8>;
    type ResponseStream = BoxStream<Vec<u8>>;
    type Future = BoxFuture<Response<Self::ResponseStream>, Status>;

    fn call(&mut self, request: Request<Vec<u8>>) -> Self::Future {
        let messages = messages(self.hostility, &self.method, &request.into_inner());
        Box::pin(async { Ok(Response::new(Box::pin(tokio_stream::iter(messages.map(Ok))) as Self::ResponseStream)) })
    }
}

type Messages = Box<dyn Iterator<Item = Vec<u8>> + Send>;

fn messages(hostility: Hostility, method: &str, request: &[u8]) -> Messages {
    match hostility {
        Hostility::Garbage => once(vec![0xff; 4096]),
        // Field 1 as a number: in every real reply it is a message or a text.
        Hostility::WrongTypes => once(vec![0x08, 0x01]),
        Hostility::Huge => once(listed(vec![container("huge", HashMap::from([("x".into(), "x".repeat(81 << 20))]))])),
        Hostility::Labels | Hostility::Ids if method == "ContainerStatus" => once(running(hostility, request)),
        Hostility::Labels => once(listed(vec![container("labels", many_labels())])),
        Hostility::Ids => once(listed(odd_ids().into_iter().map(|id| container(&id, HashMap::new())).collect())),
        Hostility::Flood => Box::new(std::iter::repeat_with(event)),
        Hostility::EndlessLists => Box::new(std::iter::repeat_with(|| {
            pb::StreamContainersResponse { containers: (0..1000).map(|_| container(&id(), HashMap::new())).collect() }
                .encode_to_vec()
        })),
        Hostility::Deep => {
            let depth = 1_000_000;
            once(informed(method, request, format!("{}{}", "{\"a\":[".repeat(depth), "]}".repeat(depth))))
        }
        Hostility::Wide => once(informed(method, request, format!("{{\"a\":[{}0]}}", "{\"b\":0},".repeat(1_000_000)))),
        // Field 1, with an empty content.
        Hostility::EmptyEntries => once([0x0a, 0x00].repeat(20_000_000)),
        Hostility::SmallEntries => {
            let small = |id: String| pb::Container { pod_sandbox_id: id.clone(), id, ..Default::default() };
            once(listed((0..40_000).map(|_| small(id())).collect()))
        }
    }
}

fn once(message: Vec<u8>) -> Messages {
    Box::new(std::iter::once(message))
}

fn listed(containers: Vec<pb::Container>) -> Vec<u8> {
    pb::ListContainersResponse { containers }.encode_to_vec()
}

fn container(id: &str, labels: HashMap<String, String>) -> pb::Container {
    let metadata = Some(pb::ContainerMetadata { name: id.into(), attempt: 0 });
    pb::Container { id: id.into(), metadata, labels, state: 1, created_at: now(), ..Default::default() }
}

fn many_labels() -> HashMap<String, String> {
    (0..1_000_000).map(|n| (format!("key-{n}"), format!("value-{n}"))).collect()
}

/// A status that says "running", for any id.
fn running(hostility: Hostility, request: &[u8]) -> Vec<u8> {
    let id = pb::ContainerStatusRequest::decode(request).unwrap_or_default().container_id;
    let labels = if hostility == Hostility::Labels { many_labels() } else { HashMap::new() };
    let metadata = Some(pb::ContainerMetadata { name: id.clone(), attempt: 0 });
    let status = pb::ContainerStatus { id, metadata, labels, state: 1, created_at: now(), ..Default::default() };
    pb::ContainerStatusResponse { status: Some(status), info: HashMap::new() }.encode_to_vec()
}

fn odd_ids() -> Vec<String> {
    let odd =
        ["", "\0", "a\0b", "\n", "\"}{", "../../../etc/passwd", "/", "%s%n", "\u{202e}", "💥", "twice", "twice", " "];
    odd.iter().map(|id| (*id).to_owned()).chain(["x".repeat(1 << 20)]).collect()
}

/// A new id.
fn id() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!("{:064x}", NEXT.fetch_add(1, Ordering::Relaxed))
}

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_nanos() as i64)
}

/// The event of a start, for a new container.
fn event() -> Vec<u8> {
    let id = id();
    let status = pb::ContainerStatus {
        id: id.clone(),
        state: 1,
        created_at: now(),
        started_at: now(),
        labels: HashMap::from([("padding".into(), "x".repeat(1000))]),
        ..Default::default()
    };
    let mut event = pb::ContainerEventResponse { container_id: id, created_at: now(), ..Default::default() };
    event.container_event_type = pb::ContainerEventType::ContainerStartedEvent as i32;
    event.containers_statuses.push(status);
    event.encode_to_vec()
}

/// A status with this verbose information, for any id.
fn informed(method: &str, request: &[u8], text: String) -> Vec<u8> {
    let info = HashMap::from([("info".to_owned(), text)]);
    if method == "ContainerStatus" {
        let asked = pb::ContainerStatusRequest::decode(request).unwrap_or_default();
        let status = pb::ContainerStatus { id: asked.container_id, state: 1, ..Default::default() };
        return pb::ContainerStatusResponse { status: Some(status), info }.encode_to_vec();
    }
    let asked = pb::PodSandboxStatusRequest::decode(request).unwrap_or_default();
    let status = pb::PodSandboxStatus { id: asked.pod_sandbox_id, ..Default::default() };
    pb::PodSandboxStatusResponse { status: Some(status), info, ..Default::default() }.encode_to_vec()
}

/// Encodes messages that are bytes already.
#[derive(Clone, Copy)]
struct Bytes;

impl Codec for Bytes {
    type Encode = Vec<u8>;
    type Decode = Vec<u8>;
    type Encoder = Bytes;
    type Decoder = Bytes;

    fn encoder(&mut self) -> Bytes {
        Bytes
    }

    fn decoder(&mut self) -> Bytes {
        Bytes
    }
}

impl Encoder for Bytes {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, item: Vec<u8>, to: &mut EncodeBuf<'_>) -> Result<(), Status> {
        to.put_slice(&item);
        Ok(())
    }
}

impl Decoder for Bytes {
    type Item = Vec<u8>;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<Vec<u8>>, Status> {
        let mut bytes = vec![0; from.remaining()];
        from.copy_to_slice(&mut bytes);
        Ok(Some(bytes))
    }
}
