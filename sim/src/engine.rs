//! The engine: store, processes and events together. gRPC, scripts and workloads all act through it.
//! Order of state, event and return is containerd 2.x's (engine-facts §1.1).

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::process::Child;
use tokio::sync::{mpsc, watch};

use crate::command;
use crate::events::Queue;
use crate::host::Host;
use crate::pb::{self, ContainerEventType as Kind};
use crate::process;
use crate::profile::Profile;
use crate::rng::Rng;
use crate::store::{Error, Result, Store, cgroups_path, full_id};

/// A live process; it is in the table exactly until it was waited for, so that its pid is safe to signal.
struct Proc {
    pid: u32,
    cgroup: String,
    gone: watch::Receiver<bool>,
}

pub struct Engine {
    pub profile: Profile,
    pub host: Host,
    store: Mutex<Store>,
    rng: Mutex<Rng>,
    procs: Mutex<HashMap<String, Proc>>,
    queue: Queue<pb::ContainerEventResponse>,
    emitted: AtomicU64,
    /// Bumped after a change of the store, for those who wait for one.
    changes: watch::Sender<u64>,
}

impl Engine {
    /// Needs a current-thread tokio runtime: children die with the thread that made them.
    pub fn new(profile: Profile, rng: Rng, host: Host) -> Arc<Self> {
        let queue = Queue::start(profile.subscriber_capacity, profile.replay_for);
        Arc::new(Engine {
            profile,
            host,
            store: Mutex::default(),
            rng: Mutex::new(rng),
            procs: Mutex::default(),
            queue,
            emitted: AtomicU64::new(0),
            changes: watch::Sender::new(0),
        })
    }

    pub fn store(&self) -> MutexGuard<'_, Store> {
        lock(&self.store)
    }

    /// Wall clock in ns. The one place where time enters.
    pub fn now(&self) -> i64 {
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |d| i64::try_from(d.as_nanos()).unwrap_or(i64::MAX))
    }

    pub fn new_uid(&self) -> String {
        lock(&self.rng).uuid()
    }

    fn new_id(&self) -> String {
        lock(&self.rng).id()
    }

    /// How many events were generated so far.
    pub fn emitted(&self) -> u64 {
        self.emitted.load(Ordering::Relaxed)
    }

    pub async fn subscribe(&self) -> Option<mpsc::Receiver<pb::ContainerEventResponse>> {
        self.queue.subscribe().await
    }

    /// Returns as soon as `of` gives a value for the store, which it is asked for at once and after every change.
    pub async fn until<T>(&self, of: impl Fn(&Store) -> Option<T>) -> T {
        let mut changes = self.changes.subscribe();
        loop {
            if let Some(value) = of(&self.store()) {
                return value;
            }
            // Cannot fail: the sender is ours.
            let _ = changes.changed().await;
        }
    }

    fn touch(&self) {
        self.changes.send_modify(|n| *n += 1);
    }

    async fn emit(&self, id: &str, sandbox_id: &str, kind: Kind) {
        self.touch();
        let event = self.store().event(id, sandbox_id, kind, &self.profile, self.now());
        self.emitted.fetch_add(1, Ordering::Relaxed);
        self.queue.send(event).await;
    }

    pub async fn run_pod(self: &Arc<Self>, config: pb::PodSandboxConfig, handler: &str) -> Result<String> {
        let id = self.new_id();
        self.store().reserve_sandbox(&id, &config, handler)?;
        let (pid, child) = match process::spawn(command::Plan::FOR_EVER) {
            Ok(spawned) => spawned,
            Err(e) => {
                self.store().release_sandbox(&id);
                return Err(Error::unknown(format!("failed to start sandbox {id:?}: {e}")));
            }
        };
        let parent = config.linux.as_ref().map_or("", |l| l.cgroup_parent.as_str());
        let gone = self.register(&id, pid, &cgroups_path(parent, &id));
        self.store().add_sandbox(&id, config, handler, pid, self.now());
        self.emit(&id, &id, Kind::ContainerCreatedEvent).await;
        tokio::spawn(Arc::clone(self).watch_sandbox(id.clone(), child, gone));
        self.emit(&id, &id, Kind::ContainerStartedEvent).await;
        Ok(id)
    }

    /// The sandbox's exit monitor: controller first, then the CRI store, then the event.
    async fn watch_sandbox(self: Arc<Self>, id: String, mut child: Child, gone: watch::Sender<bool>) {
        let _ = child.wait().await;
        self.unregister(&id);
        self.store().sandbox_controller_exited(&id);
        gone.send_replace(true);
        if self.store().sandbox_exited(&id) {
            self.emit(&id, &id, Kind::ContainerStoppedEvent).await;
        }
    }

    pub async fn stop_pod(&self, id: &str) -> Result<()> {
        match self.find_sandbox(id)? {
            Some(id) => self.stop_sandbox(&id).await,
            None => Ok(()), // idempotent
        }
    }

    async fn stop_sandbox(&self, id: &str) -> Result<()> {
        for container in self.container_ids(id) {
            self.stop(&container, Duration::ZERO, libc::SIGTERM)
                .await
                .map_err(|e| e.context(format!("failed to stop container {container:?}")))?;
        }
        // Returns on the controller's word; the store and the STOPPED event follow by the monitor.
        self.end(id, libc::SIGKILL, None).await?;
        self.store().close_netns(id);
        Ok(())
    }

    pub async fn remove_pod(&self, id: &str) -> Result<()> {
        let Some(id) = self.find_sandbox(id)? else {
            return Ok(());
        };
        self.stop_sandbox(&id)
            .await
            .map_err(|e| e.context(format!("failed to forcibly stop sandbox {id:?}")))?;
        for container in self.container_ids(&id) {
            self.remove_container(&container)
                .await
                .map_err(|e| e.context(format!("failed to remove container {container:?}")))?;
        }
        self.store().forget_sandbox(&id);
        // 2.x tells DELETED while the sandbox is still listed.
        self.emit(&id, &id, Kind::ContainerDeletedEvent).await;
        self.store().delete_sandbox(&id);
        self.touch();
        Ok(())
    }

    pub async fn create_container(&self, request: pb::CreateContainerRequest) -> Result<String> {
        let id = self.new_id();
        let sandbox_id = {
            let mut store = self.store();
            store.add_container(&id, request, self.now())?;
            store.container(&id)?.sandbox_id.clone()
        };
        self.emit(&id, &sandbox_id, Kind::ContainerCreatedEvent).await;
        Ok(id)
    }

    pub async fn start_container(self: &Arc<Self>, id: &str) -> Result<()> {
        let start = self.store().begin_start(id)?;
        let id = &start.id;
        let spawned = if start.sandbox_ready {
            command::plan(&start.command, &start.args)
                .map_err(|program| no_such_program(&program))
                .and_then(|plan| {
                    process::spawn(plan).map_err(|e| format!("failed to start containerd task {id:?}: {e}"))
                })
        } else {
            Err(format!("sandbox container {:?} is not running", start.sandbox_id))
        };
        let (pid, child) = match spawned {
            Ok(spawned) => spawned,
            Err(message) => {
                self.store().start_failed(id, &message, self.now());
                self.touch();
                return Err(Error::Unknown(message));
            }
        };
        let gone = self.register(id, pid, &start.cgroups_path);
        self.store().started(id, pid, self.now());
        // The monitor starts before the event: STOPPED may overtake STARTED.
        tokio::spawn(Arc::clone(self).watch_container(id.clone(), child, gone));
        self.emit(id, &start.sandbox_id, Kind::ContainerStartedEvent).await;
        self.store().end_start(id);
        Ok(())
    }

    async fn watch_container(self: Arc<Self>, id: String, mut child: Child, gone: watch::Sender<bool>) {
        let code = process::exit_code(child.wait().await);
        self.unregister(&id);
        let sandbox_id = self.store().container_exited(&id, code, self.now());
        // Wakes StopContainer before the event is queued.
        gone.send_replace(true);
        if let Some(sandbox_id) = sandbox_id {
            self.emit(&id, &sandbox_id, Kind::ContainerStoppedEvent).await;
        }
    }

    /// The signal, and SIGKILL after `timeout`; at once SIGKILL if that is zero.
    pub async fn stop_container(&self, id: &str, timeout: Duration) -> Result<()> {
        let Some(id) = self.find_container(id)? else {
            return Ok(());
        }; // idempotent
        let signal = self
            .store()
            .container(&id)
            .map_or(libc::SIGTERM, |c| stop_signal(c.config.stop_signal()));
        self.stop(&id, timeout, signal).await
    }

    async fn stop(&self, id: &str, timeout: Duration, signal: i32) -> Result<()> {
        if !timeout.is_zero() && self.end(id, signal, Some(timeout)).await? {
            return Ok(());
        }
        self.end(id, libc::SIGKILL, None).await?;
        Ok(())
    }

    pub async fn remove_container(&self, id: &str) -> Result<()> {
        let Some(id) = self.find_container(id)? else {
            return Ok(());
        };
        let forcibly = |e: Error| e.context(format!("failed to forcibly stop container {id:?}"));
        self.stop(&id, Duration::ZERO, libc::SIGTERM).await.map_err(forcibly)?;
        let removed = {
            let mut store = self.store();
            store.begin_remove(&id)?;
            store.delete_container(&id)
        };
        if let Some(container) = removed {
            self.emit(&id, &container.sandbox_id, Kind::ContainerDeletedEvent).await;
        }
        Ok(())
    }

    /// Signals a container's or a sandbox's process from outside, as any process on the node could.
    pub fn signal(&self, id: &str, signal: i32) -> Result<u32> {
        let procs = lock(&self.procs);
        let proc = procs.get(id).ok_or_else(|| Error::unknown("not running"))?;
        process::kill(proc.pid, signal).map_err(|e| Error::unknown(format!("kill {}: {e}", proc.pid)))?;
        Ok(proc.pid)
    }

    /// Signals the process and waits for its end; true if it is gone (also if it was before).
    async fn end(&self, id: &str, signal: i32, timeout: Option<Duration>) -> Result<bool> {
        let mut gone = {
            let procs = lock(&self.procs);
            let Some(proc) = procs.get(id) else { return Ok(true) };
            process::kill(proc.pid, signal).map_err(|e| Error::unknown(format!("kill {}: {e}", proc.pid)))?;
            proc.gone.clone()
        };
        let wait = gone.wait_for(|gone| *gone);
        Ok(match timeout {
            Some(timeout) => tokio::time::timeout(timeout, wait).await.is_ok(),
            None => wait.await.is_ok(),
        })
    }

    /// The process is placed before anyone can hear of its pid.
    fn register(&self, id: &str, pid: u32, cgroup: &str) -> watch::Sender<bool> {
        self.host.place(id, cgroup, pid);
        let (sender, gone) = watch::channel(false);
        lock(&self.procs).insert(
            id.to_owned(),
            Proc {
                pid,
                cgroup: cgroup.to_owned(),
                gone,
            },
        );
        sender
    }

    fn unregister(&self, id: &str) {
        if let Some(proc) = lock(&self.procs).remove(id) {
            self.host.clear(id, &proc.cgroup);
        }
    }

    fn find_sandbox(&self, id: &str) -> Result<Option<String>> {
        found(full_id(&self.store().sandboxes, id), || {
            format!("an error occurred when try to find sandbox {id:?}")
        })
    }

    fn find_container(&self, id: &str) -> Result<Option<String>> {
        found(full_id(&self.store().containers, id), || {
            format!("an error occurred when try to find container {id:?}")
        })
    }

    fn container_ids(&self, sandbox_id: &str) -> Vec<String> {
        self.store().containers_of(sandbox_id).map(|c| c.id.clone()).collect()
    }

    /// Kills all children, and waits a little for their ends.
    pub async fn shutdown(&self) {
        let leaving: Vec<_> = lock(&self.procs).values().map(|p| (p.pid, p.gone.clone())).collect();
        for (pid, _) in &leaving {
            let _ = process::kill(*pid, libc::SIGKILL);
        }
        let all = async {
            for (_, mut gone) in leaving {
                let _ = gone.wait_for(|gone| *gone).await;
            }
        };
        let _ = tokio::time::timeout(Duration::from_secs(5), all).await;
        self.host.clean_up();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Stops and removals of what is not there succeed; other errors stay.
fn found(id: Result<String>, context: impl Fn() -> String) -> Result<Option<String>> {
    match id {
        Ok(id) => Ok(Some(id)),
        Err(Error::NotFound(_)) => Ok(None),
        Err(e) => Err(e.context(context())),
    }
}

fn stop_signal(signal: pb::Signal) -> i32 {
    match signal {
        pb::Signal::RuntimeDefault => libc::SIGTERM,
        other => process::signal_number(other.as_str_name().trim_start_matches("SIGNAL_")).unwrap_or(libc::SIGTERM),
    }
}

fn no_such_program(program: &str) -> String {
    format!(
        "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: \
         unable to start container process: error during container init: exec: {program:?}: \
         executable file not found in $PATH: unknown"
    )
}
