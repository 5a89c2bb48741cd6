//! The programmes: how each language's is built and started.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::support::c::{self, Library};
use crate::support::go;

/// A language that has a programme.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    C,
    Cpp,
    Go,
    Python,
}

impl Language {
    /// All; the first is the one that the others are compared with.
    pub const ALL: [Language; 4] = [Language::C, Language::Cpp, Language::Go, Language::Python];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Language::C => "c",
            Language::Cpp => "cpp",
            Language::Go => "go",
            Language::Python => "python",
        }
    }

    /// Whether its programme uses callbacks; otherwise it answers `unsupported`.
    pub fn has_callbacks(self) -> bool {
        matches!(self, Language::C | Language::Cpp)
    }

    /// Whether it can take part here; otherwise what is lacking. C always can.
    pub fn available(self) -> Result<(), String> {
        match self {
            Language::C => Ok(()),
            Language::Cpp => c::cplusplus().map_err(str::to_owned),
            Language::Go => go::available(),
            Language::Python if c::is_there("python3") => Ok(()),
            Language::Python => Err("python3 is not installed".into()),
        }
    }

    /// Starts its programme, which is built once.
    pub fn command(self) -> Result<Command, String> {
        match self {
            Language::C => Ok(Command::new(Library::of_this_build().build("tests/conformance/c/conform.c")?)),
            Language::Cpp => Ok(Command::new(Library::of_this_build().build("tests/conformance/cpp/conform.cpp")?)),
            Language::Go => {
                static BUILT: OnceLock<Result<PathBuf, String>> = OnceLock::new();
                let program = BUILT.get_or_init(build_go).as_ref().map_err(Clone::clone)?;
                Ok(go::Prefix::shared()?.run(program))
            }
            Language::Python => {
                let mut command = Command::new("python3");
                command.arg(c::root().join("tests/conformance/python/conform.py"));
                command.env("PYTHONPATH", c::root().join("bindings/python")).env("PYTHONDONTWRITEBYTECODE", "1");
                command.env("CRIWATCH_LIBRARY", Library::of_this_build().path());
                Ok(command)
            }
        }
    }
}

fn build_go() -> Result<PathBuf, String> {
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join("conform-go");
    go::Prefix::shared()?.build(&c::root().join("tests/conformance/go"), &program)?;
    Ok(program)
}
