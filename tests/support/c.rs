//! Compiles C and C++ against the header and the shared library of this build, and runs it.

#![allow(dead_code)] // Each test binary uses its part.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Mutex, Once, OnceLock, PoisonError};

/// Compiler flags under which everything here has to be silent.
pub const STRICT: &[&str] = &["-Wall", "-Wextra", "-Wpedantic", "-Werror"];

/// The package's folder.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The C compiler: `$CC`, or `cc`.
pub fn cc() -> OsString {
    std::env::var_os("CC").unwrap_or_else(|| "cc".into())
}

/// The C++ compiler: `$CXX`, or `c++`.
pub fn cxx() -> OsString {
    std::env::var_os("CXX").unwrap_or_else(|| "c++".into())
}

/// Whether a program can be started at all.
pub fn is_there(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok_and(|o| o.status.success())
}

/// Whether this machine has a C++ compiler; otherwise what is lacking.
pub fn cplusplus() -> Result<(), &'static str> {
    if is_there(&cxx().to_string_lossy()) { Ok(()) } else { Err("there is no C++ compiler") }
}

/// Runs a command; what it wrote if it failed.
pub fn succeed(command: &mut Command) -> Result<String, String> {
    let output = command.output().map_err(|e| format!("{command:?}: {e}"))?;
    let text = text(&output);
    if output.status.success() { Ok(text) } else { Err(format!("{command:?}: {}\n{text}", output.status)) }
}

/// Everything a command wrote.
pub fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// What a program can be compiled with. The library's memory is its memory: both use the C heap.
#[derive(Debug, Clone, Copy)]
enum Sanitizer {
    Address,
    Thread,
}

impl Sanitizer {
    /// What the names of its programs end in.
    fn suffix(self) -> &'static str {
        match self {
            Sanitizer::Address => "asan",
            Sanitizer::Thread => "tsan",
        }
    }

    fn flags(self) -> &'static [&'static str] {
        match self {
            Sanitizer::Address => {
                &["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer"]
            }
            Sanitizer::Thread => &["-fsanitize=thread", "-fno-omit-frame-pointer"],
        }
    }

    /// A symbol that only programs with it have.
    fn symbol(self) -> &'static str {
        match self {
            Sanitizer::Address => "__asan_init",
            Sanitizer::Thread => "__tsan_init",
        }
    }

    /// Whether the compiler has it, and programs with it run here.
    fn works(self) -> bool {
        let Ok(folder) = tempfile::tempdir() else { return false };
        let (source, program) = (folder.path().join("empty.c"), folder.path().join("empty"));
        std::fs::write(&source, "int main(void) { return 0; }").is_ok()
            && succeed(Command::new(cc()).args(self.flags()).arg(source).arg("-o").arg(&program))
                .and_then(|_| succeed(&mut Command::new(program)))
                .is_ok()
    }
}

/// The shared library of this build, in a folder where the loader finds it by its SONAME.
#[derive(Debug, Clone)]
pub struct Library {
    folder: PathBuf,
    /// What programs are compiled with, if anything.
    sanitizer: Option<Sanitizer>,
    /// The C compiler and its first arguments, where it is not that of this machine.
    compiler: Vec<OsString>,
}

impl Library {
    /// The library that cargo has built beside this test; or another build of it, which `CRI_TEST_LIBRARY` names.
    pub fn of_this_build() -> Library {
        let deps = std::env::current_exe().expect("this test's own path");
        let named = std::env::var_os("CRI_TEST_LIBRARY").map(PathBuf::from);
        let built = named.unwrap_or_else(|| deps.with_file_name("libcriwatch.so"));
        assert!(built.exists(), "{} is missing: is cdylib among the crate types?", built.display());
        // One folder a test program: others build the same sources at this moment.
        let program = deps.file_stem().expect("a file name");
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(program);
        std::fs::create_dir_all(&folder).expect("a folder for C programs");
        static LINKED: Once = Once::new();
        LINKED.call_once(|| {
            for name in ["libcriwatch.so", "libcriwatch.so.1"] {
                let link = in_the_making(&folder.join(name));
                std::os::unix::fs::symlink(&built, &link).expect("a link to the library");
                std::fs::rename(link, folder.join(name)).expect("it takes the place of an earlier run's link");
            }
        });
        Library { folder, sanitizer: None, compiler: Vec::new() }
    }

    /// One that is installed in this folder, with its links.
    pub fn in_folder(folder: &Path) -> Library {
        Library { folder: folder.to_owned(), sanitizer: None, compiler: Vec::new() }
    }

    /// The same, for programs that another C compiler makes.
    pub fn with_compiler(self, compiler: Vec<OsString>) -> Library {
        Library { compiler, ..self }
    }

    /// The same, for programs that are compiled with AddressSanitizer.
    pub fn with_asan(self) -> Library {
        Library { sanitizer: Some(Sanitizer::Address), ..self }
    }

    /// The same, for programs that are compiled with ThreadSanitizer.
    pub fn with_tsan(self) -> Library {
        Library { sanitizer: Some(Sanitizer::Thread), ..self }
    }

    /// The library itself.
    pub fn path(&self) -> PathBuf {
        self.folder.join("libcriwatch.so")
    }

    /// The symbols that it exports, as `nm` sees them.
    pub fn exports(&self) -> Result<BTreeSet<String>, String> {
        let symbols = succeed(Command::new("nm").args(["-D", "--defined-only", "--format=posix"]).arg(self.path()))?;
        let symbols = symbols.lines().filter_map(|line| line.split_once(' '));
        // A version is a symbol, too: an absolute one.
        let functions = symbols.filter(|(_, rest)| !rest.starts_with('A')).map(|(name, _)| name);
        Ok(functions.map(|name| name.split('@').next().unwrap_or_default().to_owned()).collect())
    }

    /// Compiles a C or C++ program (a path from the package's folder) and links it; the program's path.
    pub fn build(&self, source: &str) -> Result<PathBuf, String> {
        // Two tests may want the same program at the same moment, and a program that runs cannot be written.
        static ONE_AT_A_TIME: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());
        let mut built = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let is_cpp = source.ends_with(".cpp");
        let name = Path::new(source).file_stem().expect("a file name").to_string_lossy();
        let name = if is_cpp { format!("{name}-cpp") } else { name.into_owned() };
        let name = self.sanitizer.map_or(name.clone(), |it| format!("{name}-{}", it.suffix()));
        let program = self.folder.join(name);
        if built.contains(&program) {
            return Ok(program);
        }
        let made = in_the_making(&program);
        let default = [if is_cpp { cxx() } else { cc() }];
        let compiler = if self.compiler.is_empty() { &default[..] } else { &self.compiler };
        succeed(
            Command::new(&compiler[0])
                .args(&compiler[1..])
                .args(["-g", "-pthread"])
                .args(if is_cpp { CPP } else { &["-std=c99"] })
                .args(STRICT)
                .args(self.sanitizer.map_or(&[][..], Sanitizer::flags))
                .arg(root().join(source))
                .args(includes())
                .arg("-L")
                .arg(&self.folder)
                .arg(format!("-Wl,-rpath,{}", self.folder.display()))
                .args(["-lcriwatch", "-o"])
                .arg(&made),
        )?;
        if let Some(sanitizer) = self.sanitizer {
            // A compiler that took the flags and did nothing would make every test a good one.
            let symbols = succeed(Command::new("nm").arg(&made))?;
            if !symbols.contains(sanitizer.symbol()) {
                return Err(format!("{}: compiled without its sanitizer", program.display()));
            }
        }
        std::fs::rename(&made, &program).map_err(|error| format!("{}: {error}", program.display()))?;
        built.insert(program.clone());
        Ok(program)
    }
}

/// Where a file is made before it takes its place. A test program that runs itself once more, on another engine, makes the
/// same files at the same moment.
fn in_the_making(file: &Path) -> PathBuf {
    file.with_extension(format!("made-by-{}", std::process::id()))
}

/// What C++ is compiled with, besides.
const CPP: &[&str] = &["-std=c++17", "-Wshadow", "-Wconversion"];

/// Where the headers are: C's, and that of C++.
pub fn includes() -> [String; 2] {
    ["include", "bindings/cpp"].map(|folder| format!("-I{}", root().join(folder).display()))
}

/// Whether this machine has AddressSanitizer, and nm to prove that it is on; otherwise what is lacking.
pub fn asan() -> Result<(), &'static str> {
    static WORKS: OnceLock<bool> = OnceLock::new();
    sanitizer(Sanitizer::Address, &WORKS, "the C compiler has no AddressSanitizer")
}

/// Whether this machine has ThreadSanitizer, and nm to prove that it is on; otherwise what is lacking.
pub fn tsan() -> Result<(), &'static str> {
    static WORKS: OnceLock<bool> = OnceLock::new();
    sanitizer(
        Sanitizer::Thread,
        &WORKS,
        "the C compiler has no ThreadSanitizer (libtsan), or the kernel does not bear it",
    )
}

fn sanitizer(it: Sanitizer, works: &OnceLock<bool>, lacking: &'static str) -> Result<(), &'static str> {
    if !is_there("nm") {
        return Err("nm is not installed");
    }
    if *works.get_or_init(|| it.works()) { Ok(()) } else { Err(lacking) }
}

/// A command that runs a program under valgrind: definite leaks and invalid accesses are failures.
pub fn valgrind(program: &Path) -> Command {
    let mut command = Command::new("valgrind");
    // It runs one thread at a time: without turns, a busy one starves all others.
    command.args(["--quiet", "--fair-sched=try", "--leak-check=full", "--show-leak-kinds=definite,indirect"]);
    command.args(["--errors-for-leak-kinds=definite,indirect", "--error-exitcode=99", "--child-silent-after-fork=yes"]);
    command.arg(program);
    command
}

/// The functions that a header declares.
pub fn functions(header: &str) -> BTreeSet<String> {
    let code = without_comments(header);
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words = code.match_indices("cri_").filter(|(at, _)| !code[..*at].ends_with(is_word)).map(|(at, _)| &code[at..]);
    let calls = words.filter_map(|rest| {
        let (name, after) = rest.split_at(rest.find(|c| !is_word(c))?);
        after.trim_start().starts_with('(').then(|| name.to_owned())
    });
    calls.collect()
}

/// A header's code.
pub fn without_comments(header: &str) -> String {
    let mut code = String::new();
    let mut rest = header;
    while let Some((before, comment)) = rest.split_once("/*") {
        code += before;
        rest = comment.split_once("*/").map_or("", |(_, after)| after);
    }
    code + rest
}
