//! The binding for Python: its own tests on each Python that is found, its types, its wheel, and how an interpreter ends.

#[path = "support/c.rs"]
mod c;
#[path = "support/sim.rs"]
mod sim;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, OnceLock, PoisonError};

use libtest_mimic::{Arguments, Completion, Failed, Trial};

type Outcome = Result<Completion, Failed>;

/// The versions of Python that the binding supports.
const VERSIONS: &[&str] = &["3.9", "3.10", "3.11", "3.12", "3.13", "3.14"];

/// How often an interpreter ends in each of the ways of bindings/python/tests/exits.py.
const EXITS: usize = 25;

fn main() {
    let mut trials = vec![
        Trial::ignorable_test("generated_layer_is_current", || with_python(generated_layer_is_current)),
        Trial::ignorable_test("types_are_strict", || with_python(types_are_strict)),
        Trial::ignorable_test("conformance_programme_answers", || with_python(conformance_programme_answers)),
        Trial::ignorable_test("interpreter_ends_with_all_alive", || with_python(interpreter_ends_with_all_alive)),
        Trial::ignorable_test("wheel_in_a_fresh_environment", || with_python(wheel_in_a_fresh_environment)),
        Trial::ignorable_test("extra_test_in_a_fresh_environment", || with_python(extra_test_in_a_fresh_environment)),
        Trial::ignorable_test("sdist_in_a_fresh_environment", || with_python(sdist_in_a_fresh_environment)),
    ];
    for version in VERSIONS {
        trials.push(Trial::ignorable_test(format!("own_tests_on_python_{version}"), || own_tests(version)));
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

/// Runs a test with the newest Python that is found.
fn with_python(test: fn(&Path) -> Outcome) -> Outcome {
    static FOUND: OnceLock<Option<PathBuf>> = OnceLock::new();
    match FOUND.get_or_init(|| VERSIONS.iter().rev().find_map(|version| interpreter(version))) {
        Some(python) => test(python),
        None => Ok(Completion::ignored_with(format!("no Python of {} is installed", VERSIONS.join(", ")))),
    }
}

/// An interpreter of this version: on the path, or one of pyenv's.
fn interpreter(version: &str) -> Option<PathBuf> {
    let named = [format!("python{version}").into(), "python3".into()];
    let of_pyenv = std::env::var_os("PYENV_ROOT")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| Path::new(&home).join(".pyenv")))
        .and_then(|root| std::fs::read_dir(root.join("versions")).ok())
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path().join("bin/python3")));
    named.into_iter().chain(of_pyenv).find_map(|python: PathBuf| {
        let program = "import sys; print('%d.%d' % sys.version_info[:2], sys.executable)";
        let printed = c::succeed(Command::new(python).args(["-c", program])).ok()?;
        let (found, path) = printed.trim().split_once(' ')?;
        (found == version).then(|| path.into())
    })
}

fn binding() -> PathBuf {
    c::root().join("bindings/python")
}

/// The module that drives the simulated engine.
fn simulator() -> PathBuf {
    c::root().join("bindings/python-sim")
}

/// A command in Python that sees the binding of this repository and the library of this build.
fn command(python: &Path) -> Command {
    let mut command = bare(python);
    command.env("PYTHONPATH", binding()).env("CRIWATCH_LIBRARY", c::Library::of_this_build().path());
    command
}

/// A command in Python that sees nothing of this repository, and writes nothing into it.
fn bare(python: &Path) -> Command {
    let mut command = Command::new(python);
    command.env_remove("PYTHONPATH").env_remove("CRIWATCH_LIBRARY").env("PYTHONDONTWRITEBYTECODE", "1");
    command
}

fn own_tests(version: &str) -> Outcome {
    let Some(python) = interpreter(version) else {
        return Ok(Completion::ignored_with(format!("Python {version} is not installed")));
    };
    let mut command = command(&python);
    command.args(["-X", "dev", "-m", "unittest", "--verbose"]).env("CRI_SIM", sim::program()?);
    all_ran(&c::succeed(command.current_dir(binding().join("tests")))?)
}

/// Whether unittest says that it ran tests, and left none out.
fn all_ran(printed: &str) -> Outcome {
    let ran = printed.lines().any(|line| line.starts_with("Ran ") && !line.starts_with("Ran 0 "));
    if ran && !printed.contains("skipped=") {
        Ok(Completion::Completed)
    } else {
        Err(format!("not all tests ran:\n{printed}").into())
    }
}

fn generated_layer_is_current(python: &Path) -> Outcome {
    c::succeed(bare(python).arg(binding().join("scripts/bindgen")).arg("--check"))?;
    Ok(Completion::Completed)
}

fn types_are_strict(python: &Path) -> Outcome {
    let (folder, inside) = match tools(python) {
        Ok(made) => made,
        Err(why) => return Ok(Completion::ignored_with(why)),
    };
    let example = c::root().join("examples/python/watch.py");
    for (project, checked) in
        [(binding(), "criwatch"), (binding(), &*example.to_string_lossy()), (simulator(), "criwatch_sim")]
    {
        let mut mypy = bare(&inside);
        mypy.args(["-m", "mypy", "--strict", "--cache-dir"]).arg(folder.join("cache"));
        c::succeed(mypy.arg(checked).current_dir(project))?;
    }
    Ok(Completion::Completed)
}

/// The environment of mypy and pytest, which is made once.
fn tools(python: &Path) -> Result<(PathBuf, PathBuf), String> {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    cached_environment(python, "tools", &["mypy", "pytest"])
}

/// A virtual environment with these packages, made once and kept: its folder and its Python; or why there is none.
fn cached_environment(python: &Path, name: &str, packages: &[&str]) -> Result<(PathBuf, PathBuf), String> {
    let version = "import sys; print('%d.%d' % sys.version_info[:2])";
    let version = c::succeed(bare(python).args(["-c", version])).map_err(|error| format!("{error:?}"))?;
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", version.trim()));
    let inside = folder.join("bin/python");
    // Written last: what was interrupted is made again.
    let (complete, wanted) = (folder.join("packages"), packages.join(" "));
    if std::fs::read_to_string(&complete).is_ok_and(|has| has == wanted) {
        return Ok((folder, inside));
    }
    environment(python, &folder)?;
    c::succeed(pip(&inside).arg("--quiet").args(packages)).map_err(|_| format!("pip cannot fetch {wanted}"))?;
    std::fs::write(&complete, &wanted).map_err(|error| format!("{}: {error}", complete.display()))?;
    Ok((folder, inside))
}

/// The programme answers as tests/conformance/README.md says; tests/conformance compares it with the others.
fn conformance_programme_answers(python: &Path) -> Outcome {
    let mut sim = sim::Sim::start(&[])?;
    sim.tell("pod web ns=shop app")?;
    let programme = c::root().join("tests/conformance/python/conform.py");
    let mut command = command(python);
    let mut child = command.arg(programme).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let dialogue = format!(
        "list -\nnew {} nosuch=1\nnew {} poll.interval_ms=50\nresync 60000\nfind app\nsnapshot\nfind app\n\
         callback 0 0 started - 0\nlist {{\"kind\":\"pod\"}}\nquit\n",
        sim.endpoint(),
        sim.endpoint()
    );
    child.stdin.take().ok_or("no stdin")?.write_all(dialogue.as_bytes())?;
    let output = child.wait_with_output()?;
    let printed = c::text(&output);
    let answers: Vec<&str> = printed.lines().filter(|line| !line.starts_with("  ")).collect();
    let begin = [
        "CRI_E_INVALID_ARGUMENT grpc=-1 os=0 retriable=0 \"no watcher\"",
        "CRI_E_OPTION grpc=-1 os=0 retriable=0 \"",
        "ok",
        "ok",
        "CRI_E_INVALID_ARGUMENT grpc=-1 os=0 retriable=0 \"no snapshot\"",
        "ok",
        "ok",
        "unsupported",
        "CRI_E_QUERY grpc=-1 os=0 retriable=0 \"",
        "ok",
    ];
    let as_expected =
        answers.len() == begin.len() && answers.iter().zip(begin).all(|(answer, begin)| answer.starts_with(begin));
    if output.status.success() && as_expected && printed.contains("  container kind=container state=running flags=- ") {
        Ok(Completion::Completed)
    } else {
        Err(format!("{}:\n{printed}", output.status).into())
    }
}

/// No abort, no hang and no output, however many threads wait for events at that moment.
fn interpreter_ends_with_all_alive(python: &Path) -> Outcome {
    let sim = sim::Sim::start(&["--workload", "--pods", "6", "--pace", "5ms"])?;
    for way in ["queue", "thread", "async", "call"] {
        for _ in 0..EXITS {
            let mut command = command(python);
            command.arg(binding().join("tests/exits.py")).args([sim.endpoint(), way]);
            let printed = c::succeed(&mut command)?;
            if !printed.is_empty() {
                return Err(format!("{way}: {printed}").into());
            }
        }
    }
    Ok(Completion::Completed)
}

/// A user with only a wheel: nothing of this repository can be found.
fn wheel_in_a_fresh_environment(python: &Path) -> Outcome {
    if let Err(why) = packs(python) {
        return Ok(Completion::ignored_with(why));
    }
    let folder = tempfile::tempdir()?;
    let wheel = pack(python, folder.path(), |wheel| {
        wheel.arg(binding().join("scripts/wheel")).arg(c::Library::of_this_build().path()).arg(folder.path());
    })?;
    let inside = folder.path().join("environment/bin/python");
    if let Err(why) = environment(python, &folder.path().join("environment")) {
        return Ok(Completion::ignored_with(why));
    }
    c::succeed(pip(&inside).args(["--quiet", "--no-index"]).arg(&wheel))?;
    c::succeed(bare(&inside).args(["-m", "pip", "check"]))?;

    let mut sim = sim::Sim::start(&[])?;
    sim.tell("pod web ns=shop app")?;
    let program = "import criwatch, sys\n\
                   print(criwatch.library_path())\n\
                   with criwatch.Watcher(sys.argv[1]) as watcher:\n    \
                       watcher.resync(60)\n    \
                       print(*(c.path for c in watcher.containers()))";
    let mut user = bare(&inside);
    let printed = c::succeed(user.args(["-c", program, sim.endpoint()]).current_dir(folder.path()))?;
    let (library, names) = printed.split_once('\n').ok_or("it says nothing")?;
    if !Path::new(library).starts_with(folder.path()) || names.trim() != "shop/web shop/web/app" {
        return Err(printed.into());
    }
    Ok(Completion::Completed)
}

/// `pip install criwatch[test]`: the simulated engine comes with it, and the tests of docs/simulator.md find their fixture.
fn extra_test_in_a_fresh_environment(python: &Path) -> Outcome {
    if let Err(why) = packs(python) {
        return Ok(Completion::ignored_with(why));
    }
    let folder = tempfile::tempdir()?;
    let (wheels, user) = (folder.path().join("wheels"), folder.path().join("user"));
    std::fs::create_dir(&user)?;
    let library = stripped(&c::Library::of_this_build().path(), folder.path())?;
    let program = stripped(sim::program()?, folder.path())?;
    c::succeed(bare(python).arg(binding().join("scripts/wheel")).arg(library).arg(&wheels))?;
    pack(python, &wheels, |wheel| {
        wheel.arg(simulator().join("scripts/wheel")).arg(&program).arg(&wheels);
    })?;
    let environment_folder = folder.path().join("environment");
    if let Err(why) = environment(python, &environment_folder) {
        return Ok(Completion::ignored_with(why));
    }
    let inside = environment_folder.join("bin/python");
    c::succeed(pip(&inside).args(["--quiet", "--no-index", "criwatch[test]", "--find-links"]).arg(&wheels))?;
    c::succeed(bare(&inside).args(["-m", "pip", "check"]))?;
    let version = c::succeed(Command::new(environment_folder.join("bin/cri-sim")).arg("--version"))?;
    if version.trim() != format!("cri-sim {}", env!("CARGO_PKG_VERSION")) {
        return Err(version.into());
    }
    let mut own = bare(&inside);
    own.args(["-X", "dev"]).arg(simulator().join("tests/test_simulator.py")).arg("--verbose").env_remove("CRI_SIM");
    all_ran(&c::succeed(own.current_dir(&user))?)?;
    guide_in_pytest(python, &inside, &user)
}

/// A copy without debug symbols, which would take most of the time.
fn stripped(built: &Path, folder: &Path) -> Result<PathBuf, Failed> {
    let copy = folder.join(built.file_name().ok_or("no name")?);
    c::succeed(Command::new("strip").arg("-o").arg(&copy).arg(built))?;
    Ok(copy)
}

/// The guide's tests in Python, by a pytest that finds the fixture as an installed plugin.
fn guide_in_pytest(python: &Path, installed: &Path, user: &Path) -> Outcome {
    let (_, pytest) = match tools(python) {
        Ok(made) => made,
        Err(why) => return Ok(Completion::ignored_with(why)),
    };
    let packages = "import sysconfig; print(sysconfig.get_path('purelib'))";
    let packages = c::succeed(bare(installed).args(["-c", packages]))?;
    let guide = std::fs::read_to_string(c::root().join("docs/simulator.md"))?;
    let test =
        guide.split("```python\n").nth(1).and_then(|rest| rest.split("```").next()).ok_or("no test in Python")?;
    std::fs::write(user.join("test_agent.py"), test)?;
    let mut command = bare(&pytest);
    command.args(["-m", "pytest", "--strict-markers", "-q"]).current_dir(user);
    let printed = c::succeed(command.env("PYTHONPATH", packages.trim()).env_remove("CRI_SIM"))?;
    if printed.contains("2 passed") { Ok(Completion::Completed) } else { Err(printed.into()) }
}

fn sdist_in_a_fresh_environment(python: &Path) -> Outcome {
    if let Err(why) = packs(python) {
        return Ok(Completion::ignored_with(why));
    }
    let folder = tempfile::tempdir()?;
    let sdist = pack(python, folder.path(), |sdist| {
        sdist.arg(binding().join("scripts/sdist")).arg(folder.path());
    })?;
    let inside = folder.path().join("environment/bin/python");
    if let Err(why) = environment(python, &folder.path().join("environment")) {
        return Ok(Completion::ignored_with(why));
    }
    // To build it takes setuptools, which pip fetches.
    if c::succeed(pip(&inside).args(["--quiet", "setuptools"])).is_err() {
        return Ok(Completion::ignored_with("pip cannot fetch setuptools"));
    }
    c::succeed(pip(&inside).args(["--quiet", "--no-index", "--no-build-isolation"]).arg(&sdist))?;
    let program = "import criwatch; print(criwatch.__version__, criwatch.version(), criwatch.library_path())";
    let library = c::Library::of_this_build().path();
    let mut user = bare(&inside);
    // The library is the system's, where the loader looks.
    user.args(["-c", program]).current_dir(folder.path()).env("LD_LIBRARY_PATH", library.parent().ok_or("no folder")?);
    let printed = c::succeed(&mut user)?;
    let version = env!("CARGO_PKG_VERSION");
    if printed.trim() != format!("{version} {version} libcriwatch.so.1") {
        return Err(printed.into());
    }
    Ok(Completion::Completed)
}

/// Checks that this Python can pack: packing needs one that reads TOML.
fn packs(python: &Path) -> Result<(), String> {
    let read = c::succeed(bare(python).args(["-c", "import tomllib"]));
    read.map(drop).map_err(|_| format!("{} is older than 3.11, which packing needs", python.display()))
}

/// Runs a packing script twice: the name that it prints, if both archives have the same bytes.
fn pack(python: &Path, folder: &Path, script: impl Fn(&mut Command)) -> Result<PathBuf, Failed> {
    let once = || -> Result<(PathBuf, Vec<u8>), Failed> {
        let mut command = bare(python);
        script(&mut command);
        let archive = PathBuf::from(c::succeed(&mut command)?.trim());
        let bytes = std::fs::read(&archive)?;
        Ok((archive, bytes))
    };
    let (archive, bytes) = once()?;
    if once()?.1 != bytes {
        return Err(format!("{} differs from run to run", archive.display()).into());
    }
    if !archive.starts_with(folder) {
        return Err(format!("{} is not where it was asked for", archive.display()).into());
    }
    Ok(archive)
}

/// Makes a virtual environment, or says why this machine cannot.
fn environment(python: &Path, folder: &Path) -> Result<(), String> {
    c::succeed(bare(python).args(["-m", "venv"]).arg(folder))
        .map(drop)
        .map_err(|_| format!("{} makes no virtual environments (python3-venv)", python.display()))
}

fn pip(inside: &Path) -> Command {
    let mut command = bare(inside);
    command.args(["-m", "pip", "install", "--disable-pip-version-check", "--root-user-action", "ignore"]);
    command
}
