//! What package managers of languages take: the wheels, the crate, and the Go modules.

use std::path::PathBuf;
use std::process::Command;

use libtest_mimic::{Completion, Failed};
use tempfile::TempDir;

use super::c::{self, succeed};
use super::dist::Unpacked;
use super::go_user::{MODULE, User};
use super::release::target;
use super::sim::{Sim, lists};
use super::{Outcome, dist, go};

pub fn wheel_is_used() -> Outcome {
    let (environment, python) = match environment_with(&["criwatch-"])? {
        Ok(made) => made,
        Err(reason) => return Ok(Completion::ignored_with(reason)),
    };
    let mut sim = Sim::start(&[])?;
    sim.tell("pod web ns=shop nginx")?;
    let mut ps = Command::new(python);
    ps.args(["-m", "criwatch", "-r", sim.endpoint(), "ps"]).current_dir(environment.path()).env_remove("PYTHONPATH");
    let printed = succeed(&mut ps)?;
    if printed.contains("web") { Ok(Completion::Completed) } else { Err(printed.into()) }
}

/// A test of a Python agent: both wheels, and nothing else, are an engine and its watcher.
pub fn simulators_wheel_is_used() -> Outcome {
    let (environment, python) = match environment_with(&["criwatch-", "criwatch_sim-"])? {
        Ok(made) => made,
        Err(reason) => return Ok(Completion::ignored_with(reason)),
    };
    let test = environment.path().join("test.py");
    std::fs::write(&test, include_str!("agent_test.py"))?;
    let mut run = Command::new(python);
    run.arg(test).current_dir(environment.path()).env_remove("PYTHONPATH").env_remove("CRI_SIM");
    succeed(&mut run)?;
    Ok(Completion::Completed)
}

/// A folder with a virtual environment that has the wheels whose names begin like this, and its Python; or why there is none.
fn environment_with(wheels: &[&str]) -> Result<Result<(TempDir, PathBuf), &'static str>, Failed> {
    let folder = tempfile::tempdir()?;
    let environment = folder.path().join("environment");
    let mut install = Command::new(environment.join("bin/pip"));
    install.args(["install", "--quiet", "--no-index"]);
    for begins in wheels {
        let Some(wheel) = dist::find(begins, &format!("{}.whl", std::env::consts::ARCH))? else {
            return Ok(Err("make dist makes no wheel here: Python 3.11 or later is not installed"));
        };
        install.arg(wheel);
    }
    if succeed(Command::new("python3").args(["-m", "venv"]).arg(&environment)).is_err() {
        return Ok(Err("python3 makes no virtual environments (python3-venv)"));
    }
    succeed(&mut install)?;
    let python = environment.join("bin/python");
    Ok(Ok((folder, python)))
}

/// The published crate has all that its build reads: a program that depends on it lists containers.
pub fn crate_is_used() -> Outcome {
    let name = concat!("criwatch-", env!("CARGO_PKG_VERSION"));
    let mut package = Command::new("cargo");
    package.args(["package", "--quiet", "--locked", "--allow-dirty", "--no-verify", "--target-dir"]).arg(target());
    succeed(package.current_dir(c::root()))?;
    let folder = tempfile::tempdir()?;
    let archive = target().join(format!("package/{name}.crate"));
    succeed(Command::new("tar").arg("-xzf").arg(archive).arg("-C").arg(folder.path()))?;

    let user = folder.path().join("user");
    std::fs::create_dir_all(user.join("src"))?;
    let manifest = format!(
        "[package]\nname = \"user\"\nversion = \"1.0.0\"\nedition = \"2024\"\n\n[dependencies]\ncriwatch = {{ path = \"../{name}\" }}\n"
    );
    std::fs::write(user.join("Cargo.toml"), manifest)?;
    std::fs::copy(c::root().join("Cargo.lock"), user.join("Cargo.lock"))?;
    std::fs::write(user.join("src/main.rs"), include_str!("user_main.rs"))?;
    let mut build = Command::new("cargo");
    build.args(["build", "--quiet", "--offline", "--target-dir"]).arg(target().join("crate-user"));
    succeed(build.current_dir(&user).env("CARGO_PROFILE_DEV_DEBUG", "0"))?;
    lists(Command::new(target().join("crate-user/debug/user")))?;
    Ok(Completion::Completed)
}

/// The unpacked archive is all that Go asks for the modules: a program has the library inside, and lists containers.
pub fn go_modules_are_used() -> Outcome {
    if let Err(reason) = go::available() {
        return Ok(Completion::ignored_with(reason));
    }
    let proxy = Unpacked::of(concat!("criwatch-", env!("CARGO_PKG_VERSION"), "-go-modules"), ".tar.gz")?;
    let folder = tempfile::tempdir()?;
    let user = User::new(folder.path(), proxy.path())?;
    succeed(&mut user.go(&["get", MODULE]))?;
    lists(Command::new(user.builds("agent", &["-tags", "criwatch_bundled"])?))?;
    Ok(Completion::Completed)
}
