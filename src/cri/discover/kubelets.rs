//! Finds which engine the kubelet uses, from its command line and its configuration.

use std::io;
use std::path::{Path, PathBuf};

use super::clues::Clues;
use super::command_line::{CommandLine, flag};
use super::files;
use super::processes::{Home, Processes};
use super::settings::top_level;
use crate::model::Evidence;

const KEY: &str = "containerRuntimeEndpoint";
const CONFIG: &str = "/var/lib/kubelet/config.yaml";
/// kubeadm writes these two files for the kubelet that it starts: the first since 1.32, the second before.
const INSTANCE: &str = "/var/lib/kubelet/instance-config.yaml";
const FLAGS: &str = "/var/lib/kubelet/kubeadm-flags.env";
/// The variables that snapd sets for MicroK8s, whose files use them.
const SNAP: [(&str, &str); 2] =
    [("SNAP_COMMON", "/var/snap/microk8s/common"), ("SNAP_DATA", "/var/snap/microk8s/current")];

/// Adds the engines that the node's kubelets name. Kubelets in containers count only if `nested`.
pub(super) fn look(processes: &Processes, root: &Path, nested: bool, clues: &mut Clues) {
    let pids = processes.pids().unwrap_or_else(|e| {
        clues.note(format!("no process of the host can be seen, so no kubelet: {}: {e}", root.join("proc").display()));
        Vec::new()
    });
    for pid in pids {
        // This fails if the process is gone by now.
        let Some(line) = processes.command_line(pid).ok().and_then(|bytes| CommandLine::parse(&bytes)) else {
            continue;
        };
        if !processes.is_trusted(pid) {
            clues.note(format!(
                "{} (pid {pid}) belongs to another user, so its flags and files are not used",
                line.program.name()
            ));
            continue;
        }
        match processes.home(pid) {
            Home::Host => Kubelet { pid, root, evidence: Evidence::Kubelet }.tell(&line, clues),
            Home::Inside(root) if nested => {
                Kubelet { pid, root: &root, evidence: Evidence::NestedKubelet }.tell(&line, clues);
            }
            Home::Inside(_) => clues.note(format!(
                "{} (pid {pid}) is in a container: engines in containers are looked for only with the option discover.nested",
                line.program.name()
            )),
        }
    }
    if !clues.found.iter().any(|clue| clue.reason.evidence == Evidence::Kubelet) {
        without_process(root, clues);
    }
}

/// Looks for a kubelet's files when no kubelet can be seen, for lack of the host's pid namespace.
fn without_process(root: &Path, clues: &mut Clues) {
    let mut add = |file: &str, what: &str, endpoint: Option<String>| {
        let found = endpoint.is_some();
        endpoint.into_iter().for_each(|e| clues.named(root, &e, Evidence::Kubelet, format!("{file}: {what}")));
        found
    };
    let flags = files::text(root, Path::new(FLAGS)).ok().and_then(|text| in_environment(&text));
    if add(FLAGS, "--container-runtime-endpoint", flags) {
        return;
    }
    for file in [INSTANCE, CONFIG] {
        match value(root, Path::new(file), KEY) {
            Ok(None) => {}
            Ok(endpoint) => {
                return clues.named(root, &endpoint.unwrap_or_default(), Evidence::Kubelet, format!("{file}: {KEY}"));
            }
            Err(why) => clues.note(why),
        }
    }
}

/// The flags in a line `KUBELET_KUBEADM_ARGS="--flag=value ..."`.
fn in_environment(text: &str) -> Option<String> {
    text.lines().rev().find_map(|line| {
        let (_, words) = line.split_once('=')?;
        let words: Vec<_> = words.trim().trim_matches('"').split_whitespace().collect();
        flag(&words, "container-runtime-endpoint")
    })
}

/// A value in a file; `None` if it or the file does not exist. The error is a text with the file's name.
fn value(root: &Path, file: &Path, key: &str) -> Result<Option<String>, String> {
    match files::text(root, file) {
        Ok(text) => top_level(&text, key).map_err(|why| format!("{}: {why}", file.display())),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(format!("{}: {e}", file.display())),
    }
}

/// A kubelet that was found.
struct Kubelet<'a> {
    pid: i32,
    root: &'a Path,
    evidence: Evidence,
}

impl Kubelet<'_> {
    /// Adds the engine that the kubelet names. A flag overrides a drop-in, and a drop-in overrides the file.
    fn tell(&self, line: &CommandLine, clues: &mut Clues) {
        let who = format!("{} (pid {})", line.program.name(), self.pid);
        let found = self.in_flags(line, clues).or_else(|| self.in_files(line, clues));
        let own = || Some((line.program.own?.to_owned(), "starts it where no option names another".to_owned()));
        if let Some((endpoint, what)) = found.or_else(own) {
            clues.named(self.root, &endpoint, self.evidence, format!("{who}: {what}"));
        }
    }

    fn in_flags(&self, line: &CommandLine, clues: &mut Clues) -> Option<(String, String)> {
        if let Some(endpoint) = &line.endpoint {
            return Some((endpoint.clone(), format!("--{}", line.flag)));
        }
        let file = line.arguments_file.as_ref()?;
        let text = match files::text(self.root, Path::new(file)) {
            Ok(text) => text,
            Err(e) => {
                clues.note(format!("{file}: {e}"));
                return None;
            }
        };
        let words: Vec<_> = text.split_whitespace().collect();
        let more = CommandLine::of(line.program, &words);
        Some((snap(&more.endpoint?), format!("--kubelet-args-file={file}: --{}", more.flag)))
    }

    fn in_files(&self, line: &CommandLine, clues: &mut Clues) -> Option<(String, String)> {
        let drop_ins = line.config_dir.as_ref().map(|dir| self.in_folder(dir, ".conf", KEY, clues));
        let drop_in = drop_ins.flatten().map(|(value, file)| (value, format!("--config-dir: {file}: {KEY}")));
        let in_config = |clues: &mut Clues| {
            let file = line.config.as_ref()?;
            Some((self.in_file(Path::new(file), KEY, clues)?, format!("--config={file}: {KEY}")))
        };
        drop_in.or_else(|| in_config(clues)).or_else(|| self.in_distribution(line.program.file?, clues))
    }

    /// The value for k3s and RKE2, where drop-ins beside the file override it.
    fn in_distribution(&self, file: &str, clues: &mut Clues) -> Option<(String, String)> {
        const KEY: &str = "container-runtime-endpoint";
        let folder = format!("{file}.d");
        if let Some((value, file)) = self.in_folder(&folder, ".yaml", KEY, clues) {
            return Some((value, format!("{file}: {KEY}")));
        }
        if let Some(value) = self.in_file(Path::new(file), KEY, clues) {
            return Some((value, format!("{file}: {KEY}")));
        }
        let docker = self.in_file(Path::new(file), "docker", clues)?;
        (docker == "true").then(|| ("/run/k3s/cri-dockerd/cri-dockerd.sock".to_owned(), format!("{file}: docker")))
    }

    /// The last file of a folder that has the key.
    fn in_folder(&self, folder: &str, ending: &str, key: &str, clues: &mut Clues) -> Option<(String, String)> {
        let names = match files::names(self.root, Path::new(folder)) {
            Ok(names) => names,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return None,
            Err(e) => {
                clues.note(format!("{folder}: {e}"));
                return None;
            }
        };
        let fitting = names.iter().rev().filter(|name| name.to_string_lossy().ends_with(ending));
        let mut files = fitting.map(|name| Path::new(folder).join(name));
        files.find_map(|file: PathBuf| Some((self.in_file(&file, key, clues)?, file.display().to_string())))
    }

    fn in_file(&self, file: &Path, key: &str, clues: &mut Clues) -> Option<String> {
        if !file.is_absolute() {
            clues.note(format!(
                "the kubelet (pid {}) has a relative path, which is not read: {}",
                self.pid,
                file.display()
            ));
            return None;
        }
        value(self.root, file, key).unwrap_or_else(|why| {
            clues.note(why);
            None
        })
    }
}

fn snap(text: &str) -> String {
    SNAP.iter().fold(text.to_owned(), |text, (name, value)| {
        text.replace(&format!("${{{name}}}"), value).replace(&format!("${name}"), value)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kubeadm_writes_flags_into_an_environment() {
        let text = "KUBELET_KUBEADM_ARGS=\"--v=2 --container-runtime-endpoint=unix:///run/crio/crio.sock --x=y\"\n";
        assert_eq!(in_environment(text).as_deref(), Some("unix:///run/crio/crio.sock"));
        assert_eq!(in_environment("KUBELET_KUBEADM_ARGS=\"\"\n"), None);
        assert_eq!(in_environment(""), None);
    }

    #[test]
    fn snap_variables() {
        assert_eq!(
            snap("unix://${SNAP_COMMON}/run/containerd.sock"),
            "unix:///var/snap/microk8s/common/run/containerd.sock"
        );
    }
}
