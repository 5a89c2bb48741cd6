//! Applies faults to events on their way to the queue. Pure.

use std::collections::VecDeque;

use super::{EventFault, LeftOut};
use crate::pb::ContainerEventResponse as Event;

/// How many events can be replayed at most.
const REMEMBERED: usize = 1000;

#[derive(Debug, Default)]
pub struct Shaper {
    drop_next: usize,
    duplicate: bool,
    reorder: bool,
    statusless: LeftOut,
    /// The first event of a pair that is to be swapped.
    held: Option<Event>,
    sent: VecDeque<Event>,
}

impl Shaper {
    pub fn change(&mut self, fault: EventFault) -> Vec<Event> {
        match fault {
            EventFault::Drop(n) => self.drop_next = n,
            EventFault::Duplicate(on) => self.duplicate = on,
            EventFault::Statusless(what) => self.statusless = what,
            EventFault::Reorder(on) => {
                self.reorder = on;
                let held = if on { None } else { self.held.take() };
                return self.remember(held.into_iter().collect());
            }
        }
        Vec::new()
    }

    pub fn shape(&mut self, mut event: Event) -> Vec<Event> {
        if self.drop_next > 0 {
            self.drop_next -= 1;
            return Vec::new();
        }
        if self.statusless != LeftOut::Nothing {
            event.pod_sandbox_status = None;
        }
        if self.statusless == LeftOut::All {
            event.containers_statuses.clear();
        }
        let mut out = if self.duplicate { vec![event.clone(), event] } else { vec![event] };
        if self.reorder {
            match self.held.take() {
                None => {
                    self.held = out.pop();
                }
                Some(first) => out.push(first),
            }
        }
        self.remember(out)
    }

    pub fn recent(&self, n: usize) -> Vec<Event> {
        self.sent.iter().skip(self.sent.len().saturating_sub(n)).cloned().collect()
    }

    fn remember(&mut self, out: Vec<Event>) -> Vec<Event> {
        self.sent.extend(out.iter().cloned());
        while self.sent.len() > REMEMBERED {
            self.sent.pop_front();
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pb;

    fn event(n: i64) -> Event {
        let pod_sandbox_status = Some(pb::PodSandboxStatus::default());
        Event { created_at: n, pod_sandbox_status, containers_statuses: vec![Default::default()], ..Default::default() }
    }

    fn sent(shaper: &mut Shaper, n: i64) -> Vec<i64> {
        shaper.shape(event(n)).iter().map(|e| e.created_at).collect()
    }

    #[test]
    fn drop_and_duplicate() {
        let mut shaper = Shaper::default();
        shaper.change(EventFault::Drop(2));
        assert_eq!([sent(&mut shaper, 1), sent(&mut shaper, 2), sent(&mut shaper, 3)], [vec![], vec![], vec![3]]);
        shaper.change(EventFault::Duplicate(true));
        assert_eq!(sent(&mut shaper, 4), [4, 4]);
        assert_eq!(shaper.recent(2).len(), 2);
        assert_eq!(shaper.recent(100).iter().map(|e| e.created_at).collect::<Vec<_>>(), [3, 4, 4]);
    }

    #[test]
    fn pairs_are_swapped() {
        let mut shaper = Shaper::default();
        shaper.change(EventFault::Reorder(true));
        assert_eq!([sent(&mut shaper, 1), sent(&mut shaper, 2), sent(&mut shaper, 3)], [vec![], vec![2, 1], vec![]]);
        let released = shaper.change(EventFault::Reorder(false));
        assert_eq!(released.iter().map(|e| e.created_at).collect::<Vec<_>>(), [3]);
        assert_eq!(sent(&mut shaper, 4), [4]);
    }

    #[test]
    fn statuses_can_be_left_out() {
        let mut shaper = Shaper::default();
        for (left_out, containers) in [(LeftOut::Sandbox, 1), (LeftOut::All, 0)] {
            shaper.change(EventFault::Statusless(left_out));
            let bare = shaper.shape(event(1)).remove(0);
            assert_eq!((bare.pod_sandbox_status, bare.containers_statuses.len()), (None, containers));
        }
    }
}
