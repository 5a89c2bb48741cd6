//! Reads the engine's event stream into memory at once, however fast the events are applied.

use tonic::{Code, Status};

use super::backlog::Inlet;
use super::client::Client;
use super::convert::{self, Limits, Unreadable};
use super::observed::{ContainerEventResponse, ContainerEventType};
use super::proto::GetEventsRequest;
use super::request::Decoded;
use super::stream_item::{EngineEvent, EventKind, StreamEnd, StreamItem};
use super::{failure, methods};
use crate::model::{Id, Observation, known};

impl Client {
    /// Subscribes, and passes everything on until the stream ends or the receiver is gone. There is no deadline: the
    /// reply's headers come with the first event, however long that takes.
    pub async fn follow(self, to: Inlet) {
        let mut events = 0;
        let outcome = self.drain(&to, &mut events).await;
        let end = match outcome {
            Ok(()) if events == 0 => StreamEnd::Empty,
            Ok(()) => StreamEnd::Finished,
            Err(status) => {
                let error = failure::rpc("GetContainerEvents", &status);
                match status.code() {
                    Code::Unimplemented => StreamEnd::Unimplemented(error),
                    _ => StreamEnd::Failed(error),
                }
            }
        };
        // This fails if the receiver is gone; then nobody needs the end of the stream.
        let _ = to.put(StreamItem::End(end));
    }

    async fn drain(&self, to: &Inlet, events: &mut u64) -> Result<(), Status> {
        let response = self.open(methods::CONTAINER_EVENTS, GetEventsRequest {}).await?;
        // A stream that ends at once has its trailers in place of the headers.
        if response.metadata().get("grpc-status").is_none() && !to.put(StreamItem::Open) {
            return Ok(());
        }
        let mut stream = response.into_inner();
        while let Some(message) = stream.message().await? {
            *events += 1;
            if !to.put(StreamItem::Event(Box::new(event(message, self.limits())))) {
                return Ok(());
            }
        }
        Ok(())
    }
}

pub(super) fn event(decoded: Decoded<ContainerEventResponse>, limits: Limits) -> EngineEvent {
    let weight = decoded.weight();
    let message = decoded.message;
    let kind = match ContainerEventType::try_from(message.container_event_type) {
        Ok(ContainerEventType::ContainerCreatedEvent) => Some(EventKind::Created),
        Ok(ContainerEventType::ContainerStartedEvent) => Some(EventKind::Started),
        Ok(ContainerEventType::ContainerStoppedEvent) => Some(EventKind::Stopped),
        Ok(ContainerEventType::ContainerDeletedEvent) => Some(EventKind::Deleted),
        Err(_) => None,
    };
    let mut unreadable = Vec::new();
    let mut readable = |item: Result<Observation, Unreadable>| item.map_err(|e| unreadable.push(e)).ok();
    // On the wire, a status without a field is the same as none.
    let sandbox = Some(message.pod_sandbox_status).filter(|bytes| !bytes.is_empty());
    let sandbox = sandbox.and_then(|bytes| readable(convert::sandbox_status_item(bytes, limits)));
    let pod_id = sandbox.as_ref().map(|s| s.id.clone());
    let id: Id = String::from_utf8_lossy(&message.container_id).into();
    let statuses = message.containers_statuses.into_iter();
    let mut containers: Vec<_> =
        statuses.filter_map(|bytes| readable(convert::container_status_item(bytes, limits))).collect();
    // CRI-O selects statuses by the pod's uid, and so may add those of an earlier sandbox of the same pod. A status
    // does not name its sandbox, so only that of the event's own container is certain.
    for own in containers.iter_mut().filter(|c| c.id == id) {
        own.pod_id = pod_id.clone();
    }
    EngineEvent { kind, created_at: known(message.created_at), sandbox, containers, unreadable, id, weight }
}
