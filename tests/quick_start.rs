//! The programs in README.md, one for each language, as they stand there: built as a user builds them, and run on a simulated engine.

#[path = "support/c.rs"]
mod c;
#[path = "support/go.rs"]
mod go;
#[path = "support/sim.rs"]
mod sim;

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use libtest_mimic::{Arguments, Completion, Failed, Trial};

type Outcome = Result<Completion, Failed>;

/// The most lines of each program; empty lines do not count. Go's has its imports, a context, signals and errors in it.
const LINES: &[(&str, usize)] = &[("c", 14), ("cpp", 14), ("go", 36), ("python", 14), ("rust", 14)];

fn main() {
    let trials = vec![
        Trial::test("all_are_short", all_are_short),
        Trial::ignorable_test("c_lists", || lists("c")),
        Trial::ignorable_test("cpp_lists", || lists("cpp")),
        Trial::ignorable_test("rust_lists", || lists("rust")),
        Trial::ignorable_test("go_follows", go_follows),
        Trial::ignorable_test("python_follows", python_follows),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

fn all_are_short() -> Result<(), Failed> {
    for (language, most) in LINES {
        let lines = program(language)?.lines().filter(|line| !line.trim().is_empty()).count();
        if lines > *most {
            return Err(format!("{language}: {lines} lines").into());
        }
    }
    Ok(())
}

/// The README's program in this language.
fn program(language: &str) -> Result<String, Failed> {
    let readme = std::fs::read_to_string(c::root().join("README.md"))?;
    let code = readme.split_once(&format!("```{language}\n")).and_then(|(_, rest)| rest.split_once("```"));
    Ok(code.ok_or_else(|| format!("README.md has no program in {language}"))?.0.to_owned())
}

fn lists(language: &str) -> Outcome {
    if language == "cpp"
        && let Err(reason) = c::cplusplus()
    {
        return Ok(Completion::ignored_with(reason));
    }
    let folder = tempfile::tempdir()?;
    let source = folder.path().join("quick").with_extension(language);
    std::fs::write(&source, program(language)?)?;
    let built = match language {
        "rust" => rust(&source)?,
        _ => c::Library::of_this_build().build(&source.to_string_lossy())?,
    };
    let mut sim = sim::Sim::start(&[])?;
    sim.tell("pod web ns=shop nginx")?;
    let listed = c::succeed(Command::new(&built).arg(sim.endpoint()))?;
    if !listed.contains("nginx") {
        return Err(format!("no nginx in {listed:?}").into());
    }
    // And where there is no engine, it says so.
    let dead = format!("unix://{}/nobody.sock", folder.path().display());
    let output = Command::new(&built).arg(dead).stderr(Stdio::piped()).output()?;
    let printed = c::text(&output);
    if !printed.contains("nobody.sock") {
        return Err(format!("{}: {printed:?} does not name the socket", output.status).into());
    }
    Ok(Completion::Completed)
}

/// Builds a Rust program with the crate of this build, and without Cargo: it is built already.
fn rust(source: &Path) -> Result<PathBuf, Failed> {
    let library = std::env::current_exe()?.with_file_name("libcriwatch.rlib");
    let (deps, built) = (library.parent().ok_or("no folder")?, source.with_extension(""));
    let mut command = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    command.args(["--edition", "2024", "-D", "warnings"]).arg(source).arg("-o").arg(&built);
    command.arg("--extern").arg(format!("criwatch={}", library.display()));
    command.arg("-L").arg(format!("dependency={}", deps.display()));
    c::succeed(&mut command)?;
    Ok(built)
}

fn go_follows() -> Outcome {
    if let Err(reason) = go::available() {
        return Ok(Completion::ignored_with(reason));
    }
    let folder = tempfile::tempdir()?;
    let (binding, require) = (c::root().join("bindings/go"), "github.com/criwatch/criwatch/bindings/go");
    let manifest = format!(
        "module example.com/agent\n\ngo 1.23\n\nrequire {require} v0.0.0\n\nreplace {require} => {}\n",
        binding.display()
    );
    std::fs::write(folder.path().join("go.mod"), manifest)?;
    std::fs::write(folder.path().join("main.go"), program("go")?)?;
    let (prefix, built) = (go::Prefix::shared()?, folder.path().join("agent"));
    prefix.build(folder.path(), &built)?;
    let mut sim = sim::Sim::start(&[])?;
    let mut command = prefix.run(&built);
    command.env("ENDPOINT", sim.endpoint());
    follows(command, &mut sim, "started shop/web/nginx")
}

fn python_follows() -> Outcome {
    if !c::is_there("python3") {
        return Ok(Completion::ignored_with("python3 is not installed"));
    }
    let folder = tempfile::tempdir()?;
    let source = folder.path().join("quick.py");
    std::fs::write(&source, program("python")?)?;
    // What a shell runs in the background ignores Ctrl-C, and so does all that it starts; a terminal's programs do not.
    let mut command = Command::new("env");
    // Unbuffered: its output is a pipe here.
    command.args(["--default-signal=INT", "python3", "-u"]).arg(&source);
    command.env("PYTHONPATH", c::root().join("bindings/python"));
    command.env("CRIWATCH_LIBRARY", c::Library::of_this_build().path());
    let mut sim = sim::Sim::start(&[])?;
    command.arg(sim.endpoint());
    follows(command, &mut sim, "started shop/web/nginx ")
}

/// A program that goes on until Ctrl-C writes a line that begins so, of what was there before it came, and of what came later.
/// Ctrl-C ends it quietly.
fn follows(mut command: Command, sim: &mut sim::Sim, expected: &str) -> Outcome {
    sim.tell("pod web ns=shop nginx")?;
    let mut child =
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().map_err(|e| format!("{command:?}: {e}"))?;
    let mut lines = BufReader::new(child.stdout.take().ok_or("no stdout")?).lines().map_while(Result::ok);
    let before = lines.any(|line| line.starts_with(expected));
    sim.tell("pod late ns=shop nginx")?;
    let late = expected.replace("web", "late");
    let after = lines.any(|line| line.starts_with(&late));
    c::succeed(Command::new("kill").args(["-INT", &child.id().to_string()]))?;
    lines.for_each(drop);
    let output = child.wait_with_output()?;
    let complaints = String::from_utf8_lossy(&output.stderr);
    if !before || !after {
        return Err(format!("no {expected:?}: {before}, {after}; {complaints}").into());
    }
    if !output.status.success() || !complaints.is_empty() {
        return Err(format!("Ctrl-C: {}: {complaints}", output.status).into());
    }
    Ok(Completion::Completed)
}
