//! The Go binding: its own tests in all their ways, its example, and its use from a folder outside the repository.

#[path = "support/c.rs"]
mod c;
#[path = "support/go.rs"]
mod go;
#[path = "support/sim.rs"]
mod sim;

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use go::Prefix;
use libtest_mimic::{Arguments, Completion, Failed, Trial};

/// The folders of Go modules.
const MODULES: &[&str] = &["bindings/go", "examples/go", "tests/conformance/go"];

type Outcome = Result<Completion, Failed>;

fn main() {
    let trials = vec![
        trial("is_formatted", is_formatted),
        trial("go_vet_is_silent", go_vet_is_silent),
        trial("go_test", || go_test(&["-v"], &[])),
        trial("go_test_with_the_race_detector", go_test_with_the_race_detector),
        trial("go_test_with_constant_garbage_collection", || {
            // What the library frees is overwritten: a record that is used afterwards shows it.
            go_test(&["-v"], &[("GOGC", "1"), ("GODEBUG", "cgocheck=1"), ("MALLOC_PERTURB_", "165")])
        }),
        trial("go_test_linked_statically", go_test_linked_statically),
        trial("it_compiles_without_cgo_and_on_other_systems", it_compiles_without_cgo_and_on_other_systems),
        trial("the_api_is_the_same_without_cgo_and_on_other_systems", the_api_is_the_same),
        trial("a_go_program_needs_no_shared_library", a_go_program_needs_no_shared_library),
        trial("a_header_of_another_abi_is_refused", a_header_of_another_abi_is_refused),
        trial("the_quick_start_runs_outside_the_repository", the_quick_start_runs_outside_the_repository),
        trial("the_quick_start_is_short", the_quick_start_is_short),
        trial("the_example_exports_events", the_example_exports_events),
        trial("the_prometheus_collector_collects", the_prometheus_collector_collects),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

fn trial(name: &str, test: fn() -> Outcome) -> Trial {
    Trial::ignorable_test(name, move || match go::available() {
        Ok(()) => test(),
        Err(reason) => Ok(Completion::ignored_with(reason)),
    })
}

fn module(name: &str) -> PathBuf {
    c::root().join(name)
}

fn is_formatted() -> Outcome {
    let goroot = c::succeed(Command::new("go").args(["env", "GOROOT"]))?;
    let gofmt = Path::new(goroot.trim()).join("bin/gofmt");
    if !gofmt.exists() {
        return Ok(Completion::ignored_with("this Go has no gofmt"));
    }
    let unformatted = c::succeed(Command::new(gofmt).arg("-l").args(MODULES.iter().map(|name| module(name))))?;
    completed_if(unformatted.is_empty(), || format!("gofmt would change:\n{unformatted}"))
}

fn go_vet_is_silent() -> Outcome {
    let prefix = Prefix::shared()?;
    for name in MODULES {
        c::succeed(&mut prefix.go(&module(name), &["vet", "./..."]))?;
    }
    Ok(Completion::Completed)
}

fn go_test(arguments: &[&str], environment: &[(&str, &str)]) -> Outcome {
    go_test_with(&Prefix::shared()?, arguments, environment)
}

/// The binding's own tests. None of them has a reason to be skipped here.
fn go_test_with(prefix: &Prefix, arguments: &[&str], environment: &[(&str, &str)]) -> Outcome {
    // A result in Go's cache would not know of a new library.
    let mut command = prefix.go(&module("bindings/go"), &["test", "-count=1"]);
    command.args(arguments).arg("./...");
    command.env("CRI_SIM", sim::program()?).envs(environment.iter().copied());
    let output = c::succeed(&mut command)?;
    let (passed, skipped) = (output.matches("--- PASS").count(), output.matches("--- SKIP").count());
    completed_if(passed > 20 && skipped == 0, || format!("{passed} passed, {skipped} skipped:\n{output}"))
}

fn go_test_with_the_race_detector() -> Outcome {
    let folder = tempfile::tempdir()?;
    write_module(folder.path(), "package main\n\nfunc main() {}\n", "1.21")?;
    let prefix = Prefix::shared()?;
    if c::succeed(&mut prefix.go(folder.path(), &["run", "-race", "."])).is_err() {
        return Ok(Completion::ignored_with("Go's race detector does not work here"));
    }
    go_test_with(&prefix, &["-v", "-race"], &[])
}

/// The program has the library inside: the loader gets no path to one.
fn go_test_linked_statically() -> Outcome {
    let folder = tempfile::tempdir()?;
    let prefix = Prefix::with_archive(folder.path())?;
    go_test_with(&prefix, &["-v", "-tags", "criwatch_static"], &[("LD_LIBRARY_PATH", "")])
}

/// Type checking works anywhere; making a watcher there is an error that says what is lacking.
fn it_compiles_without_cgo_and_on_other_systems() -> Outcome {
    let prefix = Prefix::shared()?;
    let (binding, without) = (module("bindings/go"), ("CGO_ENABLED", "0"));
    for (system, architecture) in [("linux", "amd64"), ("darwin", "arm64"), ("windows", "amd64"), ("freebsd", "amd64")]
    {
        let mut vet = prefix.go(&binding, &["vet", "./..."]);
        c::succeed(vet.env(without.0, without.1).env("GOOS", system).env("GOARCH", architecture))?;
    }
    let mut command = prefix.go(&binding, &["test", "-count=1", "-v", "-run", "^TestWithoutTheLibrary$", "."]);
    let output = c::succeed(command.env(without.0, without.1).env("PKG_CONFIG_PATH", "").env("LD_LIBRARY_PATH", ""))?;
    completed_if(output.contains("--- PASS: TestWithoutTheLibrary"), || output)
}

/// What the packages export, and what they say about it.
fn the_api_is_the_same() -> Outcome {
    let prefix = Prefix::shared()?;
    let api = |package: &str, environment: &[(&str, &str)]| {
        c::succeed(prefix.go(&module("bindings/go"), &["doc", "-all", package]).envs(environment.iter().copied()))
    };
    let without = ("CGO_ENABLED", "0");
    for package in [".", "./criwatchtest"] {
        let here = api(package, &[])?;
        if !here.contains("\nfunc New(") {
            return Err(format!("go doc does not show the API of {package}: {here}").into());
        }
        for (system, architecture) in
            [("linux", "amd64"), ("darwin", "arm64"), ("windows", "amd64"), ("linux", "riscv64")]
        {
            let there = api(package, &[without, ("GOOS", system), ("GOARCH", architecture)])?;
            if here != there {
                return Err(format!("the API of {package} is another one on {system}/{architecture}: {there}").into());
            }
        }
    }
    Ok(Completion::Completed)
}

/// The example, with the library and glibc inside.
fn a_go_program_needs_no_shared_library() -> Outcome {
    let folder = tempfile::tempdir()?;
    let prefix = Prefix::with_archive(folder.path())?;
    let (empty, program) = (folder.path().join("empty.c"), folder.path().join("exporter"));
    std::fs::write(&empty, "int main(void) { return 0; }")?;
    if c::succeed(Command::new(c::cc()).arg("-static").arg(&empty).arg("-o").arg(folder.path().join("empty"))).is_err()
    {
        return Ok(Completion::ignored_with("there is no static libc"));
    }
    let flags = ["build", "-tags", "criwatch_static", "-ldflags", "-extldflags -static", "-o"];
    c::succeed(prefix.go(&module("examples/go"), &flags).arg(&program).arg("."))?;
    let dynamic = c::succeed(Command::new("readelf").args(["--dynamic", "--wide"]).arg(&program))?;
    if dynamic.contains("(NEEDED)") {
        return Err(format!("it needs shared libraries: {dynamic}").into());
    }
    exports_events(Command::new(program))
}

fn a_header_of_another_abi_is_refused() -> Outcome {
    let folder = tempfile::tempdir()?;
    let prefix = Prefix::with_archive(folder.path())?;
    let header = std::fs::read_to_string(c::root().join("include/criwatch.h"))?;
    let include = folder.path().join("include");
    std::fs::remove_file(&include)?;
    std::fs::create_dir(&include)?;
    std::fs::write(
        include.join("criwatch.h"),
        header.replace("#define CRI_ABI_VERSION 1", "#define CRI_ABI_VERSION 2"),
    )?;
    let built = prefix.go(&module("bindings/go"), &["build", "./..."]).output()?;
    let printed = c::text(&built);
    completed_if(!built.status.success() && printed.contains("another ABI version"), || {
        format!("{}: {printed}", built.status)
    })
}

/// A module of its own that finds the library by pkg-config, as a user's does.
fn the_quick_start_runs_outside_the_repository() -> Outcome {
    let folder = tempfile::tempdir()?;
    let require = "github.com/criwatch/criwatch/bindings/go";
    // 1.23: it ranges over functions.
    write_module(folder.path(), &quick_start()?, "1.23")?;
    let replace = module("bindings/go");
    let mut manifest = std::fs::read_to_string(folder.path().join("go.mod"))?;
    manifest += &format!("\nrequire {require} v0.0.0\n\nreplace {require} => {}\n", replace.display());
    std::fs::write(folder.path().join("go.mod"), manifest)?;
    let (prefix, program) = (Prefix::shared()?, folder.path().join("program"));
    prefix.build(folder.path(), &program)?;

    let mut sim = sim::Sim::start(&[])?;
    sim.tell("pod web ns=shop nginx")?;
    let mut command = prefix.run(&program);
    let mut running = Running::start(command.env("ENDPOINT", sim.endpoint()))?;
    running.reads("its start", |line| line == "started shop/web/nginx")?;
    sim.tell("stop web/nginx")?;
    running.reads("its end", |line| line == "exited shop/web/nginx")?;
    running.ends_well()?;
    // The program prints its error, and ends with it.
    let output = prefix.run(&program).env("ENDPOINT", "http://nowhere").output()?;
    let printed = c::text(&output);
    completed_if(!output.status.success() && printed.contains("nowhere") && !printed.contains("panic"), || printed)
}

fn the_quick_start_is_short() -> Outcome {
    let program = quick_start()?;
    let lines = program.lines().skip_while(|line| *line != "func main() {").count();
    completed_if((1..30).contains(&lines), || format!("from main on it has {lines} lines"))
}

/// The programme in the README.
fn quick_start() -> Result<String, Failed> {
    let readme = std::fs::read_to_string(module("bindings/go/README.md"))?;
    let code = readme.split_once("```go\n").and_then(|(_, rest)| rest.split_once("```"));
    Ok(code.ok_or("bindings/go/README.md has no Go programme")?.0.to_owned())
}

/// Each event is a line of JSON, and SIGTERM ends it well.
fn the_example_exports_events() -> Outcome {
    let folder = tempfile::tempdir()?;
    let (prefix, program) = (Prefix::shared()?, folder.path().join("exporter"));
    prefix.build(&module("examples/go"), &program)?;
    exports_events(prefix.run(&program))
}

/// The example prints a sandbox's start and end.
fn exports_events(mut program: Command) -> Outcome {
    let mut sim = sim::Sim::start(&[])?;
    let mut running = Running::start(program.args(["-endpoint", sim.endpoint()]))?;
    let reports = |line: &str, kind: &str, id: &str| {
        let event: serde_json::Value = serde_json::from_str(line).unwrap_or_default();
        event["schema"] == "criwatch.event/1" && event["type"] == kind && event["container"]["id"] == id
    };
    let id = sim.make("run-pod web ns=shop")?;
    running.reads("its start", |line| reports(line, "started", &id))?;
    sim.tell("stop-pod web")?;
    running.reads("its end", |line| reports(line, "exited", &id))?;
    running.ends_well()?;
    Ok(Completion::Completed)
}

/// The one module that depends on others: they come from Go's cache, or through its own proxy.
fn the_prometheus_collector_collects() -> Outcome {
    let (prefix, collector) = (Prefix::shared()?, module("bindings/go/criwatchprom"));
    let is_there = |command: &mut Command| command.output().is_ok_and(|output| output.status.success());
    let fetched = is_there(&mut prefix.go(&collector, &["mod", "verify"]))
        || is_there(prefix.go(&collector, &["mod", "download"]).env_remove("GOPROXY"));
    if !fetched {
        return Ok(Completion::ignored_with("the modules of Prometheus are neither in Go's cache nor to be fetched"));
    }
    c::succeed(&mut prefix.go(&collector, &["vet", "./..."]))?;
    let mut command = prefix.go(&collector, &["test", "-count=1", "-v", "./..."]);
    let output = c::succeed(command.env("CRI_SIM", sim::program()?))?;
    completed_if(output.contains("--- PASS: TestCollector") && !output.contains("--- SKIP"), || output)
}

fn write_module(folder: &Path, main: &str, version: &str) -> Result<(), Failed> {
    std::fs::write(folder.join("go.mod"), format!("module example.com/agent\n\ngo {version}\n"))?;
    std::fs::write(folder.join("main.go"), main)?;
    Ok(())
}

fn completed_if(good: bool, complaint: impl FnOnce() -> String) -> Outcome {
    if good { Ok(Completion::Completed) } else { Err(complaint().into()) }
}

/// A program that runs until it gets a signal to end.
struct Running {
    child: Child,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
}

impl Running {
    fn start(command: &mut Command) -> Result<Running, Failed> {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        let lines = BufReader::new(child.stdout.take().ok_or("no stdout")?).lines();
        Ok(Running { child, lines })
    }

    fn reads(&mut self, what: &str, is_it: impl Fn(&str) -> bool) -> Result<(), Failed> {
        let found = self.lines.by_ref().map_while(Result::ok).any(|line| is_it(&line));
        if found { Ok(()) } else { Err(format!("it ended without a line for {what}").into()) }
    }

    fn ends_well(&mut self) -> Result<(), Failed> {
        // SAFETY: kill takes plain numbers; the child was not waited for, so that the pid is still its own.
        unsafe { libc::kill(self.child.id() as i32, libc::SIGTERM) };
        let status = self.child.wait()?;
        if status.success() { Ok(()) } else { Err(format!("after SIGTERM: {status}").into()) }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // One that was waited for is no more, which is fine.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
