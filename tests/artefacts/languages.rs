//! What package managers of languages take: the wheel, and the crate.

use std::process::Command;

use libtest_mimic::Completion;

use super::c::{self, succeed};
use super::release::target;
use super::sim::{Sim, lists};
use super::{Outcome, dist};

pub fn wheel_is_used() -> Outcome {
    let Some(wheel) = dist::find("criwatch-", &format!("{}.whl", std::env::consts::ARCH))? else {
        return Ok(Completion::ignored_with("make dist makes no wheel here: Python 3.11 or later is not installed"));
    };
    let folder = tempfile::tempdir()?;
    let environment = folder.path().join("environment");
    if succeed(Command::new("python3").args(["-m", "venv"]).arg(&environment)).is_err() {
        return Ok(Completion::ignored_with("python3 makes no virtual environments (python3-venv)"));
    }
    succeed(Command::new(environment.join("bin/pip")).args(["install", "--quiet", "--no-index"]).arg(wheel))?;
    let mut sim = Sim::start(&[])?;
    sim.tell("pod web ns=shop nginx")?;
    let mut ps = Command::new(environment.join("bin/python"));
    ps.args(["-m", "criwatch", "-r", sim.endpoint(), "ps"]).current_dir(folder.path()).env_remove("PYTHONPATH");
    let printed = succeed(&mut ps)?;
    if printed.contains("web") { Ok(Completion::Completed) } else { Err(printed.into()) }
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
