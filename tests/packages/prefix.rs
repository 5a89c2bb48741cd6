//! The libraries as they are shipped, and a prefix that they are installed into.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, OnceLock, PoisonError};

use libtest_mimic::Failed;
use tempfile::TempDir;

use super::c;
use super::release::{make, target};

/// The folder of the shipped libraries; they are built once, with all features.
pub fn libraries() -> Result<&'static Path, String> {
    static BUILT: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let built = BUILT.get_or_init(|| {
        c::succeed(make().arg("portable-libraries"))?;
        Ok(target().join("portable"))
    });
    built.as_deref().map_err(Clone::clone)
}

/// An installed library in a folder of its own.
pub struct Prefix {
    folder: PathBuf,
}

static MOVED: OnceLock<Result<Prefix, String>> = OnceLock::new();

/// Removes the folders, because a static is never dropped. To be called when all tests are over.
pub fn clean_up() {
    if let Some(Ok(prefix)) = MOVED.get() {
        std::fs::remove_dir_all(&prefix.folder).expect("the folder that was made here can be removed");
    }
}

impl Prefix {
    /// Installs the shipped libraries, and moves them: what is in a package does not know where it will be.
    pub fn moved() -> Result<&'static Prefix, String> {
        MOVED.get_or_init(Prefix::install_and_move).as_ref().map_err(Clone::clone)
    }

    fn install_and_move() -> Result<Prefix, String> {
        let folder = tempfile::tempdir().map_err(|e| e.to_string())?;
        let mut install = Command::new(c::root().join("scripts/install"));
        install.arg(libraries()?).env("PREFIX", "/somewhere/else").env("DESTDIR", folder.path());
        c::succeed(install.env_remove("LIBDIR").env_remove("INCLUDEDIR"))?;
        std::fs::rename(folder.path().join("somewhere/else"), folder.path().join("moved"))
            .map_err(|e| e.to_string())?;
        Ok(Prefix { folder: folder.keep() })
    }

    pub fn path(&self) -> PathBuf {
        self.folder.join("moved")
    }

    pub fn lib(&self) -> PathBuf {
        self.path().join("lib")
    }
}

/// Where `installed_into` installs, as the packager's system will see it.
pub const PREFIX: &str = "/opt/criwatch";
/// Not the default one.
pub const LIBDIR: &str = "/opt/criwatch/lib64";

/// All that `make install` makes below the prefix, except folders.
const CONTENTS: &[&str] = &[
    "bin/criwatch",
    "include/criwatch.h",
    "lib64/cmake/criwatch/criwatchConfig.cmake",
    "lib64/cmake/criwatch/criwatchConfigVersion.cmake",
    "lib64/libcriwatch.a",
    "lib64/libcriwatch.so",
    "lib64/libcriwatch.so.1",
    "lib64/libcriwatch.so.1.0.0",
    "lib64/pkgconfig/criwatch.pc",
    "share/bash-completion/completions/criwatch",
    "share/criwatch/criwatch.seccomp.json",
    "share/criwatch/criwatch.tsan.supp",
    "share/criwatch/criwatch.valgrind.supp",
    "share/fish/vendor_completions.d/criwatch.fish",
    "share/man/man1/criwatch.1",
    "share/man/man3/criwatch.3",
    "share/zsh/site-functions/_criwatch",
];

/// What comes with the variable SIMULATOR.
const SIMULATOR: &[&str] = &["bin/cri-sim", "share/man/man1/cri-sim.1"];

pub fn contents() -> Result<(), Failed> {
    for with_simulator in [false, true] {
        contents_of(with_simulator)?;
    }
    Ok(())
}

fn contents_of(with_simulator: bool) -> Result<(), Failed> {
    let root = tempfile::tempdir()?;
    installed_into(&root, "install", with_simulator)?;
    let files = files(&root.path().join("opt/criwatch"))?;
    let (cpp, others): (BTreeSet<_>, BTreeSet<_>) = files.into_iter().partition(|file| file.contains("hpp"));
    let of_simulator = if with_simulator { SIMULATOR } else { &[] };
    let expected = CONTENTS.iter().chain(of_simulator).map(|file| (*file).to_owned()).collect::<BTreeSet<_>>();
    if others != expected {
        return Err(format!("installed: {others:?}").into());
    }
    let source = c::root().join("bindings/cpp/criwatch.hpp");
    if source.exists() != cpp.contains("include/criwatch.hpp") {
        return Err(format!("C++ headers: {cpp:?}").into());
    }
    let lib = root.path().join("opt/criwatch/lib64");
    let chain = [("libcriwatch.so", "libcriwatch.so.1"), ("libcriwatch.so.1", "libcriwatch.so.1.0.0")];
    for (link, to) in chain {
        if std::fs::read_link(lib.join(link))? != Path::new(to) {
            return Err(format!("{link} does not lead to {to}").into());
        }
    }
    Ok(())
}

pub fn uninstalls() -> Result<(), Failed> {
    let root = tempfile::tempdir()?;
    installed_into(&root, "install", true)?;
    // Another's, which stays.
    let neighbour = root.path().join("opt/criwatch/lib64/pkgconfig/neighbour.pc");
    std::fs::write(&neighbour, "")?;
    installed_into(&root, "uninstall", true)?;
    let left = files(root.path())?;
    let expected = BTreeSet::from(["opt/criwatch/lib64/pkgconfig/neighbour.pc".to_owned()]);
    if left != expected {
        return Err(format!("left: {left:?}").into());
    }
    let beside: Vec<_> =
        std::fs::read_dir(root.path().join("opt/criwatch"))?.flatten().map(|it| it.file_name()).collect();
    if beside == ["lib64"] { Ok(()) } else { Err(format!("empty folders are left: {beside:?}").into()) }
}

/// `make install` or `make uninstall`, as a packager calls it.
pub fn installed_into(root: &TempDir, target: &str, with_simulator: bool) -> Result<(), String> {
    // They use one folder of libraries.
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    libraries()?;
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    // Stands for the programs, which take minutes to build: scripts/command and scripts/simulator make a folder like this.
    let stand_in = tempfile::tempdir().map_err(|e| e.to_string())?;
    std::fs::create_dir(stand_in.path().join("completions")).map_err(|e| e.to_string())?;
    let of_command =
        ["criwatch", "criwatch.1", "completions/criwatch", "completions/_criwatch", "completions/criwatch.fish"];
    for file in of_command.into_iter().chain(["cri-sim", "cri-sim.1"]) {
        std::fs::write(stand_in.path().join(file), file).map_err(|e| e.to_string())?;
    }
    let mut command = make();
    command.arg(target).arg(format!("DESTDIR={}", root.path().display()));
    command.arg(format!("COMMAND={}", stand_in.path().display()));
    command.arg(format!("PREFIX={PREFIX}")).arg(format!("LIBDIR={LIBDIR}"));
    if with_simulator {
        command.arg(format!("SIMULATOR={}", stand_in.path().display()));
    }
    c::succeed(&mut command).map(drop)
}

/// Everything below a folder that is no folder.
pub fn files(folder: &Path) -> Result<BTreeSet<String>, String> {
    let found = c::succeed(Command::new("find").arg(folder).args(["!", "-type", "d", "-printf", "%P\\n"]))?;
    Ok(found.lines().map(str::to_owned).collect())
}
