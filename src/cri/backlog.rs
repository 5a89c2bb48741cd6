//! The bounded queue between the event stream's reader, which never waits, and the task that applies the events. When it
//! is full, everything in it is dropped and counted, and a full list follows.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::stream_item::StreamItem;

/// How many events may wait. No engine keeps as many itself.
const MOST_EVENTS: usize = 16_384;
/// How many bytes of memory the events that wait may take.
const MOST_WEIGHT: usize = 128 << 20;

#[derive(Default)]
struct Backlog {
    items: VecDeque<StreamItem>,
    weight: usize,
    is_closed: bool,
}

#[derive(Default)]
struct Shared {
    backlog: Mutex<Backlog>,
    news: Notify,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Backlog> {
        self.backlog.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The end that the reader puts items into.
pub struct Inlet(Arc<Shared>);

/// The end that items are taken from.
pub struct Outlet(Arc<Shared>);

/// Both ends of an empty backlog.
pub fn backlog() -> (Inlet, Outlet) {
    let shared = Arc::<Shared>::default();
    (Inlet(shared.clone()), Outlet(shared))
}

impl Inlet {
    /// Puts an item in, without waiting. False when the receiver is gone.
    pub(super) fn put(&self, item: StreamItem) -> bool {
        let mut backlog = self.0.lock();
        if backlog.is_closed {
            return false;
        }
        backlog.weight += item.weight();
        backlog.items.push_back(item);
        if backlog.items.len() > MOST_EVENTS || backlog.weight > MOST_WEIGHT {
            backlog.drop_events();
        }
        drop(backlog);
        self.0.news.notify_one();
        true
    }
}

impl Backlog {
    fn drop_events(&mut self) {
        let lost = |item: &StreamItem| match item {
            StreamItem::Event(_) => 1,
            StreamItem::Lost(n) => *n,
            _ => 0,
        };
        let lost = self.items.iter().map(lost).sum();
        self.items.retain(|item| !matches!(item, StreamItem::Event(_) | StreamItem::Lost(_)));
        self.items.push_back(StreamItem::Lost(lost));
        self.items.shrink_to(16);
        self.weight = 0;
    }
}

impl Drop for Inlet {
    fn drop(&mut self) {
        self.0.lock().is_closed = true;
        self.0.news.notify_one();
    }
}

impl Outlet {
    /// The next item; `None` at the end.
    pub async fn take(&mut self) -> Option<StreamItem> {
        // Yields from time to time. Otherwise a backlog that is never empty would keep the thread from everything else,
        // even from reading the socket.
        tokio::task::coop::consume_budget().await;
        loop {
            {
                let mut backlog = self.0.lock();
                if let Some(item) = backlog.items.pop_front() {
                    backlog.weight -= item.weight();
                    return Some(item);
                }
                if backlog.is_closed {
                    return None;
                }
            }
            self.0.news.notified().await;
        }
    }
}

impl Drop for Outlet {
    fn drop(&mut self) {
        let mut backlog = self.0.lock();
        backlog.is_closed = true;
        backlog.items.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::super::stream_item::{EngineEvent, StreamEnd};
    use super::*;

    fn event(weight: usize) -> StreamItem {
        StreamItem::Event(Box::new(EngineEvent { weight, ..EngineEvent::about("a".into()) }))
    }

    fn drain(outlet: &mut Outlet) -> Vec<StreamItem> {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let mut all = Vec::new();
            while let Some(item) = outlet.take().await {
                all.push(item);
            }
            all
        })
    }

    #[test]
    fn too_many_are_dropped_and_counted() {
        let (inlet, mut outlet) = backlog();
        inlet.put(StreamItem::Open);
        for _ in 0..2 * MOST_EVENTS {
            assert!(inlet.put(event(1)));
        }
        assert!(inlet.0.lock().items.len() <= MOST_EVENTS);
        inlet.put(StreamItem::End(StreamEnd::Finished));
        drop(inlet);
        let all = drain(&mut outlet);
        assert!(matches!(all[0], StreamItem::Open) && matches!(all.last(), Some(StreamItem::End(_))));
        let lost: u64 = all.iter().map(|item| if let StreamItem::Lost(n) = item { *n } else { 0 }).sum();
        let kept = all.iter().filter(|item| matches!(item, StreamItem::Event(_))).count();
        assert!(lost > 0);
        assert_eq!(lost as usize + kept, 2 * MOST_EVENTS, "each is either reported or counted");
    }

    #[test]
    fn so_are_too_big_ones() {
        let (inlet, mut outlet) = backlog();
        inlet.put(event(MOST_WEIGHT / 2));
        inlet.put(event(MOST_WEIGHT / 2));
        inlet.put(event(1));
        inlet.put(event(2));
        assert_eq!(inlet.0.lock().weight, 2);
        drop(inlet);
        let all = drain(&mut outlet);
        assert!(matches!(&all[..], [StreamItem::Lost(3), StreamItem::Event(_)]), "{all:?}");
    }

    #[test]
    fn who_has_gone_is_noticed_at_either_end() {
        let (inlet, outlet) = backlog();
        drop(outlet);
        assert!(!inlet.put(StreamItem::Open));
        let (inlet, mut outlet) = backlog();
        drop(inlet);
        assert!(drain(&mut outlet).is_empty());
    }
}
