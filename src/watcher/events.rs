//! Events for asynchronous Rust, with any runtime.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tonic::codegen::tokio_stream::Stream;

use crate::hub::EventQueue;
use crate::model::Event;

/// A consumer of events: use `next().await`, or the [`Stream`] of the `futures` crate. It ends when the watcher has stopped and
/// all events were taken. Dropping it closes its queue.
#[derive(Debug)]
pub struct Events {
    queue: Arc<EventQueue>,
}

impl Events {
    pub(super) fn new(queue: Arc<EventQueue>) -> Self {
        Events { queue }
    }

    /// The next event; `None` after the end. No event is lost when the future is dropped before it is ready.
    pub async fn next(&mut self) -> Option<Event> {
        std::future::poll_fn(|context| self.queue.poll_next(context)).await
    }
}

impl Stream for Events {
    type Item = Event;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Event>> {
        self.queue.poll_next(context)
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        self.queue.close();
    }
}
