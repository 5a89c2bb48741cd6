//! The Go modules that a release publishes: a user has Go and a C compiler, and neither the library nor its header.

use std::path::Path;
use std::process::Command;

use libtest_mimic::{Completion, Failed};

use super::c::{self, succeed};
use super::go_user::{MODULE, User};
use super::prefix::libraries;
use super::sim::lists;
use super::users::{needs_nothing, runs_in_an_empty_root, static_libc};
use super::{go, shared_library};

/// `go get`, and `go build` with a tag, is all: linked with shared libraries of the system, and with none; and vendored.
pub fn are_all_that_a_user_needs() -> Result<Completion, Failed> {
    if let Err(reason) = go::available() {
        return Ok(Completion::ignored_with(reason));
    }
    let folder = tempfile::tempdir()?;
    let published = folder.path().join("published");
    publish(&published)?;
    let user = User::new(folder.path(), &published.join("proxy"))?;
    user.gets_the_binding()?;
    let program = user.builds("dynamic", &["-tags", "criwatch_bundled"])?;
    is_without_our_library(&program)?;
    lists(Command::new(&program))?;
    succeed(&mut user.go(&["mod", "vendor"]))?;
    lists(Command::new(user.builds("vendored", &["-mod=vendor", "-tags", "criwatch_bundled"])?))?;

    // A system for which there is no library.
    match user.builds("musl", &["-tags", "criwatch_bundled,musl"]) {
        Err(told) if told.contains("has no library for this system") => {}
        other => return Err(format!("without a library for musl: {other:?}").into()),
    }
    // And what it is for all others: type checking.
    succeed(user.go(&["vet", "."]).env("CGO_ENABLED", "0").env("GOOS", "darwin"))?;

    if let Err(reason) = static_libc()? {
        return Ok(Completion::ignored_with(reason));
    }
    let program = user.builds("static", &["-tags", "criwatch_bundled", "-ldflags", "-extldflags -static"])?;
    needs_nothing(&program)?;
    runs_in_an_empty_root(&program)
}

/// The source does not have the library, and says so.
pub fn source_refuses_the_tag() -> Result<Completion, Failed> {
    if let Err(reason) = go::available() {
        return Ok(Completion::ignored_with(reason));
    }
    let mut build = Command::new("go");
    build.args(["build", "-tags", "criwatch_bundled", "."]).current_dir(c::root().join("bindings/go"));
    match succeed(build.env("CGO_ENABLED", "1").env("GOPROXY", "off").env("GOWORK", "off")) {
        Err(told) if told.contains("is for the published module") => Ok(Completion::Completed),
        other => Err(format!("{other:?}").into()),
    }
}

/// Makes the modules, with the shipped static library.
fn publish(folder: &Path) -> Result<(), String> {
    let mut modules = Command::new(c::root().join("scripts/go-modules"));
    modules.arg(folder).arg(format!("{}-unknown-linux-gnu={}", std::env::consts::ARCH, libraries()?.display()));
    succeed(&mut modules)?;
    let collector = folder.join(format!("proxy/{MODULE}/criwatchprom/@v/v{}.mod", env!("CARGO_PKG_VERSION")));
    let requires = std::fs::read_to_string(&collector).map_err(|e| format!("{}: {e}", collector.display()))?;
    let ours = format!("{MODULE} v{}\n", env!("CARGO_PKG_VERSION"));
    if requires.contains(&ours) && !requires.contains("replace") {
        Ok(())
    } else {
        Err(format!("the published criwatchprom does not require {ours}: {requires}"))
    }
}

fn is_without_our_library(program: &Path) -> Result<(), String> {
    let dynamic = succeed(Command::new("readelf").args(["--dynamic", "--wide"]).arg(program))?;
    if shared_library::needed(&dynamic).any(|name| name.contains("criwatch")) {
        return Err(format!("{} needs the shared library: {dynamic}", program.display()));
    }
    Ok(())
}
