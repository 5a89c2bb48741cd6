//! Runs the command.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::Value;

use crate::sim::Sim;

/// How long anything may take on a slow, busy machine before a test gives up on it.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// The sub-commands.
pub const COMMANDS: [&str; 17] = [
    "ps",
    "pods",
    "inspect",
    "whois",
    "tree",
    "events",
    "top",
    "stats",
    "logs",
    "history",
    "images",
    "info",
    "engines",
    "doctor",
    "call",
    "version",
    "completion",
];

/// What came of it.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Ran {
    pub fn of(output: &Output) -> Ran {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("the output is text");
        Ran { code: output.status.code().unwrap_or(-1), out: text(&output.stdout), err: text(&output.stderr) }
    }

    /// What it printed, if it ended with 0 and said nothing on stderr.
    pub fn well(self) -> String {
        assert_eq!((self.code, &*self.err), (0, ""), "{}", self.out);
        self.out
    }

    /// The one line that it said on stderr, if it ended with this code.
    pub fn complaint(self, code: i32) -> String {
        assert_eq!(self.code, code, "{}{}", self.out, self.err);
        assert!(self.err.starts_with("criwatch: ") && self.err.ends_with('\n'), "{:?}", self.err);
        assert_eq!(self.err.matches('\n').count(), 1, "{}", self.err);
        self.err["criwatch: ".len()..].trim_end().to_owned()
    }
}

/// A command that sees nothing of this machine's settings. A shell that runs the tests in the background lets all of them
/// ignore Ctrl-C: this command does not.
pub fn bare(words: &[&str]) -> Command {
    let mut command = Command::new("env");
    command.args(["--default-signal=INT", env!("CARGO_BIN_EXE_criwatch")]);
    for name in ["CRI_RUNTIME_ENDPOINT", "CONTAINER_RUNTIME_ENDPOINT", "XDG_RUNTIME_DIR", "COLUMNS", "NO_COLOR"] {
        command.env_remove(name);
    }
    command.args(words).stdin(Stdio::null());
    command
}

/// Runs it without an engine.
pub fn run(words: &[&str]) -> Ran {
    Ran::of(&bare(words).output().unwrap())
}

/// Runs it on this engine.
pub fn on(sim: &Sim, words: &[&str]) -> Ran {
    run(&[words, &["-r", sim.endpoint()]].concat())
}

/// The documents that it prints.
pub fn documents(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).expect("a line is a document")).collect()
}

/// A node with two pods that are ready, and one that is not: its pod `web` has the id that is returned.
pub fn node() -> (Sim, String) {
    let mut sim = Sim::start(&[]).unwrap();
    let web = sim.make("pod web ns=shop label=tier=front app proxy").unwrap();
    for line in [
        "create web job -- exit 3",
        "start job",
        "wait job exited",
        "pod db ns=data store",
        "pod old ns=data past",
        "stop-pod old",
    ] {
        sim.tell(line).unwrap();
    }
    (sim, web)
}

/// One that runs on: its lines can be waited for.
pub struct Running {
    pub child: Child,
    lines: Option<Receiver<String>>,
}

impl Running {
    pub fn start(mut command: Command) -> Running {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = read(child.stdout.take().unwrap());
        Running { child, lines: Some(lines) }
    }

    /// The lines up to one that is wanted.
    pub fn until(&mut self, is_wanted: impl Fn(&str) -> bool) -> Vec<String> {
        let mut seen = Vec::new();
        loop {
            match self.lines.as_ref().unwrap().recv_timeout(PATIENCE) {
                Ok(line) => seen.push(line),
                Err(error) => panic!("{error}: it is not in {seen:?}"),
            }
            if is_wanted(seen.last().unwrap()) {
                return seen;
            }
        }
    }

    /// How it ended, with the rest of its lines and what it said on stderr.
    pub fn end(mut self) -> Ran {
        let rest: Vec<String> = self.lines.take().into_iter().flatten().collect();
        let mut err = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
        let code = self.child.wait().unwrap().code().unwrap_or(-1);
        Ran { code, out: rest.join("\n"), err }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Lines read by a thread, so that a wait for one can have an end. Its end is the pipe's.
fn read(stdout: ChildStdout) -> Receiver<String> {
    let (to, lines) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            if to.send(line).is_err() {
                return;
            }
        }
    });
    lines
}

/// Whether a program is there.
pub fn has(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).exists())
}

/// A command in a shell that finds the command by its name.
pub fn shell(shell: &str, line: &str, home: &Path) -> Command {
    let folder = Path::new(env!("CARGO_BIN_EXE_criwatch")).parent().unwrap().to_owned();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths(std::iter::once(folder).chain(std::env::split_paths(&path))).unwrap();
    let mut command = Command::new(shell);
    command
        .env("PATH", path)
        .env("HOME", home)
        .env_remove("CONTAINER_RUNTIME_ENDPOINT")
        .env_remove("CRI_RUNTIME_ENDPOINT");
    command.arg("-c").arg(line).stdin(Stdio::null());
    command
}
