//! Finds the owner of a process or a cgroup: asks the kernel, and waits for a container that is being made.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::{Duration, Instant};

use super::Watcher;
use super::cgroup_paths::CgroupPaths;
use super::waiting::wait;
use crate::error::Result;
use crate::host::cgroup::Mode;
use crate::host::namespace::NamespaceKind;
use crate::host::{CgroupText, ProcessCgroups};
use crate::model::{Container, Id};
use crate::portfolio::{HostReader, Place, Snapshot, Unproven};
use crate::sync::SharedState;

/// How long to wait for an event before the engine is asked for a list. Most events need less.
const EVENT_PATIENCE: Duration = Duration::from_millis(20);

/// The owner of something, as a lookup that waits returns it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Owned {
    /// A container. For a cgroup that is a pod's own, the pod's sandbox.
    Container(Arc<Container>),
    /// The host: no container of this engine has it.
    Host,
    /// A container or a pod that the engine has not reported in the given time.
    NotYet,
}

/// Asks the kernel below `host.root`.
#[derive(Debug)]
pub(super) struct Kernel {
    cgroups: ProcessCgroups,
    /// The errno with which the kernel refused to open a cgroup by its id; 0 if it has not.
    no_handles: AtomicI32,
    /// The paths of cgroups whose containers were not known yet.
    paths: CgroupPaths,
}

impl Kernel {
    pub fn new(root: &Path) -> Self {
        Kernel { cgroups: ProcessCgroups::new(root), no_handles: AtomicI32::new(0), paths: CgroupPaths::default() }
    }
}

impl HostReader for Kernel {
    fn mode(&self) -> Option<Mode> {
        self.cgroups.cgroups()?.mode()
    }

    fn v2_id(&self, pid: i32) -> Option<u64> {
        self.cgroups.v2_id(pid)
    }

    fn start_ticks(&self, pid: i32) -> Result<u64, Unproven> {
        self.cgroups.start_ticks(pid).map_err(|error| of_process(&error))
    }

    fn cgroups_of(&self, pid: i32, with: &mut dyn FnMut(CgroupText<'_>)) -> Result<(), Unproven> {
        self.cgroups.read(pid, with).map_err(|error| of_process(&error))
    }

    fn v2_path(&self, id: u64) -> Result<String, Unproven> {
        const RIGHT: &str = "the id of a cgroup becomes a path with CAP_DAC_READ_SEARCH alone";
        const PART: &str = "this program sees a part of the host's cgroups only: mount them below host.root";
        let mount = self.cgroups.v2().ok_or(Unproven::Hidden("cgroup v2 is not mounted below host.root"))?;
        let is_above = mount.root.starts_with("/..");
        if self.cgroups.is_own_namespace() && !is_above {
            return Err(Unproven::Hidden(PART));
        }
        let refusal = self.no_handles.load(Ordering::Relaxed);
        if refusal != 0 {
            return Err(Unproven::Forbidden(refusal, RIGHT));
        }
        match mount.path_by_handle(id) {
            Ok(Some(path)) if mount.root == "/" || is_above => Ok(path),
            Ok(Some(path)) => Ok(format!("{}{path}", mount.root)),
            Ok(None) if mount.root == "/" || is_above => self.paths.get(id).ok_or(Unproven::NoCgroup),
            Ok(None) => Err(Unproven::Hidden(PART)),
            Err(error) => match error.raw_os_error() {
                Some(errno @ (libc::EPERM | libc::EACCES)) => {
                    // Remembered, so that not every lookup asks for a right that is missing.
                    self.no_handles.store(errno, Ordering::Relaxed);
                    Err(Unproven::Forbidden(errno, RIGHT))
                }
                Some(errno) => Err(Unproven::System(errno)),
                None => Err(Unproven::Hidden("this kernel gives no path for the id of a cgroup")),
            },
        }
    }

    fn keep_v2_path(&self, id: u64, path: &str) {
        self.paths.keep(id, path);
    }

    fn own_v2_id(&self) -> Option<u64> {
        self.cgroups.own_v2_id()
    }

    fn host_namespace(&self, kind: NamespaceKind) -> Option<u64> {
        self.cgroups.host_namespace(kind)
    }
}

fn of_process(error: &io::Error) -> Unproven {
    match error.raw_os_error() {
        Some(libc::ENOENT | libc::ESRCH) => Unproven::NoProcess,
        Some(errno @ (libc::EPERM | libc::EACCES)) => Unproven::Forbidden(errno, "to read /proc/PID of this process"),
        Some(errno) => Unproven::System(errno),
        None => Unproven::Hidden("what /proc/PID has is not what a kernel writes"),
    }
}

impl Watcher {
    /// Finds one container or sandbox by its id or name, in any state: the same as [`Watcher::get`], as a record. It
    /// costs as much as [`Snapshot::find`].
    pub fn find(&self, id_or_name: &str) -> Result<Arc<Container>> {
        self.snapshot()?.find(id_or_name).cloned()
    }

    /// Finds the owner of a process, as [`Snapshot::find_pid`] does. Waits, up to `timeout`, for a container that the
    /// engine has not reported yet, and finds it even if the process has ended meanwhile. Errors: those of
    /// [`Unproven`], and of [`Watcher::snapshot`].
    pub fn lookup_pid(&self, pid: i32, start_ticks: u64, timeout: Option<Duration>) -> Result<Owned> {
        let what = || format!("pid {pid}");
        self.look_up(timeout, what, |snapshot| snapshot.place_of_pid(pid, start_ticks))
    }

    /// Finds the owner of a cgroup, as [`Snapshot::find_cgroup`] does, and waits like [`Watcher::lookup_pid`].
    pub fn lookup_cgroup(&self, id: u64, timeout: Option<Duration>) -> Result<Owned> {
        self.look_up(timeout, || format!("cgroup {id}"), |snapshot| snapshot.place_of_cgroup(id))
    }

    fn look_up(
        &self,
        timeout: Option<Duration>,
        what: impl Fn() -> String,
        find: impl Fn(&Snapshot) -> Result<Place, Unproven>,
    ) -> Result<Owned> {
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let left = || deadline.map(|at| at.saturating_duration_since(Instant::now()));
        loop {
            let snapshot = self.snapshot()?;
            let generation = snapshot.generation();
            let news = match find(&snapshot).map_err(|why| why.about(&what()))? {
                Place::At(at) => return Ok(Owned::Container(snapshot.container_at(at).clone())),
                Place::Host => return Ok(Owned::Host),
                // The container's id is known, so neither its process nor its cgroup is needed any more.
                Place::NotYet(Some(id)) => {
                    let id: Id = String::from_utf8_lossy(&id).into();
                    self.wait_for(left(), |shared| shared.read().portfolio.get(&id).cloned().map(Some))
                }
                // The pod's sandbox is not known. Any new container may be the one.
                Place::NotYet(None) => {
                    self.wait_for(left(), |shared| (shared.generation() != generation).then_some(None))
                }
            };
            match news {
                None => return Ok(Owned::NotYet),
                Some(Err(ended)) => return Err(ended),
                Some(Ok(Some(container))) => return Ok(Owned::Container(container)),
                Some(Ok(None)) => {}
            }
        }
    }

    /// Waits until `look` finds something in the cache. If no event brings it soon, a list is requested, because
    /// engines without events report changes by lists alone. `None`: the time has passed.
    fn wait_for<T>(&self, timeout: Option<Duration>, look: impl Fn(&SharedState) -> Option<T>) -> Option<Result<T>> {
        let ended = |shared: &SharedState| shared.latest().status.ended.clone().map(Err);
        let settle = |shared: &SharedState| look(shared).map(Ok).or_else(|| ended(shared));
        let arrives = || self.shared.until(&settle);
        let soon = timeout.map_or(EVENT_PATIENCE, |timeout| timeout.min(EVENT_PATIENCE));
        if let Some(found) = wait(arrives(), Some(soon)) {
            return Some(found);
        }
        let rest = timeout.map(|timeout| timeout.saturating_sub(soon));
        if rest == Some(Duration::ZERO) {
            return None;
        }
        let by_list = async {
            // An engine that does not answer now may still report the container later.
            let _ = self.resync_async().await;
            std::future::pending().await
        };
        wait(
            async {
                tokio::select! { found = arrives() => found, never = by_list => never }
            },
            rest,
        )
    }
}
