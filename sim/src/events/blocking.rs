//! containerd 2's event queue (internal/eventq, engine-facts §2.1): each event goes to every subscriber, and a full
//! subscriber blocks the sender. While there is no subscriber, events wait for the next one.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot};

/// Events that no subscriber has received yet.
#[derive(Debug)]
pub struct Backlog<T> {
    keep: Duration,
    queue: VecDeque<(Instant, T)>,
}

impl<T> Backlog<T> {
    pub fn new(keep: Duration) -> Self {
        Backlog { keep, queue: VecDeque::new() }
    }

    pub fn push(&mut self, now: Instant, event: T) {
        self.queue.push_back((now + self.keep, event));
    }

    pub fn next_expiry(&self) -> Option<Instant> {
        self.queue.front().map(|(at, _)| *at)
    }

    /// Drops events that waited too long, and returns how many.
    pub fn expire(&mut self, now: Instant) -> usize {
        let before = self.queue.len();
        while self.queue.front().is_some_and(|(at, _)| *at <= now) {
            self.queue.pop_front();
        }
        before - self.queue.len()
    }
}

enum Message<T> {
    /// An event to publish. The acknowledgement makes `send` return only when the queue took the event, as with Go's
    /// unbuffered channel.
    Publish(T, oneshot::Sender<()>),
    Subscribe(oneshot::Sender<mpsc::Receiver<T>>),
}

/// A handle of the queue. The queue's task ends with its last handle.
#[derive(Debug)]
pub struct Queue<T> {
    to_task: mpsc::Sender<Message<T>>,
}

impl<T> Clone for Queue<T> {
    fn clone(&self) -> Self {
        Queue { to_task: self.to_task.clone() }
    }
}

impl<T: Clone + Send + 'static> Queue<T> {
    /// Makes the queue. It needs a tokio runtime.
    pub fn start(capacity: usize, keep: Duration) -> Self {
        let (to_task, inbox) = mpsc::channel(1);
        let task = Task { inbox, capacity, subscribers: Vec::new(), backlog: Backlog::new(keep) };
        tokio::spawn(task.run());
        Queue { to_task }
    }

    /// Sends an event. It waits without limit while the queue is blocked by a subscriber that does not read.
    pub async fn send(&self, event: T) {
        let (ack, taken) = oneshot::channel();
        if self.to_task.send(Message::Publish(event, ack)).await.is_ok() {
            let _ = taken.await;
        }
    }

    /// Subscribes. `None` only if the queue is gone. It waits behind a blocked event, as on containerd.
    pub async fn subscribe(&self) -> Option<mpsc::Receiver<T>> {
        let (reply, receiver) = oneshot::channel();
        self.to_task.send(Message::Subscribe(reply)).await.ok()?;
        receiver.await.ok()
    }
}

struct Task<T> {
    inbox: mpsc::Receiver<Message<T>>,
    capacity: usize,
    subscribers: Vec<mpsc::Sender<T>>,
    backlog: Backlog<T>,
}

impl<T: Clone + Send + 'static> Task<T> {
    async fn run(mut self) {
        loop {
            let expiry = self.backlog.next_expiry().map(tokio::time::Instant::from_std);
            let message = tokio::select! {
                message = self.inbox.recv() => message,
                () = tokio::time::sleep_until(expiry.unwrap_or_else(tokio::time::Instant::now)), if expiry.is_some() => {
                    self.backlog.expire(now());
                    continue;
                }
            };
            match message {
                None => return,
                Some(Message::Publish(event, ack)) => {
                    let _ = ack.send(());
                    self.publish(event).await;
                }
                Some(Message::Subscribe(reply)) => self.add(reply).await,
            }
        }
    }

    async fn publish(&mut self, event: T) {
        let mut heard = false;
        let mut still_there = Vec::with_capacity(self.subscribers.len());
        for subscriber in std::mem::take(&mut self.subscribers) {
            if subscriber.is_closed() {
                // containerd notices that a client left only when sending an event to it fails. That event
                // counts as delivered, so no later subscriber gets it.
                heard = true;
            } else if subscriber.send(event.clone()).await.is_ok() {
                heard = true;
                still_there.push(subscriber);
            }
        }
        self.subscribers = still_there;
        if !heard {
            self.backlog.push(now(), event);
        }
    }

    async fn add(&mut self, reply: oneshot::Sender<mpsc::Receiver<T>>) {
        let (subscriber, receiver) = mpsc::channel(self.capacity);
        if reply.send(receiver).is_err() {
            return;
        }
        // The subscriber reads already. The replay blocks the queue as any other event does.
        while let Some((_, event)) = self.backlog.queue.front() {
            if subscriber.send(event.clone()).await.is_err() {
                return;
            }
            self.backlog.queue.pop_front();
        }
        self.subscribers.push(subscriber);
    }
}

fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEEP: Duration = Duration::from_secs(300);

    #[test]
    fn backlog_expires_from_the_front() {
        let start = Instant::now();
        let mut backlog = Backlog::new(KEEP);
        backlog.push(start, 1);
        backlog.push(start + Duration::from_secs(10), 2);
        assert_eq!(backlog.next_expiry(), Some(start + KEEP));
        assert_eq!(backlog.expire(start + KEEP - Duration::from_secs(1)), 0);
        assert_eq!(backlog.expire(start + KEEP), 1);
        assert_eq!(backlog.expire(start + KEEP + Duration::from_secs(10)), 1);
        assert_eq!(backlog.next_expiry(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn everyone_hears_everything() {
        let queue = Queue::start(100, KEEP);
        let (mut a, mut b) = (queue.subscribe().await.unwrap(), queue.subscribe().await.unwrap());
        queue.send(1).await;
        queue.send(2).await;
        assert_eq!((a.recv().await, a.recv().await), (Some(1), Some(2)));
        assert_eq!((b.recv().await, b.recv().await), (Some(1), Some(2)));
    }

    #[tokio::test(start_paused = true)]
    async fn unheard_events_are_replayed_once_unless_too_old() {
        let queue = Queue::start(100, KEEP);
        queue.send(1).await;
        tokio::time::sleep(Duration::from_secs(200)).await;
        queue.send(2).await;
        tokio::time::sleep(Duration::from_secs(150)).await;
        let mut first = queue.subscribe().await.unwrap();
        assert_eq!(first.recv().await, Some(2));
        let mut second = queue.subscribe().await.unwrap();
        queue.send(3).await;
        assert_eq!((first.recv().await, second.recv().await), (Some(3), Some(3)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_stalled_subscriber_blocks_all_until_it_leaves() {
        let queue = Queue::start(2, KEEP);
        let stalled = queue.subscribe().await.unwrap();
        let mut reader = queue.subscribe().await.unwrap();
        // Two events are in the channel; the queue took one more before it blocked.
        for n in 1..=3 {
            queue.send(n).await;
        }
        let brief = Duration::from_secs(3600);
        assert!(tokio::time::timeout(brief, queue.send(4)).await.is_err());
        // The reader gets nothing after the event that blocks the other subscriber.
        assert_eq!((reader.recv().await, reader.recv().await), (Some(1), Some(2)));
        assert!(tokio::time::timeout(brief, reader.recv()).await.is_err());
        drop(stalled);
        assert_eq!(reader.recv().await, Some(3));
    }

    #[tokio::test(start_paused = true)]
    async fn a_dead_subscriber_swallows_one_event() {
        let queue = Queue::start(100, KEEP);
        drop(queue.subscribe().await.unwrap());
        queue.send(1).await;
        queue.send(2).await;
        assert_eq!(queue.subscribe().await.unwrap().recv().await, Some(2));
    }
}
