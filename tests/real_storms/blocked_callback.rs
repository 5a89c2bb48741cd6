//! A callback that does not come back.

use std::collections::BTreeSet;

use criwatch::cri::proto::ContainerState;

use crate::barrier::listed;
use crate::support::account::Account;
use crate::support::churn::{for_all, start_all};
use crate::support::pods::{ContainerSpec, Pod, PodSpec};
use crate::support::probe::Events;
use crate::support::suite::{Outcome, Setup, unique};
use crate::support::wait::{self, PATIENCE};

pub const WORKERS: usize = 8;
const PODS: usize = 10;

/// Containers that were made, and wait to be started.
pub struct Made {
    pub pods: Vec<Pod>,
    /// Will run until they are stopped.
    pub lasting: Vec<String>,
    /// Will be over at once.
    pub brief: Vec<String>,
}

impl Made {
    /// Makes them, in a few pods with many containers.
    pub fn new(setup: &Setup, lasting: usize, brief: usize) -> Result<Made, String> {
        Made::in_pods(setup, PODS, lasting, brief)
    }

    /// Makes them, spread over so many pods.
    pub fn in_pods(setup: &Setup, pods: usize, lasting: usize, brief: usize) -> Result<Made, String> {
        let driver = &setup.engine.pods;
        let made = std::sync::Mutex::new(Vec::new());
        for_all(&vec![(); pods], WORKERS, |()| {
            let pod = driver.run_pod(&PodSpec::new("cri-lab", &unique("crowd"))).map_err(|error| error.to_string())?;
            made.lock().expect("no worker panics").push(pod);
            Ok(())
        })?;
        let pods: Vec<Pod> = made.into_inner().expect("no worker panics");
        let make = |count: usize, command: &'static str| {
            let ids = std::sync::Mutex::new(Vec::new());
            let numbers: Vec<usize> = (0..count).collect();
            for_all(&numbers, WORKERS, |number| {
                let spec = ContainerSpec::new(&unique("one"), ["sh", "-c", command]);
                let id = driver.create(&pods[number % pods.len()], &spec).map_err(|error| error.to_string())?;
                ids.lock().expect("no worker panics").push(id);
                Ok(())
            })?;
            Ok::<_, String>(ids.into_inner().expect("no worker panics"))
        };
        let (lasting, brief) = (make(lasting, "sleep 1000000")?, make(brief, "exit 3")?);
        Ok(Made { pods, lasting, brief })
    }

    /// Starts them all, and waits until the brief ones are over.
    pub fn start(&self, setup: &Setup) -> Result<(), String> {
        let driver = &setup.engine.pods;
        start_all(driver, &[&self.brief[..], &self.lasting[..]].concat(), WORKERS)?;
        let brief: BTreeSet<&str> = self.brief.iter().map(String::as_str).collect();
        wait::for_condition("the exits of the brief ones", PATIENCE, || {
            driver.containers().is_ok_and(|all| {
                let exited = all.iter().filter(|c| c.state() == ContainerState::ContainerExited);
                brief.is_subset(&exited.map(|c| c.id.as_str()).collect())
            })
        })
    }

    /// Checks that each run is reported exactly once.
    pub fn is_reported_once(&self, account: &mut Account) {
        self.brief.iter().for_each(|id| account.is_reported_to_its_end(id));
        self.living().iter().for_each(|id| account.is_reported_running(id));
        account.invents_nothing(&self.all());
    }

    /// Those that run at the end.
    pub fn living(&self) -> BTreeSet<String> {
        self.pods.iter().map(|pod| pod.id.clone()).chain(self.lasting.iter().cloned()).collect()
    }

    /// All of them, and their pods.
    pub fn all(&self) -> BTreeSet<String> {
        self.living().into_iter().chain(self.brief.iter().cloned()).collect()
    }

    /// Waits until all of it is reported.
    pub fn wait_until_reported(&self, events: &Events) -> Result<(), String> {
        let (living, brief) = (self.living(), self.brief.iter().cloned().collect::<BTreeSet<_>>());
        events.wait_for("all starts and exits", PATIENCE, |lines| {
            let of = |event_type: &str| -> BTreeSet<String> {
                lines.iter().filter(|line| line.event_type == event_type).map(|line| line.id.clone()).collect()
            };
            living.is_subset(&of("STARTED")) && brief.is_subset(&of("EXITED"))
        })
    }
}

/// With room in the queue, the consumer gets every event once it goes on.
pub fn delays_no_start(setup: &mut Setup) -> Outcome {
    let made = Made::new(setup, 60, 140)?;
    // The brief ones are not removed, so that they are seen also without events.
    let events = setup.follow()?;
    let before = block_through(setup, &events, &made)?;
    events.unblock()?;
    made.wait_until_reported(&events)?;
    let mut account = setup.account(events.finish()?);
    made.is_reported_once(&mut account);
    setup.figure(&format!(
        "200 starts while the callback was blocked; runs reported {} after {before} lines before",
        account.runs()
    ));
    Ok(account.close()?)
}

/// With little room the consumer gets OVERFLOW, and the replay makes its set right.
pub fn overflows_into_the_right_set(setup: &mut Setup) -> Outcome {
    let made = Made::new(setup, 20, 60)?;
    let events = setup.probe.clone().option("queue.capacity", "16").follow()?;
    block_through(setup, &events, &made)?;
    events.unblock()?;
    let living = made.living();
    events.wait_for("the replay after the overflow", PATIENCE, |lines| {
        let overflow = lines.iter().rposition(|line| line.event_type == "OVERFLOW");
        overflow.is_some_and(|at| lines[at..].iter().any(|line| line.event_type == "REPLAY_END"))
    })?;
    let mut account = setup.account(events.finish()?);
    let lost: u64 = account.reported().iter().map(|line| line.lost).sum();
    let overflows = account.reported().iter().filter(|line| line.event_type == "OVERFLOW").count();
    assert!(lost > 0, "an overflow says how much was lost");
    assert_eq!(account.consumers_set(&made.all()), living, "what the consumer takes for running");
    setup.figure(&format!(
        "80 starts while the callback was blocked; overflows {overflows}, events lost {lost}, then the right set"
    ));
    Ok(account.close()?)
}

/// Starts everything while the callback is blocked; how many lines it had printed before.
fn block_through(setup: &Setup, events: &Events, made: &Made) -> Result<usize, String> {
    events.block()?;
    let before = events.so_far().len();
    made.start(setup)?;
    events.wait_until_blocked()?;
    // The watcher itself is not blocked: the cache has everything.
    let mut running = listed(&events.resync()?);
    running.retain(|id| made.all().contains(id));
    assert_eq!(running, made.living(), "the cache");
    assert_eq!(events.so_far().len(), before, "it is still blocked");
    Ok(before)
}
