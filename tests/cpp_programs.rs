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

use std::io::{BufRead, BufReader};
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
