//! containerd 1.7's events (engine-facts §2.2): all subscribers read one channel, so each event reaches one of them.

use std::sync::Arc;

use tokio::sync::{Mutex, mpsc};

#[derive(Debug)]
pub struct Queue<T> {
    to: mpsc::Sender<T>,
    // tokio's mutex is fair, as Go's channel is: waiting subscribers take turns.
    from: Arc<Mutex<mpsc::Receiver<T>>>,
}

impl<T> Clone for Queue<T> {
    fn clone(&self) -> Self {
        Queue { to: self.to.clone(), from: Arc::clone(&self.from) }
    }
}

impl<T: Send + 'static> Queue<T> {
    pub fn start(capacity: usize) -> Self {
        let (to, from) = mpsc::channel(capacity);
        Queue { to, from: Arc::new(Mutex::new(from)) }
    }

    /// Sends an event; drops it if the channel is full.
    pub fn send(&self, event: T) {
        let _ = self.to.try_send(event);
    }

    /// Subscribes. The engine notices that a subscriber left only by losing one event to it.
    pub fn subscribe(&self) -> mpsc::Receiver<T> {
        let (subscriber, receiver) = mpsc::channel(1);
        let from = Arc::clone(&self.from);
        tokio::spawn(async move {
            loop {
                let next = from.lock().await.recv().await;
                let Some(event) = next else { return };
                if subscriber.send(event).await.is_err() {
                    return;
                }
            }
        });
        receiver
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_oldest_are_kept() {
        let queue = Queue::start(2);
        (1..=3).for_each(|n| queue.send(n));
        let mut subscriber = queue.subscribe();
        assert_eq!((subscriber.recv().await, subscriber.recv().await), (Some(1), Some(2)));
        queue.send(4);
        assert_eq!(subscriber.recv().await, Some(4));
    }

    #[tokio::test(start_paused = true)]
    async fn subscribers_compete_in_turns() {
        let queue = Queue::start(100);
        let (mut a, mut b) = (queue.subscribe(), queue.subscribe());
        tokio::task::yield_now().await; // both subscribers wait now
        let mut heard = (Vec::new(), Vec::new());
        for n in 0..10 {
            queue.send(n);
            tokio::select! {
                Some(n) = a.recv() => heard.0.push(n),
                Some(n) = b.recv() => heard.1.push(n),
            }
        }
        assert_eq!((heard.0.len(), heard.1.len()), (5, 5));
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_left_eats_one_event() {
        let queue = Queue::start(100);
        drop(queue.subscribe());
        tokio::task::yield_now().await;
        let mut subscriber = queue.subscribe();
        queue.send(1);
        queue.send(2);
        assert_eq!(subscriber.recv().await, Some(2));
    }
}
