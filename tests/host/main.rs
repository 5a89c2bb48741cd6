//! The host layer on this machine's kernel: processes, cgroups and watches. What the machine lacks is skipped, with its reason.
//!
//! Some tests run anew within namespaces or limits of their own: this program calls itself, with the test's name in the
//! environment.

mod cgroup;
mod marks;
mod pidfd;
mod traces;
mod watch;

use std::error::Error;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use criwatch::host::cgroup::CgroupMount;
use libtest_mimic::{Arguments, Completion, Failed, Trial};

pub type Outcome = Result<(), Box<dyn Error>>;
pub type Test = (&'static str, fn() -> Outcome);

const INSIDE: &str = "CRI_HOST_TEST";
/// The exit code of [`inside`] when the test within was skipped.
const SKIPPED: u8 = 77;

fn main() -> ExitCode {
    if let Ok(name) = std::env::var(INSIDE) {
        return run_inside(&name);
    }
    let tests = [cgroup::TESTS, marks::TESTS, pidfd::TESTS, traces::TESTS, watch::TESTS].concat();
    let trials = tests.into_iter().map(|(name, test)| Trial::ignorable_test(name, move || completion(test())));
    libtest_mimic::run(&Arguments::from_args(), trials.collect()).exit_code()
}

fn completion(outcome: Outcome) -> Result<Completion, Failed> {
    match outcome.map_err(|error| error.downcast::<Skip>()) {
        Ok(()) => Ok(Completion::Completed),
        Err(Ok(skip)) => Ok(Completion::ignored_with(skip.0)),
        Err(Err(error)) => Err(error.to_string().into()),
    }
}

/// The reason why a test does not run here.
#[derive(Debug)]
pub struct Skip(String);

impl fmt::Display for Skip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Skip {}

pub fn skip(why: impl fmt::Display) -> Box<dyn Error> {
    Box::new(Skip(why.to_string()))
}

fn run_inside(name: &str) -> ExitCode {
    let all = [cgroup::INSIDE, marks::INSIDE, pidfd::INSIDE, traces::INSIDE, watch::INSIDE].concat();
    let Some((_, test)) = all.into_iter().find(|(known, _)| *known == name) else {
        eprintln!("no test {name}");
        return ExitCode::FAILURE;
    };
    match test().map_err(|error| error.downcast::<Skip>()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Ok(skip)) => {
            eprint!("{skip}");
            ExitCode::from(SKIPPED)
        }
        Err(Err(error)) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs the inner test `name` by way of `wrapper`, a command that runs what follows it.
pub fn inside(name: &str, wrapper: &[&str], variables: &[(&str, &Path)]) -> Outcome {
    let own = std::env::current_exe()?;
    let own = own.to_str().ok_or("a path in UTF-8")?;
    let words = [wrapper, &[own]].concat();
    let mut command = Command::new(words[0]);
    let run = command.args(&words[1..]).env(INSIDE, name).envs(variables.iter().copied()).output();
    let run = run.map_err(|error| skip(format_args!("{}: {error}", words[0])))?;
    let printed = String::from_utf8_lossy(&run.stderr).trim().to_owned();
    match run.status.code() {
        Some(0) => Ok(()),
        Some(77) => Err(skip(printed)),
        _ if printed.contains("unshare failed") => Err(skip(printed)),
        _ => Err(format!("{}: {printed}", run.status).into()),
    }
}

/// Waits until it is so, for 20 s at most.
pub fn until(what: &str, mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !done() {
        assert!(Instant::now() < deadline, "{what}");
        std::thread::yield_now();
    }
}

/// A cgroup made for one test, and a process to put into it.
pub struct Made {
    pub dir: PathBuf,
    pub child: Option<Child>,
}

impl Made {
    pub fn new(mount: &CgroupMount, name: &str) -> Result<Self, Box<dyn Error>> {
        Made::at(mount.dir.join(format!("criwatch-test-{}-{name}", std::process::id())))
    }

    pub fn at(dir: PathBuf) -> Result<Self, Box<dyn Error>> {
        std::fs::create_dir(&dir)
            .map_err(|error| skip(format_args!("no cgroup can be made at {}: {error}", dir.display())))?;
        Ok(Made { dir, child: None })
    }

    pub fn enter(&mut self) -> Result<i32, Box<dyn Error>> {
        let child = Command::new("sleep").arg("60").stdin(Stdio::null()).spawn()?;
        let pid = child.id() as i32;
        self.child = Some(child);
        std::fs::write(self.dir.join("cgroup.procs"), pid.to_string())?;
        Ok(pid)
    }

    pub fn end(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        self.end();
        // A process that was waited for may still be leaving it.
        let deadline = Instant::now() + Duration::from_secs(5);
        while std::fs::remove_dir(&self.dir).is_err() && self.dir.exists() && Instant::now() < deadline {
            std::thread::yield_now();
        }
    }
}
