//! The simulated engine (sim/): builds it, starts it, tells it what to do, ends it.

#![allow(dead_code)] // Each test binary uses its part.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// A simulated engine. Dropped, it ends, and with it everything it runs.
#[derive(Debug)]
pub struct Sim {
    child: Child,
    /// Its end is the engine's end.
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
    endpoint: String,
    _folder: TempDir,
}

impl Sim {
    /// Starts one; it accepts connections when this returns. `arguments` are those of `cri-sim --help`, besides the
    /// socket and the script.
    pub fn start(arguments: &[&str]) -> Result<Sim, String> {
        let program = program()?;
        let folder = tempfile::tempdir().map_err(|e| format!("a folder for the simulated engine: {e}"))?;
        let mut command = Command::new(program);
        command.arg("--socket").arg(folder.path().join("cri.sock")).args(["--script", "-"]).args(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().map_err(|e| format!("{command:?}: {e}"))?;
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take().expect("stdout is a pipe"));
        let mut sim = Sim { child, stdin, stdout: BufReader::new(stdout), endpoint: String::new(), _folder: folder };
        let ready = sim.line()?;
        let endpoint = ready.strip_prefix("ready ").and_then(|rest| rest.split(' ').next());
        sim.endpoint = endpoint.ok_or_else(|| format!("the simulated engine is not ready: {ready:?}"))?.to_owned();
        Ok(sim)
    }

    /// Where it listens: `unix://...`.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Has it do what one line of a script says, and waits until that is done; its answer, if that is `ok ...`.
    pub fn tell(&mut self, line: &str) -> Result<String, String> {
        let stdin = self.stdin.as_mut().expect("it has not ended");
        writeln!(stdin, "{line}").map_err(|e| format!("{line:?}: the simulated engine does not listen: {e}"))?;
        loop {
            let answer = self.line()?;
            // `list` tells in lines of their own what it has.
            if answer.starts_with("- ") {
                continue;
            }
            return if answer.starts_with("ok ") { Ok(answer) } else { Err(format!("{line:?}: {answer}")) };
        }
    }

    /// The id that it gave to what the line made: `id=...` of the answer.
    pub fn make(&mut self, line: &str) -> Result<String, String> {
        let answer = self.tell(line)?;
        let id = answer.split(' ').find_map(|word| word.strip_prefix("id="));
        id.map(str::to_owned).ok_or_else(|| format!("{line:?}: no id in {answer:?}"))
    }

    fn line(&mut self) -> Result<String, String> {
        let mut line = String::new();
        match self.stdout.read_line(&mut line) {
            Ok(0) => Err("the simulated engine has ended".into()),
            Ok(_) => Ok(line.trim_end().to_owned()),
            Err(e) => Err(format!("the simulated engine's answer: {e}")),
        }
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        // It ends with its script, and removes what it made.
        drop(self.stdin.take());
        let deadline = Instant::now() + Duration::from_secs(20);
        while matches!(self.child.try_wait(), Ok(None)) {
            if Instant::now() >= deadline {
                eprintln!("the simulated engine {} does not end: killed", self.child.id());
                // A failure says that it has ended after all.
                let _ = self.child.kill();
                let _ = self.child.wait();
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// The program, built once for each test program, beside this build.
pub fn program() -> Result<&'static Path, String> {
    static BUILT: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    BUILT.get_or_init(build).as_deref().map_err(Clone::clone)
}

fn build() -> Result<PathBuf, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("sim");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["build", "--quiet", "--manifest-path"]).arg(root.join("sim/Cargo.toml"));
    command.arg("--target-dir").arg(&target).current_dir(root);
    let output = command.output().map_err(|e| format!("{command:?}: {e}"))?;
    if !output.status.success() {
        return Err(format!("{command:?}: {}\n{}", output.status, String::from_utf8_lossy(&output.stderr)));
    }
    Ok(target.join("debug/cri-sim"))
}
