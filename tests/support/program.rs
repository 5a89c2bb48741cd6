//! Runs one of the C programs on what it needs: plain, under valgrind, or with AddressSanitizer.

#![allow(dead_code)] // Each test binary uses its part.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use libtest_mimic::{Completion, Trial};

use super::c::{self, Library};
use super::sim::Sim;

/// A program, and what it is given.
pub struct Program {
    /// Its source, from the package's folder.
    pub source: &'static str,
    /// What it is given first.
    pub argument: Option<Argument>,
    /// What it is given after that.
    pub more: &'static [&'static str],
    /// Whether it gives everything back; otherwise valgrind is not asked.
    pub is_clean: bool,
    /// Whether it would take too long under valgrind.
    pub is_slow: bool,
}

#[derive(Clone, Copy)]
pub enum Argument {
    /// An empty folder.
    Folder,
    /// An endpoint where nobody is.
    DeadEndpoint,
    /// The shared library.
    Library,
    /// The endpoint of a simulated engine that was started with these arguments. What the program writes to stdout are
    /// lines of the engine's script; the answers come in on stdin.
    Simulated(&'static [&'static str]),
}

impl Program {
    /// A program that gives everything back.
    pub const fn new(source: &'static str, argument: Option<Argument>) -> Self {
        Program { source, argument, more: &[], is_clean: true, is_slow: false }
    }

    /// One that ends with what it has.
    pub const fn that_leaves_things(self) -> Self {
        Program { is_clean: false, ..self }
    }

    /// One that valgrind would make last too long.
    pub const fn too_slow_for_valgrind(self) -> Self {
        Program { is_slow: true, ..self }
    }

    /// With further arguments.
    pub const fn with(self, more: &'static [&'static str]) -> Self {
        Program { more, ..self }
    }

    /// The file's name, and what it was given.
    pub fn name(&self) -> String {
        let stem = Path::new(self.source).file_stem().unwrap_or_default().to_string_lossy().into_owned();
        [stem].into_iter().chain(self.more.iter().map(|word| (*word).to_owned())).collect::<Vec<_>>().join("_")
    }

    /// Whether this machine can build it; otherwise what is lacking.
    fn can_be_built(&self) -> Result<(), &'static str> {
        if self.source.ends_with(".cpp") { c::cplusplus() } else { Ok(()) }
    }

    /// As it is.
    pub fn plain(&'static self) -> Trial {
        Trial::ignorable_test(self.name(), || {
            if let Err(reason) = self.can_be_built() {
                return Ok(Completion::ignored_with(reason));
            }
            let output = run(self, &Library::of_this_build(), |path| Command::new(path))?;
            print!("{output}");
            Ok(Completion::Completed)
        })
    }

    /// Under valgrind.
    pub fn under_valgrind(&'static self) -> Trial {
        Trial::ignorable_test(format!("{}_under_valgrind", self.name()), || {
            if !c::is_there("valgrind") {
                return Ok(Completion::ignored_with("valgrind is not installed"));
            }
            if let Err(reason) = self.can_be_built() {
                return Ok(Completion::ignored_with(reason));
            }
            run(self, &Library::of_this_build(), |path| {
                let mut command = c::valgrind(path);
                command.env("SHORT", "1");
                command
            })?;
            Ok(Completion::Completed)
        })
    }

    /// Under valgrind with its own choice of leaks, and with the suppressions that are shipped.
    pub fn under_valgrind_with_suppressions(&'static self) -> Trial {
        Trial::ignorable_test(format!("{}_under_valgrind_with_suppressions", self.name()), || {
            if !c::is_there("valgrind") {
                return Ok(Completion::ignored_with("valgrind is not installed"));
            }
            let suppressions = c::root().join("packaging/suppressions/criwatch.valgrind.supp");
            run(self, &Library::of_this_build(), |path| {
                let mut command = Command::new("valgrind");
                command.args(["--quiet", "--fair-sched=try", "--leak-check=full", "--error-exitcode=99"]);
                command.arg(format!("--suppressions={}", suppressions.display())).arg(path).env("SHORT", "1");
                command
            })?;
            Ok(Completion::Completed)
        })
    }

    /// Compiled with AddressSanitizer.
    pub fn under_asan(&'static self) -> Trial {
        Trial::ignorable_test(format!("{}_under_asan", self.name()), || {
            if let Err(reason) = self.can_be_built().and_then(|()| c::asan()) {
                return Ok(Completion::ignored_with(reason));
            }
            run(self, &Library::of_this_build().with_asan(), |path| Command::new(path))?;
            Ok(Completion::Completed)
        })
    }

    /// Compiled with ThreadSanitizer, with the suppressions that are shipped.
    pub fn under_tsan(&'static self) -> Trial {
        Trial::ignorable_test(format!("{}_under_tsan", self.name()), || {
            if let Err(reason) = self.can_be_built().and_then(|()| c::tsan()) {
                return Ok(Completion::ignored_with(reason));
            }
            let suppressions = c::root().join("packaging/suppressions/criwatch.tsan.supp");
            run(self, &Library::of_this_build().with_tsan(), |path| {
                let mut command = Command::new(path);
                command.env("TSAN_OPTIONS", format!("suppressions={} halt_on_error=1", suppressions.display()));
                command
            })?;
            Ok(Completion::Completed)
        })
    }
}

/// Runs it; what it had to say on stderr, if it succeeded.
pub fn run(program: &Program, library: &Library, command: impl Fn(&Path) -> Command) -> Result<String, String> {
    let path = library.build(program.source)?;
    let folder = tempfile::tempdir().map_err(|e| e.to_string())?;
    let mut command = command(&path);
    match program.argument {
        Some(Argument::Folder) => command.arg(folder.path()),
        Some(Argument::DeadEndpoint) => command.arg(format!("unix://{}/nobody.sock", folder.path().display())),
        Some(Argument::Library) => command.arg(library.path()),
        Some(Argument::Simulated(arguments)) => return run_simulated(command, arguments, program.more),
        None => &mut command,
    };
    c::succeed(command.args(program.more)).map(|_| String::new())
}

fn run_simulated(mut command: Command, arguments: &[&str], more: &[&str]) -> Result<String, String> {
    let mut sim = Sim::start(arguments)?;
    command.arg(sim.endpoint()).args(more).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|e| format!("{command:?}: {e}"))?;
    let (Some(mut answers), Some(lines), Some(mut stderr)) =
        (child.stdin.take(), child.stdout.take(), child.stderr.take())
    else {
        return Err("a child without pipes".into());
    };
    let complaints = std::thread::spawn(move || {
        let mut text = String::new();
        stderr.read_to_string(&mut text).map(|_| text)
    });
    for line in BufReader::new(lines).lines() {
        let line = line.map_err(|e| format!("{command:?} writes no text: {e}"))?;
        let answer = sim.tell(&line).unwrap_or_else(|e| e);
        // A program that does not wait for its answer has ended: its status shows the rest.
        let _ = writeln!(answers, "{answer}");
    }
    let status = child.wait().map_err(|e| format!("{command:?}: {e}"))?;
    let complaints = complaints.join().map_err(|_| "the reader of stderr panicked")?.map_err(|e| e.to_string())?;
    if status.success() { Ok(complaints) } else { Err(format!("{command:?}: {status}\n{complaints}")) }
}
