//! A running cri-sim, the simulated engine, driven by script lines.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use super::c;
use super::wait::PATIENCE;

/// How long starting may take, with many thousand containers on a busy machine.
const FILLING: Duration = Duration::from_secs(300);

/// Builds the simulator, once; gives its path.
pub fn program() -> Result<&'static Path, String> {
    static BUILT: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    BUILT.get_or_init(build).as_deref().map_err(Clone::clone)
}

fn build() -> Result<PathBuf, String> {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| "target".into(), PathBuf::from);
    let target = c::root().join(target).join("sim");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.arg("build").arg("--manifest-path").arg(c::root().join("sim/Cargo.toml")).arg("--target-dir").arg(&target);
    c::succeed(&mut command)?;
    Ok(target.join("debug/cri-sim"))
}

/// The program. Dropped, it ends, and removes what it made.
pub struct Sim {
    child: Child,
    stdin: ChildStdin,
    answers: Receiver<String>,
    folder: tempfile::TempDir,
}

/// One thing that the engine has.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Thing {
    pub id: String,
    /// NS/POD or NS/POD/CONTAINER
    pub path: String,
    /// ready, notready, created, running, exited
    pub state: String,
    /// 0 where there is no process.
    pub pid: i32,
}

impl Sim {
    /// Starts it with these options; it accepts connections when this returns.
    pub fn start(options: &[&str]) -> Result<Sim, String> {
        Self::start_in(tempfile::tempdir().map_err(|error| format!("no temporary folder: {error}"))?, options)
    }

    /// As `start`, with its socket in a folder that was made before.
    pub fn start_in(folder: tempfile::TempDir, options: &[&str]) -> Result<Sim, String> {
        let mut command = Command::new(program()?);
        command.args(["--script", "-", "--socket"]).arg(folder.path().join("cri.sock")).args(options);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().map_err(|error| format!("{command:?}: {error}"))?;
        let stdin = child.stdin.take().expect("stdin is a pipe");
        let stdout = BufReader::new(child.stdout.take().expect("stdout is a pipe"));
        let (to, answers) = channel();
        std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                if to.send(line).is_err() {
                    return;
                }
            }
        });
        let sim = Sim { child, stdin, answers, folder };
        match sim.line("being ready", FILLING)? {
            ready if ready.starts_with("ready unix:///") => Ok(sim),
            other => Err(format!("cri-sim says {other:?}")),
        }
    }

    /// Where it is reached.
    pub fn endpoint(&self) -> String {
        format!("unix://{}", self.socket().display())
    }

    /// The same, as a path.
    pub fn socket(&self) -> PathBuf {
        self.folder.path().join("cri.sock")
    }

    fn line(&self, after: &str, patience: Duration) -> Result<String, String> {
        self.answers.recv_timeout(patience).map_err(|error| match error {
            RecvTimeoutError::Timeout => format!("no answer of cri-sim within {patience:?} to: {after}"),
            RecvTimeoutError::Disconnected => format!("cri-sim has ended: {after}"),
        })
    }

    /// Gives a command without waiting for its answer, which `answer` takes later.
    pub fn tell(&mut self, line: &str) -> Result<(), String> {
        writeln!(self.stdin, "{line}").map_err(|error| format!("cri-sim does not listen: {error}"))
    }

    /// The answer of a command that was told before, with the details that precede it.
    pub fn answer(&mut self, line: &str) -> Result<(Vec<String>, String), String> {
        let mut details = Vec::new();
        loop {
            let answer = self.line(line, PATIENCE)?;
            if answer.starts_with("ok ") {
                return Ok((details, answer));
            }
            if !answer.starts_with("- ") {
                return Err(format!("{line}: {answer}"));
            }
            details.push(answer);
        }
    }

    /// Gives a command, which has to succeed; its answer.
    pub fn ok(&mut self, line: &str) -> Result<String, String> {
        self.tell(line)?;
        Ok(self.answer(line)?.1)
    }

    /// Gives a command, which has to succeed; the first id of its answer.
    pub fn id(&mut self, line: &str) -> Result<String, String> {
        let answer = self.ok(line)?;
        field(&answer, "id").map(str::to_owned).ok_or_else(|| format!("{line}: no id in {answer:?}"))
    }

    /// One number of `stats`; how often a method was called stands there under its name. 0 where it is absent.
    pub fn stat(&mut self, key: &str) -> Result<u64, String> {
        let answer = self.ok("stats")?;
        field(&answer, key).map_or(Ok(0), |n| n.parse().map_err(|_| format!("{key} is no number in {answer:?}")))
    }

    /// Everything that it has.
    pub fn things(&mut self) -> Result<BTreeSet<Thing>, String> {
        self.tell("list")?;
        let (details, _) = self.answer("list")?;
        details.iter().map(|line| Thing::parse(line).ok_or_else(|| format!("list: {line:?}"))).collect()
    }

    /// Everything that runs: running containers and ready sandboxes.
    pub fn living(&mut self) -> Result<BTreeSet<Thing>, String> {
        Ok(self.things()?.into_iter().filter(|thing| thing.state == "running" || thing.state == "ready").collect())
    }
}

impl Thing {
    /// `- KIND PATH STATE ... id=ID pid=PID`
    fn parse(line: &str) -> Option<Thing> {
        let words: Vec<&str> = line.split(' ').collect();
        let (id, pid) = (field(line, "id")?.to_owned(), field(line, "pid")?.parse().ok()?);
        Some(Thing { id, path: (*words.get(2)?).into(), state: (*words.get(3)?).into(), pid })
    }
}

/// The value of `key=value` in an answer.
pub fn field<'a>(answer: &'a str, key: &str) -> Option<&'a str> {
    answer.split(' ').find_map(|word| word.strip_prefix(key)?.strip_prefix('='))
}

impl Drop for Sim {
    fn drop(&mut self) {
        // The end of its script would do, unless the script hangs in a command.
        // SAFETY: the child is ours and was not waited for, so that this pid is still its own.
        unsafe { libc::kill(self.child.id() as i32, libc::SIGTERM) };
        // A failed wait means that it is gone already.
        let _ = self.child.wait();
    }
}
