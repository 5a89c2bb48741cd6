//! Eight threads look up whatever they find on the node, while many workers start and end containers.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use criwatch::watcher::{Owned, Snapshot, Unproven, Watcher};

use crate::node::{self, Whose, whose};
use crate::support::dice::Dice;
use crate::support::pods::{ContainerSpec, Pod, PodSpec, Pods};
use crate::support::suite::{Outcome, Setup, Skipped, unique};
use crate::support::wait::{self, PATIENCE};

const THREADS: u64 = 8;
const WORKERS: usize = 24;
/// How long a lookup may wait: the engine may remove what is waited for before a list has shown it.
const MADE: Duration = Duration::from_secs(10);

#[derive(Debug, Default)]
struct Tally {
    containers: AtomicUsize,
    hosts: AtomicUsize,
    not_yet: AtomicUsize,
    waited: AtomicUsize,
    gone: AtomicUsize,
    cgroups: AtomicUsize,
}

impl Tally {
    fn all(&self) -> usize {
        let count = |count: &AtomicUsize| count.load(Ordering::Relaxed);
        [&self.containers, &self.hosts, &self.not_yet, &self.waited, &self.gone].into_iter().map(count).sum()
    }
}

pub fn eight_threads_are_never_wrong(setup: &mut Setup) -> Outcome {
    let parent = node::parent(setup).ok_or(Skipped("the cgroups of an engine that is not ours are not known here"))?;
    let is_long = std::env::args().any(|word| word == "--include-ignored" || word == "--ignored");
    let (shortest, enough) = if is_long { (Duration::from_secs(60), 200) } else { (Duration::from_secs(4), 72) };
    let storm = Storm::new(&setup.engine.pods, 4)?;
    let watcher = node::watcher(setup)?;
    let (tally, wrong) = (Tally::default(), AtomicUsize::new(0));
    let errors = thread::scope(|scope| {
        let (storm, tally) = (&storm, &tally);
        let workers: Vec<_> = (0..WORKERS).map(|number| scope.spawn(move || storm.work(number, tally))).collect();
        let threads: Vec<_> = (0..THREADS)
            .map(|seed| {
                let (watcher, parent, wrong) = (&watcher, &parent, &wrong);
                scope.spawn(move || {
                    let mut looker = Looker { watcher, parent, tally, dice: Dice::new(seed), snapshot: None };
                    while !storm.is_over() {
                        if let Err(error) = looker.look() {
                            eprintln!("{error}");
                            wrong.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                })
            })
            .collect();
        let begin = Instant::now();
        let is_enough = || begin.elapsed() >= shortest && (storm.lives() >= enough || storm.has_failed());
        let ended = wait::for_condition("enough lives", shortest + 2 * PATIENCE, is_enough);
        storm.is_over.store(true, Ordering::Relaxed);
        threads.into_iter().for_each(|thread| thread.join().expect("it reports what is wrong"));
        let ends = workers.into_iter().map(|worker| worker.join().expect("it reports its errors"));
        ends.chain([ended]).filter_map(Result::err).collect::<Vec<_>>()
    });
    setup.figure(&format!("lookups by {THREADS} threads during {} lives: {tally:?}", storm.lives()));
    assert_eq!(wrong.load(Ordering::Relaxed), 0, "wrong answers");
    if let Some(error) = errors.into_iter().next() {
        return Err(error.into());
    }
    let seen = |count: &AtomicUsize| count.load(Ordering::Relaxed) > 0;
    assert!(seen(&tally.containers) && seen(&tally.hosts), "what is tested was there: {tally:?}");
    Ok(())
}

/// Containers that come and go.
struct Storm<'a> {
    driver: &'a Pods,
    pods: Vec<Pod>,
    lives: AtomicUsize,
    refused: AtomicUsize,
    is_over: AtomicBool,
}

impl<'a> Storm<'a> {
    fn new(driver: &'a Pods, pods: usize) -> Result<Self, String> {
        let run = |_| driver.run_pod(&PodSpec::new("cri-lab", &unique("storm"))).map_err(|error| error.to_string());
        let pods = (0..pods).map(run).collect::<Result<_, _>>()?;
        let (lives, refused) = (AtomicUsize::new(0), AtomicUsize::new(0));
        Ok(Storm { driver, pods, lives, refused, is_over: AtomicBool::new(false) })
    }

    fn lives(&self) -> usize {
        self.lives.load(Ordering::Relaxed)
    }

    fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed)
    }

    /// containerd 1.6 loses a race of its own now and then when it is very busy, and cannot start a container.
    fn has_failed(&self) -> bool {
        self.refused.load(Ordering::Relaxed) > 48
    }

    /// One container after the other, each for as long as it takes to be looked up.
    fn work(&self, number: usize, tally: &Tally) -> Result<(), String> {
        let text = |error: crate::support::pods::Failed| error.to_string();
        let script = "sleep 1000000 & sleep 1000000 & wait";
        while !self.is_over() {
            let spec = ContainerSpec::new(&unique("life"), ["sh", "-c", script]);
            let id = self.driver.create(&self.pods[number % self.pods.len()], &spec).map_err(text)?;
            if let Err(error) = self.driver.start(&id) {
                self.refused.fetch_add(1, Ordering::Relaxed);
                if self.has_failed() {
                    return Err(text(error));
                }
                continue;
            }
            self.lives.fetch_add(1, Ordering::Relaxed);
            let before = tally.all();
            wait::for_condition("lookups", PATIENCE, || tally.all() > before + 50 || self.is_over())?;
            self.driver.stop(&id, 0).map_err(text)?;
            self.driver.remove(&id).map_err(text)?;
        }
        Ok(())
    }
}

struct Looker<'a> {
    watcher: &'a Watcher,
    parent: &'a str,
    tally: &'a Tally,
    dice: Dice,
    snapshot: Option<std::sync::Arc<Snapshot>>,
}

impl Looker<'_> {
    /// As an agent does it: a new snapshot when something has changed, then many lookups.
    fn look(&mut self) -> Result<(), String> {
        let is_current = |snapshot: &std::sync::Arc<Snapshot>| snapshot.generation() == self.watcher.generation();
        let snapshot = match self.snapshot.take().filter(is_current) {
            Some(snapshot) => snapshot,
            None => self.watcher.snapshot().map_err(|error| error.to_string())?,
        };
        // Most processes are the host's: one in four is enough.
        let (all, of_containers) = (node::pids(), node::pids_below(self.parent));
        for _ in 0..64 {
            let pids = if self.dice.below(4) == 0 { &all } else { &of_containers };
            if let Some(pid) = pids.get(self.dice.below(pids.len())) {
                self.pid(&snapshot, *pid)?;
            }
        }
        self.cgroup(&snapshot)?;
        self.snapshot = Some(snapshot);
        Ok(())
    }

    fn pid(&mut self, snapshot: &Snapshot, pid: i32) -> Result<(), String> {
        let (start, before) = (node::start_ticks(pid), node::proc_says(pid, self.parent));
        let with_start = self.dice.below(2) == 0;
        let asked = if with_start { start.unwrap_or_default() } else { 0 };
        let found = whose(snapshot.find_pid(pid, asked));
        let waited = match &found {
            Ok(Whose::NotYet) if self.dice.below(8) == 0 => Some(self.watcher.lookup_pid(pid, asked, Some(MADE))),
            _ => None,
        };
        let after = node::proc_says(pid, self.parent);
        if start.is_none() || start != node::start_ticks(pid) || before != after {
            // It ended, or was put elsewhere, meanwhile: there is no one truth.
            self.tally.gone.fetch_add(1, Ordering::Relaxed);
            return Ok(());
        }
        let Some(truth) = after else { return Ok(()) };
        let wrong = |said: &dyn std::fmt::Debug| Err(format!("pid {pid} {asked}: {said:?}, and /proc says {truth:?}"));
        match (&found, &truth) {
            (Ok(found), truth) if found == truth => self.count(found),
            (Ok(Whose::NotYet), Whose::Container(id)) => match waited {
                Some(Ok(Owned::Container(container))) if *container.id == **id => {
                    self.tally.waited.fetch_add(1, Ordering::Relaxed);
                }
                Some(other) => return wrong(&other),
                // What this snapshot has is not "not yet".
                None if snapshot.find(id).is_ok() => return wrong(&found),
                None => self.count(&Whose::NotYet),
            },
            _ => return wrong(&found),
        }
        Ok(())
    }

    fn count(&self, found: &Whose) {
        let counter = match found {
            Whose::Container(_) => &self.tally.containers,
            Whose::Host => &self.tally.hosts,
            Whose::NotYet => &self.tally.not_yet,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// Any cgroup of the engine's.
    fn cgroup(&mut self, snapshot: &Snapshot) -> Result<(), String> {
        let Some(v2) = node::v2() else { return Ok(()) };
        let dirs: Vec<_> = fs::read_dir(v2.join(self.parent)).into_iter().flatten().flatten().collect();
        for _ in 0..dirs.len().min(4) {
            let dir = &dirs[self.dice.below(dirs.len())];
            let name = dir.file_name().to_string_lossy().into_owned();
            let Ok(meta) = dir.metadata() else { continue };
            if !meta.is_dir() {
                continue;
            }
            match whose(snapshot.find_cgroup(meta.ino())) {
                Ok(Whose::Container(id)) if id == name => {}
                Ok(Whose::NotYet) if snapshot.find(&name).is_err() => {}
                // It was removed meanwhile.
                Err(Unproven::NoCgroup) if fs::metadata(dir.path()).is_err() => {}
                other => return Err(format!("cgroup {}: {other:?}, and its name is {name}", meta.ino())),
            }
            self.tally.cgroups.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }
}
