//! Decides which engine is the best one. Pure.

use crate::model::{Candidate, Evidence};

/// How good an engine is; the best comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    /// The node's kubelet uses it.
    Kubelet,
    /// A kubelet in a container uses it.
    NestedKubelet,
    /// It has sandboxes.
    InUse,
    /// It has no sandboxes, or does not say how many.
    Empty,
    /// It does not answer.
    Silent,
}

/// The level of a candidate.
pub(super) fn level(candidate: &Candidate) -> Level {
    let says = |evidence| candidate.reasons.iter().any(|reason| reason.evidence == evidence);
    match candidate.sandboxes {
        _ if !candidate.answers() => Level::Silent,
        _ if says(Evidence::Kubelet) => Level::Kubelet,
        _ if says(Evidence::NestedKubelet) => Level::NestedKubelet,
        Some(1..) => Level::InUse,
        _ => Level::Empty,
    }
}

/// The best level that an engine with this evidence can reach.
pub(super) fn hope(evidence: Evidence) -> Level {
    match evidence {
        Evidence::Kubelet => Level::Kubelet,
        Evidence::NestedKubelet => Level::NestedKubelet,
        _ => Level::InUse,
    }
}

/// Sorts candidates, best first, and gives each the reason for its rank. They have to be in the order of their
/// evidence.
pub(super) fn rank(candidates: &mut [Candidate]) {
    candidates.sort_by_key(level);
    for candidate in candidates {
        candidate.rank = match (level(candidate), candidate.sandboxes) {
            (Level::Kubelet, _) => "the kubelet uses it".into(),
            (Level::NestedKubelet, _) => "a kubelet in a container uses it".into(),
            (Level::InUse, Some(1)) => "it has 1 sandbox".into(),
            (Level::InUse, count) => format!("it has {} sandboxes", count.unwrap_or_default()).into(),
            (Level::Empty, _) => "it has no sandboxes: the order of the evidence decides".into(),
            (Level::Silent, _) => "it does not answer".into(),
        };
    }
}

/// The present engine, as far as it matters for changing to another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Taken {
    /// Whether, as far as is known, nothing runs in it.
    pub is_empty: bool,
    /// Whether there is a connection to it.
    pub is_up: bool,
    /// Its level; the best one means that a kubelet names it.
    pub level: Level,
}

impl Taken {
    /// Whether to leave it for an engine of this level. An engine in use is kept, because another one has other
    /// containers.
    pub fn gives_way_to(self, level: Level) -> bool {
        match level {
            Level::Silent => false,
            // The kubelet's settings are stronger than what was found before they could be read.
            Level::Kubelet if self.level > Level::Kubelet => true,
            _ if !self.is_empty => false,
            _ => level < self.level || !self.is_up,
        }
    }

    /// Whether to look for a better one.
    pub fn may_give_way(self, kubelets_silent: bool) -> bool {
        self.is_empty && (self.level > Level::Kubelet || !self.is_up) || kubelets_silent && self.level > Level::Kubelet
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{CRI_E_CONNECT, Error};
    use crate::model::Reason;

    fn candidate(api: &str, evidence: &[Evidence], sandboxes: Option<u64>) -> Candidate {
        let reasons = evidence.iter().map(|evidence| Reason { evidence: *evidence, text: "".into() }).collect();
        Candidate { api: api.into(), reasons, sandboxes, ..Candidate::default() }
    }

    fn silent(api: &str, evidence: &[Evidence]) -> Candidate {
        Candidate { error: Some(Error::new(CRI_E_CONNECT, "no")), ..candidate(api, evidence, None) }
    }

    fn order(mut candidates: Vec<Candidate>) -> String {
        rank(&mut candidates);
        assert!(candidates.iter().all(|candidate| !candidate.rank.is_empty()));
        candidates.iter().map(|candidate| &*candidate.api).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn the_kubelets_word_then_sandboxes_then_the_order() {
        use Evidence::*;
        for (candidates, want) in [
            (vec![candidate("a", &[WellKnown], Some(9)), candidate("b", &[Kubelet, WellKnown], Some(0))], "b a"),
            (vec![candidate("a", &[WellKnown], Some(0)), candidate("b", &[WellKnown], Some(1))], "b a"),
            (vec![candidate("a", &[Crictl], Some(0)), candidate("b", &[WellKnown], Some(1))], "b a"),
            (vec![candidate("a", &[WellKnown], Some(1)), candidate("b", &[WellKnown], Some(50))], "a b"),
            (vec![candidate("a", &[WellKnown], Some(0)), candidate("b", &[WellKnown], None)], "a b"),
            (vec![silent("a", &[Kubelet]), candidate("b", &[WellKnown], None)], "b a"),
            (vec![candidate("a", &[NestedKubelet], Some(3)), candidate("b", &[Kubelet], Some(0))], "b a"),
            (vec![candidate("a", &[WellKnown], Some(3)), candidate("b", &[NestedKubelet, Nested], Some(0))], "b a"),
            (vec![candidate("a", &[WellKnown], Some(0)), candidate("b", &[Rootless], Some(2))], "b a"),
            (vec![silent("a", &[WellKnown]), silent("b", &[Kubelet])], "a b"),
        ] {
            assert_eq!(order(candidates.clone()), want, "{candidates:#?}");
        }
    }

    #[test]
    fn only_what_is_empty_or_not_the_kubelets_is_left() {
        let taken = |is_empty, is_up, level| Taken { is_empty, is_up, level };
        for (it, level, want) in [
            (taken(true, true, Level::Empty), Level::InUse, true),
            (taken(true, true, Level::Empty), Level::Empty, false),
            (taken(true, false, Level::Empty), Level::Empty, true),
            (taken(true, true, Level::Empty), Level::Kubelet, true),
            (taken(false, true, Level::InUse), Level::InUse, false),
            (taken(false, false, Level::InUse), Level::InUse, false),
            (taken(false, true, Level::InUse), Level::NestedKubelet, false),
            (taken(false, true, Level::InUse), Level::Kubelet, true),
            (taken(true, true, Level::Kubelet), Level::InUse, false),
            (taken(true, false, Level::Kubelet), Level::InUse, true),
            (taken(false, false, Level::Kubelet), Level::Kubelet, false),
            (taken(true, true, Level::Empty), Level::Silent, false),
        ] {
            assert_eq!(it.gives_way_to(level), want, "{it:?} {level:?}");
            assert!(!want || it.may_give_way(true), "{it:?}: nobody would have looked");
        }
        assert!(!taken(false, true, Level::InUse).may_give_way(false));
        assert!(!taken(true, true, Level::Kubelet).may_give_way(true));
    }
}
