//! One target's release, made and unpacked, and how its programs are built and run here.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, OnceLock, PoisonError};

use super::c::{self, succeed};
use super::release::{make, target};

/// What was made for a target.
#[derive(Clone)]
pub struct Foreign {
    pub target: String,
    /// What `scripts/dist` wrote.
    pub dist: PathBuf,
    /// The unpacked archive.
    pub tree: PathBuf,
    /// What tests/lab/targets.sh provides.
    pub lab: PathBuf,
    compiler: Vec<String>,
}

/// Without -O1 zig adds checks that want a runtime. Its headers of glibc have C11 in strstr, also for programs in C99.
const FLAGS: [&str; 2] = ["-O1", "-Wno-error=c11-extensions"];

/// A target, or why there is none here.
type Made = Result<Result<Foreign, String>, String>;

static MADE: Mutex<BTreeMap<String, Made>> = Mutex::new(BTreeMap::new());

/// The targets, without this machine's own.
pub fn targets() -> Result<Vec<String>, String> {
    let host = succeed(script("targets").arg("--host"))?;
    let all = succeed(&mut script("targets"))?;
    Ok(all.lines().filter(|name| *name != host.trim()).map(str::to_owned).collect())
}

pub fn script(name: &str) -> Command {
    let mut command = Command::new(c::root().join("scripts").join(name));
    command.env("CARGO_TARGET_DIR", target());
    command
}

/// Removes what was unpacked, because a static is never dropped. To be called when all tests are over.
pub fn clean_up() {
    for made in MADE.lock().unwrap_or_else(PoisonError::into_inner).values() {
        if let Ok(Ok(foreign)) = made {
            std::fs::remove_dir_all(&foreign.dist).expect("the folder that was made here can be removed");
        }
    }
}

impl Foreign {
    /// Makes it, once. One target at a time: they take minutes, and build in one folder.
    pub fn made(name: &str) -> Made {
        let mut all = MADE.lock().unwrap_or_else(PoisonError::into_inner);
        all.entry(name.to_owned()).or_insert_with(|| Self::make(name)).clone()
    }

    fn make(name: &str) -> Made {
        let lab = match lab() {
            Ok(lab) => lab.to_owned(),
            Err(reason) => return Ok(Err(reason.to_owned())),
        };
        let zig = match succeed(&mut script("zig")) {
            Ok(zig) => zig.trim().to_owned(),
            Err(reason) => return Ok(Err(reason.lines().last().unwrap_or_default().to_owned())),
        };
        let dist = tempfile::tempdir().map_err(|e| e.to_string())?.keep();
        succeed(with_tools(make().arg("portable-libraries").arg(format!("TARGETS={name}")), &lab))?;
        succeed(with_tools(script("dist").arg("--into").arg(&dist).arg(name), &lab))?;
        // The cache that scripts/link-libraries has filled.
        let cache = target().join("zig-cache").display().to_string();
        let caches = ["ZIG_GLOBAL_CACHE_DIR", "ZIG_LOCAL_CACHE_DIR"].map(|name| format!("{name}={cache}"));
        let zig = ["env", &caches[0], &caches[1], &zig, "cc", "-target", &fact(name, "zig")?];
        let compiler = zig.into_iter().chain(FLAGS).map(str::to_owned).collect();
        let mut foreign = Foreign { target: name.to_owned(), tree: dist.join("tree"), dist, lab, compiler };
        let archive = foreign.artefact(|file| file.contains("-linux-") && !file.contains("-debug"))?;
        std::fs::create_dir(&foreign.tree).map_err(|e| e.to_string())?;
        let mut tar = Command::new("tar");
        succeed(tar.arg("-xzf").arg(archive).args(["--strip-components=1", "-C"]).arg(&foreign.tree))?;
        foreign.tree = foreign.tree.canonicalize().map_err(|e| e.to_string())?;
        Ok(Ok(foreign))
    }

    /// The one artefact whose name is meant.
    pub fn artefact(&self, is_meant: impl Fn(&str) -> bool) -> Result<PathBuf, String> {
        let files = succeed(Command::new("ls").arg(&self.dist))?;
        let mut found = files.lines().filter(|name| is_meant(name));
        match (found.next(), found.next()) {
            (Some(name), None) => Ok(self.dist.join(name)),
            _ => Err(format!("not just one of these is meant: {files}")),
        }
    }

    pub fn fact(&self, name: &str) -> Result<String, String> {
        fact(&self.target, name)
    }

    pub fn is_musl(&self) -> Result<bool, String> {
        Ok(self.fact("libc")? == "musl")
    }

    pub fn lib(&self) -> PathBuf {
        self.tree.join("lib")
    }

    /// The installed library, for programs that zig makes.
    pub fn library(&self) -> c::Library {
        c::Library::in_folder(&self.lib()).with_compiler(self.compiler.iter().map(OsString::from).collect())
    }

    /// What CC is to be, for those that split it.
    pub fn compiler_words(&self) -> &[String] {
        &self.compiler
    }

    pub fn compiler(&self) -> Command {
        let mut command = Command::new(&self.compiler[0]);
        command.args(&self.compiler[1..]);
        command
    }

    /// The root with the target's libc, and other things of Debian's.
    pub fn root(&self) -> Result<PathBuf, String> {
        Ok(self.lab.join(self.fact("machine")?))
    }

    /// Runs a program that asks for the target's loader.
    pub fn run(&self, program: &Path) -> Result<Command, String> {
        let mut command = self.run_alone(program)?;
        if self.is_native()? {
            command = Command::new(self.root()?.join(self.fact("loader")?.trim_start_matches('/')));
            command.arg(program);
        }
        command.env("LD_LIBRARY_PATH", self.lib());
        Ok(command)
    }

    /// Runs a program that was linked with no shared library of ours: for musl, zig makes a static one of it.
    pub fn run_without_library(&self, program: &Path) -> Result<Command, String> {
        if self.is_musl()? { self.run_alone(program) } else { self.run(program) }
    }

    /// Runs a program that asks for no loader.
    pub fn run_alone(&self, program: &Path) -> Result<Command, String> {
        if self.is_native()? {
            return Ok(Command::new(program));
        }
        let mut command = Command::new(self.lab.join(format!("tools/usr/bin/qemu-{}-static", self.fact("machine")?)));
        command.arg("-L").arg(self.root()?).arg(program);
        Ok(command)
    }

    /// Whether this machine runs it without an emulator.
    pub fn is_native(&self) -> Result<bool, String> {
        Ok(self.fact("machine")? == std::env::consts::ARCH)
    }
}

pub fn fact(target: &str, name: &str) -> Result<String, String> {
    Ok(succeed(script("targets").args([target, name]))?.trim().to_owned())
}

/// The tools and sources that a user would have installed.
fn with_tools<'a>(command: &'a mut Command, lab: &Path) -> &'a mut Command {
    let tools = lab.join("tools/usr");
    let path = std::env::var("PATH").unwrap_or_default();
    command
        .env("PATH", format!("{path}:{}", tools.join("bin").display()))
        .env("LD_LIBRARY_PATH", tools.join("lib/x86_64-linux-gnu"))
        .env("RUST_SRC", lab.join("tools/rust-src"))
}

fn rust_version() -> Result<String, String> {
    let version = succeed(Command::new("rustc").arg("--version"))?;
    Ok(version.split(' ').nth(1).ok_or("rustc tells no version")?.to_owned())
}

/// The folder of tests/lab/targets.sh, or why there is none.
fn lab() -> Result<&'static Path, &'static str> {
    static LAB: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let lab = LAB.get_or_init(|| {
        let mut command = Command::new("sh");
        command.arg(c::root().join("tests/lab/targets.sh")).arg(rust_version()?).stdin(Stdio::null());
        let output = command.output().map_err(|e| format!("{command:?}: {e}"))?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).trim().into());
        }
        let reported = String::from_utf8_lossy(&output.stderr);
        Err(reported.lines().last().unwrap_or("targets.sh gave no reason").trim_start_matches("lab: ").to_owned())
    });
    lab.as_deref().map_err(String::as_str)
}
