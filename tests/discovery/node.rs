//! Layouts of nodes, each beneath a root of its own.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::time::Duration;

use criwatch::config::Config;
use criwatch::model::Engines;
use criwatch::watcher::{Watcher, engines};
use libtest_mimic::{Completion, Failed};
use tempfile::TempDir;

use crate::support::command::criwatch;
use crate::support::sim::Sim;
use crate::support::wait::PATIENCE;
use crate::support::{c, schema};

pub type Outcome = Result<Completion, Failed>;

pub const CONTAINERD: &str = "/run/containerd/containerd.sock";
pub const CRIO: &str = "/run/crio/crio.sock";
pub const K3S: &str = "/run/k3s/containerd/containerd.sock";
pub const CRI_DOCKERD: &str = "/run/cri-dockerd.sock";

/// A host's root directory.
pub struct Root(TempDir);

impl Root {
    pub fn new() -> Result<Root, Failed> {
        let root = Root(tempfile::tempdir()?);
        fs::set_permissions(root.path(), fs::Permissions::from_mode(0o755))?;
        root.folder("/run")?;
        root.folder("/var")?;
        // As on most hosts: absolute, and to be resolved below this root.
        symlink("/run", root.path().join("var/run"))?;
        Ok(root)
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    pub fn at(&self, path: &str) -> PathBuf {
        self.path().join(path.trim_start_matches('/'))
    }

    pub fn folder(&self, path: &str) -> Result<(), Failed> {
        Ok(fs::create_dir_all(self.at(path))?)
    }

    /// The place for a file, whose folder is made.
    pub fn place(&self, path: &str) -> Result<PathBuf, Failed> {
        let at = self.at(path);
        fs::create_dir_all(at.parent().ok_or("a path with a folder")?)?;
        Ok(at)
    }

    pub fn file(&self, path: &str, text: &str) -> Result<(), Failed> {
        Ok(fs::write(self.place(path)?, text)?)
    }

    /// A process with this command line.
    pub fn process(&self, pid: u32, words: &[&str]) -> Result<(), Failed> {
        self.file(&format!("/proc/{pid}/cmdline"), &(words.join("\0") + "\0"))
    }

    pub fn sim(&self, path: &str, arguments: &[&str]) -> Result<Sim, Failed> {
        Ok(Sim::start_at(&self.place(path)?, arguments)?)
    }

    /// How it is named in answers.
    pub fn api(&self, path: &str) -> String {
        format!("unix://{}", self.at(path).display())
    }

    pub fn config(&self, more: &[(&str, &str)]) -> Result<Config, Failed> {
        let mut config = Config::default();
        let root = self.path().to_string_lossy();
        for (key, value) in [("host.root", &*root), ("discover.interval_ms", "100")].iter().chain(more) {
            config.set(key, value)?;
        }
        Ok(config)
    }

    /// Every engine; that its JSON obeys its schema, and that a watcher and the command show the containers of the first.
    pub fn engines(&self, more: &[(&str, &str)]) -> Result<Engines, Failed> {
        let found = engines(&self.config(more)?, Some(Duration::from_secs(5)))?;
        schema::obey(found.json().as_str())?;
        Ok(found)
    }

    pub fn watcher(&self, more: &[(&str, &str)]) -> Result<Watcher, Failed> {
        Ok(Watcher::new(None, self.config(more)?)?)
    }

    /// `criwatch ps` without an endpoint.
    pub fn ps(&self, more: &[(&str, &str)]) -> Result<String, Failed> {
        let mut command = criwatch()?;
        command.args(["ps", "-o", "json"]);
        let root = format!("host.root={}", self.path().display());
        for option in more.iter().map(|(key, value)| format!("{key}={value}")).chain([root]) {
            command.arg("--option").arg(option);
        }
        Ok(c::succeed(&mut command)?)
    }

    /// Both a watcher and the command show this container, and not that one.
    pub fn shows(&self, more: &[(&str, &str)], wanted: &str, other: &str) -> Result<(), Failed> {
        let watcher = self.watcher(more)?;
        watcher.resync(Some(PATIENCE))?;
        let names: Vec<String> = watcher.containers()?.iter().map(|c| c.name.to_string()).collect();
        if !names.iter().any(|n| n == wanted) || names.iter().any(|n| n == other) {
            return Err(format!("the watcher shows {names:?}, not {wanted}").into());
        }
        let text = self.ps(more)?;
        if !text.contains(&format!("\"{wanted}\"")) || text.contains(&format!("\"{other}\"")) {
            return Err(format!("criwatch ps shows not {wanted}, or {other}: {text}").into());
        }
        Ok(())
    }
}

pub fn apis(found: &Engines) -> Vec<String> {
    found.candidates.iter().map(|candidate| candidate.api.to_string()).collect()
}

pub fn expect(what: &str, found: &impl PartialEq<bool>) -> Result<(), Failed> {
    if *found == true { Ok(()) } else { Err(what.to_owned().into()) }
}

pub fn skipped(reason: &str) -> Outcome {
    Ok(Completion::ignored_with(reason))
}

/// A socket that accepts and says nothing.
pub fn mute(path: PathBuf) -> Result<UnixListener, Failed> {
    Ok(UnixListener::bind(path)?)
}

/// A server of another protocol, for as long as its listener lives.
pub fn http1(path: PathBuf) -> Result<(), Failed> {
    let listener = UnixListener::bind(path)?;
    std::thread::spawn(move || {
        for mut client in listener.incoming().flatten() {
            let mut request = [0; 64];
            let _ = client.read(&mut request);
            let _ = client.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        }
    });
    Ok(())
}
