//! The tarballs, and the list of checksums.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use libtest_mimic::Completion;

use super::c::{self, succeed};
use super::dist::{self, Unpacked};
use super::release::{make, target};
use super::sim::Sim;
use super::{Outcome, user};

/// Every file has its line, and the line is right.
pub fn checksums_fit() -> Outcome {
    let folder = dist::folder()?;
    succeed(Command::new("sha256sum").args(["--check", "--quiet", "--strict", "SHA256SUMS"]).current_dir(folder))?;
    let sums = std::fs::read_to_string(folder.join("SHA256SUMS"))?;
    let listed: BTreeSet<_> =
        sums.lines().filter_map(|line| line.split_once("  ")).map(|(_, name)| name.into()).collect();
    let mut there = BTreeSet::new();
    for entry in std::fs::read_dir(folder)? {
        there.insert(entry?.file_name().to_string_lossy().into_owned());
    }
    there.remove("SHA256SUMS");
    if there == listed { Ok(Completion::Completed) } else { Err(format!("{listed:?} are listed of {there:?}").into()) }
}

pub fn installed_tree_is_used() -> Outcome {
    let tree = Unpacked::tree()?;
    lists_with_the_command(&tree.path().join("bin/criwatch"))?;
    let lacking = user::builds_with_pkg_config(tree.path())?;
    let place = format!("-DCMAKE_PREFIX_PATH={}", tree.path().display());
    let lacking = user::builds_with_cmake(&[place], &tree.path().join("lib"))?.or(lacking);
    Ok(lacking.map_or(Completion::Completed, Completion::ignored_with))
}

/// The file of the library's build-id names its functions.
pub fn debug_symbols_fit_the_library() -> Outcome {
    if !c::is_there("readelf") || !c::is_there("nm") {
        return Ok(Completion::ignored_with("binutils are not installed"));
    }
    let (tree, symbols) = (Unpacked::tree()?, Unpacked::of(&dist::tree_name(), "-debug.tar.gz")?);
    let library = tree.path().join("lib/libcriwatch.so");
    let notes = succeed(Command::new("readelf").args(["--notes", "--wide"]).arg(library))?;
    let id = notes.split("Build ID: ").nth(1).and_then(|rest| rest.split_whitespace().next());
    let (first, rest) = id.ok_or("the library has no build-id")?.split_at(2);
    let file = symbols.path().join(format!("lib/debug/.build-id/{first}/{rest}.debug"));
    let functions = succeed(Command::new("nm").args(["--demangle", "--defined-only"]).arg(file))?;
    if functions.contains("criwatch::sync::") {
        Ok(Completion::Completed)
    } else {
        Err("no function has a name".into())
    }
}

/// The program, its manual page and its completions are there, and it asks for no loader.
pub fn command_is_used() -> Outcome {
    let version = env!("CARGO_PKG_VERSION");
    let name = format!("criwatch-{version}-command-linux-{}", std::env::consts::ARCH);
    let command = Unpacked::of(&name, ".tar.gz")?;
    for file in ["LICENSE", "criwatch.1", "completions/criwatch", "completions/_criwatch", "completions/criwatch.fish"]
    {
        if command.path().join(file).metadata()?.len() == 0 {
            return Err(format!("{file} is empty").into());
        }
    }
    lists_with_the_command(&command.path().join("criwatch"))?;
    Ok(Completion::Completed)
}

/// The simulated engine, its manual page and its guide are there; it is watched with the tree's command.
pub fn simulator_is_used() -> Outcome {
    let name = format!("criwatch-{}-sim-linux-{}", env!("CARGO_PKG_VERSION"), std::env::consts::ARCH);
    let (simulator, tree) = (Unpacked::of(&name, ".tar.gz")?, Unpacked::tree()?);
    for file in ["LICENSE", "cri-sim.1", "simulator.md"] {
        if simulator.path().join(file).metadata()?.len() == 0 {
            return Err(format!("{file} is empty").into());
        }
    }
    let folder = tempfile::tempdir()?;
    let mut engine = Command::new(simulator.path().join("cri-sim"));
    engine.env_clear().current_dir(folder.path()).arg("--socket").arg(folder.path().join("cri.sock"));
    engine.args(["--script", "-"]);
    lists_of(&mut Sim::start_by(engine)?, &tree.path().join("bin/criwatch"))?;
    Ok(Completion::Completed)
}

/// Nothing of it is outside of the folder that Cargo takes for its own: such paths would be part of the program (scripts/command).
pub fn command_is_built_from_one_folder() -> Outcome {
    dist::folder()?;
    let workspace = target().join("cli-workspace");
    let mut metadata = Command::new("cargo");
    metadata.args(["metadata", "--quiet", "--locked", "--format-version", "1", "--filter-platform"]);
    metadata.arg(format!("{}-unknown-linux-gnu", std::env::consts::ARCH));
    let output = metadata.arg("--manifest-path").arg(workspace.join("Cargo.toml")).output()?;
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    let packages = metadata["packages"].as_array().ok_or("no packages")?;
    let own = packages.iter().filter(|package| package["source"].is_null());
    let paths: Vec<_> = own.filter_map(|package| package["manifest_path"].as_str()).collect();
    let root = metadata["workspace_root"].as_str().ok_or("no workspace")?;
    if paths.len() == 2 && paths.iter().all(|path| path.starts_with(root)) {
        return Ok(Completion::Completed);
    }
    Err(format!("{paths:?} are not in {root}").into())
}

/// The program shows a simulated engine's pod, with nothing in its environment.
fn lists_with_the_command(program: &Path) -> Result<(), String> {
    lists_of(&mut Sim::start(&[])?, program)
}

/// The same, of this engine.
fn lists_of(sim: &mut Sim, program: &Path) -> Result<(), String> {
    sim.tell("pod web ns=shop nginx")?;
    let printed = succeed(Command::new(program).env_clear().args(["-r", sim.endpoint(), "ps"]))?;
    if printed.contains("web") { Ok(()) } else { Err(format!("{} ps: {printed}", program.display())) }
}

/// The archive alone is enough to build and install from. Not optimised: the libraries of the other tests are.
pub fn source_installs() -> Outcome {
    let source = Unpacked::of(&format!("criwatch-{}", env!("CARGO_PKG_VERSION")), "-source.tar.gz")?;
    let (built, prefix) = (target().join("source-archive"), source.path().join("installed"));
    let mut install = Command::new("make");
    install.args(["--silent", "install"]).current_dir(source.path()).env("CARGO_TARGET_DIR", built);
    for (setting, value) in [("LTO", "off"), ("OPT_LEVEL", "0"), ("CODEGEN_UNITS", "16"), ("DEBUG", "false")] {
        install.env(format!("CARGO_PROFILE_RELEASE_{setting}"), value);
    }
    for variable in make().get_envs().filter(|(_, value)| value.is_none()).map(|(variable, _)| variable) {
        install.env_remove(variable);
    }
    install.arg(format!("PREFIX={}", prefix.display())).arg(format!("COMMAND={}", target().join("command").display()));
    succeed(&mut install)?;
    let lacking = user::builds_with_pkg_config(&prefix)?;
    Ok(lacking.map_or(Completion::Completed, Completion::ignored_with))
}
