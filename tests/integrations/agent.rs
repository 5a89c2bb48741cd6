//! An agent that runs: its lines, and its end.

#![allow(dead_code)] // Each test binary uses its part.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use super::support::wait;

/// A process whose lines are kept. Dropped, it ends.
pub struct Agent {
    child: Child,
    lines: Lines,
    errors: Lines,
    readers: Vec<JoinHandle<()>>,
}

type Lines = Arc<Mutex<Vec<String>>>;

impl Agent {
    /// Starts it.
    pub fn start(command: &mut Command) -> Result<Agent, String> {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|error| format!("{command:?}: {error}"))?;
        let (lines, errors) = (Lines::default(), Lines::default());
        let readers = vec![
            read(child.stdout.take().expect("stdout is a pipe"), lines.clone()),
            read(child.stderr.take().expect("stderr is a pipe"), errors.clone()),
        ];
        Ok(Agent { child, lines, errors, readers })
    }

    /// What it has written so far.
    pub fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The last line that it has written to stderr.
    pub fn last_error(&self) -> String {
        let errors = self.errors.lock().unwrap_or_else(PoisonError::into_inner);
        errors.last().cloned().unwrap_or_default()
    }

    /// Waits for a line that fits.
    pub fn wait_for(&mut self, what: &str, fits: impl Fn(&str) -> bool) -> Result<String, String> {
        wait::until(what, wait::PATIENCE, || {
            let lines = self.lines();
            lines
                .iter()
                .find(|line| fits(line))
                .cloned()
                .ok_or_else(|| format!("it wrote:\n{}\n{}", lines.join("\n"), self.last_error()))
        })
    }

    /// Its end, if it has ended by itself.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Asks it to end, and waits until it has.
    pub fn end(&mut self, signal: i32) -> Result<ExitStatus, String> {
        // SAFETY: kill takes plain numbers; the child was not waited for, so that the pid is still its own.
        unsafe { libc::kill(self.child.id() as i32, signal) };
        let ended = wait::until("the agent to end", wait::PATIENCE, || self.ended().ok_or_else(|| "it runs".into()));
        if ended.is_err() {
            let _ = self.child.kill();
        }
        for reader in self.readers.drain(..) {
            let _ = reader.join();
        }
        ended
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        if self.ended().is_none() {
            // Nobody is left to report it to.
            let _ = self.end(libc::SIGTERM);
        }
    }
}

fn read(from: impl Read + Send + 'static, to: Lines) -> JoinHandle<()> {
    std::thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            to.lock().unwrap_or_else(PoisonError::into_inner).push(line);
        }
    })
}
