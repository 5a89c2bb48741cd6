//! What is known of the engine, and the state of the watcher.

use std::sync::Arc;

use super::candidate::Candidate;
use super::constants::*;
use super::spec::Namespaces;
use crate::table::word_of;

/// The engine, as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Engine {
    /// Its name, e.g. `containerd`.
    pub runtime_name: Arc<str>,
    /// Its version, e.g. `2.1.9`, without a leading "v".
    pub runtime_version: Arc<str>,
    /// The CRI version it speaks, e.g. `v1`.
    pub runtime_api_version: Arc<str>,
    /// The endpoint at which it was reached, e.g. `unix:///run/containerd/containerd.sock`.
    pub api: Arc<str>,
    /// The host name of the engine's UTS namespace: CRI has no engine ids.
    pub id: Arc<str>,
    /// The engine's process, in the caller's pid namespace.
    pub pid: Option<i32>,
    /// The namespaces of that process. Pods that use the node's namespaces are in these.
    pub namespaces: Namespaces,
    /// How the watcher notices changes (`stream` or `poll`), and why.
    pub events: Events,
    /// What the watcher learns from the host in addition to the engine.
    pub witness: Arc<WitnessMeans>,
    /// The other engines that were found when this one was chosen, best first; empty if the program named its engine.
    pub candidates: Arc<[Candidate]>,
    /// The fields that this engine does not give, each with the number of containers that lack it. The watcher has asked
    /// several times for each.
    pub not_told: Arc<[(&'static str, u64)]>,
}

impl Engine {
    /// Name, version and API in one line, e.g. `containerd 2.1.9 [API v1]`, as the reference writes it.
    pub fn version_line(&self) -> String {
        format!("{} {} [API {}]", self.runtime_name, self.runtime_version, self.runtime_api_version)
    }
}

/// The means by which the host is a second source, and why others are not used.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct WitnessMeans {
    /// The means that are used: `folders`, `fanotify`, `cgroups`, `pidFiles`, `pidfds`, `exitCodes`.
    pub used: Vec<&'static str>,
    /// The means that are not used (`all`: none is), and why.
    pub lacks: Vec<(&'static str, Arc<str>)>,
}

/// How the watcher notices changes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Events {
    /// Whether the watcher uses the engine's event stream; otherwise it polls, that is, it lists again and again.
    pub streaming: bool,
    /// The reason, as a text.
    pub reason: Arc<str>,
}

impl Events {
    /// Its name in JSON.
    pub fn word(&self) -> &'static str {
        if self.streaming { "stream" } else { "poll" }
    }
}

/// The state of the watcher.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[repr(u8)]
#[non_exhaustive]
pub enum WatcherState {
    /// Not started.
    #[default]
    New = CRI_WATCHER_NEW as u8,
    /// Trying to reach the engine.
    Connecting = CRI_WATCHER_CONNECTING as u8,
    /// The first lists are under way.
    Syncing = CRI_WATCHER_SYNCING as u8,
    /// In sync, following the event stream.
    Watching = CRI_WATCHER_WATCHING as u8,
    /// In sync, listing again and again.
    Polling = CRI_WATCHER_POLLING as u8,
    /// The engine cannot be reached.
    Backoff = CRI_WATCHER_BACKOFF as u8,
    /// Stopped.
    Stopped = CRI_WATCHER_STOPPED as u8,
}

impl WatcherState {
    /// The number in the C ABI: one of `CRI_WATCHER_*`.
    pub fn number(self) -> u32 {
        self as u32
    }

    /// Its name in JSON.
    pub fn word(self) -> &'static str {
        word_of(WATCHER_STATES, self.number())
    }
}
