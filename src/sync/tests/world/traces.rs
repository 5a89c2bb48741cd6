//! What the host shows of the engine's containers, and wrong hints.

use super::*;

impl World {
    pub(super) fn follow(&mut self, follows: Vec<Follow>) {
        for Follow { id, process, .. } in follows.into_iter().filter(|_| self.has_hints) {
            match process {
                // The process may have ended before it could be opened.
                Some(process) if self.engine.pid(&id) != Some(process.0) => {
                    self.hints.push_back(Hint::Exited { id, process: Some(process), code: None });
                }
                Some(process) => drop(self.held.insert(id, process)),
                None => drop(self.held.remove(&id)),
            }
        }
    }

    /// Notes what the host shows of the engine's last change.
    pub(super) fn note_traces(&mut self, before: &BTreeMap<Id, Thing>) {
        if !self.has_hints {
            return;
        }
        for (id, thing) in &self.engine.things {
            if !before.contains_key(id) {
                self.hints.push_back(Hint::Created(id.clone()));
            }
            if thing.runs() && !before.get(id).is_some_and(Thing::runs) {
                self.hints.extend(self.engine.process(id).ok().map(|details| Hint::Pid(id.clone(), details)));
            }
        }
        for (id, was) in before {
            let now = self.engine.things.get(id);
            let code = now.map_or(137, |thing| thing.code);
            if was.runs() && !now.is_some_and(Thing::runs) {
                let held = self.held.remove(id);
                self.hints.extend(held.map(|it| Hint::Exited { id: id.clone(), process: Some(it), code: Some(code) }));
            }
            if now.is_none() {
                self.hints.push_back(Hint::Gone(id.clone()));
            }
        }
    }

    /// Delivers one of the hints.
    pub fn hint(&mut self, n: u8) -> Outcome {
        if self.hints.is_empty() {
            return Ok(());
        }
        let hint = self.hints.remove(n as usize % self.hints.len()).expect("it is there");
        self.feed(Input::Hints(vec![hint]))
    }

    /// Delivers the hint about something that the engine is about to make: its folder is there before lists show it.
    pub fn hint_early(&mut self, n: u8) -> Outcome {
        if !self.has_hints || !self.up {
            return Ok(());
        }
        let id = self.engine.next_id(if n.is_multiple_of(4) { 'c' } else { 'p' });
        self.feed(Input::Hints(vec![Hint::Created(id)]))
    }

    /// Loses a hint, repeats one, loses all, or changes their order.
    pub fn garble_hints(&mut self, n: u8) {
        match n % 4 {
            0 => drop(self.hints.pop_front()),
            1 => self.hints.extend(self.hints.front().cloned()),
            2 => self.hints = VecDeque::from([Hint::Lost]),
            _ => self.hints.rotate_left(self.hints.len() / 2),
        }
    }

    /// Delivers a wrong hint: about another process with an old pid, another engine's container, a folder that still
    /// exists, or an exit file that nobody wrote.
    pub fn mislead(&mut self, n: u8) -> Outcome {
        let Some(id) = self.engine.pick(n / 8, Thing::runs).filter(|_| self.has_hints) else {
            return Ok(());
        };
        let stranger: Id = format!("x{n}").into();
        let another = self.engine.pid(&id).map(|pid| (pid, 4711));
        let hint = match n % 8 {
            0 => Hint::Created(stranger),
            1 => Hint::Created(id),
            2 => Hint::Exited { id, process: another, code: Some(9) },
            3 => Hint::Exited { id: stranger, process: another, code: Some(9) },
            4 => Hint::Gone(id),
            5 => Hint::Exited { id, process: None, code: Some(9) },
            6 => Hint::Pid(stranger, Details { pid: Some(7), pid_start_ticks: Some(1), ..Details::default() }),
            _ => Hint::Lost,
        };
        self.feed(Input::Hints(vec![hint]))
    }
}
