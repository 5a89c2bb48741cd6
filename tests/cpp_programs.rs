//! The C++ binding: the programs in tests/cpp, each as it is, under valgrind and with AddressSanitizer; the header in each
//! standard; the examples; and what the binding has to have.

#[path = "support/c.rs"]
mod c;
#[path = "cpp_programs/dangling.rs"]
mod dangling;
#[path = "cpp_programs/documented.rs"]
mod documented;
#[path = "support/program.rs"]
mod program;
#[path = "support/sim.rs"]
mod sim;
#[allow(dead_code)] // One of its functions is of use here.
#[path = "support/wait.rs"]
mod wait;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use libtest_mimic::{Arguments, Completion, Failed, Trial};
use program::{Argument, Program};

const PROGRAMS: &[Program] = &[
    Program::new("tests/cpp/objects.cpp", Some(Argument::Simulated(&[]))),
    Program::new("tests/cpp/lookups.cpp", Some(Argument::Simulated(&[]))),
    Program::new("tests/cpp/finder.cpp", Some(Argument::Simulated(&[]))),
    Program::new("tests/cpp/callbacks.cpp", Some(Argument::Simulated(&[]))),
    Program::new("tests/cpp/no_exceptions.cpp", Some(Argument::Simulated(&[]))),
    Program::new("tests/cpp/temporaries.cpp", Some(Argument::Simulated(&[]))),
    // It ends in the midst of a call.
    Program::new("tests/cpp/terminates.cpp", Some(Argument::DeadEndpoint)).that_leaves_things(),
];

fn main() {
    let mut trials = vec![
        compiled("compiles_in_each_standard", compiles_in_each_standard),
        compiled("what_dangles_does_not_compile", dangling::what_dangles_does_not_compile),
        Trial::test("has_every_function_and_constant", has_every_function_and_constant),
        Trial::test("has_every_field", has_every_field),
        Trial::test("every_public_name_is_documented", every_public_name_is_documented),
        Trial::test("an_undocumented_name_is_seen", an_undocumented_name_is_seen),
        compiled("the_readme_lists", the_readme_lists),
        compiled("the_readme_follows", the_readme_follows),
        compiled("the_readme_calls_back", the_readme_calls_back),
        compiled("the_metrics_example_serves", the_metrics_example_serves),
    ];
    for program in PROGRAMS {
        trials.push(program.plain());
        if program.is_clean {
            trials.push(program.under_valgrind());
            trials.push(program.under_asan());
        }
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

/// A test that compiles C++.
fn compiled(name: &str, test: fn() -> Result<(), Failed>) -> Trial {
    Trial::ignorable_test(name, move || match c::cplusplus() {
        Ok(()) => test().map(|()| Completion::Completed),
        Err(reason) => Ok(Completion::ignored_with(reason)),
    })
}

/// Twice in one file, in two files, without a warning: with exceptions and without.
fn compiles_in_each_standard() -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let library = c::Library::of_this_build().path();
    for standard in ["-std=c++17", "-std=c++20", "-std=c++23"] {
        for mode in ["-fexceptions", "-DCRIWATCH_NO_EXCEPTIONS", "-fno-exceptions"] {
            let program = folder.path().join("once");
            let sources = ["tests/cpp/once.cpp", "tests/cpp/twice.cpp"].map(|source| c::root().join(source));
            let mut command = Command::new(c::cxx());
            command.args([standard, mode, "-Wshadow", "-Wconversion"]).args(c::STRICT).args(c::includes());
            c::succeed(command.args(sources).arg(&library).arg("-o").arg(&program))?;
            let folder = library.parent().ok_or("the library is in no folder")?;
            c::succeed(Command::new(&program).env("LD_LIBRARY_PATH", folder))?;
        }
    }
    Ok(())
}

/// The binding's headers.
fn headers() -> Result<Vec<(PathBuf, String)>, Failed> {
    let folder = c::root().join("bindings/cpp");
    let mut paths = vec![folder.join("criwatch.hpp")];
    for entry in std::fs::read_dir(folder.join("criwatch"))? {
        paths.push(entry?.path());
    }
    paths.into_iter().map(|path| Ok((path.clone(), std::fs::read_to_string(path)?))).collect()
}

/// Nothing of the C header is out of reach.
fn has_every_function_and_constant() -> Result<(), Failed> {
    let header = std::fs::read_to_string(c::root().join("include/criwatch.h"))?;
    let defined = header.lines().filter_map(|line| line.strip_prefix("#define ")?.split(['(', ' ']).next());
    let names = defined.filter(|name| name.starts_with("CRI_")).map(str::to_owned).chain(c::functions(&header));
    let binding: String = headers()?.into_iter().map(|(_, text)| text).collect();
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words: std::collections::BTreeSet<&str> = binding.split(|c| !is_word(c)).collect();
    let lacking: Vec<String> = names.filter(|name| !words.contains(name.as_str())).collect();
    if lacking.is_empty() { Ok(()) } else { Err(format!("the C++ binding lacks {lacking:?}").into()) }
}

/// Nor is anything of a record.
fn has_every_field() -> Result<(), Failed> {
    let header = c::without_comments(&std::fs::read_to_string(c::root().join("include/criwatch.h"))?);
    let records: String = headers()?.into_iter().map(|(_, text)| text).collect();
    let mut lacking = Vec::new();
    for record in header.split("typedef struct cri_").skip(1).filter(|rest| rest.contains(" {")) {
        let Some((name, body)) = record.split_once('}').and_then(|(body, _)| body.split_once(" {")) else { continue };
        let fields = body.split(';').filter_map(|field| field.trim().rsplit([' ', '*']).next());
        for field in fields.filter(|field| !field.is_empty() && *field != "struct_size") {
            let is_read =
                [format!("->{field}"), format!("raw.{field}")].iter().any(|text| records.contains(text.as_str()));
            lacking.extend((!is_read && name != "buffer").then(|| format!("{name}.{field}")));
        }
    }
    if lacking.is_empty() { Ok(()) } else { Err(format!("the C++ binding lacks {lacking:?}").into()) }
}

fn every_public_name_is_documented() -> Result<(), Failed> {
    let lacking = headers()?.into_iter().flat_map(|(path, text)| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        documented::undocumented(&text).into_iter().map(move |line| format!("{name}:{line}"))
    });
    let lacking: Vec<String> = lacking.collect();
    if lacking.is_empty() { Ok(()) } else { Err(format!("without a comment: {lacking:#?}").into()) }
}

fn an_undocumented_name_is_seen() -> Result<(), Failed> {
    let lacking = documented::undocumented(
        "namespace a {\n/// Known.\nclass A {\npublic:\n    /// Known.\n    int b() {\n        return 1;\n    }\n    int c();\n\
         private:\n    int d;\n};\nenum class E {\n    one,  ///< Known.\n    two,\n};\nnamespace detail {\nint e;\n}\nint f();\n}\n",
    );
    let expected = ["9: int c();", "13: enum class E {", "15: two,", "20: int f();"];
    if lacking == expected { Ok(()) } else { Err(format!("{lacking:?}").into()) }
}

/// The n-th program of the binding's README, as it stands there.
fn of_readme(n: usize) -> Result<PathBuf, Failed> {
    let readme = std::fs::read_to_string(c::root().join("bindings/cpp/README.md"))?;
    let block = readme.split("```cpp\n").nth(n + 1).and_then(|rest| rest.split("```").next());
    let block = block.ok_or("the README has no such program")?;
    let lines = block.lines().filter(|line| !line.trim().is_empty()).count();
    if lines >= 15 {
        return Err(format!("program {n} of the README has {lines} lines").into());
    }
    let source = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("readme{n}.cpp"));
    std::fs::write(&source, block)?;
    Ok(c::Library::of_this_build().build(&source.to_string_lossy())?)
}

fn the_readme_lists() -> Result<(), Failed> {
    let program = of_readme(0)?;
    let mut sim = sim::Sim::start(&[])?;
    let id = sim.make("pod web ns=shop nginx")?;
    let listed = c::succeed(Command::new(program).arg(sim.endpoint()))?;
    let is_right =
        listed.lines().count() == 2 && listed.contains(&format!("{id} web\n")) && listed.contains(" nginx\n");
    if is_right { Ok(()) } else { Err(format!("not web ({id}) and nginx: {listed}").into()) }
}

fn the_readme_follows() -> Result<(), Failed> {
    follows(&of_readme(1)?)
}

fn the_readme_calls_back() -> Result<(), Failed> {
    follows(&of_readme(2)?)
}

fn follows(program: &Path) -> Result<(), Failed> {
    let mut sim = sim::Sim::start(&[])?;
    let mut child = Command::new(program).arg(sim.endpoint()).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let mut lines = BufReader::new(child.stdout.take().ok_or("no stdout")?).lines().map_while(Result::ok);
    sim.tell("pod web ns=shop nginx")?;
    let started = lines.by_ref().any(|line| line == "started nginx");
    sim.tell("stop web/nginx")?;
    let exited = started && lines.by_ref().any(|line| line == "exited nginx");
    child.kill()?;
    child.wait()?;
    if exited { Ok(()) } else { Err("it ended without the events".into()) }
}

/// Every change is in the metrics, which Prometheus can read; the end of its input ends it.
fn the_metrics_example_serves() -> Result<(), Failed> {
    let source = "examples/cpp/metrics.cpp";
    let lines = std::fs::read_to_string(c::root().join(source))?.lines().count();
    if lines >= 280 {
        return Err(format!("{source} has {lines} lines").into());
    }
    let program = c::Library::of_this_build().build(source)?;
    let mut sim = sim::Sim::start(&[])?;
    sim.tell("pod web ns=shop nginx proxy")?;
    let mut command = Command::new(program);
    command.arg("0").arg(sim.endpoint()).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn()?;
    let mut lines = BufReader::new(child.stdout.take().ok_or("no stdout")?).lines();
    let address = lines.next().ok_or("it does not say where it listens")??;
    let address = address.trim_start_matches("http://").trim_end_matches("/metrics").to_owned();

    shows(&address, "criwatch_containers{namespace=\"shop\",pod=\"web\"} 2")?;
    sim.tell("create shop/web nginx attempt=1")?;
    sim.tell("stop web/proxy")?;
    sim.tell("start shop/web/nginx")?;
    shows(&address, "criwatch_containers{namespace=\"shop\",pod=\"web\"} 2")?;
    shows(&address, "criwatch_exits_total{reason=\"Error\"} 1")?;
    shows(&address, "criwatch_container_restarts{namespace=\"shop\",pod=\"web\",container=\"nginx\"} 1")?;
    shows(&address, "criwatch_events_total{type=\"exited\"} 1")?;
    let text = shows(&address, "criwatch_library_connects 1")?;
    is_exposition(&text)?;

    // One that merely vanished, and turns up with its exit code later, ended once.
    sim.tell("pod job ns=batch run")?;
    shows(&address, "criwatch_containers{namespace=\"batch\",pod=\"job\"} 1")?;
    let run =
        sim.things()?.into_iter().find(|thing| thing.path == "batch/job/run").ok_or("there is no batch/job/run")?;
    sim.tell("lose batch/job/run")?;
    sim.tell("restart")?;
    shows(&address, "criwatch_exits_total{reason=\"gone\"} 1")?;
    c::succeed(Command::new("kill").args(["-9", &run.pid.to_string()]))?;
    sim.tell(&format!("find {}", run.id))?;
    sim.tell("wait batch/job/run exited")?;
    let before = updates(&address)?;
    sim.tell("tell stopped batch/job/run")?;
    wait::until("an update", wait::PATIENCE, || match updates(&address)? {
        now if now > before => Ok(()),
        now => Err(format!("{now} updates")),
    })?;
    let text = shows(&address, "criwatch_exits_total{reason=\"gone\"} 1")?;
    if !text.contains("\ncriwatch_exits_total{reason=\"Error\"} 1\n") {
        return Err(format!("an end that was corrected is counted again: {text}").into());
    }
    if !get(&address, "/other")?.starts_with("HTTP/1.1 404 ") {
        return Err("/other is there".into());
    }
    drop(child.stdin.take());
    let status = child.wait()?;
    if status.success() { Ok(()) } else { Err(format!("{command:?}: {status}").into()) }
}

fn get(address: &str, path: &str) -> Result<String, String> {
    let mut stream = TcpStream::connect(address).map_err(|e| format!("{address}: {e}"))?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    let mut reply = String::new();
    stream.write_all(request.as_bytes()).and_then(|()| stream.read_to_string(&mut reply)).map_err(|e| e.to_string())?;
    Ok(reply)
}

/// Waits until a line stands there; all of it.
fn shows(address: &str, line: &str) -> Result<String, String> {
    wait::until(line, wait::PATIENCE, || {
        let reply = get(address, "/metrics")?;
        let (head, body) = reply.split_once("\r\n\r\n").ok_or("no head")?;
        let is_ok = head.starts_with("HTTP/1.1 200 ") && head.contains("text/plain; version=0.0.4");
        if is_ok && body.lines().any(|l| l == line) { Ok(body.to_owned()) } else { Err(reply) }
    })
}

/// How many updates were counted. Late details are updates, too, so that a test cannot know the number.
fn updates(address: &str) -> Result<u64, String> {
    let reply = get(address, "/metrics")?;
    let count = reply.lines().find_map(|line| line.strip_prefix("criwatch_events_total{type=\"updated\"} "));
    count.map_or(Ok(0), |count| count.parse().map_err(|e| format!("{count}: {e}")))
}

/// Each sample follows the HELP and TYPE of its family, and each family stands there once.
fn is_exposition(text: &str) -> Result<(), String> {
    let mut families = std::collections::BTreeSet::new();
    let mut family = "";
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            family = rest.split(' ').next().unwrap_or_default();
            if !families.insert(family) {
                return Err(format!("{family} stands there twice"));
            }
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            if !matches!(rest.split_once(' '), Some((name, "counter" | "gauge")) if name == family) {
                return Err(format!("not the type of {family}: {line}"));
            }
        } else if line.split(['{', ' ']).next() != Some(family) {
            return Err(format!("not of {family}: {line}"));
        }
    }
    if families.len() > 5 { Ok(()) } else { Err(format!("only {families:?}")) }
}
