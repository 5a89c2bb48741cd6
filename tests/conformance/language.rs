//! The programmes: how each language's is built and started.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::support::c::{self, Library};

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

    /// Why it cannot take part here, if so.
    pub fn lacks(self) -> Option<&'static str> {
        let has = |path: &str| c::root().join(path).exists();
        match self {
            Language::C | Language::Cpp => None,
            Language::Go if !has("tests/conformance/go/go.mod") => Some("tests/conformance/go is not there"),
            Language::Go if !starts("go", "version") => Some("go is not installed"),
            Language::Go if !c::is_there("pkg-config") => Some("pkg-config is not installed"),
            Language::Python if !has("tests/conformance/python/conform.py") => {
                Some("tests/conformance/python/conform.py is not there")
            }
            Language::Python if !c::is_there("python3") => Some("python3 is not installed"),
            Language::Go | Language::Python => None,
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
                let mut command = Command::new(program);
                command.env("LD_LIBRARY_PATH", prefix()?.join("lib"));
                Ok(command)
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

fn starts(program: &str, argument: &str) -> bool {
    Command::new(program).arg(argument).output().is_ok_and(|output| output.status.success())
}

fn build_go() -> Result<PathBuf, String> {
    let prefix = prefix()?;
    let program = prefix.join("conform-go");
    let mut command = Command::new("go");
    command.args(["build", "-o"]).arg(&program).arg(".").current_dir(c::root().join("tests/conformance/go"));
    command.env("PKG_CONFIG_PATH", prefix.join("lib/pkgconfig"));
    c::succeed(&mut command)?;
    Ok(program)
}

/// A folder that looks as if this build was installed there.
fn prefix() -> Result<&'static Path, String> {
    static MADE: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    MADE.get_or_init(|| install().map_err(|e| format!("a folder to install into: {e}")))
        .as_deref()
        .map_err(Clone::clone)
}

fn install() -> std::io::Result<PathBuf> {
    let prefix = Path::new(env!("CARGO_TARGET_TMPDIR")).join("conformance-prefix");
    let (lib, include, pkgconfig) = (prefix.join("lib"), prefix.join("include"), prefix.join("lib/pkgconfig"));
    std::fs::create_dir_all(&pkgconfig)?;
    std::fs::create_dir_all(&include)?;
    std::fs::copy(c::root().join("include/criwatch.h"), include.join("criwatch.h"))?;
    let built = std::fs::canonicalize(Library::of_this_build().path())?;
    for name in ["libcriwatch.so", "libcriwatch.so.1"] {
        let link = lib.join(name);
        if link.symlink_metadata().is_ok() {
            std::fs::remove_file(&link)?;
        }
        std::os::unix::fs::symlink(&built, link)?;
    }
    let (folder, version) = (prefix.display(), env!("CARGO_PKG_VERSION"));
    let text = format!(
        "prefix={folder}\nName: criwatch\nDescription: the build under test\nVersion: {version}\n\
         Cflags: -I${{prefix}}/include\nLibs: -L${{prefix}}/lib -lcriwatch\n"
    );
    std::fs::write(pkgconfig.join("criwatch.pc"), text)?;
    Ok(prefix)
}
