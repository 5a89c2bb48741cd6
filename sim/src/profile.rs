//! What distinguishes the engines. One value per quirk, so that a new engine is a new value of `Profile`.
//! Planned: containerd-1.6, containerd-1.7, crio, crio-events-off, cri-dockerd.

use std::time::Duration;

/// The behaviour of one engine; sections are those of engine-facts.md.
#[derive(Clone, Debug)]
pub struct Profile {
    pub name: &'static str,
    pub runtime_name: &'static str,
    pub runtime_version: &'static str,
    /// A subscriber's own channel (§2.1).
    pub subscriber_capacity: usize,
    /// How long events wait for a subscriber when there is none (§2.1).
    pub replay_for: Duration,
    /// created_at of a sandbox that the sandbox controller has already forgotten: Go's zero time (§1.1).
    pub forgotten_created_at: i64,
    /// Largest message in both directions (§7).
    pub max_message: usize,
}

/// `time.Time{}.UnixNano()`: out of range in Go, and this is what comes out.
pub const GO_ZERO_TIME: i64 = -6_795_364_578_871_345_152;

pub const CONTAINERD_2: Profile = Profile {
    name: "containerd-2",
    runtime_name: "containerd",
    runtime_version: "v2.1.9",
    subscriber_capacity: 100,
    replay_for: Duration::from_secs(300),
    forgotten_created_at: GO_ZERO_TIME,
    max_message: 16 << 20,
};

const ALL: &[Profile] = &[CONTAINERD_2];

impl Profile {
    pub fn named(name: &str) -> Option<Profile> {
        ALL.iter().find(|p| p.name == name).cloned()
    }

    pub fn names() -> String {
        ALL.iter().map(|p| p.name).collect::<Vec<_>>().join(", ")
    }
}
