//! The false statements that `claim` makes the engine give about single containers and sandboxes. Pure, except for
//! `answerable`.

use std::collections::HashMap;

use crate::pb::{self, ContainerState, PodSandboxState};

/// The name that stands for every container and sandbox.
pub const ALL: &str = "all";

/// A text that makes its field undecodable: see `server::marks`.
const BROKEN: &str = "\u{10fffc}";

/// One false statement.
#[derive(Clone, Debug, PartialEq)]
pub enum Claim {
    /// Its entry in lists has this state.
    Listed(ContainerState),
    /// Its statuses, in replies and events, have this state.
    State(ContainerState),
    /// Its status does not exist, although lists show it.
    NoStatus,
    /// Its verbose status does not exist.
    NoVerboseStatus,
    /// Its statuses do not say when it started.
    NoStartedAt,
    /// Requests for its status are never answered.
    Hangs,
    /// Requests for its status are refused with this text.
    Refused(String),
    /// Its entry in lists cannot be decoded, except for the id.
    Undecodable,
    /// Its entry in lists cannot be decoded, not even the id.
    Nameless,
}

/// The claims by id.
#[derive(Clone, Debug, Default)]
pub struct Claims(HashMap<String, Vec<Claim>>);

impl Claims {
    pub fn add(&mut self, id: &str, claim: Claim) {
        self.0.entry(id.to_owned()).or_default().push(claim);
    }

    pub fn end(&mut self, id: &str) {
        self.0.remove(id);
    }

    fn of<'a>(&'a self, id: &str) -> impl Iterator<Item = &'a Claim> + use<'a> {
        [self.0.get(ALL), self.0.get(id)].into_iter().flatten().flatten()
    }

    pub fn listed_container(&self, item: &mut pb::Container) {
        for claim in self.of(&item.id.clone()) {
            match claim {
                Claim::Listed(state) => item.state = (*state).into(),
                Claim::Undecodable => item.image_id = BROKEN.into(),
                Claim::Nameless => item.id = BROKEN.into(),
                _ => {}
            }
        }
    }

    pub fn listed_sandbox(&self, item: &mut pb::PodSandbox) {
        for claim in self.of(&item.id.clone()) {
            match claim {
                Claim::Listed(state) => item.state = readiness(*state).into(),
                Claim::Undecodable => item.runtime_handler = BROKEN.into(),
                Claim::Nameless => item.id = BROKEN.into(),
                _ => {}
            }
        }
    }

    pub fn container_status(&self, status: &mut pb::ContainerStatus) {
        for claim in self.of(&status.id) {
            match claim {
                Claim::State(state) => {
                    let has_ended = *state == ContainerState::ContainerExited;
                    status.state = (*state).into();
                    status.finished_at = if has_ended { status.finished_at.max(status.started_at + 1) } else { 0 };
                    status.reason = if has_ended { "Completed".into() } else { String::new() };
                }
                Claim::NoStartedAt => status.started_at = 0,
                _ => {}
            }
        }
    }

    pub fn sandbox_status(&self, status: &mut pb::PodSandboxStatus) {
        for claim in self.of(&status.id) {
            if let Claim::State(state) = claim {
                status.state = readiness(*state).into();
            }
        }
    }

    pub fn event(&self, event: &mut pb::ContainerEventResponse) {
        event.containers_statuses.iter_mut().for_each(|status| self.container_status(status));
        event.pod_sandbox_status.iter_mut().for_each(|status| self.sandbox_status(status));
    }

    pub fn hangs(&self, id: &str) -> bool {
        self.of(id).any(|claim| *claim == Claim::Hangs)
    }

    pub fn has_no_status(&self, id: &str, verbose: bool) -> bool {
        self.of(id).any(|claim| *claim == Claim::NoStatus || verbose && *claim == Claim::NoVerboseStatus)
    }

    pub fn refusal(&self, id: &str) -> Option<&str> {
        self.of(id).find_map(|claim| match claim {
            Claim::Refused(text) => Some(text.as_str()),
            _ => None,
        })
    }
}

fn readiness(state: ContainerState) -> PodSandboxState {
    match state {
        ContainerState::ContainerRunning => PodSandboxState::SandboxReady,
        _ => PodSandboxState::SandboxNotready,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_is_of_one_id_or_of_all() {
        let mut claims = Claims::default();
        claims.add("a", Claim::NoVerboseStatus);
        claims.add(ALL, Claim::NoStartedAt);
        assert!(
            claims.has_no_status("a", true) && !claims.has_no_status("a", false) && !claims.has_no_status("b", true)
        );
        let mut status = pb::ContainerStatus { id: "b".into(), started_at: 7, ..Default::default() };
        claims.container_status(&mut status);
        assert_eq!(status.started_at, 0);
        claims.end("a");
        assert!(!claims.has_no_status("a", true));
    }

    #[test]
    fn lists_and_statuses_can_contradict_each_other() {
        let mut claims = Claims::default();
        claims.add("a", Claim::Listed(ContainerState::ContainerExited));
        let mut item = pb::Container { id: "a".into(), state: 1, ..Default::default() };
        let mut status = pb::ContainerStatus { id: "a".into(), state: 1, ..Default::default() };
        claims.listed_container(&mut item);
        claims.container_status(&mut status);
        assert_eq!((item.state(), status.state()), (ContainerState::ContainerExited, ContainerState::ContainerRunning));
    }
}
