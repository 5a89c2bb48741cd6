//! Drives tests/c/probe.c: the library as a C program sees it.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::c::Library;
use super::schema;

/// The compiled program, for one engine.
#[derive(Debug, Clone)]
pub struct Probe {
    program: PathBuf,
    endpoint: String,
    options: Vec<String>,
}

/// Compiles the program.
pub fn compile() -> Result<PathBuf, String> {
    Library::of_this_build().build("tests/c/probe.c")
}

impl Probe {
    /// A probe of the engine at `endpoint`.
    pub fn new(program: &Path, endpoint: &str) -> Probe {
        Probe { program: program.into(), endpoint: endpoint.into(), options: Vec::new() }
    }

    /// Sets an option of the library for all that follows.
    pub fn option(mut self, key: &str, value: &str) -> Probe {
        self.options.push(format!("{key}={value}"));
        self
    }

    /// The list: running containers and sandboxes.
    pub fn list(&self) -> Result<Value, String> {
        self.json(&["list"])
    }

    /// One container or sandbox.
    pub fn inspect(&self, id_or_name: &str) -> Result<Value, String> {
        self.json(&["inspect", id_or_name])
    }

    /// The engine.
    pub fn engine(&self) -> Result<Value, String> {
        self.json(&["engine"])
    }

    /// Starts to follow events.
    pub fn events(&self) -> Result<Events, String> {
        Events::follow(self.command(&["events"]))
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.arg(&self.endpoint).args(arguments).args(&self.options);
        command
    }

    fn json(&self, arguments: &[&str]) -> Result<Value, String> {
        let mut command = self.command(arguments);
        let output = command.stdin(Stdio::null()).output().map_err(|error| format!("{command:?}: {error}"))?;
        if !output.status.success() {
            return Err(format!("{}: {}", output.status, String::from_utf8_lossy(&output.stderr).trim()));
        }
        schema::obey(&String::from_utf8_lossy(&output.stdout)).map_err(|error| format!("{arguments:?}: {error}"))
    }
}

/// One event, as the program's line tells it; "-" where there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub seq: u64,
    pub event_type: String,
    pub flags: u32,
    pub kind: String,
    pub id: String,
    pub name: String,
    pub pod: String,
    pub pid: Option<i32>,
    pub exit_code: Option<i32>,
    pub reason: String,
}

impl Line {
    fn parse(line: &str) -> Option<Line> {
        let [seq, event_type, flags, kind, id, name, pod, pid, exit_code, reason] =
            line.split('\t').collect::<Vec<_>>().try_into().ok()?;
        Some(Line {
            seq: seq.parse().ok()?,
            event_type: event_type.into(),
            flags: flags.parse().ok()?,
            kind: kind.into(),
            id: id.into(),
            name: name.into(),
            pod: pod.into(),
            pid: pid.parse().ok(),
            exit_code: exit_code.parse().ok(),
            reason: reason.into(),
        })
    }
}

/// A program that follows events. Dropped without `finish`, it is killed.
pub struct Events {
    child: Child,
    stdin: Option<ChildStdin>,
    told: Arc<Told>,
    reader: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Told {
    lines: Mutex<(Vec<Line>, Option<String>)>,
    more: Condvar,
}

impl Events {
    fn follow(mut command: Command) -> Result<Events, String> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|error| format!("{command:?}: {error}"))?;
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take().expect("stdout is a pipe"));
        let told = Arc::new(Told::default());
        let reader = std::thread::spawn({
            let told = told.clone();
            move || told.read(BufReader::new(stdout))
        });
        Ok(Events { child, stdin, told, reader: Some(reader) })
    }

    /// What has been told so far.
    pub fn so_far(&self) -> Vec<Line> {
        self.told.lines.lock().unwrap_or_else(PoisonError::into_inner).0.clone()
    }

    /// Waits until what has been told fulfils `condition`.
    pub fn wait_for(&self, what: &str, patience: Duration, condition: impl Fn(&[Line]) -> bool) -> Result<(), String> {
        let deadline = Instant::now() + patience;
        let mut lines = self.told.lines.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if condition(&lines.0) {
                return Ok(());
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() || lines.1.is_some() {
                let end = lines.1.as_deref().unwrap_or("the deadline");
                return Err(format!("no {what} until {end}; told:\n{}", show(&lines.0)));
            }
            lines = self.told.more.wait_timeout(lines, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Ends the program the clean way, and answers all it told. Anything but a clean end is an error.
    pub fn finish(mut self) -> Result<Vec<Line>, String> {
        drop(self.stdin.take());
        self.reader.take().expect("it was not finished before").join().map_err(|_| "the reader panicked")?;
        let status = self.child.wait().map_err(|error| format!("wait for the probe: {error}"))?;
        let mut complaint = String::new();
        let stderr = self.child.stderr.as_mut().expect("stderr is a pipe");
        stderr.read_to_string(&mut complaint).map_err(|error| format!("the probe's stderr: {error}"))?;
        if !status.success() || !complaint.is_empty() {
            return Err(format!("the probe ended with {status}: {complaint}\ntold:\n{}", show(&self.so_far())));
        }
        let lines = self.told.lines.lock().unwrap_or_else(PoisonError::into_inner);
        match &lines.1 {
            Some(end) if end != END_OF_OUTPUT => Err(end.clone()),
            _ => Ok(lines.0.clone()),
        }
    }
}

const END_OF_OUTPUT: &str = "the end of the probe";

impl Told {
    fn read(&self, stdout: impl BufRead) {
        let mut end = END_OF_OUTPUT.to_owned();
        for line in stdout.lines() {
            let line = line.unwrap_or_default();
            let Some(parsed) = Line::parse(&line) else {
                end = format!("a line that is no event: {line:?}");
                break;
            };
            self.lines.lock().unwrap_or_else(PoisonError::into_inner).0.push(parsed);
            self.more.notify_all();
        }
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).1 = Some(end);
        self.more.notify_all();
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        if self.reader.is_some() {
            // It was not finished; a failure to kill means that it is gone already.
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// The events as lines, for messages.
pub fn show(lines: &[Line]) -> String {
    lines.iter().map(|line| format!("  {line:?}\n")).collect()
}
