//! The folder of `make dist`, and what is in it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use tempfile::TempDir;

use super::c::{self, succeed};
use super::release::{make, target};

/// The folder; it is made once.
pub fn folder() -> Result<&'static Path, String> {
    static MADE: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let made = MADE.get_or_init(|| {
        succeed(make().arg("dist"))?;
        Ok(target().join("dist"))
    });
    made.as_deref().map_err(Clone::clone)
}

/// The path of the one file whose name begins and ends like this, if there is one.
pub fn find(begins: &str, ends: &str) -> Result<Option<PathBuf>, String> {
    let folder = folder()?;
    let entries = std::fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut found = entries.flatten().map(|entry| entry.path()).filter(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        // The symbols of an archive have its name, and an addition.
        name.starts_with(begins) && name.ends_with(ends) && (ends.contains("-debug") || !name.contains("-debug"))
    });
    match (found.next(), found.next()) {
        (Some(one), Some(other)) => Err(format!("{begins}*{ends} is {} and {}", one.display(), other.display())),
        (one, _) => Ok(one),
    }
}

/// An archive, unpacked in an empty folder that goes with it.
pub struct Unpacked(TempDir);

impl Unpacked {
    /// The tarball whose name begins and ends like this. Its one folder is left out.
    pub fn of(begins: &str, ends: &str) -> Result<Unpacked, String> {
        let archive = find(begins, ends)?.ok_or_else(|| format!("make dist made no {begins}*{ends}"))?;
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        succeed(Command::new("tar").args(["--strip-components=1", "-xzf"]).arg(archive).arg("-C").arg(folder.path()))?;
        Ok(Unpacked(folder))
    }

    /// The installed tree of this machine's architecture.
    pub fn tree() -> Result<Unpacked, String> {
        Self::of(&tree_name(), ".tar.gz")
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }
}

/// What the names of the installed tree and of its symbols begin with.
pub fn tree_name() -> String {
    format!("criwatch-{}-linux-{}-glibc", env!("CARGO_PKG_VERSION"), std::env::consts::ARCH)
}

/// The recipes for these tarballs, in this folder.
pub fn recipes(into: &Path) -> Result<(), String> {
    let mut recipes = Command::new(c::root().join("scripts/recipes"));
    succeed(recipes.arg(folder()?).arg(into)).map(drop)
}
