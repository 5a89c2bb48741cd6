//! The simulated engine (sim/): builds it, starts it, tells it what to do, ends it.

#![allow(dead_code)] // Each test binary uses its part.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use tempfile::TempDir;

/// How long the answer to a command may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long starting may take, with many thousand containers.
const FILLING: Duration = Duration::from_secs(300);

/// A simulated engine. Dropped, it ends, and with it everything it runs.
#[derive(Debug)]
pub struct Sim {
    child: Child,
    /// Its end is the engine's end.
    stdin: ChildStdin,
    lines: Receiver<String>,
    endpoint: String,
    profile: String,
    _folder: Option<TempDir>,
}

/// One container or sandbox that the engine has.
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
    /// Starts one; it accepts connections when this returns. `arguments` are those of `cri-sim --help`, besides the
    /// socket and the script.
    pub fn start(arguments: &[&str]) -> Result<Sim, String> {
        let folder = tempfile::tempdir().map_err(|e| format!("a folder for the simulated engine: {e}"))?;
        let mut sim = Self::start_at(&folder.path().join("cri.sock"), arguments)?;
        sim._folder = Some(folder);
        Ok(sim)
    }

    /// The same, with its socket at this path, whose folder is there.
    pub fn start_at(socket: &Path, arguments: &[&str]) -> Result<Sim, String> {
        let mut command = Command::new(program()?);
        command.arg("--socket").arg(socket).args(["--script", "-"]).args(arguments);
        Self::start_by(command)
    }

    /// The same, by a command that ends in one with `--script -`.
    pub fn start_by(mut command: Command) -> Result<Sim, String> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().map_err(|e| format!("{command:?}: {e}"))?;
        let stdin = child.stdin.take().expect("stdin is a pipe");
        let lines = read(child.stdout.take().expect("stdout is a pipe"));
        let mut sim = Sim { child, stdin, lines, endpoint: String::new(), profile: String::new(), _folder: None };
        let ready = sim.line("its start", FILLING)?;
        let endpoint = ready.strip_prefix("ready ").and_then(|rest| rest.split(' ').next());
        sim.profile = ready.split(' ').find_map(|word| word.strip_prefix("profile=")).unwrap_or_default().to_owned();
        sim.endpoint = endpoint.ok_or_else(|| format!("the simulated engine is not ready: {ready:?}"))?.to_owned();
        Ok(sim)
    }

    /// Where it listens: `unix://...`.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// The same, as a path.
    pub fn socket(&self) -> &Path {
        Path::new(self.endpoint.trim_start_matches("unix://"))
    }

    /// The engine that it plays.
    pub fn profile(&self) -> &str {
        &self.profile
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Stops all of it: its sockets accept, and nothing answers. To be followed by `thaw`.
    pub fn freeze(&self) -> Result<(), String> {
        self.signal(libc::SIGSTOP)
    }

    /// Lets it go on after `freeze`.
    pub fn thaw(&self) -> Result<(), String> {
        self.signal(libc::SIGCONT)
    }

    fn signal(&self, signal: i32) -> Result<(), String> {
        // SAFETY: kill takes plain numbers; the child was not waited for, so that the pid is still its own.
        match unsafe { libc::kill(self.child.id() as i32, signal) } {
            0 => Ok(()),
            _ => Err(format!("signal {signal}: {}", std::io::Error::last_os_error())),
        }
    }

    /// Has it do what one line of a script says, and waits until that is done; its answer, if that is `ok ...`.
    pub fn tell(&mut self, line: &str) -> Result<String, String> {
        Ok(self.tell_in_detail(line)?.1)
    }

    /// The same, with the lines of their own in which `list` shows what it has.
    fn tell_in_detail(&mut self, line: &str) -> Result<(Vec<String>, String), String> {
        let deaf = |e| format!("{line:?}: the simulated engine does not listen: {e}");
        writeln!(self.stdin, "{line}").map_err(deaf)?;
        let mut details = Vec::new();
        loop {
            let answer = self.line(line, PATIENCE)?;
            if answer.starts_with("ok ") {
                return Ok((details, answer));
            }
            if !answer.starts_with("- ") {
                return Err(format!("{line:?}: {answer}"));
            }
            details.push(answer);
        }
    }

    /// The id that it gave to what the line made: `id=...` of the answer.
    pub fn make(&mut self, line: &str) -> Result<String, String> {
        let answer = self.tell(line)?;
        field(&answer, "id").map(str::to_owned).ok_or_else(|| format!("{line:?}: no id in {answer:?}"))
    }

    /// One number of `stats`; how often a method was called stands there under the method's name. 0 where it is
    /// absent.
    pub fn stat(&mut self, key: &str) -> Result<u64, String> {
        let answer = self.tell("stats")?;
        field(&answer, key).map_or(Ok(0), |n| n.parse().map_err(|_| format!("{key} is no number in {answer:?}")))
    }

    /// Everything that it has.
    pub fn things(&mut self) -> Result<BTreeSet<Thing>, String> {
        let (details, _) = self.tell_in_detail("list")?;
        details.iter().map(|line| Thing::parse(line).ok_or_else(|| format!("list: {line:?}"))).collect()
    }

    /// Everything that runs: running containers and ready sandboxes.
    pub fn living(&mut self) -> Result<BTreeSet<Thing>, String> {
        Ok(self.things()?.into_iter().filter(|thing| thing.state == "running" || thing.state == "ready").collect())
    }

    fn line(&self, after: &str, patience: Duration) -> Result<String, String> {
        self.lines.recv_timeout(patience).map_err(|error| match error {
            RecvTimeoutError::Timeout => format!("no answer of the simulated engine within {patience:?} to {after}"),
            RecvTimeoutError::Disconnected => format!("the simulated engine has ended, after {after}"),
        })
    }
}

/// Its lines, read by a thread of their own, so that a wait for one can have an end.
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

impl Thing {
    /// `- KIND PATH STATE ... id=ID pid=PID`
    fn parse(line: &str) -> Option<Thing> {
        let words: Vec<&str> = line.split(' ').collect();
        let (id, pid) = (field(line, "id")?.to_owned(), field(line, "pid")?.parse().ok()?);
        Some(Thing { id, path: (*words.get(2)?).into(), state: (*words.get(3)?).into(), pid })
    }
}

/// The value of `key=value` in an answer.
fn field<'a>(answer: &'a str, key: &str) -> Option<&'a str> {
    answer.split(' ').find_map(|word| word.strip_prefix(key)?.strip_prefix('='))
}

impl Drop for Sim {
    fn drop(&mut self) {
        // The end of its script would do, unless the script hangs in a command. Either way it removes what it made. One
        // that is frozen ends when it goes on. It cannot fail: the child is there until it was waited for.
        let _ = self.signal(libc::SIGTERM);
        let _ = self.signal(libc::SIGCONT);
        // A failure says that it has ended already.
        let _ = self.child.wait();
    }
}

/// The program: what the variable CRI_SIM names, or built once for each test program, beside this build.
pub fn program() -> Result<&'static Path, String> {
    static BUILT: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    BUILT.get_or_init(build).as_deref().map_err(Clone::clone)
}

fn build() -> Result<PathBuf, String> {
    std::env::var_os("CRI_SIM").map_or_else(|| program_of("sim", "cri-sim"), |named| Ok(named.into()))
}

/// A program of one of the repository's own workspaces, built.
pub fn program_of(folder: &str, name: &str) -> Result<PathBuf, String> {
    let manifest = Path::new(folder).join("Cargo.toml");
    // The command's tests are in a folder of the repository.
    let holds = |root: &&Path| root.join(&manifest).exists();
    let root =
        Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().find(holds).ok_or(format!("{folder}/ is not there"))?;
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name(folder);
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["build", "--quiet", "--locked", "--manifest-path"]).arg(root.join(&manifest));
    command.arg("--target-dir").arg(&target).current_dir(root);
    let output = command.output().map_err(|e| format!("{command:?}: {e}"))?;
    if !output.status.success() {
        return Err(format!("{command:?}: {}\n{}", output.status, String::from_utf8_lossy(&output.stderr)));
    }
    Ok(target.join("debug").join(name))
}

/// A program that prints the containers of the engine it is given sees one.
pub fn lists(mut program: Command) -> Result<(), String> {
    let mut sim = Sim::start(&[])?;
    let id = sim.make("pod web ns=shop nginx")?;
    let output = program.arg(sim.endpoint()).output().map_err(|e| format!("{program:?}: {e}"))?;
    let printed = String::from_utf8_lossy(&output.stdout);
    if output.status.success() && printed.contains(&id) {
        return Ok(());
    }
    Err(format!(
        "{program:?}: {}; {id} is not listed: {printed}{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    ))
}
