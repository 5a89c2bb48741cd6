//! Rucksacks: JSON that the program itself adds to a container's record. The packer is asked for one when a run begins,
//! and STARTED waits for it a little while; the program may also attach one at any time.

use std::collections::VecDeque;

use super::clock::{Millis, Now};
use super::run_log::Run;
use super::{Portfolio, StatusRequest};
use crate::model::*;

/// The containers that wait for the packer.
#[derive(Debug, Default)]
pub(super) struct PackerRequests {
    /// Whether there is a packer.
    on: bool,
    waiting: IdSet,
    /// The order in which they came. Some of these may not wait any more.
    queue: VecDeque<Id>,
    /// The containers that are being packed; true if another run of the same id has begun meanwhile.
    under_way: IdMap<bool>,
    /// The containers about which the engine could not be asked. They are tried again after the next list, or on a new
    /// connection.
    failed: Vec<Id>,
    /// Until this time, becoming ready waits for the rucksacks of the first list's runs.
    initial_until: Option<Millis>,
}

impl PackerRequests {
    fn want(&mut self, id: &Id) {
        match self.under_way.get_mut(id) {
            Some(again) => *again = true,
            None if self.on && self.waiting.insert(id.clone()) => self.queue.push_back(id.clone()),
            None => {}
        }
    }

    fn take(&mut self) -> Option<Id> {
        while let Some(id) = self.queue.pop_front() {
            if self.waiting.remove(&id) {
                self.under_way.insert(id.clone(), false);
                return Some(id);
            }
        }
        None
    }

    /// Stops packing for a container that is gone.
    pub fn drop(&mut self, id: &Id) {
        self.waiting.remove(id);
        self.failed.retain(|failed| failed != id);
    }

    fn came_back(&mut self, id: &Id) {
        if self.under_way.remove(id) == Some(true) {
            self.want(id);
        }
    }

    /// Packs again what was being packed, because that is lost with the connection.
    pub fn connection_lost(&mut self) {
        self.failed.extend(self.under_way.drain().map(|(id, _)| id));
        self.try_again();
    }

    /// Tries again what has failed, because the engine answers now.
    pub fn try_again(&mut self) {
        let failed = std::mem::take(&mut self.failed);
        failed.iter().for_each(|id| self.want(id));
    }

    fn is_done(&self) -> bool {
        self.waiting.is_empty() && self.under_way.is_empty()
    }

    pub fn pass(&mut self, now: Millis) {
        self.initial_until = self.initial_until.filter(|until| *until > now);
    }

    /// Until when becoming ready waits for rucksacks, if it waits at all.
    pub fn deadline(&self) -> Option<Millis> {
        self.initial_until.filter(|_| !self.is_done())
    }
}

impl Portfolio {
    /// Turns the packer on: every run gets a rucksack from now on, and so do the runs that exist.
    pub fn pack_from_now_on(&mut self) {
        self.packer.on = true;
        let runs: Vec<Id> = self.runs().into_iter().map(|run| run.id.clone()).collect();
        runs.iter().for_each(|id| self.packer.want(id));
    }

    /// Takes the containers to pack now, at most `room`.
    pub fn pack_requests(&mut self, room: usize) -> Vec<StatusRequest> {
        let mut pack_requests = Vec::new();
        while pack_requests.len() < room
            && let Some(id) = self.packer.take()
        {
            let kind = self.entries.get(&id).map(|entry| entry.record.kind);
            pack_requests.push(StatusRequest { id, kind, asked: self.tick });
        }
        pack_requests
    }

    /// Asks for the rucksack of a new run. Returns until when its STARTED waits for it.
    pub(super) fn pack_new_run(&mut self, id: &Id, now: Now) -> Option<Millis> {
        self.packer.want(id);
        self.packer.on.then(|| now.mono + self.limits.rucksack)
    }

    /// Lets becoming ready wait for the rucksacks of the first list's runs, which are replayed together.
    pub(super) fn pack_initial(&mut self, now: Now) {
        if !self.packer.is_done() {
            self.packer.initial_until = Some(now.mono + self.limits.rucksack);
        }
    }

    /// Notes that the packer has finished this container, with or without a rucksack.
    pub fn packed(&mut self, id: &Id, rucksack: Option<JsonText>, now: Now) {
        let is_late = self.packer.under_way.get(id) == Some(&true);
        self.packer.came_back(id);
        // A rucksack that was packed for an earlier run is of no use.
        if !is_late {
            if rucksack.is_some() {
                self.attach(id, rucksack, now);
            }
            self.was_packed(id, now);
        }
    }

    /// Notes that the engine could not be asked about this container.
    pub fn packing_failed(&mut self, id: &Id, now: Now) {
        self.packer.came_back(id);
        self.packer.failed.push(id.clone());
        self.was_packed(id, now);
    }

    /// Reports STARTED, which waits for one attempt only.
    fn was_packed(&mut self, id: &Id, now: Now) {
        if let Run::Starting { mut waits, flags, started_at } = self.run_log.run(id) {
            waits.rucksack = None;
            self.hold_or_release(id, Run::Starting { waits, flags, started_at }, now);
        }
    }

    /// Attaches a rucksack to the id; `None` removes it.
    pub fn attach(&mut self, id: &Id, rucksack: Option<JsonText>, now: Now) {
        let Some(entry) = self.entries.get(id) else {
            return;
        };
        let next = Container { rucksack, ..Container::clone(&entry.record) };
        let changed = next.changed_since(&entry.record);
        self.put(id, next);
        self.updated(id, changed, now);
    }
}

#[cfg(test)]
mod tests {
    use super::super::Report;
    use super::*;
    use crate::config::Config;
    use crate::cri::Listing;

    const SECOND: Time = 1_000_000_000;

    fn at(mono: Millis) -> Now {
        Now { mono, wall: 100 * SECOND + mono as Time * 1_000_000 }
    }

    fn observation(id: &str, details: bool) -> Observation {
        let details = details.then(|| Details { pid: Some(7), pid_start_ticks: Some(1), ..Details::default() });
        Observation {
            state: State::Running,
            started_at: Some(200 * SECOND),
            is_status: details.is_some(),
            details,
            ..Observation::of(id.into(), Kind::Container)
        }
    }

    fn list(portfolio: &mut Portfolio, ids: &[&str], now: Now) {
        let containers = ids.iter().map(|id| observation(id, false)).collect();
        let begun = portfolio.list_begins();
        portfolio.listed(begun, now.wall, Listing { containers, ..Listing::default() }, now);
    }

    /// Takes everything reported since the last call, one text for each report.
    fn reported(portfolio: &mut Portfolio) -> Vec<String> {
        let line = |reported: Report| {
            let rucksack = reported.container.rucksack.as_ref().map_or("-", |r| r.as_str());
            format!("{:?} {} {rucksack} {}", reported.event_type, reported.container.id, reported.changed)
        };
        portfolio.take_reports().into_iter().map(line).collect()
    }

    /// A portfolio with a packer and an empty first list.
    fn packing() -> Portfolio {
        let mut portfolio = Portfolio::new(&Config::default());
        portfolio.pack_from_now_on();
        list(&mut portfolio, &[], at(0));
        portfolio
    }

    fn answer_pid(portfolio: &mut Portfolio, id: &str, now: Now) {
        let request = portfolio.requests(1, now).pop().expect("a request about the pid");
        portfolio.answered::<()>(&request, Ok(Some(observation(id, true))), now);
    }

    fn sack(text: &str) -> Option<JsonText> {
        Some(JsonText::from(text.to_owned()))
    }

    #[test]
    fn a_start_waits_for_pid_and_rucksack_whichever_comes_last() {
        for pid_first in [true, false] {
            let mut portfolio = packing();
            list(&mut portfolio, &["a"], at(10));
            assert_eq!(portfolio.pack_requests(8).len(), 1);
            for step in [pid_first, !pid_first] {
                assert_eq!(reported(&mut portfolio), [""; 0]);
                match step {
                    true => answer_pid(&mut portfolio, "a", at(20)),
                    false => portfolio.packed(&"a".into(), sack("1"), at(20)),
                }
            }
            assert_eq!(reported(&mut portfolio), ["Started a 1 0"], "{pid_first}");
        }
    }

    #[test]
    fn a_slow_packer_holds_a_start_only_so_long_and_is_reported_later() {
        let mut portfolio = packing();
        list(&mut portfolio, &["a"], at(10));
        portfolio.pack_requests(8);
        answer_pid(&mut portfolio, "a", at(20));
        assert_eq!(portfolio.patience(), Some(110), "packer.timeout_ms after the run began");
        portfolio.pass(at(109));
        assert_eq!(reported(&mut portfolio), [""; 0]);
        portfolio.pass(at(110));
        assert_eq!(reported(&mut portfolio), ["Started a - 0"]);
        portfolio.packed(&"a".into(), sack("{}"), at(500));
        assert_eq!(reported(&mut portfolio), [format!("Updated a {{}} {CRI_CHANGED_RUCKSACK}")]);
    }

    #[test]
    fn who_packs_nothing_still_lets_go() {
        let mut portfolio = packing();
        list(&mut portfolio, &["a"], at(10));
        portfolio.pack_requests(8);
        answer_pid(&mut portfolio, "a", at(20));
        portfolio.packed(&"a".into(), None, at(30));
        assert_eq!(reported(&mut portfolio), ["Started a - 0"]);
    }

    #[test]
    fn an_exit_does_not_wait_for_a_rucksack() {
        let mut portfolio = packing();
        list(&mut portfolio, &["a"], at(10));
        portfolio.pack_requests(8);
        list(&mut portfolio, &[], at(30));
        assert_eq!(reported(&mut portfolio), ["Started a - 0", "Exited a - 0", "Removed a - 0"]);
        portfolio.packed(&"a".into(), sack("1"), at(40));
        assert_eq!(reported(&mut portfolio), [""; 0], "of no use to anybody");
    }

    #[test]
    fn the_first_snapshot_waits_for_its_rucksacks_but_not_for_long() {
        let mut portfolio = Portfolio::new(&Config::default());
        portfolio.pack_from_now_on();
        list(&mut portfolio, &["a", "b"], at(0));
        let requests = portfolio.requests(8, at(0));
        for request in requests {
            portfolio.answered::<()>(&request, Ok(Some(observation(&request.id, true))), at(1));
        }
        assert_eq!((portfolio.pack_requests(1).len(), portfolio.pack_requests(8).len()), (1, 1));
        assert!(!portfolio.is_settled());
        portfolio.packed(&"a".into(), sack("1"), at(2));
        assert!(!portfolio.is_settled());
        assert_eq!(portfolio.patience(), Some(100));
        portfolio.pass(at(100));
        assert!(portfolio.is_settled());
    }

    #[test]
    fn what_was_under_way_is_packed_again_on_a_new_connection() {
        let mut portfolio = packing();
        list(&mut portfolio, &["a"], at(10));
        assert_eq!(portfolio.pack_requests(8).len(), 1);
        assert_eq!(portfolio.pack_requests(8).len(), 0);
        portfolio.connection_lost(at(20));
        assert_eq!(portfolio.pack_requests(8).len(), 1);
    }

    #[test]
    fn a_failed_attempt_lets_go_and_is_made_again_after_the_next_list() {
        let mut portfolio = packing();
        list(&mut portfolio, &["a"], at(10));
        portfolio.pack_requests(8);
        answer_pid(&mut portfolio, "a", at(20));
        portfolio.packing_failed(&"a".into(), at(30));
        assert_eq!(reported(&mut portfolio), ["Started a - 0"]);
        assert_eq!(portfolio.pack_requests(8).len(), 0);
        list(&mut portfolio, &["a"], at(40));
        assert_eq!(portfolio.pack_requests(8).len(), 1);
    }

    #[test]
    fn without_a_packer_nothing_waits_and_one_may_still_be_attached() {
        let mut portfolio = Portfolio::new(&Config::default());
        list(&mut portfolio, &[], at(0));
        list(&mut portfolio, &["a"], at(10));
        assert!(portfolio.pack_requests(8).is_empty());
        answer_pid(&mut portfolio, "a", at(20));
        assert_eq!(reported(&mut portfolio), ["Started a - 0"]);
        portfolio.attach(&"a".into(), sack("[1]"), at(30));
        portfolio.attach(&"a".into(), sack("[1]"), at(31));
        portfolio.attach(&"a".into(), None, at(32));
        let updated = |sack: &str| format!("Updated a {sack} {CRI_CHANGED_RUCKSACK}");
        assert_eq!(reported(&mut portfolio), [updated("[1]"), updated("-")], "the same again is no news");
    }
}
