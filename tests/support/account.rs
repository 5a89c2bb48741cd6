//! What was reported, compared with the runs that were made.

use std::collections::{BTreeMap, BTreeSet};

use criwatch::model::{CRI_EVENT_FLAG_INITIAL, CRI_EVENT_FLAG_NEVER_STARTED};

use super::churn::{Run, Stage, TAG};
use super::probe::{Line, show};

/// What one consumer got.
pub struct Account {
    reported: Vec<Line>,
    by_id: BTreeMap<String, Vec<Line>>,
    unknown_codes: usize,
    /// Whether nobody else uses the engine.
    alone: bool,
    complaints: Vec<String>,
}

impl Account {
    /// Reads a story; its numbers have to grow. Nothing strange may be in it if we are `alone` on the engine.
    pub fn of(reported: Vec<Line>, alone: bool) -> Account {
        let mut by_id: BTreeMap<String, Vec<Line>> = BTreeMap::new();
        let lifecycle = reported.iter().filter(|line| ["STARTED", "EXITED"].contains(&line.event_type.as_str()));
        for line in lifecycle.filter(|line| line.flags & CRI_EVENT_FLAG_NEVER_STARTED == 0) {
            by_id.entry(line.id.clone()).or_default().push(line.clone());
        }
        let mut account = Account { reported, by_id, unknown_codes: 0, alone, complaints: Vec::new() };
        if let Some(pair) = account.reported.windows(2).find(|pair| pair[0].seq >= pair[1].seq) {
            account.complaints.push(format!("seq does not grow:\n{}", show(pair)));
        }
        account
    }

    /// Everything, in order.
    pub fn reported(&self) -> &[Line] {
        &self.reported
    }

    /// Whether the run was reported, or a part of it.
    pub fn knows(&self, id: &str) -> bool {
        self.by_id.contains_key(id)
    }

    /// How many runs were reported.
    pub fn runs(&self) -> usize {
        self.by_id.len()
    }

    /// STARTED once, then EXITED once.
    pub fn is_reported_to_its_end(&mut self, id: &str) {
        self.is_reported(id, &["STARTED", "EXITED"]);
    }

    /// STARTED once, and no more.
    pub fn is_reported_running(&mut self, id: &str) {
        self.is_reported(id, &["STARTED"]);
    }

    fn is_reported(&mut self, id: &str, expected: &[&str]) {
        let lines = self.by_id.get(id).map_or(&[][..], Vec::as_slice);
        if !lines.iter().map(|line| line.event_type.as_str()).eq(expected.iter().copied()) {
            self.complaints.push(format!("the run of {id} is not reported as {expected:?} but as:\n{}", show(lines)));
        }
    }

    /// Runs that a churn has made and ended: each to its end, with its label, and with its exit code. The code may be
    /// unknown where the container was removed before the engine reported it to anybody; `reported_by_engine` says of which
    /// runs it did, as far as that can be known.
    pub fn are_reported_with_their_facts<'a>(
        &mut self,
        runs: impl IntoIterator<Item = &'a Run>,
        reported_by_engine: Option<&BTreeSet<String>>,
    ) {
        for run in runs {
            self.is_reported_to_its_end(&run.id);
            for line in self.by_id.get(&run.id).into_iter().flatten() {
                if line.labels.get(TAG) != Some(&run.tag) {
                    self.complaints.push(format!("without the label {}: {line:?}", run.tag));
                }
                if run.stage < Stage::Exited || line.event_type != "EXITED" {
                    continue;
                }
                let may_be_unknown = !reported_by_engine.is_some_and(|reported| reported.contains(&run.id));
                // What is not known in time comes later, if it comes.
                let later = self.reported.iter().rev().find(|it| it.id == run.id && it.event_type == "UPDATED");
                match line.exit_code.or(later.and_then(|later| later.exit_code)) {
                    None if may_be_unknown => self.unknown_codes += 1,
                    code if code == Some(run.exit_code) => {}
                    _ => self.complaints.push(format!("exit code {} expected: {line:?}", run.exit_code)),
                }
            }
        }
    }

    /// In how many of those runs the exit code is unknown.
    pub fn unknown_codes(&self) -> usize {
        self.unknown_codes
    }

    /// Nothing was reported twice, in the wrong order, or of anybody who is not `known`.
    pub fn invents_nothing(&mut self, known: &BTreeSet<String>) {
        for (id, lines) in &self.by_id {
            let types: Vec<&str> = lines.iter().map(|line| line.event_type.as_str()).collect();
            if self.alone && !known.contains(id) {
                self.complaints.push(format!("nobody made {id}:\n{}", show(lines)));
            } else if ![&["STARTED"][..], &["STARTED", "EXITED"][..]].contains(&&types[..]) {
                self.complaints.push(format!("not one run:\n{}", show(lines)));
            }
        }
    }

    /// Those of `ours` that the consumer takes for living at the end, when it does what each event says.
    pub fn consumers_set(&mut self, ours: &BTreeSet<String>) -> BTreeSet<String> {
        let (mut set, mut replayed) = (BTreeSet::new(), BTreeSet::new());
        for line in &self.reported {
            let is_initial = line.flags & CRI_EVENT_FLAG_INITIAL != 0;
            let fits = match line.event_type.as_str() {
                "REPLAY_BEGIN" => {
                    replayed.clear();
                    true
                }
                "REPLAY_END" => {
                    set.retain(|id| replayed.contains(id));
                    true
                }
                "STARTED" if is_initial => {
                    set.insert(line.id.clone());
                    replayed.insert(line.id.clone())
                }
                "STARTED" => set.insert(line.id.clone()),
                "EXITED" if line.flags & CRI_EVENT_FLAG_NEVER_STARTED == 0 => set.remove(&line.id),
                _ => true,
            };
            if !fits {
                self.complaints.push(format!("does not fit what was reported before: {line:?}"));
            }
        }
        set.retain(|id| ours.contains(id));
        set
    }

    /// All complaints, if there are any.
    pub fn close(self) -> Result<(), String> {
        const MOST: usize = 10;
        if self.complaints.is_empty() {
            return Ok(());
        }
        let shown = &self.complaints[..self.complaints.len().min(MOST)];
        Err(format!("{} complaints:\n{}", self.complaints.len(), shown.join("\n")))
    }
}
