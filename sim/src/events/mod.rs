//! How the engines deliver events: `blocking` (containerd 2.x), `shared` (containerd 1.7), `serial` (CRI-O).

mod blocking;
mod serial;
mod shared;

use tokio::sync::mpsc;

use crate::profile::Delivery;

/// A handle of the engine's one event queue.
pub enum Queue<T> {
    Blocking(blocking::Queue<T>),
    Shared(shared::Queue<T>),
    Serial(serial::Queue<T>),
    /// This engine delivers no events.
    Off,
}

impl<T> Clone for Queue<T> {
    fn clone(&self) -> Self {
        match self {
            Queue::Blocking(queue) => Queue::Blocking(queue.clone()),
            Queue::Shared(queue) => Queue::Shared(queue.clone()),
            Queue::Serial(queue) => Queue::Serial(queue.clone()),
            Queue::Off => Queue::Off,
        }
    }
}

impl<T: Clone + Send + 'static> Queue<T> {
    /// Makes the queue of this kind. It needs a tokio runtime.
    pub fn start(delivery: Delivery) -> Self {
        match delivery {
            Delivery::Unimplemented | Delivery::Disabled => Queue::Off,
            Delivery::Blocking { capacity, replay_for } => {
                Queue::Blocking(blocking::Queue::start(capacity, replay_for))
            }
            Delivery::Shared { capacity } => Queue::Shared(shared::Queue::start(capacity)),
            Delivery::Serial { capacity } => Queue::Serial(serial::Queue::start(capacity)),
        }
    }

    /// Sends an event. Whether this waits or drops the event depends on the kind of queue.
    pub async fn send(&self, event: T) {
        match self {
            Queue::Blocking(queue) => queue.send(event).await,
            Queue::Shared(queue) => queue.send(event),
            Queue::Serial(queue) => queue.send(event),
            Queue::Off => {}
        }
    }

    /// Subscribes. `None`: there is no queue, or it is gone.
    pub async fn subscribe(&self) -> Option<mpsc::Receiver<T>> {
        match self {
            Queue::Blocking(queue) => queue.subscribe().await,
            Queue::Shared(queue) => Some(queue.subscribe()),
            Queue::Serial(queue) => Some(queue.subscribe()),
            Queue::Off => None,
        }
    }
}
