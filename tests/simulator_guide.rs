//! The tests in docs/simulator.md, as they stand there: each starts `cri-sim` itself, from PATH, and tests a program of a user. That in
//! Python is run by tests/python_binding.rs, with the wheels.

#[path = "support/c.rs"]
mod c;
#[path = "support/go.rs"]
mod go;
#[path = "support/sim.rs"]
mod sim;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;

use libtest_mimic::{Arguments, Completion, Failed, Trial};

type Outcome = Result<Completion, Failed>;

fn main() {
    let trials = vec![
        Trial::test("c", in_c),
        Trial::ignorable_test("go", in_go),
        Trial::ignorable_test("shell", in_shell),
        Trial::test("a_test_that_should_fail_fails", a_wrong_test_fails),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

/// The guide's program in this language.
fn program(language: &str) -> Result<String, Failed> {
    let guide = std::fs::read_to_string(c::root().join("docs/simulator.md"))?;
    let code = guide.split_once(&format!("```{language}\n")).and_then(|(_, rest)| rest.split_once("```"));
    Ok(code.ok_or_else(|| format!("docs/simulator.md has no program in {language}"))?.0.to_owned())
}

/// PATH with `cri-sim` in it.
fn path() -> Result<OsString, Failed> {
    let folder = sim::program()?.parent().ok_or("no folder")?.to_owned();
    let path = std::env::var_os("PATH").unwrap_or_default();
    Ok(std::env::join_paths(std::iter::once(folder).chain(std::env::split_paths(&path)))?)
}

/// The guide's program in C, built. The second name is for one that was changed.
fn built_in_c(name: &str, text: &str) -> Result<PathBuf, Failed> {
    let folder = tempfile::tempdir()?;
    let source = folder.path().join(name).with_extension("c");
    std::fs::write(&source, text)?;
    Ok(c::Library::of_this_build().build(&source.to_string_lossy())?)
}

fn in_c() -> Result<(), Failed> {
    let built = built_in_c("simulator_guide", &program("c")?)?;
    let printed = c::succeed(Command::new(built).env("PATH", path()?))?;
    if printed == "passed\n" { Ok(()) } else { Err(printed.into()) }
}

/// The guide's test sees a difference, and its end is the engine's end, which it did not ask for.
fn a_wrong_test_fails() -> Result<(), Failed> {
    let text = program("c")?.replace("tell(\"stop nginx\")", "tell(\"stats\")");
    let built = built_in_c("simulator_guide_wrong", &text)?;
    let output = Command::new(built).env("PATH", path()?).output()?;
    let printed = c::text(&output);
    if output.status.code() == Some(1) && printed == "it was stopped\n" { Ok(()) } else { Err(printed.into()) }
}

fn in_go() -> Outcome {
    if let Err(reason) = go::available() {
        return Ok(Completion::ignored_with(reason));
    }
    let folder = tempfile::tempdir()?;
    let (binding, require) = (c::root().join("bindings/go"), "github.com/criwatch/criwatch/bindings/go");
    let manifest = format!(
        "module example.com/agent\n\ngo 1.21\n\nrequire {require} v0.0.0\n\nreplace {require} => {}\n",
        binding.display()
    );
    std::fs::write(folder.path().join("go.mod"), manifest)?;
    std::fs::write(folder.path().join("agent_test.go"), program("go")?)?;
    let prefix = go::Prefix::shared()?;
    c::succeed(&mut prefix.go(folder.path(), &["vet", "./..."]))?;
    let printed = c::succeed(prefix.go(folder.path(), &["test", "-count=1", "-v", "./..."]).env("PATH", path()?))?;
    if printed.contains("--- PASS: TestStoppedContainersDoNotCount") {
        Ok(Completion::Completed)
    } else {
        Err(printed.into())
    }
}

fn in_shell() -> Outcome {
    if !c::is_there("bash") {
        return Ok(Completion::ignored_with("bash is not installed"));
    }
    let folder = tempfile::tempdir()?;
    let script = folder.path().join("agent_test.sh");
    std::fs::write(&script, program("bash")?)?;
    let agent = c::Library::of_this_build().build("examples/c/list.c")?;
    let mut command = Command::new("bash");
    let printed = c::succeed(command.arg(&script).env("PATH", path()?).env("AGENT", agent).current_dir(&folder))?;
    if printed.lines().last() == Some("passed") { Ok(Completion::Completed) } else { Err(printed.into()) }
}
