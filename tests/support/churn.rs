//! Runs made and ended by many workers at once, and what those who made them know of them.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use criwatch::cri::proto::{ContainerState, PodSandboxState};

use super::account::Account;
use super::pods::{ContainerSpec, Pod, PodSpec, Pods};
use super::suite::unique;
use super::wait::{self, PATIENCE};

/// The label that every container of a churn has, with a value of its own.
pub const TAG: &str = "cri-lab/run";

/// How far a run came, as far as its maker knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// The engine could not start it, and shows it as never started: containerd 1.6 now and then loses a race of its
    /// own when it is very busy. No run.
    Refused,
    /// Its container exists. Nobody has reported that it started.
    Created,
    /// The engine reported that it started.
    Started,
    /// The engine reported that it exited.
    Exited,
    /// The engine reported that its container is removed.
    Removed,
}

/// One run.
#[derive(Debug, Clone)]
pub struct Run {
    /// The container.
    pub id: String,
    /// Its `TAG`.
    pub tag: String,
    /// The code it exits with when nobody interferes.
    pub exit_code: i32,
    /// How far it came.
    pub stage: Stage,
}

/// How long the runs of a churn last.
#[derive(Clone, Copy)]
pub enum Span<'a> {
    /// Over at once.
    Brief,
    /// Until this returns, which is called with each container that runs.
    While(&'a (dyn Fn() -> Result<(), String> + Sync)),
}

/// Workers that make runs in some pods.
pub struct Churn<'a> {
    driver: &'a Pods,
    pods: Vec<Pod>,
    runs: Mutex<Vec<Run>>,
    over: AtomicBool,
    refusals: AtomicUsize,
    /// Pods whose sandbox ended although nobody had asked for that.
    fallen: Mutex<BTreeSet<String>>,
}

/// More starts than these that an engine could not make are no accident.
const MOST_REFUSALS: usize = 48;

impl<'a> Churn<'a> {
    /// A churn in so many new pods.
    pub fn new(driver: &'a Pods, pods: usize) -> Result<Churn<'a>, String> {
        let run = |_| driver.run_pod(&PodSpec::new("cri-lab", &unique("churn"))).map_err(|error| error.to_string());
        let pods = (0..pods).map(run).collect::<Result<_, _>>()?;
        Ok(Churn {
            driver,
            pods,
            runs: Mutex::default(),
            over: AtomicBool::new(false),
            refusals: AtomicUsize::new(0),
            fallen: Mutex::default(),
        })
    }

    /// The pods.
    pub fn pods(&self) -> &[Pod] {
        &self.pods
    }

    /// The runs so far.
    pub fn runs(&self) -> Vec<Run> {
        self.lock().iter().filter(|run| run.stage > Stage::Refused).cloned().collect()
    }

    /// Lets the workers end after the runs they are at.
    pub fn stop(&self) {
        self.over.store(true, Ordering::Relaxed);
    }

    /// So many workers make runs, `count` in all or until `stop`. One that meets an error ends, and the error is
    /// given.
    pub fn run(&self, workers: usize, count: usize, span: Span<'_>) -> Vec<String> {
        self.over.store(false, Ordering::Relaxed);
        let next = AtomicUsize::new(0);
        let work = || {
            while !self.over.load(Ordering::Relaxed) {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= count {
                    break;
                }
                self.one_run(number, span)?;
            }
            Ok(())
        };
        thread::scope(|scope| {
            let workers: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
            let ends = workers.into_iter().map(|worker| worker.join().expect("a worker reports its errors"));
            ends.filter_map(Result::err).collect()
        })
    }

    /// Create, start, wait for the exit, remove.
    fn one_run(&self, number: usize, span: Span<'_>) -> Result<(), String> {
        let text = |error: super::pods::Failed| error.to_string();
        let exit_code = if number.is_multiple_of(4) { 3 } else { 0 };
        let tag = unique("run");
        let spec = match (span, exit_code) {
            (Span::Brief, 0) => ContainerSpec::new(&tag, ["true"]),
            (Span::Brief, code) => ContainerSpec::new(&tag, ["sh", "-c", &format!("exit {code}")]),
            (Span::While(_), code) => ContainerSpec::stoppable(&tag, code),
        };
        let pod = self.standing_pod(number)?;
        let id = self.driver.create(pod, &spec.label(TAG, &tag)).map_err(text)?;
        let index = {
            let mut runs = self.lock();
            runs.push(Run { id: id.clone(), tag, exit_code, stage: Stage::Created });
            runs.len() - 1
        };
        if let Err(error) = self.driver.start(&id) {
            if !self.is_refused(&id) || self.refusals.fetch_add(1, Ordering::Relaxed) >= MOST_REFUSALS {
                return Err(text(error));
            }
            if !self.stands(pod)? {
                self.fallen.lock().unwrap_or_else(PoisonError::into_inner).insert(pod.id.clone());
            }
            self.reached(index, Stage::Refused);
            return self.one_run(number, span);
        }
        self.reached(index, Stage::Started);
        if let Span::While(lasts) = span {
            lasts()?;
            self.driver.stop(&id, PATIENCE.as_secs() as i64).map_err(text)?;
        }
        wait::until("the exit", PATIENCE, || match self.driver.brief_status(&id) {
            Ok(status) if status.state() == ContainerState::ContainerExited => Ok(Ok(())),
            Ok(status) => Err(format!("{id} is {:?}", status.state())),
            Err(error) => Ok(Err(error.to_string())),
        })??;
        self.reached(index, Stage::Exited);
        self.driver.remove(&id).map_err(text)?;
        self.reached(index, Stage::Removed);
        Ok(())
    }

    /// The pod whose turn it is, or the next one whose sandbox is still there.
    fn standing_pod(&self, number: usize) -> Result<&Pod, String> {
        let fallen = self.fallen.lock().unwrap_or_else(PoisonError::into_inner);
        let turns = (0..self.pods.len()).map(|n| &self.pods[(number + n) % self.pods.len()]);
        turns.into_iter().find(|pod| !fallen.contains(&pod.id)).ok_or_else(|| "all sandboxes have fallen".to_owned())
    }

    fn stands(&self, pod: &Pod) -> Result<bool, String> {
        let all = self.driver.sandboxes().map_err(|error| error.to_string())?;
        Ok(all.iter().any(|it| it.id == pod.id && it.state() == PodSandboxState::SandboxReady))
    }

    /// The pods are reported as running; one whose sandbox fell is reported to its end. How many fell.
    pub fn pods_are_reported(&self, account: &mut Account) -> Result<usize, String> {
        let mut fallen = 0;
        for pod in &self.pods {
            if self.stands(pod)? {
                account.is_reported_running(&pod.id);
            } else {
                account.is_reported_to_its_end(&pod.id);
                fallen += 1;
            }
        }
        Ok(fallen)
    }

    /// Whether the engine says that it could not start it.
    fn is_refused(&self, id: &str) -> bool {
        let status = self.driver.brief_status(id);
        status.is_ok_and(|status| status.state() == ContainerState::ContainerExited && status.started_at <= 0)
    }

    fn reached(&self, index: usize, stage: Stage) {
        self.lock()[index].stage = stage;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Run>> {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Starts these containers, by so many workers.
pub fn start_all(driver: &Pods, ids: &[String], workers: usize) -> Result<(), String> {
    for_all(ids, workers, |id| driver.start(id).map_err(|error| error.to_string()))
}

/// Does the same with each, by so many workers; the first error, if there is one.
pub fn for_all<T: Sync>(
    all: &[T],
    workers: usize,
    act: impl Fn(&T) -> Result<(), String> + Sync,
) -> Result<(), String> {
    let next = AtomicUsize::new(0);
    let work = || {
        while let Some(one) = all.get(next.fetch_add(1, Ordering::Relaxed)) {
            act(one)?;
        }
        Ok(())
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|worker| worker.join().expect("a worker reports its errors"))
    })
}
