//! Test programs that run each of their tests on each engine: set up, skipped or failed, and summed up in the end.

use std::collections::BTreeSet;
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use libtest_mimic::{Arguments, Completion, Failed, Trial};

use super::account::Account;
use super::engines::{self, Candidate, Engine, Source};
use super::lab;
use super::pods::PodSpec;
use super::probe::{self, Events, Line, Probe};
use super::sim::Sim;

/// What a test gives. An error that is a `Skipped` skips it.
pub type Outcome = Result<(), Box<dyn std::error::Error>>;

/// A test: its name, and what it does.
pub type Test = (&'static str, fn(&mut Setup) -> Outcome);

/// An engine with nothing of ours on it, and the C program that watches it.
pub struct Setup {
    pub engine: Engine,
    pub probe: Probe,
    /// Whether nobody else uses the engine.
    alone: bool,
    /// The trial's name.
    name: String,
}

/// A reason to skip that only the running engine shows.
#[derive(Debug)]
pub struct Skipped(pub &'static str);

impl std::fmt::Display for Skipped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for Skipped {}

/// The whole of a test program's `main`.
pub fn run(tests: &[Test]) {
    run_and(tests, Vec::new());
}

/// As above, with trials of another kind.
pub fn run_and(tests: &[Test], others: Vec<Trial>) {
    let arguments = Arguments::from_args();
    let candidates = engines::candidates();
    let trials = candidates.iter().flat_map(|candidate| tests.iter().map(|test| trial(candidate.clone(), *test)));
    let conclusion = libtest_mimic::run(&arguments, trials.chain(others).collect());
    if !arguments.list {
        report(&candidates);
    }
    conclusion.exit();
}

/// All tests of this program once more, on a simulated engine that is given by `CRI_TEST_ENDPOINTS`: so somebody else's
/// engine is driven, which wants more than containerd does.
pub fn on_a_simulated_engine(profile: &'static str) -> Trial {
    Trial::test(format!("any-engine::simulated-{profile}"), move || {
        let sim = Sim::start(&["--profile", profile])?;
        let mut program = Command::new(std::env::current_exe().map_err(|error| error.to_string())?);
        // The endpoint is what the names of its trials begin with.
        program.arg(format!("{}::", sim.endpoint())).env("CRI_TEST_ENDPOINTS", sim.endpoint());
        program.env("CRI_LAB", "off").env("CRI_TEST_IMAGE", "registry.example/busybox:1");
        let output = program.output().map_err(|error| format!("{program:?}: {error}"))?;
        let reported = String::from_utf8_lossy(&output.stdout);
        let ran = reported.lines().filter(|line| line.ends_with(" ... ok")).count();
        if output.status.success() && ran > 0 {
            return Ok(());
        }
        Err(Failed::from(format!("{}: {ran} trials passed\n{reported}", output.status)))
    })
}

fn trial(candidate: Candidate, (test_name, test): Test) -> Trial {
    let name = format!("{}::{test_name}", candidate.name);
    Trial::ignorable_test(name.clone(), move || {
        let mut setup = match Setup::new(&candidate, name) {
            Ok(setup) => setup,
            Err(Obstacle::Skip(reason)) if !lab::is_required() => {
                return Ok(Completion::ignored_with(reason));
            }
            Err(Obstacle::Skip(reason) | Obstacle::Fail(reason)) => {
                return Err(Failed::from(reason));
            }
        };
        match test(&mut setup) {
            Ok(()) => Ok(Completion::Completed),
            Err(error) => match error.downcast::<Skipped>() {
                Ok(skipped) => Ok(Completion::ignored_with(skipped.0)),
                Err(error) => Err(Failed::from(error.to_string())),
            },
        }
    })
}

/// The engines that ran, as they name themselves.
static RAN: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// What the trials counted.
static FIGURES: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

fn report(candidates: &[Candidate]) {
    for line in &*FIGURES.lock().unwrap_or_else(PoisonError::into_inner) {
        println!("{line}");
    }
    let ran = RAN.lock().unwrap_or_else(PoisonError::into_inner);
    println!(
        "engines that ran: {}",
        if ran.is_empty() { "none".into() } else { Vec::from_iter(ran.iter().cloned()).join(", ") }
    );
    for candidate in candidates {
        if let Err(reason) = &candidate.source {
            println!("engine that did not run: {}: {reason}", candidate.name);
        }
    }
}

enum Obstacle {
    Skip(String),
    Fail(String),
}

impl Setup {
    fn new(candidate: &Candidate, name: String) -> Result<Setup, Obstacle> {
        let source: &Source = candidate.source.as_ref().map_err(|reason| Obstacle::Skip(reason.clone()))?;
        let program = probe::compile().map_err(Obstacle::Fail)?;
        let engine = source.start().map_err(Obstacle::Fail)?;
        let version = engine.pods.version().map_err(|error| Obstacle::Fail(error.to_string()))?;
        let ran = format!("{} {}", version.runtime_name, version.runtime_version);
        RAN.lock().unwrap_or_else(PoisonError::into_inner).insert(ran);
        // Short, so that the engines without events are watched as closely as the others.
        let probe = Probe::new(&program, &engine.endpoint).option("poll.interval_ms", "50");
        let alone = engine.containerd.is_some();
        Ok(Setup { engine, probe, alone, name })
    }

    /// Follows events, and waits until the first replay is over.
    pub fn follow(&self) -> Result<Events, String> {
        self.probe.follow()
    }

    /// What was reported, to be compared with the runs that were made.
    pub fn account(&self, reported: Vec<Line>) -> Account {
        Account::of(reported, self.alone)
    }

    /// Notes what this trial counted, to be printed in the end.
    pub fn figure(&self, text: &str) {
        FIGURES.lock().unwrap_or_else(PoisonError::into_inner).insert(format!("{}: {text}", self.name));
    }
}

/// A name that nobody else on this engine has.
pub fn unique(name: &str) -> String {
    let uid = PodSpec::new("", "").uid.replace("-0000-4000-8000-0000", "-");
    format!("{name}-{uid}")
}
