//! Runs Go programs against the shared library of this build, as a user's who has installed it.

#![allow(dead_code)] // Each test binary uses its part.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use super::c;

/// What the binding's go.mod asks for at least.
const OLDEST: (u32, u32) = (1, 21);

/// What rustc says a program needs that links libcriwatch.a (`--print native-static-libs`), without the unwinder, which is the
/// compiler's to choose: scripts/link-libraries.
pub const NATIVE_LIBRARIES: &str = "-lutil -lrt -lpthread -lm -ldl -lc";

/// Whether this machine can build Go programs with C in them; otherwise what is lacking.
pub fn available() -> Result<(), String> {
    static TRIED: OnceLock<Result<(), String>> = OnceLock::new();
    TRIED
        .get_or_init(|| {
            let absent = |_| "Go is not installed".to_owned();
            let version = c::succeed(Command::new("go").args(["env", "GOVERSION"])).map_err(absent)?;
            let mut numbers = version.trim().trim_start_matches("go").split('.').map(str::parse);
            match (numbers.next(), numbers.next()) {
                (Some(Ok(major)), Some(Ok(minor))) if (major, minor) >= OLDEST => {}
                _ => return Err(format!("Go is {}, and the binding needs 1.21", version.trim())),
            }
            if !c::is_there("pkg-config") {
                return Err("pkg-config is not installed".into());
            }
            if !c::is_there(&c::cc().to_string_lossy()) {
                return Err("there is no C compiler".into());
            }
            Ok(())
        })
        .clone()
}

/// Where the library is installed.
#[derive(Debug)]
pub struct Prefix(PathBuf);

impl Prefix {
    /// The shared library of this build, in a place that is the same for each run: Go's cache knows it again.
    pub fn shared() -> Result<Prefix, String> {
        static MADE: OnceLock<Result<PathBuf, String>> = OnceLock::new();
        let make = || install(&Path::new(env!("CARGO_TARGET_TMPDIR")).join("go-prefix"), &["libcriwatch.so"]);
        MADE.get_or_init(make).clone().map(Prefix)
    }

    /// The shared library and the archive, in a new place: Go does not notice that an archive has changed.
    pub fn with_archive(folder: &Path) -> Result<Prefix, String> {
        install(folder, &["libcriwatch.so", "libcriwatch.a"]).map(Prefix)
    }

    /// `go` in a module's folder. Nothing is fetched: the binding depends on nothing.
    pub fn go(&self, module: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new("go");
        command.args(arguments).current_dir(module);
        command.env("PKG_CONFIG_PATH", self.0.join("lib/pkgconfig"));
        command.env("LD_LIBRARY_PATH", self.0.join("lib"));
        command.env("CGO_ENABLED", "1").env("GOPROXY", "off").env("GOTOOLCHAIN", "local").env("GOWORK", "off");
        command.env("GOFLAGS", format!("-mod=readonly -buildvcs=false {}", self.cache_key()));
        command
    }

    /// Go's cache does not know what pkg-config answers, and would link the library of an earlier prefix. A compiler flag that
    /// does nothing, of the one package that has C in it, makes the difference.
    fn cache_key(&self) -> String {
        let mut hasher = DefaultHasher::new();
        let header = std::fs::read(self.0.join("include/criwatch.h"));
        (&self.0, header.unwrap_or_default()).hash(&mut hasher);
        format!("-gcflags=github.com/criwatch/criwatch/bindings/go/internal/capi=-D={:x}", hasher.finish())
    }

    /// Builds a module's program.
    pub fn build(&self, module: &Path, program: &Path) -> Result<(), String> {
        let mut command = self.go(module, &["build", "-o"]);
        c::succeed(command.arg(program).arg(".")).map(drop)
    }

    /// A command that runs a program with this library.
    pub fn run(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.env("LD_LIBRARY_PATH", self.0.join("lib"));
        command
    }
}

fn install(prefix: &Path, libraries: &[&str]) -> Result<PathBuf, String> {
    let failed = |e: std::io::Error| format!("{}: {e}", prefix.display());
    let lib = prefix.join("lib");
    std::fs::create_dir_all(lib.join("pkgconfig")).map_err(failed)?;
    let built = std::env::current_exe().map_err(failed)?;
    for name in libraries {
        link(&built.with_file_name(name), &lib.join(name))?;
    }
    link(&built.with_file_name("libcriwatch.so"), &lib.join("libcriwatch.so.1"))?;
    link(&c::root().join("include"), &prefix.join("include"))?;
    let description = format!(
        "prefix={}\nincludedir=${{prefix}}/include\nlibdir=${{prefix}}/lib\n\
         Name: criwatch\nDescription: which containers and pods run on this node\nVersion: {}\n\
         Cflags: -I${{includedir}}\nLibs: -L${{libdir}} -lcriwatch\nLibs.private: {NATIVE_LIBRARIES}\n",
        prefix.display(),
        env!("CARGO_PKG_VERSION"),
    );
    std::fs::write(lib.join("pkgconfig/criwatch.pc"), description).map_err(failed)?;
    Ok(prefix.to_owned())
}

fn link(to: &Path, at: &Path) -> Result<(), String> {
    if !to.exists() {
        return Err(format!("{} is missing: was it built?", to.display()));
    }
    if at.symlink_metadata().is_ok() {
        std::fs::remove_file(at).map_err(|e| format!("{}: {e}", at.display()))?;
    }
    std::os::unix::fs::symlink(to, at).map_err(|e| format!("{}: {e}", at.display()))
}
