//! One subscriber's stream of events.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::sync::mpsc;
use tokio_stream::Stream;
use tonic::Status;

use super::size::fitting;
use crate::engine::Engine;
use crate::faults::StreamEnd;
use crate::pb::ContainerEventResponse as Event;

pub struct EventStream {
    engine: Arc<Engine>,
    first: Option<Event>,
    events: Option<mpsc::Receiver<Event>>,
    end: Pin<Box<dyn Future<Output = StreamEnd> + Send>>,
    max_message: usize,
}

impl EventStream {
    /// Subscribes at once. It returns with the first event, or when a fault ends the stream.
    pub async fn open(engine: &Arc<Engine>) -> Result<EventStream, Status> {
        let max_message = engine.profile.max_message;
        let mut end = Box::pin(engine.faults.stream_end());
        let engine = Arc::clone(engine);
        let gone = || Status::unavailable("the event queue is gone");
        let first = async {
            let mut events = engine.subscribe().await.ok_or_else(gone)?;
            let first = match engine.faults.silent_events() {
                true => None,
                false => Some(events.recv().await.ok_or_else(gone)?),
            };
            engine.faults.headers().await;
            Ok::<_, Status>((first, events))
        };
        tokio::select! {
            opened = first => {
                let (first, events) = opened?;
                let first = first.map(|first| fitting(first, max_message)).transpose()?;
                Ok(EventStream { engine, first, events: Some(events), end, max_message })
            }
            how = &mut end => match how {
                StreamEnd::Error => Err(broken()),
                StreamEnd::Ok => {
                    let end = Box::pin(std::future::pending());
                    Ok(EventStream { engine, first: None, events: None, end, max_message })
                }
            },
        }
    }
}

fn broken() -> Status {
    Status::unavailable("transport is closing")
}

impl Stream for EventStream {
    type Item = Result<Event, Status>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        if let Some(first) = this.first.take() {
            return Poll::Ready(Some(Ok(first)));
        }
        let Some(events) = &mut this.events else {
            return Poll::Ready(None);
        };
        if let Poll::Ready(how) = this.end.as_mut().poll(cx) {
            this.events = None;
            return Poll::Ready((how == StreamEnd::Error).then(|| Err(broken())));
        }
        // An event that is too large ends the stream: tonic stops at the first error, as grpc-go's handler does.
        loop {
            let event = std::task::ready!(events.poll_recv(cx));
            if event.is_none() || !this.engine.faults.silent_events() {
                return Poll::Ready(event.map(|event| fitting(event, this.max_message)));
            }
        }
    }
}
