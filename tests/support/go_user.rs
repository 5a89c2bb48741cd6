//! A user of the published Go modules, who has Go and a C compiler, and neither the library nor its header.

#![allow(dead_code)] // Each test binary uses its part.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::c::{self, succeed};

pub const MODULE: &str = "github.com/criwatch/criwatch/bindings/go";

/// Somebody with an empty folder, an empty module cache, and a proxy that has what was published.
pub struct User {
    proxy: PathBuf,
    cache: PathBuf,
    home: PathBuf,
    environment: Vec<(&'static str, String)>,
}

impl User {
    pub fn new(folder: &Path, proxy: &Path) -> Result<User, String> {
        let home = folder.join("agent");
        let user = User { proxy: proxy.to_owned(), cache: folder.join("cache"), home, environment: Vec::new() };
        let failed = |e: std::io::Error| format!("{}: {e}", user.home.display());
        std::fs::create_dir(&user.home).map_err(failed)?;
        succeed(&mut user.go(&["mod", "init", "example.com/agent"]))?;
        let source = c::root().join("tests/packages/go-user/main.go");
        std::fs::copy(source, user.home.join("main.go")).map_err(failed)?;
        Ok(user)
    }

    /// Another environment for the builds that follow.
    pub fn with(mut self, variable: &'static str, value: impl Into<String>) -> Self {
        self.environment.push((variable, value.into()));
        self
    }

    pub fn gets_the_binding(&self) -> Result<(), String> {
        succeed(&mut self.go(&["get", MODULE])).map(drop)
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
        command.envs(self.environment.iter().map(|(variable, value)| (variable, value)));
        command
    }

    pub fn builds(&self, name: &str, flags: &[&str]) -> Result<PathBuf, String> {
        let program = self.home.join(name);
        let mut build = self.go(&["build", "-o"]);
        succeed(build.arg(&program).args(flags).arg("."))?;
        Ok(program)
    }
}
