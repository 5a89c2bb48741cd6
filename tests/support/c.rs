//! Compiles C programs against include/criwatch.h and the library that Cargo built for the tests.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Why there is no program.
#[derive(Debug)]
pub enum NoProgram {
    /// The machine lacks what it takes: reason to skip.
    Lacking(String),
    /// It does not compile: reason to fail.
    Broken(String),
}

/// Warnings are errors: the header is to be clean in anybody's build.
const STRICT: [&str; 5] = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic"];

/// Compiles a file of tests/c with these further flags, e.g. `-fsanitize=address`, and answers the program's path.
/// The program finds the library by itself.
pub fn compile(source: &str, flags: &[&str]) -> Result<PathBuf, NoProgram> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let broken = |what: &Path, error: io::Error| NoProgram::Broken(format!("{}: {error}", what.display()));
    let library = library()?;
    let work = work_folder().map_err(|error| broken(Path::new("a folder for C programs"), error))?;
    link_names(&library, &work).map_err(|error| broken(&library, error))?;
    let stem = Path::new(source).file_stem().expect("a source file has a name").to_string_lossy();
    let program = work.join(format!("{stem}{}", flags.concat()));
    // Other test programs compile the same file, or run the finished one, at this moment.
    let fresh = work.join(format!("{stem}.{}.new", std::process::id()));
    let mut command = Command::new(compiler());
    command
        .args(STRICT)
        .arg("-g")
        .args(flags)
        .arg("-I")
        .arg(root.join("include"))
        .arg(root.join("tests/c").join(source));
    command.arg("-o").arg(&fresh).arg("-L").arg(&work).arg("-lcriwatch").arg(format!("-Wl,-rpath,{}", work.display()));
    let output = match command.output() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(NoProgram::Lacking(format!("there is no C compiler '{}'", compiler())));
        }
        Err(error) => return Err(NoProgram::Broken(format!("{command:?}: {error}"))),
        Ok(output) => output,
    };
    if !output.status.success() {
        return Err(NoProgram::Broken(format!("{command:?}\n{}", String::from_utf8_lossy(&output.stderr))));
    }
    fs::rename(&fresh, &program).map_err(|error| broken(&program, error))?;
    Ok(program)
}

fn compiler() -> String {
    std::env::var("CC").unwrap_or_else(|_| "cc".into())
}

/// The profile's folder (target/debug, or what it is called), found from the test program in its `deps`.
fn deps_folder() -> PathBuf {
    let program = std::env::current_exe().expect("a test program knows its path");
    program.parent().expect("it lies in a folder").to_owned()
}

/// The shared library that Cargo built along with this test program: in `deps`, or uplifted one folder higher.
fn library() -> Result<PathBuf, NoProgram> {
    let deps = deps_folder();
    let places = [deps.join("libcriwatch.so"), deps.join("../libcriwatch.so")];
    let built = places.iter().filter_map(|path| Some((fs::metadata(path).ok()?.modified().ok()?, path)));
    let newest = built.max_by_key(|(time, _)| *time);
    newest.map(|(_, path)| path.clone()).ok_or_else(|| {
        NoProgram::Broken(format!("there is no libcriwatch.so in {} or above it: run `cargo build`", deps.display()))
    })
}

fn work_folder() -> io::Result<PathBuf> {
    let profile = deps_folder().parent().and_then(|dir| Some(dir.file_name()?.to_owned())).unwrap_or_default();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("c").join(profile);
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// The names by which the linker and the loader ask for the library; Cargo gives it the first one only.
fn link_names(library: &Path, folder: &Path) -> io::Result<()> {
    for name in ["libcriwatch.so", "libcriwatch.so.1"] {
        let fresh = folder.join(format!("{name}.{}.new", std::process::id()));
        match fs::remove_file(&fresh) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => symlink(library, &fresh)?,
        }
        fs::rename(&fresh, folder.join(name))?;
    }
    Ok(())
}
