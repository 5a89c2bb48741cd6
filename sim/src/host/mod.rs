//! What the host shows of a container's process besides /proc/PID: its cgroup and its pid file.

mod cgroups;
mod tree;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::{Map, json};

use crate::process;
use crate::profile::Family;

pub use cgroups::Cgroups;
pub use tree::FakeTree;

pub struct Host {
    cgroups: Option<Cgroups>,
    /// The fake /proc, if all processes are fakes.
    tree: Option<FakeTree>,
    /// The engine's state folder: made at start, removed at the end.
    state: PathBuf,
    family: Family,
}

impl Host {
    /// A node of real processes.
    pub fn real(cgroups: Option<Cgroups>, state: PathBuf, family: Family) -> io::Result<Self> {
        claim(&state)?;
        let host = Host { cgroups, tree: None, state, family };
        host.exits_dir().map_or(Ok(()), fs::create_dir)?;
        Ok(host)
    }

    /// A node of fake processes, with a fake /proc.
    pub fn fake(tree: FakeTree, state: PathBuf, family: Family) -> io::Result<Self> {
        claim(&state)?;
        Ok(Host { cgroups: None, tree: Some(tree), state, family })
    }

    pub fn processes(&self) -> process::Kind {
        if self.tree.is_some() { process::Kind::Fake } else { process::Kind::Real }
    }

    /// The folder that a verbose Status shows, and by which a client finds the pid files: containerd's stateDir (beside
    /// the tasks' folder), or CRI-O's ContainerAttachSocketDir. docker has none.
    pub fn pid_files_dir(&self) -> PathBuf {
        match self.family {
            Family::Containerd | Family::Dockerd => self.state.join("io.containerd.grpc.v1.cri"),
            Family::Crio => self.state.clone(),
        }
    }

    pub fn cgroups(&self) -> Option<&Cgroups> {
        self.cgroups.as_ref()
    }

    /// Makes the cgroup, the pid file, and the OCI specification with these annotations. A container also runs without
    /// them, so failures are only printed to stderr.
    pub fn place(&self, id: &str, cgroup: &str, pid: u32, annotations: &[(&str, String)]) {
        if let Some(cgroups) = &self.cgroups {
            warn(cgroups.add(cgroup, pid), || format!("cannot put pid {pid} into the cgroup {cgroup}"));
        }
        if let Some(tree) = &self.tree {
            warn(tree.add(pid, cgroup), || format!("cannot write /proc/{pid} in the fake tree"));
        }
        let Some((folder, file)) = self.pid_file(id) else {
            return;
        };
        // The specification comes first, as with real runtimes.
        let spec = self.write_spec(&folder, annotations);
        let written = spec.and_then(|()| write_whole(&folder, file, &pid.to_string()));
        warn(written, || format!("cannot write the files in {}", folder.display()));
    }

    pub fn clear(&self, id: &str, cgroup: &str, pid: u32) {
        if let Some(cgroups) = &self.cgroups {
            cgroups.remove(cgroup);
        }
        if let Some(tree) = &self.tree {
            warn(tree.remove(pid), || format!("cannot remove /proc/{pid} from the fake tree"));
        }
        let Some((folder, _)) = self.pid_file(id) else { return };
        warn(fs::remove_dir_all(&folder), || format!("cannot remove {}", folder.display()));
    }

    /// Writes the container's exit code to a file, as CRI-O's monitor does. CRI-O removes the file when it has read it:
    /// `collect_exit`.
    pub fn leave_exit(&self, id: &str, code: i32) {
        if let Some(exits) = self.exits_dir() {
            let written = fs::create_dir_all(&exits).and_then(|()| write_whole(&exits, id, &code.to_string()));
            warn(written, || format!("cannot write {}", exits.join(id).display()));
        }
    }

    pub fn collect_exit(&self, id: &str) {
        if let Some(exits) = self.exits_dir() {
            // Another program may have removed it.
            let _ = fs::remove_file(exits.join(id));
        }
    }

    /// CRI-O's ContainerExitsDir.
    pub fn exits_dir(&self) -> Option<PathBuf> {
        (self.family == Family::Crio).then(|| self.state.join("exits"))
    }

    /// Removes everything. Call it after the last process ended.
    pub fn clean_up(&self) {
        if let Some(cgroups) = &self.cgroups {
            warn(cgroups.remove_all(), || format!("cannot remove the cgroups below {}", cgroups.folder().display()));
        }
        if let Some(tree) = &self.tree {
            warn(tree.remove_all(), || "cannot remove the fake tree".into());
        }
        warn(fs::remove_dir_all(&self.state), || format!("cannot remove {}", self.state.display()));
    }

    fn write_spec(&self, folder: &Path, annotations: &[(&str, String)]) -> io::Result<()> {
        let folder = match self.family {
            Family::Crio => folder.join("userdata"),
            _ => folder.to_owned(),
        };
        fs::create_dir_all(&folder)?;
        let annotations: Map<_, _> = annotations.iter().map(|(key, text)| ((*key).to_owned(), json!(text))).collect();
        let spec = json!({ "ociVersion": "1.2.1", "annotations": annotations });
        fs::write(folder.join("config.json"), spec.to_string())
    }

    fn pid_file(&self, id: &str) -> Option<(PathBuf, &'static str)> {
        match self.family {
            Family::Containerd => Some((self.state.join("io.containerd.runtime.v2.task/k8s.io").join(id), "init.pid")),
            Family::Crio => Some((self.state.join(id), "pidfile")),
            Family::Dockerd => None,
        }
    }
}

/// Writes a file as engines do: first under another name, and then renamed, so that nobody reads half of it.
fn write_whole(folder: &Path, name: &str, text: &str) -> io::Result<()> {
    let beside = folder.join(format!(".{name}"));
    fs::write(&beside, text)?;
    fs::rename(beside, folder.join(name))
}

/// The file that marks a folder as made by this program, because the program will remove everything in it.
const MARK: &str = ".cri-sim";

/// Makes a folder with only the mark in it. It replaces a folder of a killed cri-sim, and never one without the mark.
fn claim(folder: &Path) -> io::Result<()> {
    if folder.join(MARK).exists() {
        fs::remove_dir_all(folder)?;
    }
    fs::create_dir_all(folder)?;
    if fs::read_dir(folder)?.next().is_some() {
        return Err(io::Error::new(io::ErrorKind::DirectoryNotEmpty, "it is not empty, and not ours"));
    }
    fs::write(folder.join(MARK), "")
}

fn warn(result: io::Result<()>, what: impl Fn() -> String) {
    if let Err(e) = result {
        eprintln!("cri-sim: {}: {e}", what());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_of_others_is_not_claimed() {
        let folder = tempfile::tempdir().unwrap();
        let (ours, theirs) = (folder.path().join("ours"), folder.path().join("theirs"));
        claim(&ours).unwrap();
        fs::write(ours.join("left over"), "").unwrap();
        claim(&ours).unwrap();
        assert!(!ours.join("left over").exists());
        fs::create_dir(&theirs).unwrap();
        fs::write(theirs.join("precious"), "").unwrap();
        assert!(claim(&theirs).is_err());
        assert!(theirs.join("precious").exists());
    }
}
