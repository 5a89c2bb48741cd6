//! The overlay port for vcpkg. vcpkg is in no package registry: without it only what the port itself does is tried.

use std::path::Path;
use std::process::Command;

use libtest_mimic::{Completion, Failed};

use super::c::{self, succeed};
use super::dist::{self, Unpacked};
use super::{Outcome, user};

/// The port's own part: of the unpacked tarball, it makes what a package of each linkage has.
pub fn port_arranges_a_package() -> Outcome {
    if !c::is_there("cmake") {
        return Ok(Completion::ignored_with("cmake is not installed"));
    }
    let tree = Unpacked::tree()?;
    let folder = tempfile::tempdir()?;
    dist::recipes(folder.path())?;
    let port = folder.path().join("vcpkg");
    names_the_tarball(&port)?;
    let script = folder.path().join("arrange.cmake");
    std::fs::write(
        &script,
        "include(\"${PORT}/arrange.cmake\")\narrange(\"${TREE}\" \"${PACKAGE}\" \"${LINKAGE}\")\n",
    )?;
    let mut lacking = None;
    for linkage in ["dynamic", "static"] {
        let package = folder.path().join(linkage);
        let mut cmake = Command::new("cmake");
        for (variable, value) in [("PORT", &*port), ("TREE", tree.path()), ("PACKAGE", &package)] {
            cmake.arg(format!("-D{variable}={}", value.display()));
        }
        succeed(cmake.arg(format!("-DLINKAGE={linkage}")).arg("-P").arg(&script))?;
        let place = format!("-DCMAKE_PREFIX_PATH={}", package.display());
        lacking = user::builds_with_cmake(&[place], &package.join("lib"))?.or(lacking);
    }
    Ok(lacking.map_or(Completion::Completed, Completion::ignored_with))
}

/// Its manifest is of this version, and the checksum that it asks for is that of the tarball.
fn names_the_tarball(port: &Path) -> Result<(), Failed> {
    let manifest: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(port.join("vcpkg.json"))?)?;
    if manifest["name"] != "criwatch" || manifest["version"] != env!("CARGO_PKG_VERSION") {
        return Err(format!("vcpkg.json: {manifest}").into());
    }
    let tarball = dist::find(&dist::tree_name(), ".tar.gz")?;
    let sum = succeed(Command::new("sha512sum").arg(tarball.ok_or("no tarball")?))?;
    let sum = sum.split(' ').next().unwrap_or_default();
    let listed = std::fs::read_to_string(port.join("tarballs.cmake"))?;
    if listed.contains(sum) { Ok(()) } else { Err(format!("{sum} is not listed: {listed}").into()) }
}

/// The whole of it.
pub fn installs_the_port() -> Outcome {
    // `vcpkg --version` is an error: only whether it can be started is asked for.
    if Command::new("vcpkg").arg("version").output().is_err() {
        return Ok(Completion::ignored_with("vcpkg is not installed, and no package registry has it"));
    }
    let folder = tempfile::tempdir()?;
    dist::recipes(folder.path())?;
    // An overlay's ports are folders with their names.
    let overlay = folder.path().join("overlay");
    std::fs::create_dir(&overlay)?;
    std::fs::rename(folder.path().join("vcpkg"), overlay.join("criwatch"))?;
    let installed = folder.path().join("installed");
    let mut install = Command::new("vcpkg");
    install.args(["install", "criwatch"]).current_dir(folder.path());
    install.arg(format!("--overlay-ports={}", overlay.display()));
    install.arg(format!("--x-install-root={}", installed.display()));
    succeed(&mut install)?;
    let triplets = std::fs::read_dir(&installed)?.flatten().map(|entry| entry.path());
    let prefix = triplets.into_iter().find(|path| path.join("lib/pkgconfig/criwatch.pc").exists());
    let prefix = prefix.ok_or("vcpkg installed no criwatch.pc")?;
    let place = format!("-DCMAKE_PREFIX_PATH={}", prefix.display());
    let lacking = user::builds_with_cmake(&[place], &prefix.join("lib"))?;
    Ok(lacking.map_or(Completion::Completed, Completion::ignored_with))
}
