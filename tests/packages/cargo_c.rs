//! `cargo cinstall`, as distributions use it, beside `make install`: docs/packaging.md lists all that differs.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use libtest_mimic::{Completion, Failed};
use tempfile::TempDir;

use super::c::{self, Library, succeed};
use super::prefix::{LIBDIR, PREFIX, files, installed_into};
use super::release::target;
use super::sim::lists;

const DOCUMENT: &str = "docs/packaging.md";
/// The heading of its table; the first column has the differences.
const HEADING: &str = "## cargo-c";

pub fn installs_what_make_install_does(is_long: bool) -> Result<Completion, Failed> {
    if !is_long && !c::is_there("cargo-cinstall") {
        return Ok(Completion::ignored_with("a long test: make test-long"));
    }
    if !["nm", "readelf", "pkg-config"].into_iter().all(c::is_there) {
        return Ok(Completion::ignored_with("binutils or pkg-config are not installed"));
    }
    let by_make = tempfile::tempdir()?;
    installed_into(&by_make, "install", false)?;
    let by_cargo = tempfile::tempdir()?;
    if let Err(reason) = cinstall(by_cargo.path())? {
        return Ok(Completion::ignored_with(reason));
    }
    let (by_make, by_cargo) = (Installed(by_make), Installed(by_cargo));
    let (found, listed) = (differences(&by_make, &by_cargo)?, documented()?);
    if found != listed {
        let unknown: Vec<_> = found.difference(&listed).collect();
        let gone: Vec<_> = listed.difference(&found).collect();
        return Err(format!("{DOCUMENT} does not list {unknown:?}; it lists what does not differ: {gone:?}").into());
    }
    by_cargo.builds_a_program()?;
    Ok(Completion::Completed)
}

/// Runs it; or the reason why this machine cannot. Not optimised: what is compared does not depend on that.
fn cinstall(destdir: &Path) -> Result<Result<(), String>, Failed> {
    let mut tool = Command::new(c::root().join("scripts/cargo-tool"));
    let tool = match succeed(tool.arg("cargo-cinstall").env("CARGO_TARGET_DIR", target())) {
        Ok(path) => path,
        Err(told) => return Ok(Err(told.trim_end().lines().last().unwrap_or_default().to_owned())),
    };
    let mut cinstall = Command::new(tool.trim());
    cinstall.args(["cinstall", "--locked", "--debug", "--prefix", PREFIX, "--libdir", LIBDIR, "--destdir"]);
    cinstall.arg(destdir).arg("--target-dir").arg(target().join("cargo-c")).env("CARGO_PROFILE_DEV_DEBUG", "0");
    succeed(cinstall.current_dir(c::root()))?;
    Ok(Ok(()))
}

/// What is installed below a folder.
struct Installed(TempDir);

impl Installed {
    fn prefix(&self) -> PathBuf {
        self.0.path().join(PREFIX.trim_start_matches('/'))
    }

    fn lib(&self) -> PathBuf {
        self.0.path().join(LIBDIR.trim_start_matches('/'))
    }

    fn library(&self) -> Library {
        Library::in_folder(&self.lib())
    }

    fn soname(&self) -> Result<String, String> {
        let dynamic = succeed(Command::new("readelf").args(["--dynamic", "--wide"]).arg(self.library().path()))?;
        dynamic.lines().find(|line| line.contains("(SONAME)")).map(str::to_owned).ok_or("no SONAME".to_owned())
    }

    /// The names of its symbols' versions.
    fn symbol_versions(&self) -> Result<BTreeSet<String>, String> {
        let mut nm = Command::new("nm");
        nm.args(["-D", "--defined-only", "--format=posix", "--with-symbol-versions"]).arg(self.library().path());
        let versions = succeed(&mut nm)?;
        let names = versions.lines().filter_map(|line| line.split(' ').next()?.split_once("@@"));
        Ok(names.map(|(_, version)| version.to_owned()).collect())
    }

    /// What other objects of a program see of the static library.
    fn static_symbols(&self) -> Result<BTreeSet<String>, String> {
        let mut nm = Command::new("nm");
        nm.args(["--extern-only", "--defined-only", "--format=posix"]).arg(self.lib().join("libcriwatch.a"));
        let symbols = succeed(&mut nm)?;
        Ok(symbols.lines().filter_map(|line| line.split_once(' ')).map(|(name, _)| name.to_owned()).collect())
    }

    /// What criwatch.pc defines, with its variables put in; the prefix is the same for all.
    fn pc(&self) -> Result<BTreeMap<String, String>, String> {
        let path = self.lib().join("pkgconfig/criwatch.pc");
        let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let mut known = BTreeMap::new();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let Some((key, value)) =
                line.split_once('=').filter(|(key, _)| !key.contains(':')).or(line.split_once(": "))
            else {
                continue;
            };
            let value = known.iter().fold(value.to_owned(), |value, (key, known): (&String, &String)| {
                value.replace(&format!("${{{key}}}"), if key == "prefix" { PREFIX } else { known })
            });
            known.insert(key.to_owned(), value.trim().to_owned());
        }
        Ok(known)
    }

    /// A user's program, built with its pkg-config file, sees a simulated engine's container.
    fn builds_a_program(&self) -> Result<(), String> {
        let mut pkg_config = Command::new("pkg-config");
        pkg_config.args(["--cflags", "--libs", "criwatch"]);
        pkg_config.arg(format!("--define-variable=prefix={}", self.prefix().display()));
        let flags = succeed(pkg_config.env("PKG_CONFIG_LIBDIR", self.lib().join("pkgconfig")))?;
        let program = self.0.path().join("list");
        let mut compiler = Command::new(c::cc());
        compiler.arg("-std=c99").args(c::STRICT).arg(c::root().join("examples/c/list.c"));
        succeed(compiler.args(flags.split_whitespace()).arg("-o").arg(&program))?;
        let mut program = Command::new(program);
        program.env("LD_LIBRARY_PATH", self.lib());
        lists(program)
    }
}

/// Each difference as the document's table names it.
fn differences(by_make: &Installed, by_cargo: &Installed) -> Result<BTreeSet<String>, String> {
    let (made, cargos) = (files(&by_make.prefix())?, files(&by_cargo.prefix())?);
    let mut found: BTreeSet<String> = made.symmetric_difference(&cargos).cloned().collect();
    let (made, cargos) = (by_make.pc()?, by_cargo.pc()?);
    let keys = made.keys().chain(cargos.keys()).filter(|key| made.get(*key) != cargos.get(*key));
    found.extend(keys.map(|key| format!("criwatch.pc: {key}")));
    if by_make.library().exports()? != by_cargo.library().exports()? {
        found.insert("libcriwatch.so: exports".into());
    }
    if by_make.soname()? != by_cargo.soname()? {
        found.insert("libcriwatch.so: SONAME".into());
    }
    if by_make.symbol_versions()? != by_cargo.symbol_versions()? {
        found.insert("libcriwatch.so: symbol versions".into());
    }
    if by_make.static_symbols()? != by_cargo.static_symbols()? {
        found.insert("libcriwatch.a: symbols".into());
    }
    Ok(found)
}

/// The first column of the document's table, without marks; several in one cell have commas between them.
fn documented() -> Result<BTreeSet<String>, String> {
    let text = std::fs::read_to_string(c::root().join(DOCUMENT)).map_err(|error| format!("{DOCUMENT}: {error}"))?;
    let section = text.split_once(HEADING).ok_or(format!("{DOCUMENT} has no {HEADING}"))?.1;
    let section = section.split("\n## ").next().unwrap_or_default();
    let rows = section.lines().filter(|line| line.starts_with('|')).skip(2);
    let cells = rows.filter_map(|row| row.split('|').nth(1)).flat_map(|cell| cell.split(','));
    Ok(cells.map(|name| name.replace('`', "").trim().to_owned()).collect())
}
