//! The engine's data: no clock (time is an argument), no tokio, no processes. `sandbox` and `container` have the
//! transitions, `view` is what CRI shows.

mod container;
mod filter;
mod images;
mod lost;
mod names;
mod sandbox;
#[cfg(test)]
mod tests;
mod view;

use std::collections::BTreeMap;

use crate::pb;

pub use container::{Exit, Started, cgroups_path, repository};
pub use names::Names;
pub use sandbox::on_host_network;
pub use view::{container_item, sandbox_item};

/// Why the engine refuses a call. containerd uses few codes; most errors are UNKNOWN.
#[derive(Clone, Debug, PartialEq)]
pub enum Error {
    NotFound(String),
    Unknown(String),
}

impl Error {
    pub fn unknown(message: impl Into<String>) -> Self {
        Error::Unknown(message.into())
    }

    pub fn message(&self) -> &str {
        match self {
            Error::NotFound(m) | Error::Unknown(m) => m,
        }
    }

    /// The error with a context, as Go's `fmt.Errorf("context: %w", err)` makes it: the code stays.
    pub fn context(self, context: impl std::fmt::Display) -> Self {
        match self {
            Error::NotFound(m) => Error::NotFound(format!("{context}: {m}")),
            Error::Unknown(m) => Error::Unknown(format!("{context}: {m}")),
        }
    }
}

pub type Result<T> = std::result::Result<T, Error>;

/// The sandbox controller's state. containerd 2.x keeps it apart from the CRI store, so the two can
/// differ for a moment (engine-facts §1.1, §6).
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Controller {
    Ready,
    NotReady,
    /// The sandbox was shut down; the controller answers NotFound.
    Forgotten,
}

#[derive(Clone, Debug)]
pub struct Sandbox {
    pub id: String,
    pub config: pb::PodSandboxConfig,
    pub runtime_handler: String,
    pub pid: u32,
    pub ready: bool,
    pub controller: Controller,
    pub created_at: i64,
    pub netns: String,
    pub netns_closed: bool,
    pub ip: String,
    /// Ids of its containers in the order of their creation.
    pub containers: Vec<String>,
}

#[derive(Clone, Debug)]
pub struct Container {
    pub id: String,
    pub sandbox_id: String,
    pub config: pb::ContainerConfig,
    pub image_id: String,
    pub image_ref: String,
    /// The first tag of its image, if it has any.
    pub tag: Option<String>,
    pub log_path: String,
    pub cgroups_path: String,
    pub status: Status,
}

/// containerd's containerstore.Status: the state is derived from the times.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Status {
    pub pid: u32,
    pub created_at: i64,
    pub started_at: i64,
    pub finished_at: i64,
    pub exit_code: i32,
    pub reason: String,
    pub message: String,
    pub starting: bool,
    pub removing: bool,
}

impl Status {
    pub fn state(&self) -> pb::ContainerState {
        match (self.finished_at, self.started_at) {
            (0, 0) => pb::ContainerState::ContainerCreated,
            (0, _) => pb::ContainerState::ContainerRunning,
            _ => pb::ContainerState::ContainerExited,
        }
    }
}

#[derive(Debug, Default)]
pub struct Store {
    pub sandboxes: BTreeMap<String, Sandbox>,
    pub containers: BTreeMap<String, Container>,
    images: images::Images,
    sandbox_names: Names,
    container_names: Names,
    lost_sandboxes: BTreeMap<String, Sandbox>,
    lost_containers: BTreeMap<String, Container>,
    next_ip: u32,
}

impl Store {
    /// The sandbox of a full id or of a unique prefix.
    pub fn sandbox(&self, id: &str) -> Result<&Sandbox> {
        Ok(&self.sandboxes[&full_id(&self.sandboxes, id)?])
    }

    pub fn container(&self, id: &str) -> Result<&Container> {
        Ok(&self.containers[&full_id(&self.containers, id)?])
    }

    fn sandbox_mut(&mut self, id: &str) -> Option<&mut Sandbox> {
        self.sandboxes.get_mut(id)
    }

    fn container_mut(&mut self, id: &str) -> Option<&mut Container> {
        self.containers.get_mut(id)
    }

    /// Containers of one sandbox, oldest first.
    pub fn containers_of<'a>(&'a self, sandbox_id: &str) -> impl Iterator<Item = &'a Container> + use<'a> {
        let ids: &[String] = self.sandboxes.get(sandbox_id).map_or(&[], |s| &s.containers);
        ids.iter().filter_map(|id| self.containers.get(id))
    }
}

/// containerd's truncated-id index: the one id that starts with `prefix` (engine-facts §6).
pub fn full_id<T>(of: &BTreeMap<String, T>, prefix: &str) -> Result<String> {
    if prefix.is_empty() {
        return Err(Error::unknown("prefix can't be empty"));
    }
    let mut matches = of.range(prefix.to_owned()..).map(|(id, _)| id).take_while(|id| id.starts_with(prefix));
    match (matches.next(), matches.next()) {
        (None, _) => Err(Error::NotFound("not found".into())),
        (Some(id), None) => Ok(id.clone()),
        (Some(_), Some(_)) => Err(Error::unknown(format!("Multiple IDs found with provided prefix: {prefix}"))),
    }
}
