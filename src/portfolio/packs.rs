//! Rucksacks: what the program itself adds to the record of a container. A packer is asked for one when a life begins,
//! and its STARTED waits for that a little while; or the program attaches one whenever it likes.

use std::collections::{HashMap, HashSet, VecDeque};

use super::clock::{Millis, Now};
use super::life::Life;
use super::{Portfolio, Question};
use crate::model::*;

/// Whose rucksacks are to be packed.
#[derive(Debug, Default)]
pub(super) struct Packs {
    /// Whether there is a packer.
    on: bool,
    waiting: HashSet<Id>,
    /// The order in which they came; some may wait no longer.
    queue: VecDeque<Id>,
    /// Being packed; true when another life of the same id has begun meanwhile.
    under_way: HashMap<Id, bool>,
    /// The engine could not be asked: tried again after the next list, or on a new connection.
    failed: Vec<Id>,
    /// Until then, the first picture waits for the rucksacks of its lives.
    opening_until: Option<Millis>,
}

impl Packs {
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

    /// It is gone: nothing is to be packed for it any more.
    pub fn drop(&mut self, id: &Id) {
        self.waiting.remove(id);
        self.failed.retain(|failed| failed != id);
    }

    fn came_back(&mut self, id: &Id) {
        if self.under_way.remove(id) == Some(true) {
            self.want(id);
        }
    }

    /// What was under way is lost with the connection: it is packed again.
    pub fn connection_lost(&mut self) {
        self.failed.extend(self.under_way.drain().map(|(id, _)| id));
        self.try_again();
    }

    /// The engine answers: what failed is worth another attempt.
    pub fn try_again(&mut self) {
        let failed = std::mem::take(&mut self.failed);
        failed.iter().for_each(|id| self.want(id));
    }

    fn is_done(&self) -> bool {
        self.waiting.is_empty() && self.under_way.is_empty()
    }

    pub fn pass(&mut self, now: Millis) {
        self.opening_until = self.opening_until.filter(|until| *until > now);
    }

    /// Whether the first picture still waits, and until when.
    pub fn deadline(&self) -> Option<Millis> {
        self.opening_until.filter(|_| !self.is_done())
    }
}

impl Portfolio {
    /// There is a packer: from now on every life is to have a rucksack, and so are those that are there.
    pub fn pack_from_now_on(&mut self) {
        self.packs.on = true;
        let lives: Vec<Id> = self.lives().into_iter().map(|life| life.id.clone()).collect();
        lives.iter().for_each(|id| self.packs.want(id));
    }

    /// Whose rucksacks to pack now, at most `room`. They are under way from here on.
    pub fn packings(&mut self, room: usize) -> Vec<Question> {
        let mut packings = Vec::new();
        while packings.len() < room
            && let Some(id) = self.packs.take()
        {
            let kind = self.entries.get(&id).map(|entry| entry.record.kind);
            packings.push(Question { id, kind, asked: self.tick });
        }
        packings
    }

    /// A life begins: until when its STARTED waits for the rucksack.
    pub(super) fn pack_new_life(&mut self, id: &Id, now: Now) -> Option<Millis> {
        self.packs.want(id);
        self.packs.on.then(|| now.mono + self.limits.rucksack)
    }

    /// The first list is applied: its lives are replayed together, and so they wait together.
    pub(super) fn pack_opening(&mut self, now: Now) {
        if !self.packs.is_done() {
            self.packs.opening_until = Some(now.mono + self.limits.rucksack);
        }
    }

    /// The packer is through with this one: it may have packed nothing.
    pub fn packed(&mut self, id: &Id, rucksack: Option<JsonText>, now: Now) {
        let is_late = self.packs.under_way.get(id) == Some(&true);
        self.packs.came_back(id);
        // One that was packed for a life that is over is of no use.
        if !is_late {
            if rucksack.is_some() {
                self.attach(id, rucksack, now);
            }
            self.was_packed(id, now);
        }
    }

    /// The engine could not be asked about this one.
    pub fn packing_failed(&mut self, id: &Id, now: Now) {
        self.packs.came_back(id);
        self.packs.failed.push(id.clone());
        self.was_packed(id, now);
    }

    /// One attempt is all that a STARTED waits for.
    fn was_packed(&mut self, id: &Id, now: Now) {
        if let Life::Starting { mut waits, flags, started_at } = self.ledger.life(id) {
            waits.rucksack = None;
            self.hold_or_release(id, Life::Starting { waits, flags, started_at }, now);
        }
    }

    /// Makes this the rucksack of the id; `None` takes it away.
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
    use super::super::Told;
    use super::*;
    use crate::config::Config;
    use crate::cri::Listing;

    const SECOND: Time = 1_000_000_000;

    fn at(mono: Millis) -> Now {
        Now { mono, wall: 100 * SECOND + mono as Time * 1_000_000 }
    }

    fn said(id: &str, details: bool) -> Sighting {
        let details = details.then(|| Details { pid: Some(7), pid_start_ticks: Some(1), ..Details::default() });
        Sighting {
            state: State::Running,
            started_at: Some(200 * SECOND),
            is_status: details.is_some(),
            details,
            ..Sighting::of(id.into(), Kind::Container)
        }
    }

    fn list(portfolio: &mut Portfolio, ids: &[&str], now: Now) {
        let containers = ids.iter().map(|id| said(id, false)).collect();
        let begun = portfolio.list_begins();
        portfolio.listed(begun, now.wall, Listing { containers, ..Listing::default() }, now);
    }

    /// Everything told so far, as words.
    fn told(portfolio: &mut Portfolio) -> Vec<String> {
        let word = |told: Told| {
            let rucksack = told.container.rucksack.as_ref().map_or("-", |r| r.as_str());
            format!("{:?} {} {rucksack} {}", told.event_type, told.container.id, told.changed)
        };
        portfolio.take_told().into_iter().map(word).collect()
    }

    /// A portfolio with a packer and an empty first list.
    fn packing() -> Portfolio {
        let mut portfolio = Portfolio::new(&Config::default());
        portfolio.pack_from_now_on();
        list(&mut portfolio, &[], at(0));
        portfolio
    }

    fn answer_pid(portfolio: &mut Portfolio, id: &str, now: Now) {
        let question = portfolio.questions(1, now).pop().expect("a question about the pid");
        portfolio.answered::<()>(&question, Ok(Some(said(id, true))), now);
    }

    fn sack(text: &str) -> Option<JsonText> {
        Some(JsonText::from(text.to_owned()))
    }

    #[test]
    fn a_start_waits_for_pid_and_rucksack_whichever_comes_last() {
        for pid_first in [true, false] {
            let mut portfolio = packing();
            list(&mut portfolio, &["a"], at(10));
            assert_eq!(portfolio.packings(8).len(), 1);
            for step in [pid_first, !pid_first] {
                assert_eq!(told(&mut portfolio), [""; 0]);
                match step {
                    true => answer_pid(&mut portfolio, "a", at(20)),
                    false => portfolio.packed(&"a".into(), sack("1"), at(20)),
                }
            }
            assert_eq!(told(&mut portfolio), ["Started a 1 0"], "{pid_first}");
        }
    }

    #[test]
    fn a_slow_packer_holds_a_start_only_so_long_and_is_told_later() {
        let mut portfolio = packing();
        list(&mut portfolio, &["a"], at(10));
        portfolio.packings(8);
        answer_pid(&mut portfolio, "a", at(20));
        assert_eq!(portfolio.patience(), Some(110), "packer.timeout_ms after the life began");
        portfolio.pass(at(109));
        assert_eq!(told(&mut portfolio), [""; 0]);
        portfolio.pass(at(110));
        assert_eq!(told(&mut portfolio), ["Started a - 0"]);
        portfolio.packed(&"a".into(), sack("{}"), at(500));
        assert_eq!(told(&mut portfolio), [format!("Updated a {{}} {CRI_CHANGED_RUCKSACK}")]);
    }

    #[test]
    fn who_packs_nothing_still_lets_go() {
        let mut portfolio = packing();
        list(&mut portfolio, &["a"], at(10));
        portfolio.packings(8);
        answer_pid(&mut portfolio, "a", at(20));
        portfolio.packed(&"a".into(), None, at(30));
        assert_eq!(told(&mut portfolio), ["Started a - 0"]);
    }

    #[test]
    fn an_exit_does_not_wait_for_a_rucksack() {
        let mut portfolio = packing();
        list(&mut portfolio, &["a"], at(10));
        portfolio.packings(8);
        list(&mut portfolio, &[], at(30));
        assert_eq!(told(&mut portfolio), ["Started a - 0", "Exited a - 0", "Removed a - 0"]);
        portfolio.packed(&"a".into(), sack("1"), at(40));
        assert_eq!(told(&mut portfolio), [""; 0], "of no use to anybody");
    }

    #[test]
    fn the_first_picture_waits_for_its_rucksacks_but_not_for_long() {
        let mut portfolio = Portfolio::new(&Config::default());
        portfolio.pack_from_now_on();
        list(&mut portfolio, &["a", "b"], at(0));
        let questions = portfolio.questions(8, at(0));
        for question in questions {
            portfolio.answered::<()>(&question, Ok(Some(said(&question.id, true))), at(1));
        }
        assert_eq!((portfolio.packings(1).len(), portfolio.packings(8).len()), (1, 1));
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
        assert_eq!(portfolio.packings(8).len(), 1);
        assert_eq!(portfolio.packings(8).len(), 0);
        portfolio.connection_lost(at(20));
        assert_eq!(portfolio.packings(8).len(), 1);
    }

    #[test]
    fn a_failed_attempt_lets_go_and_is_made_again_after_the_next_list() {
        let mut portfolio = packing();
        list(&mut portfolio, &["a"], at(10));
        portfolio.packings(8);
        answer_pid(&mut portfolio, "a", at(20));
        portfolio.packing_failed(&"a".into(), at(30));
        assert_eq!(told(&mut portfolio), ["Started a - 0"]);
        assert_eq!(portfolio.packings(8).len(), 0);
        list(&mut portfolio, &["a"], at(40));
        assert_eq!(portfolio.packings(8).len(), 1);
    }

    #[test]
    fn without_a_packer_nothing_waits_and_one_may_still_be_attached() {
        let mut portfolio = Portfolio::new(&Config::default());
        list(&mut portfolio, &[], at(0));
        list(&mut portfolio, &["a"], at(10));
        assert!(portfolio.packings(8).is_empty());
        answer_pid(&mut portfolio, "a", at(20));
        assert_eq!(told(&mut portfolio), ["Started a - 0"]);
        portfolio.attach(&"a".into(), sack("[1]"), at(30));
        portfolio.attach(&"a".into(), sack("[1]"), at(31));
        portfolio.attach(&"a".into(), None, at(32));
        let updated = |sack: &str| format!("Updated a {sack} {CRI_CHANGED_RUCKSACK}");
        assert_eq!(told(&mut portfolio), [updated("[1]"), updated("-")], "the same again is no news");
    }
}
