//! The engine: store, processes and events together. gRPC, scripts and workloads all act through it.
//! State changes, events and returns come in containerd's order (engine-facts §1.1), or in the profile's.

mod containers;
mod outage;
mod pods;

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::{mpsc, watch};

use crate::events::Queue;
use crate::faults::{EventFault, Faults};
use crate::host::Host;
use crate::pb::{self, ContainerEventType as Kind};
use crate::process::{Process, Signals, Spawned, Start};
use crate::profile::Profile;
use crate::rng::Rng;
use crate::store::{Error, Result, Store, full_id};

type Event = pb::ContainerEventResponse;

/// A running process. It is in the table until it was waited for, so its pid is safe to signal.
struct Proc {
    pid: u32,
    signals: Signals,
    cgroup: String,
    gone: watch::Receiver<bool>,
    /// Present until the container is started.
    start: Option<Start>,
}

pub struct Engine {
    pub profile: Profile,
    pub host: Host,
    pub faults: Faults,
    store: Mutex<Store>,
    rng: Mutex<Rng>,
    procs: Mutex<HashMap<String, Proc>>,
    queue: Mutex<Queue<Event>>,
    emitted: AtomicU64,
    subscriptions: AtomicU64,
    down: AtomicBool,
    /// The containers whose end is not noticed.
    unnoticed: Mutex<HashSet<String>>,
    /// Counts the changes of the store, for tasks that wait for one.
    changes: watch::Sender<u64>,
}

impl Engine {
    /// Makes the engine. It needs a current-thread tokio runtime, because children end with the thread that made them.
    pub fn new(profile: Profile, rng: Rng, host: Host) -> Arc<Self> {
        let queue = Mutex::new(Queue::start(profile.delivery));
        Arc::new(Engine {
            profile,
            host,
            faults: Faults::default(),
            store: Mutex::default(),
            rng: Mutex::new(rng),
            procs: Mutex::default(),
            queue,
            emitted: AtomicU64::new(0),
            subscriptions: AtomicU64::new(0),
            down: AtomicBool::new(false),
            unnoticed: Mutex::default(),
            changes: watch::Sender::new(0),
        })
    }

    pub fn store(&self) -> MutexGuard<'_, Store> {
        lock(&self.store)
    }

    /// The engine's wall clock in ns. No other function reads a clock.
    pub fn now(&self) -> i64 {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = now.map_or(0, |d| i64::try_from(d.as_nanos()).unwrap_or(i64::MAX));
        now.saturating_add(self.faults.clock_step())
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

    pub async fn subscribe(&self) -> Option<mpsc::Receiver<Event>> {
        let queue = lock(&self.queue).clone();
        let events = queue.subscribe().await;
        self.subscriptions.fetch_add(1, Ordering::Relaxed);
        self.touch();
        events
    }

    /// How many subscriptions were made so far.
    pub fn subscriptions(&self) -> u64 {
        self.subscriptions.load(Ordering::Relaxed)
    }

    /// Calls `of` with the store, now and after every change, until it returns a value.
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
        if self.is_down() {
            return;
        }
        let event = self.store().event(id, sandbox_id, kind, &self.profile, self.now());
        if let Some(mut event) = event {
            self.faults.claims().event(&mut event);
            self.emitted.fetch_add(1, Ordering::Relaxed);
            self.send(self.faults.shape(event)).await;
        }
    }

    async fn send(&self, events: Vec<Event>) {
        let queue = lock(&self.queue).clone();
        for event in events {
            queue.send(event).await;
        }
    }

    /// Sends an extra event that shows the present state.
    pub async fn send_extra_event(&self, id: &str, sandbox_id: &str, kind: Kind) {
        self.emit(id, sandbox_id, kind).await;
    }

    /// Changes which events are dropped, repeated or changed.
    pub async fn fault(&self, fault: EventFault) {
        self.send(self.faults.change(fault)).await;
    }

    /// Sends the last `n` events again, unchanged. Returns how many there were.
    pub async fn replay(&self, n: usize) -> usize {
        let events = self.faults.recent(n);
        let found = events.len();
        self.send(events).await;
        found
    }

    /// Signals a container's or a sandbox's process from outside, as any process on the node could.
    pub fn signal(&self, id: &str, signal: i32) -> Result<u32> {
        let procs = lock(&self.procs);
        let proc = procs.get(id).ok_or_else(|| Error::unknown("not running"))?;
        proc.signals.send(signal).map_err(|e| Error::unknown(format!("kill {}: {e}", proc.pid)))?;
        Ok(proc.pid)
    }

    fn overlook(&self, id: &str) {
        lock(&self.unnoticed).insert(id.to_owned());
    }

    fn is_unnoticed(&self, id: &str) -> bool {
        lock(&self.unnoticed).contains(id)
    }

    /// Signals the process and waits for its end. True if it is gone, even if it was gone before.
    async fn end(&self, id: &str, signal: i32, timeout: Option<Duration>) -> Result<bool> {
        let mut gone = {
            let procs = lock(&self.procs);
            let Some(proc) = procs.get(id) else { return Ok(true) };
            proc.signals.send(signal).map_err(|e| Error::unknown(format!("kill {}: {e}", proc.pid)))?;
            proc.gone.clone()
        };
        let wait = gone.wait_for(|gone| *gone);
        Ok(match timeout {
            Some(timeout) => tokio::time::timeout(timeout, wait).await.is_ok(),
            None => wait.await.is_ok(),
        })
    }

    /// Makes a process and puts it into its cgroup. The process waits until it is started, so nobody sees its pid before.
    fn register(&self, id: &str, spawned: Spawned, cgroup: &str) -> Running {
        let Spawned { pid, process, signals, start } = spawned;
        let annotations = self.store().container(id).map(|c| c.image_annotations(&self.profile));
        self.host.place(id, cgroup, pid, &annotations.unwrap_or_default());
        let (sender, gone) = watch::channel(false);
        let proc = Proc { pid, signals, cgroup: cgroup.to_owned(), gone, start: Some(start) };
        lock(&self.procs).insert(id.to_owned(), proc);
        Running { id: id.to_owned(), process, gone: sender }
    }

    /// Starts a registered process. Returns false if it is gone.
    fn let_go(&self, id: &str) -> bool {
        lock(&self.procs).get_mut(id).map(|p| p.start.take()).is_some()
    }

    fn unregister(&self, id: &str) {
        if let Some(proc) = lock(&self.procs).remove(id) {
            self.host.clear(id, &proc.cgroup, proc.pid);
        }
    }

    fn find_sandbox(&self, id: &str) -> Result<Option<String>> {
        found(full_id(&self.store().sandboxes, id), || format!("an error occurred when try to find sandbox {id:?}"))
    }

    fn find_container(&self, id: &str) -> Result<Option<String>> {
        found(full_id(&self.store().containers, id), || format!("an error occurred when try to find container {id:?}"))
    }

    fn container_ids(&self, sandbox_id: &str) -> Vec<String> {
        self.store().containers_of(sandbox_id).map(|c| c.id.clone()).collect()
    }

    /// Kills all processes, and waits a short time for their exits.
    pub async fn shutdown(&self) {
        self.kill_all().await;
        self.host.clean_up();
    }

    async fn kill_all(&self) {
        let leaving: Vec<_> = lock(&self.procs).values().map(|p| (p.signals.clone(), p.gone.clone())).collect();
        for (signals, _) in &leaving {
            // The process may have ended by itself.
            let _ = signals.send(libc::SIGKILL);
        }
        let all = async {
            for (_, mut gone) in leaving {
                let _ = gone.wait_for(|gone| *gone).await;
            }
        };
        let _ = tokio::time::timeout(Duration::from_secs(5), all).await;
    }
}

/// What a monitor waits for.
struct Running {
    id: String,
    process: Process,
    gone: watch::Sender<bool>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Turns "not found" into success, for stops and removals; other errors stay.
fn found(id: Result<String>, context: impl Fn() -> String) -> Result<Option<String>> {
    match id {
        Ok(id) => Ok(Some(id)),
        Err(Error::NotFound(_)) => Ok(None),
        Err(e) => Err(e.context(context())),
    }
}
