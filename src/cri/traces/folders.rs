//! Finds where an engine keeps what it knows of its containers' processes, from the verbose information of its
//! `Status`. Pure.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::cri::client::Version;
use crate::cri::engine::specs_name_images;

/// The folders of one engine, as paths in the engine's own mount namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Folders {
    /// containerd: one folder for each task of the namespace that CRI uses.
    Containerd {
        /// The folder with `<id>/init.pid` and `<id>/config.json`.
        tasks: PathBuf,
        /// Whether `config.json` has the image's name as the pod's author wrote it.
        names_images: bool,
    },
    /// CRI-O: the folders of its container monitors.
    Crio {
        /// Folders with `<id>/pidfile`, the likeliest first.
        pids: Vec<PathBuf>,
        /// The folder with a file for each exit, named by the id, with the exit code. CRI-O removes each when it has
        /// read it.
        exits: PathBuf,
    },
}

/// The containerd namespace in which its CRI plugin keeps everything.
const CRI_NAMESPACE: &str = "k8s.io";
const CONTAINERD_TASKS: &str = "io.containerd.runtime.v2.task";

#[derive(Default, Deserialize)]
struct Config {
    /// The state folder of containerd's CRI plugin.
    #[serde(default, rename = "stateDir")]
    state_dir: String,
    #[serde(default)]
    crio: Option<Crio>,
}

/// CRI-O's configuration, which only some versions report.
#[derive(Default, Deserialize)]
struct Crio {
    #[serde(default, rename = "ContainerAttachSocketDir")]
    attach: String,
    #[serde(default, rename = "ContainerExitsDir")]
    exits: String,
    #[serde(default, rename = "RunRoot")]
    run_root: String,
}

impl Folders {
    /// Reads the `info` of a verbose `Status`. `None`: no folders are known for this engine.
    pub fn parse(version: &Version, info: &HashMap<String, String>) -> Option<Folders> {
        let config = info.get("config").filter(|text| text.trim_start().starts_with('{'));
        let config: Config = config.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        match version.runtime_name.as_str() {
            "containerd" => containerd(Path::new(&config.state_dir), specs_name_images(version)),
            "cri-o" => Some(crio(&config.crio.unwrap_or_default())),
            _ => None,
        }
    }

    /// Where the pid files of the engine with this socket are on most nodes, the likeliest first. The state folder of
    /// containerd is the folder of its socket, or the folder `containerd` beside the socket (k0s, MicroK8s).
    pub fn likely(socket: &Path) -> Vec<Folders> {
        let Some(run) = socket.parent() else { return Vec::new() };
        let containerd = |state: &Path| Folders::Containerd { tasks: tasks_in(state), names_images: false };
        vec![containerd(run), containerd(&run.join("containerd")), crio(&Crio::default())]
    }

    /// These folders as an engine of this version uses them; `None`: it has others.
    pub fn used_by(&self, version: &Version) -> Option<Folders> {
        match (self, version.runtime_name.as_str()) {
            (Folders::Containerd { tasks, .. }, "containerd") => {
                Some(Folders::Containerd { tasks: tasks.clone(), names_images: specs_name_images(version) })
            }
            (Folders::Crio { .. }, "cri-o") => Some(self.clone()),
            _ => None,
        }
    }

    /// Whether the pid files of both are the same.
    pub fn have_files_of(&self, other: &Folders) -> bool {
        self.births() == other.births()
    }

    /// Whether an engine of this kind may have folders, so that asking is worth it.
    pub fn may_exist(version: &Version) -> bool {
        matches!(version.runtime_name.as_str(), "containerd" | "cri-o")
    }

    /// The folders that contain one folder for each container.
    pub fn births(&self) -> Vec<PathBuf> {
        match self {
            Folders::Containerd { tasks, .. } => vec![tasks.clone()],
            Folders::Crio { pids, .. } => pids.clone(),
        }
    }

    /// The folders in which this container's pid file is made.
    pub fn births_of(&self, id: &str) -> Vec<PathBuf> {
        let files = self.pid_files(id);
        files.iter().filter_map(|file| file.parent()).map(Path::to_owned).collect()
    }

    /// The folder in which the engine's monitors leave exit codes.
    pub fn exits(&self) -> Option<&Path> {
        match self {
            Folders::Containerd { .. } => None,
            Folders::Crio { exits, .. } => Some(exits),
        }
    }

    /// The paths at which a container's OCI runtime specification may be, if it says more about the image than a
    /// status. Empty for an id that cannot be a file name.
    pub fn specs(&self, id: &str) -> Vec<PathBuf> {
        if !is_file_name(id) {
            return Vec::new();
        }
        match self {
            Folders::Containerd { names_images: false, .. } => Vec::new(),
            Folders::Containerd { tasks, .. } => vec![tasks.join(id).join(RUNTIME_SPEC)],
            Folders::Crio { pids, .. } => {
                pids.iter().map(|dir| dir.join(id).join("userdata").join(RUNTIME_SPEC)).collect()
            }
        }
    }

    /// The paths at which the pid of a container's first process may be. Empty for an id that cannot be a file name.
    pub fn pid_files(&self, id: &str) -> Vec<PathBuf> {
        if !is_file_name(id) {
            return Vec::new();
        }
        match self {
            Folders::Containerd { tasks, .. } => {
                let mut file = PathBuf::with_capacity(tasks.as_os_str().len() + id.len() + 10);
                file.extend([tasks, Path::new(id), Path::new("init.pid")]);
                vec![file]
            }
            Folders::Crio { pids, .. } => pids.iter().map(|dir| dir.join(id)).flat_map(crio_pid_files).collect(),
        }
    }
}

/// The file of a bundle that tells the runtime how to make the container.
const RUNTIME_SPEC: &str = "config.json";

/// The tasks' folder is beside that of the CRI plugin.
fn containerd(state_dir: &Path, names_images: bool) -> Option<Folders> {
    let state = state_dir.parent().filter(|_| state_dir.is_absolute())?;
    Some(Folders::Containerd { tasks: tasks_in(state), names_images })
}

fn tasks_in(state: &Path) -> PathBuf {
    state.join(CONTAINERD_TASKS).join(CRI_NAMESPACE)
}

/// Most versions of CRI-O do not report their configuration; for those, the defaults are tried.
fn crio(config: &Crio) -> Folders {
    let or = |said: &str, default: &str| PathBuf::from(if said.starts_with('/') { said } else { default });
    let attach = or(&config.attach, "/var/run/crio");
    let exits = or(&config.exits, "/var/run/crio/exits");
    let storage = or(&config.run_root, "/run/containers/storage");
    Folders::Crio { pids: vec![attach, storage.join("overlay-containers")], exits }
}

fn crio_pid_files(dir: PathBuf) -> [PathBuf; 2] {
    [dir.join("pidfile"), dir.join("userdata/pidfile")]
}

/// Whether the id can be a file name. Ids come from the engine, and become parts of paths.
fn is_file_name(id: &str) -> bool {
    !id.is_empty() && id != "." && id != ".." && !id.bytes().any(|byte| matches!(byte, b'/' | 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folders(name: &str, config: &str) -> Option<Folders> {
        let version = Version { runtime_name: name.into(), ..Version::default() };
        Folders::parse(&version, &HashMap::from([("config".to_owned(), config.to_owned())]))
    }

    #[test]
    fn containerds_tasks_lie_beside_its_cri_plugins_state() {
        let found = folders("containerd", r#"{"stateDir":"/run/containerd/io.containerd.grpc.v1.cri","x":[1]}"#);
        let files = found.unwrap().pid_files("abc");
        assert_eq!(files, [Path::new("/run/containerd/io.containerd.runtime.v2.task/k8s.io/abc/init.pid")]);
        for nothing in ["", "{}", "[]", r#"{"stateDir":""}"#, r#"{"stateDir":"relative/dir"}"#, r#"{"stateDir":"/"}"#] {
            assert_eq!(folders("containerd", nothing), None, "{nothing}");
        }
    }

    #[test]
    fn the_likely_folders_are_what_engines_report_in_their_usual_places() {
        let is_likely = |socket: &str, reported: Option<Folders>| {
            let likely = Folders::likely(Path::new(socket));
            likely.iter().any(|likely| reported.as_ref().is_some_and(|reported| likely.have_files_of(reported)))
        };
        for (socket, state) in [
            ("/run/containerd/containerd.sock", "/run/containerd"),
            ("/run/k3s/containerd/containerd.sock", "/run/k3s/containerd"),
            ("/run/k0s/containerd.sock", "/run/k0s/containerd"),
            ("/var/snap/microk8s/common/run/containerd.sock", "/var/snap/microk8s/common/run/containerd"),
        ] {
            let config = format!(r#"{{"stateDir":"{state}/io.containerd.grpc.v1.cri"}}"#);
            assert!(is_likely(socket, folders("containerd", &config)), "{socket}");
        }
        assert!(is_likely("/var/run/crio/crio.sock", folders("cri-o", "")));
        assert!(!is_likely("/run/a.sock", folders("containerd", r#"{"stateDir":"/run/b/io.containerd.grpc.v1.cri"}"#)));
    }

    #[test]
    fn folders_that_were_found_are_used_as_the_engine_of_this_version_uses_them() {
        let version = |name: &str, version: &str| Version {
            runtime_name: name.into(),
            runtime_version: version.into(),
            ..Version::default()
        };
        let [found, _, crio] = &Folders::likely(Path::new("/run/x/x.sock"))[..] else { panic!("three") };
        for number in ["1.6.20", "2.1.9"] {
            let version = version("containerd", number);
            let config = r#"{"stateDir":"/run/x/io.containerd.grpc.v1.cri"}"#.to_owned();
            let named = Folders::parse(&version, &HashMap::from([("config".to_owned(), config)]));
            assert_eq!(found.used_by(&version), named, "{number}");
        }
        assert_eq!(crio.used_by(&version("cri-o", "1.33.0")).as_ref(), Some(crio));
        assert_eq!(found.used_by(&version("cri-o", "1.33.0")), None, "they are another engine's");
    }

    #[test]
    fn crio_has_its_defaults_where_it_says_nothing() {
        let dirs = |config| match folders("cri-o", config) {
            Some(Folders::Crio { pids, exits }) => (pids[0].clone(), pids[1].clone(), exits),
            other => panic!("{other:?}"),
        };
        let (attach, storage, exits) = dirs(r#"{"sandboxImage":"pause"}"#);
        assert_eq!((attach.to_str(), exits.to_str()), (Some("/var/run/crio"), Some("/var/run/crio/exits")));
        assert_eq!(storage.to_str(), Some("/run/containers/storage/overlay-containers"));
        let (attach, storage, exits) =
            dirs(r#"{"crio":{"ContainerAttachSocketDir":"/a","ContainerExitsDir":"/e","RunRoot":"/s"}}"#);
        assert_eq!((attach.to_str(), exits.to_str()), (Some("/a"), Some("/e")));
        assert_eq!(storage.to_str(), Some("/s/overlay-containers"));
        let files = folders("cri-o", "").unwrap().pid_files("abc");
        assert!(files.contains(&"/var/run/crio/abc/pidfile".into()));
        assert!(files.contains(&"/run/containers/storage/overlay-containers/abc/userdata/pidfile".into()));
    }

    #[test]
    fn other_engines_have_none_and_ids_lead_nowhere_else() {
        assert_eq!(folders("docker", r#"{"stateDir":"/run/x/y"}"#), None);
        let found = folders("containerd", r#"{"stateDir":"/run/x/y"}"#).unwrap();
        for id in ["", ".", "..", "../k", "a/b", "a\0"] {
            assert_eq!(found.pid_files(id), Vec::<PathBuf>::new(), "{id:?}");
        }
    }
}
