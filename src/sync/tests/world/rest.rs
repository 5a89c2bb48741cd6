//! How the world comes to rest, and what has to be true then.

use super::*;

impl World {
    /// Stops all faults, and lets everything arrive and time pass until a resync is finished.
    pub fn heal(&mut self) -> Outcome {
        self.up = true;
        let id = self.ask_for_resync()?;
        for _ in 0..10_000 {
            self.settle()?;
            if self.finished.contains(&id) {
                return Ok(());
            }
            self.wait()?;
        }
        Err("the resync never finished".into())
    }

    /// Delivers everything that is under way.
    pub fn settle(&mut self) -> Outcome {
        loop {
            self.connect()?;
            while !self.pipe.is_empty() {
                self.deliver()?;
            }
            self.reply_list()?;
            while !self.requests.is_empty() {
                self.answer(0, false)?;
            }
            while !self.hints.is_empty() {
                self.hint(0)?;
            }
            while !self.lookups.is_empty() {
                self.find(0)?;
            }
            while !self.pack_requests.is_empty() {
                self.pack(0)?;
            }
            let is_quiet = self.requests.is_empty() && self.lookups.is_empty() && self.hints.is_empty();
            if self.pipe.is_empty() && self.list.is_none() && !self.connecting && is_quiet {
                return Ok(());
            }
        }
    }

    pub(super) fn wait(&mut self) -> Outcome {
        let deadline = self.publisher.deadline().ok_or("nothing to wait for")?;
        self.pass(deadline.saturating_sub(self.mono).max(1))
    }

    /// Makes the engine report something wrong about this id, or nothing wrong any more.
    pub fn lie(&mut self, id: &Id, lie: Lie, for_good: bool) {
        let was_listed = self.seen.was_listed(id);
        self.engine.lie(id, lie, for_good, was_listed);
    }

    /// Ends the lies that are not for good. Where a list contradicts a status, waits until the list is believed.
    pub(super) fn settle_disputes(&mut self) -> Outcome {
        /// Longer than it takes until a list is believed.
        const DISPUTE: Millis = 11_000;
        self.engine.lies.retain(|_, (_, for_good)| *for_good);
        if self.engine.wrong_times.is_empty() {
            return Ok(());
        }
        for _ in 0..3 {
            self.heal()?;
            self.pass(DISPUTE)?;
        }
        Ok(())
    }

    /// As `heal`, and long enough for every retry.
    pub fn come_to_rest(&mut self) -> Outcome {
        self.settle_disputes()?;
        self.heal()?;
        // Each request without an answer doubles the wait before the next, up to the relist's interval.
        let longest = if self.engine.ever_silent.is_empty() { 5000 } else { 61_000 };
        let until = self.mono + longest;
        while self.mono < until {
            self.settle()?;
            self.wait()?;
        }
        self.heal()?;
        self.slow_listens(usize::MAX)
    }

    /// Checks that whatever is missing is going to be asked for, if no list is on its way.
    pub fn neglects_nothing(&self) -> Outcome {
        let cached = self.shared.read();
        match cached.portfolio.neglected().filter(|_| self.list.is_none()) {
            Some(c) => Err(format!("nobody asks for what is missing ({:#x}): {c:?}", c.missing)),
            None => Ok(()),
        }
    }

    /// As `come_to_rest`, without a list on purpose.
    pub fn comes_to_rest_by_events(&mut self) -> Outcome {
        const LONGEST: Millis = 5000;
        let until = self.mono + LONGEST;
        while self.mono < until {
            self.settle()?;
            let next = self.publisher.deadline().map_or(until, |at| at.min(until));
            self.pass(next.saturating_sub(self.mono).max(1))?;
        }
        self.settle()?;
        self.slow_listens(usize::MAX)?;
        self.cache_is_right()
    }

    /// Checks that the cache is the engine's list, and that consumers know what runs.
    pub fn cache_is_right(&self) -> Outcome {
        let things = self.engine.things.values();
        let runs: BTreeSet<Id> = things.filter(|t| self.engine.is_listed_as_running(t)).map(|t| t.id.clone()).collect();
        let cached = self.shared.read();
        let shown: BTreeSet<Id> = cached.portfolio.running().map(|c| c.id.clone()).collect();
        if shown != runs {
            return Err(format!("the cache shows {shown:?}, but these run: {runs:?}"));
        }
        for (who, reported) in [("the consumer", &self.reported), ("the slow consumer", &self.slow)] {
            if reported.running != runs {
                return Err(format!("{who} knows of {:?}, but these run: {runs:?}", reported.running));
            }
        }
        let has: BTreeSet<Id> = self.engine.things.keys().cloned().collect();
        let present: BTreeSet<Id> = cached.portfolio.present().map(|c| c.id.clone()).collect();
        if present != has {
            return Err(format!("the cache has {present:?}, the engine {has:?}"));
        }
        // Requests that are never answered stay open.
        let answered = |c: &&Arc<Container>| !self.engine.lies.contains_key(&c.id);
        let lied_about = |c: &&Arc<Container>| self.engine.wrong_times.contains_key(&c.id) || !answered(c);
        // Without a status for a while, the fields that only a status has may have been given up.
        let given_up = |c: &Container| c.pid.is_none() && self.engine.ever_silent.contains(&c.id);
        let wrong_pid = |c: &&Arc<Container>| !lied_about(c) && !given_up(c) && c.pid != self.engine.pid(&c.id);
        if let Some(c) = cached.portfolio.running().find(wrong_pid) {
            return Err(format!("its pid is {:?}: {c:?}", self.engine.pid(&c.id)));
        }
        // A container that was first shown as exited is not packed when it turns out to run.
        let packed = |c: &Container| c.rucksack.is_some() == self.packs || self.engine.wrong_times.contains_key(&c.id);
        match cached.portfolio.running().filter(answered).find(|c| c.missing != 0 || !packed(c)) {
            Some(c) => Err(format!("still missing {:#x}, or the rucksack: {c:?}", c.missing)),
            None => Ok(()),
        }
    }

    pub fn verify(&mut self) -> Outcome {
        self.come_to_rest()?;
        self.cache_is_right()?;
        self.reported.is_exact(&self.engine, &self.seen)
    }
}
