//! The Conan recipe: Conan makes a package of the tarball, tests it, and gives it to a project.

use std::path::Path;
use std::process::Command;

use libtest_mimic::Completion;

use super::c::{self, succeed};
use super::{Outcome, dist, pypi, user};

const CONAN: &str = "conan==2.34.0";

pub fn package_is_used() -> Outcome {
    if !c::is_there("cmake") {
        return Ok(Completion::ignored_with("cmake is not installed"));
    }
    let python = match pypi::python_with(&[CONAN]) {
        Ok(python) => python,
        Err(reason) => return Ok(Completion::ignored_with(reason)),
    };
    let folder = tempfile::tempdir()?;
    dist::recipes(folder.path())?;
    // Its packages and settings are the test's own, and it asks no server.
    let conan = |arguments: &[&str]| {
        let mut conan = Command::new(python.with_file_name("conan"));
        conan.args(arguments).env("CONAN_HOME", folder.path().join("home")).current_dir(folder.path());
        succeed(&mut conan)
    };
    conan(&["profile", "detect"])?;
    let mut lacking = None;
    for is_shared in ["True", "False"] {
        let shared = format!("criwatch/*:shared={is_shared}");
        conan(&["create", "conan", "--no-remote", "--options", &shared])?;
        let project = folder.path().join(format!("project-{is_shared}"));
        let wanted = format!("--requires=criwatch/{}", env!("CARGO_PKG_VERSION"));
        conan(&[
            "install",
            &wanted,
            "--no-remote",
            "--options",
            &shared,
            "--generator",
            "CMakeDeps",
            "--generator",
            "CMakeToolchain",
            "--output-folder",
            &project.to_string_lossy(),
        ])?;
        let toolchain = format!("-DCMAKE_TOOLCHAIN_FILE={}", project.join("conan_toolchain.cmake").display());
        // Programs of a build tree know where the library is.
        lacking = user::builds_with_cmake(&[toolchain], Path::new("/nowhere"))?.or(lacking);
    }
    Ok(lacking.map_or(Completion::Completed, Completion::ignored_with))
}
