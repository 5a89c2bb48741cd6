//! Drives tests/c/probe.c: the library as a C program sees it.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::c::Library;
use super::schema;
use super::wait::PATIENCE;

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

    /// Follows events, and waits until the first replay is over.
    pub fn follow(&self) -> Result<Events, String> {
        let events = self.events()?;
        events.wait_for("end of the replay", PATIENCE, |reported| {
            reported.iter().any(|e| e.event_type == "REPLAY_END")
        })?;
        Ok(events)
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

/// One event, as the program's line shows it; "-" where there is none.
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
    pub lost: u64,
    pub labels: BTreeMap<String, String>,
}

impl Line {
    fn parse(line: &str) -> Option<Line> {
        let own = |(key, value): (&str, &str)| (key.to_owned(), value.to_owned());
        let [seq, event_type, flags, kind, id, name, pod, pid, exit_code, reason, lost, labels] =
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
            lost: lost.parse().ok()?,
            labels: labels.split(',').filter_map(|label| label.split_once('=')).map(own).collect(),
        })
    }
}

/// A program that follows events. Dropped without `finish`, it is killed.
pub struct Events {
    child: Child,
    stdin: Mutex<Option<ChildStdin>>,
    output: Arc<Output>,
    reader: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Output {
    so_far: Mutex<Lines>,
    more: Condvar,
}

#[derive(Default)]
struct Lines {
    reported: Vec<Line>,
    /// Answers to commands: word and text.
    answers: Vec<(String, String)>,
    /// Why no more will come.
    end: Option<String>,
}

impl Events {
    fn follow(mut command: Command) -> Result<Events, String> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|error| format!("{command:?}: {error}"))?;
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take().expect("stdout is a pipe"));
        let output = Arc::new(Output::default());
        let reader = std::thread::spawn({
            let output = output.clone();
            move || output.read(BufReader::new(stdout))
        });
        Ok(Events { child, stdin: Mutex::new(stdin), output, reader: Some(reader) })
    }

    /// The list, without asking the engine.
    pub fn list(&self) -> Result<Value, String> {
        self.ask("list").and_then(|json| schema::obey(&json))
    }

    /// Resyncs; the list right after.
    pub fn resync(&self) -> Result<Value, String> {
        self.ask("resync").and_then(|json| schema::obey(&json))
    }

    /// Lets the callback block in its next call.
    pub fn block(&self) -> Result<(), String> {
        self.ask("block").map(drop)
    }

    /// Waits until the callback has been called, and blocks.
    pub fn wait_until_blocked(&self) -> Result<(), String> {
        self.wait("block of the callback", |lines| {
            lines.answers.iter().any(|(word, _)| word == "blocked").then_some(())
        })
    }

    /// Lets the callback go on.
    pub fn unblock(&self) -> Result<(), String> {
        self.ask("go").map(drop)
    }

    /// Stops the whole program, as a debugger or freezer does.
    pub fn freeze(&self) -> Result<(), String> {
        self.signal(libc::SIGSTOP)
    }

    /// Lets it go on after `freeze`.
    pub fn thaw(&self) -> Result<(), String> {
        self.signal(libc::SIGCONT)
    }

    fn signal(&self, signal: i32) -> Result<(), String> {
        // SAFETY: kill takes plain numbers; the child was not waited for, so the pid is its own.
        match unsafe { libc::kill(self.child.id() as i32, signal) } {
            0 => Ok(()),
            _ => Err(format!("signal {signal} to the probe: {}", std::io::Error::last_os_error())),
        }
    }

    /// Gives a command, and waits for its answer.
    fn ask(&self, command: &str) -> Result<String, String> {
        let mut stdin = self.stdin.lock().unwrap_or_else(PoisonError::into_inner);
        let count = |lines: &Lines| lines.answers.iter().filter(|(word, _)| word == command).count();
        let before = count(&self.output.so_far.lock().unwrap_or_else(PoisonError::into_inner));
        let pipe = stdin.as_mut().expect("it is not finished");
        writeln!(pipe, "{command}").map_err(|error| format!("{command}: {error}"))?;
        self.wait(command, |lines| {
            lines.answers.iter().filter(|(word, _)| word == command).nth(before).map(|(_, text)| text.clone())
        })
    }

    fn wait<T>(&self, what: &str, look: impl Fn(&Lines) -> Option<T>) -> Result<T, String> {
        self.wait_at_most(what, PATIENCE, look)
    }

    fn wait_at_most<T>(&self, what: &str, patience: Duration, look: impl Fn(&Lines) -> Option<T>) -> Result<T, String> {
        let deadline = Instant::now() + patience;
        let mut lines = self.output.so_far.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(found) = look(&lines) {
                return Ok(found);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() || lines.end.is_some() {
                let end = lines.end.as_deref().unwrap_or("the deadline");
                return Err(format!("no {what} until {end}; reported:\n{}", show(&lines.reported)));
            }
            lines = self.output.more.wait_timeout(lines, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// What has been reported so far.
    pub fn so_far(&self) -> Vec<Line> {
        self.output.so_far.lock().unwrap_or_else(PoisonError::into_inner).reported.clone()
    }

    /// Waits until what has been reported fulfils `condition`.
    pub fn wait_for(&self, what: &str, patience: Duration, condition: impl Fn(&[Line]) -> bool) -> Result<(), String> {
        self.wait_at_most(what, patience, |lines| condition(&lines.reported).then_some(()))
    }

    /// Ends the program the clean way, and answers all that it printed. Anything but a clean end is an error.
    pub fn finish(mut self) -> Result<Vec<Line>, String> {
        drop(self.stdin.lock().unwrap_or_else(PoisonError::into_inner).take());
        self.reader.take().expect("it was not finished before").join().map_err(|_| "the reader panicked")?;
        let status = self.child.wait().map_err(|error| format!("wait for the probe: {error}"))?;
        let mut complaint = String::new();
        let stderr = self.child.stderr.as_mut().expect("stderr is a pipe");
        stderr.read_to_string(&mut complaint).map_err(|error| format!("the probe's stderr: {error}"))?;
        if !status.success() || !complaint.is_empty() {
            return Err(format!("the probe ended with {status}: {complaint}\ntold:\n{}", show(&self.so_far())));
        }
        let mut lines = self.output.so_far.lock().unwrap_or_else(PoisonError::into_inner);
        match lines.end.take() {
            Some(end) if end != END_OF_OUTPUT => Err(end),
            _ => Ok(std::mem::take(&mut lines.reported)),
        }
    }
}

const END_OF_OUTPUT: &str = "the end of the probe";

impl Output {
    fn read(&self, stdout: impl BufRead) {
        let mut end = END_OF_OUTPUT.to_owned();
        for line in stdout.lines() {
            let line = line.unwrap_or_default();
            let mut lines = self.so_far.lock().unwrap_or_else(PoisonError::into_inner);
            match (line.strip_prefix('=').and_then(|answer| answer.split_once(' ')), Line::parse(&line)) {
                (Some((word, text)), _) => lines.answers.push((word.into(), text.into())),
                (None, Some(reported)) => lines.reported.push(reported),
                (None, None) => {
                    end = format!("a line that is no event: {line:?}");
                    break;
                }
            }
            self.more.notify_all();
        }
        self.so_far.lock().unwrap_or_else(PoisonError::into_inner).end = Some(end);
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
