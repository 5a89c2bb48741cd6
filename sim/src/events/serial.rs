//! CRI-O's events (engine-facts §2.3): one channel, and one broadcaster that serves its subscribers serially.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc;

#[derive(Debug)]
pub struct Queue<T> {
    to: mpsc::Sender<T>,
    /// The receiver, until the first subscriber starts the broadcaster.
    from: Arc<Mutex<Option<mpsc::Receiver<T>>>>,
    subscribers: Arc<Mutex<Vec<mpsc::Sender<T>>>>,
}

impl<T> Clone for Queue<T> {
    fn clone(&self) -> Self {
        Queue { to: self.to.clone(), from: Arc::clone(&self.from), subscribers: Arc::clone(&self.subscribers) }
    }
}

impl<T: Clone + Send + 'static> Queue<T> {
    pub fn start(capacity: usize) -> Self {
        let (to, from) = mpsc::channel(capacity);
        Queue { to, from: Arc::new(Mutex::new(Some(from))), subscribers: Arc::default() }
    }

    /// Sends an event; drops it if the broadcaster is too far behind.
    pub fn send(&self, event: T) {
        let _ = self.to.try_send(event);
    }

    pub fn subscribe(&self) -> mpsc::Receiver<T> {
        let (subscriber, receiver) = mpsc::channel(1);
        self.subscribers.lock().unwrap_or_else(PoisonError::into_inner).push(subscriber);
        if let Some(from) = self.from.lock().unwrap_or_else(PoisonError::into_inner).take() {
            tokio::spawn(broadcast(from, Arc::clone(&self.subscribers)));
        }
        receiver
    }
}

async fn broadcast<T: Clone>(mut from: mpsc::Receiver<T>, subscribers: Arc<Mutex<Vec<mpsc::Sender<T>>>>) {
    while let Some(event) = from.recv().await {
        let all = subscribers.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for subscriber in all {
            // In this engine, a subscriber that does not read delays all others.
            if subscriber.send(event.clone()).await.is_err() {
                let mut subscribers = subscribers.lock().unwrap_or_else(PoisonError::into_inner);
                subscribers.retain(|s| !s.same_channel(&subscriber));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test(start_paused = true)]
    async fn the_first_subscriber_gets_the_backlog_everyone_the_rest() {
        let queue = Queue::start(100);
        queue.send(1);
        let mut first = queue.subscribe();
        assert_eq!(first.recv().await, Some(1));
        let mut second = queue.subscribe();
        queue.send(2);
        assert_eq!((first.recv().await, second.recv().await), (Some(2), Some(2)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_stalled_subscriber_starves_the_others_but_never_the_engine() {
        let queue = Queue::start(3);
        let stalled = queue.subscribe();
        let mut reader = queue.subscribe();
        queue.send(1);
        assert_eq!(reader.recv().await, Some(1));
        queue.send(2);
        let brief = Duration::from_secs(3600);
        assert!(tokio::time::timeout(brief, reader.recv()).await.is_err());
        // Three events fit behind the blocked one; the fourth is lost.
        (3..=6).for_each(|n| queue.send(n));
        drop(stalled);
        for n in 2..=5 {
            assert_eq!(reader.recv().await, Some(n));
        }
        queue.send(7);
        assert_eq!(reader.recv().await, Some(7));
    }
}
