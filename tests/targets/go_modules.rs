//! The published Go modules with the libraries of the other targets.

use std::process::Command;

use libtest_mimic::{Completion, Failed};

use super::c::succeed;
use super::foreign::Foreign;
use super::go;
use super::go_user::User;
use super::library::lists;

/// `go get` and `go build` for the target, with zig as the C compiler, and the program runs.
pub fn program_is_built(foreign: &Foreign) -> Result<Completion, Failed> {
    if let Err(reason) = go::available() {
        return Ok(Completion::ignored_with(reason));
    }
    let folder = tempfile::tempdir()?;
    let proxy = folder.path().join("proxy");
    std::fs::create_dir(&proxy)?;
    let modules = foreign.artefact(|name| name.ends_with("-go-modules.tar.gz"))?;
    succeed(Command::new("tar").arg("-xzf").arg(modules).args(["--strip-components=1", "-C"]).arg(&proxy))?;

    let compiler = foreign.compiler_words();
    let user = User::new(folder.path(), &proxy)?.with("CC", compiler.join(" ")).with("GOARCH", foreign.fact("go")?);
    // zig links an unwinder only when it is asked to, where gcc links its own.
    let user = user.with("CGO_LDFLAGS", "-lunwind");
    user.gets_the_binding()?;
    let tags = if foreign.is_musl()? { "criwatch_bundled,musl" } else { "criwatch_bundled" };
    let program = user.builds("agent", &["-tags", tags])?;
    lists(foreign.run_without_library(&program)?)?;
    Ok(Completion::Completed)
}
