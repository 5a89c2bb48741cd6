//! A user of the Go modules: somebody with an empty folder, an empty module cache, and a proxy that has the modules.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::c::{self, succeed};

/// The binding's module.
pub const MODULE: &str = "github.com/criwatch/criwatch/bindings/go";

pub struct User {
    proxy: PathBuf,
    cache: PathBuf,
    home: PathBuf,
}

impl User {
    /// Their project is in this folder, which is empty; `proxy` is what `GOPROXY` may name as a folder.
    pub fn new(folder: &Path, proxy: &Path) -> Result<User, String> {
        let user = User { proxy: proxy.to_owned(), cache: folder.join("cache"), home: folder.join("agent") };
        let failed = |e: std::io::Error| format!("{}: {e}", user.home.display());
        std::fs::create_dir(&user.home).map_err(failed)?;
        succeed(&mut user.go(&["mod", "init", "example.com/agent"]))?;
        let source = c::root().join("tests/packages/go-user/main.go");
        std::fs::copy(source, user.home.join("main.go")).map_err(failed)?;
        Ok(user)
    }

    pub fn go(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("go");
        command.args(arguments).current_dir(&self.home);
        command.env("GOPROXY", format!("file://{}", self.proxy.display()));
        // Writable, so that it can be removed.
        command.env("GOMODCACHE", &self.cache).env("GOFLAGS", "-modcacherw").env("GOSUMDB", "off");
        command.env("GOTOOLCHAIN", "local").env("GOWORK", "off").env("CGO_ENABLED", "1");
        // Nobody asks for an installed library.
        command.env("PKG_CONFIG", "false").env_remove("PKG_CONFIG_PATH").env_remove("LD_LIBRARY_PATH");
        command
    }

    /// The program that is built in their folder, under this name.
    pub fn builds(&self, name: &str, flags: &[&str]) -> Result<PathBuf, String> {
        let program = self.home.join(name);
        let mut build = self.go(&["build", "-o"]);
        succeed(build.arg(&program).args(flags).arg("."))?;
        Ok(program)
    }
}
