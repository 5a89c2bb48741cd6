//! The known engines, and what was reported of them. Pure: surveys go in, news come out.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::error::{CRI_E_TIMEOUT, Error};
use crate::model::{Candidate, Engines};

/// An engine counts as lost after so many surveys without it. One that merely restarts is back sooner.
const MISSES: u32 = 3;

/// What happened to an engine.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum EngineNews {
    /// It was found.
    Found(Candidate),
    /// Other facts of it have changed: its version, its process, why it was found, whether it has sandboxes.
    Changed(Candidate),
    /// It has not answered for a while.
    Lost(Candidate),
}

/// The engines by endpoint.
#[derive(Debug, Default)]
pub(super) struct Known {
    now: BTreeMap<Arc<str>, (Candidate, u32)>,
    reported: BTreeMap<Arc<str>, Candidate>,
}

impl Known {
    /// Applies a survey. `is_thorough`: the survey waited long enough for every engine to answer.
    pub fn apply(&mut self, engines: &Engines, is_thorough: bool) {
        for candidate in engines.candidates.iter().filter(|candidate| candidate.answers()) {
            self.now.insert(candidate.api.clone(), (candidate.clone(), 0));
        }
        let answer = |api: &Arc<str>| engines.candidates.iter().find(|candidate| candidate.api == *api);
        self.now.retain(|api, (_, misses)| {
            match answer(api).map(|candidate| candidate.error.as_ref().map(Error::status)) {
                Some(None) => {}
                Some(Some(CRI_E_TIMEOUT)) if !is_thorough => {}
                _ => *misses += 1,
            }
            *misses < MISSES
        });
    }

    /// Whether there is something to report.
    pub fn has_news(&self) -> bool {
        self.lost().is_some() || self.new_or_changed().is_some()
    }

    /// The next news. What came and went between two calls is not reported.
    pub fn take(&mut self) -> Option<EngineNews> {
        if let Some(api) = self.lost().cloned() {
            return self.reported.remove(&api).map(EngineNews::Lost);
        }
        let candidate = self.new_or_changed()?.clone();
        let before = self.reported.insert(candidate.api.clone(), candidate.clone());
        Some(if before.is_some() { EngineNews::Changed(candidate) } else { EngineNews::Found(candidate) })
    }

    fn lost(&self) -> Option<&Arc<str>> {
        self.reported.keys().find(|api| !self.now.contains_key(*api))
    }

    fn new_or_changed(&self) -> Option<&Candidate> {
        let differs = |now: &&Candidate| self.reported.get(&now.api).is_none_or(|reported| !is_same(reported, now));
        self.now.values().map(|(candidate, _)| candidate).find(differs)
    }
}

/// Whether two descriptions count as equal. The number of sandboxes does not matter: it changes all the time, and the
/// watcher reports it.
fn is_same(one: &Candidate, other: &Candidate) -> bool {
    let key = |candidate: &Candidate| {
        let is_empty = candidate.sandboxes.map(|count| count == 0);
        Candidate { sandboxes: is_empty.map(u64::from), rank: "".into(), ..candidate.clone() }
    };
    key(one) == key(other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::CRI_E_CONNECT;

    fn engine(api: &str, version: &str, sandboxes: u64) -> Candidate {
        let (api, runtime_version) = (api.into(), version.into());
        Candidate { api, runtime_version, sandboxes: Some(sandboxes), ..Candidate::default() }
    }

    fn failed(api: &str, status: i32) -> Candidate {
        Candidate { api: api.into(), error: Some(Error::new(status, "no")), ..Candidate::default() }
    }

    fn survey(candidates: Vec<Candidate>) -> Engines {
        Engines { candidates, ..Engines::default() }
    }

    fn news(known: &mut Known) -> String {
        let mut text = Vec::new();
        while let Some(news) = known.take() {
            text.push(match news {
                EngineNews::Found(c) => format!("+{}", c.api),
                EngineNews::Changed(c) => format!("~{}", c.api),
                EngineNews::Lost(c) => format!("-{}", c.api),
            });
        }
        assert!(!known.has_news());
        text.join(" ")
    }

    #[test]
    fn engines_come_change_and_go() {
        let mut known = Known::default();
        known.apply(&survey(vec![engine("a", "1", 0), engine("b", "1", 3), failed("c", CRI_E_CONNECT)]), true);
        assert!(known.has_news());
        assert_eq!(news(&mut known), "+a +b");
        known.apply(&survey(vec![engine("a", "1", 0), engine("b", "1", 9)]), true);
        assert_eq!(news(&mut known), "", "how many sandboxes there are is no news");
        known.apply(&survey(vec![engine("a", "1", 1), engine("b", "2", 9)]), true);
        assert_eq!(news(&mut known), "~a ~b");
        for want in ["", "", "-b"] {
            known.apply(&survey(vec![engine("a", "1", 1), failed("b", CRI_E_CONNECT)]), true);
            assert_eq!(news(&mut known), want);
        }
        for want in ["", "", "-a"] {
            known.apply(&survey(vec![]), true);
            assert_eq!(news(&mut known), want);
        }
    }

    #[test]
    fn one_that_starts_again_or_had_no_time_is_not_lost() {
        let mut known = Known::default();
        known.apply(&survey(vec![engine("a", "1", 0)]), true);
        news(&mut known);
        for _ in 0..5 {
            known.apply(&survey(vec![failed("a", CRI_E_TIMEOUT)]), false);
        }
        for _ in 0..2 {
            known.apply(&survey(vec![failed("a", CRI_E_TIMEOUT)]), true);
        }
        known.apply(&survey(vec![engine("a", "1", 0)]), true);
        assert_eq!(news(&mut known), "");
        for _ in 0..2 {
            known.apply(&survey(vec![]), true);
        }
        assert_eq!(news(&mut known), "", "it is counted anew");
    }

    #[test]
    fn what_came_and_went_unreported_stays_unreported() {
        let mut known = Known::default();
        known.apply(&survey(vec![engine("a", "1", 0)]), true);
        for _ in 0..3 {
            known.apply(&survey(vec![]), true);
        }
        assert_eq!(news(&mut known), "");
    }
}
