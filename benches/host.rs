//! The C host: built once, run for each measurement.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use super::{c, wait};

/// How long the requests after a start may take, of many thousand containers.
const SETTLED: Duration = Duration::from_secs(600);

/// The release library, as `make build` makes it.
pub fn library() -> Result<PathBuf, String> {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| c::root().join("target"), PathBuf::from);
    let folder = target.join("release");
    match folder.join("libcriwatch.so.1").exists() {
        true => Ok(folder),
        false => Err(format!("{} has no libcriwatch.so.1: `make bench` builds it", folder.display())),
    }
}

/// The program, compiled and linked.
pub fn build() -> Result<PathBuf, String> {
    let library = library()?;
    let program = library.join("bench-host");
    let mut cc = Command::new(c::cc());
    cc.args(["-O2", "-Wall", "-Wextra", "-Werror", "-I"]).arg(c::root().join("include"));
    cc.arg(c::root().join("benches/host.c")).arg("-o").arg(&program).arg("-L").arg(&library).arg("-lcriwatch");
    cc.arg(format!("-Wl,-rpath,{}", library.display()));
    c::succeed(&mut cc)?;
    Ok(program)
}

/// One running host. Dropped, it ends.
pub struct Host {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Host {
    /// `options` are KEY=VALUE.
    pub fn start(program: &Path, endpoint: &str, options: &[String]) -> Result<Host, String> {
        let mut command = Command::new(program);
        command.arg(endpoint).args(options).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().map_err(|e| format!("{command:?}: {e}"))?;
        let output = BufReader::new(child.stdout.take().ok_or("no output")?);
        Ok(Host { input: child.stdin.take(), child, output })
    }

    /// Sends a command, without waiting for its answer.
    pub fn tell(&mut self, command: &str) -> Result<(), String> {
        let input = self.input.as_mut().ok_or("the host has ended")?;
        writeln!(input, "{command}").map_err(|e| format!("{command}: {e}"))
    }

    /// The answer to the oldest command.
    pub fn answer(&mut self) -> Result<Value, String> {
        let mut line = String::new();
        self.output.read_line(&mut line).map_err(|e| e.to_string())?;
        serde_json::from_str(&line).map_err(|e| format!("the host said {line:?}: {e}"))
    }

    /// Waits until nothing of the start is left to be asked, such as details. Meanwhile it reads its events, as programs do: each
    /// that waits in a queue keeps the version of the record that it shows.
    pub fn settle(&mut self) -> Result<(), String> {
        wait::until("the start to be over", SETTLED, || {
            self.ask("drain")?;
            let open = self.ask("stats")?["stats"]["openStatusRequests"].as_u64();
            if open == Some(0) { Ok(()) } else { Err(format!("{open:?} status requests are open")) }
        })
    }

    pub fn ask(&mut self, command: &str) -> Result<Value, String> {
        self.tell(command)?;
        self.answer()
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        drop(self.input.take());
        // It is over, whatever it answers.
        let _ = self.child.wait();
    }
}

/// A number of an answer.
pub fn number(answer: &Value, key: &str) -> Result<f64, String> {
    answer[key].as_f64().ok_or_else(|| format!("no {key} in {answer}"))
}
