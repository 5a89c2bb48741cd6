//! Where to look: what the kubelet, crictl, and the table of well-known sockets point at.

use std::collections::HashSet;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use super::clues::Clues;
use super::files;
use super::kubelets;
use super::processes::Processes;
use super::settings::top_level;
use super::table::WELL_KNOWN;
use crate::config::Config;
use crate::cri::endpoint::Endpoint;
use crate::host::below::{descriptor_path, open_path_below};
use crate::model::Evidence;

const CRICTL: &str = "/etc/crictl.yaml";
const CRICTL_KEY: &str = "runtime-endpoint";

/// Everything that points at an engine of this node. Reads files; connects nowhere.
pub(super) fn gather(config: &Config) -> Clues {
    let mut clues = Clues::default();
    let root = &config.host_root;
    let processes = Processes::new(config);
    kubelets::look(&processes, root, config.discover_nested, &mut clues);
    crictl(root, &mut clues);
    for known in WELL_KNOWN {
        for path in paths(root, known.path) {
            clues.add(Endpoint::below(root, &path), known.evidence(), known.whose);
        }
    }
    for path in &config.discover_sockets {
        clues.add(Endpoint::at(root, path), Evidence::Rootless, "option discover.sockets");
    }
    if config.discover_nested {
        nested(&processes, &mut clues);
    }
    clues
}

fn crictl(root: &Path, clues: &mut Clues) {
    match files::text(root, Path::new(CRICTL)) {
        Ok(text) => match top_level(&text, CRICTL_KEY) {
            Ok(Some(endpoint)) => clues.named(root, &endpoint, Evidence::Crictl, format!("{CRICTL}: {CRICTL_KEY}")),
            Ok(None) => {}
            Err(why) => clues.note(format!("{CRICTL}: {why}")),
        },
        Err(e) if e.kind() == io::ErrorKind::NotFound => {}
        Err(e) => clues.note(format!("{CRICTL}: {e}")),
    }
}

/// The paths that a pattern means: itself, or one for each name in the place of its `*`.
fn paths(root: &Path, pattern: &str) -> Vec<PathBuf> {
    let Some((folder, rest)) = pattern.split_once("/*/") else {
        return vec![pattern.into()];
    };
    // If there is no such folder, there are no names.
    let names = files::names(root, Path::new(folder)).unwrap_or_default();
    let all = names.into_iter().map(|name| Path::new(folder).join(name).join(rest));
    all.filter(|path| open_path_below(root, path).is_ok()).collect()
}

/// Sockets in other mount namespaces, each seen through one of its processes.
fn nested(processes: &Processes, clues: &mut Clues) {
    let (mut seen, mut refused) = (HashSet::new(), 0);
    // Process 1 is the host's. If it has a capability that this program lacks, its files cannot be read.
    for pid in processes.pids().unwrap_or_default().into_iter().filter(|pid| *pid != 1) {
        match processes.other_mounts(pid) {
            Ok(Some(mounts)) if seen.insert(mounts) => inside(pid, &processes.root_of(pid), clues),
            Ok(_) => {}
            Err(e) if e.kind() == io::ErrorKind::PermissionDenied => refused += 1,
            // The process is gone, or has ended.
            Err(_) => {}
        }
    }
    if refused > 0 {
        clues.note(format!(
            "this program may not look into {refused} processes, so it finds no engines inside them (it needs CAP_SYS_PTRACE)"
        ));
    }
}

fn inside(pid: i32, root: &Path, clues: &mut Clues) {
    for known in WELL_KNOWN.iter().filter(|known| !known.rootless) {
        let path = Path::new(known.path);
        let is_socket = open_path_below(root, path)
            .and_then(|socket| std::fs::metadata(descriptor_path(socket.as_fd())))
            .is_ok_and(|metadata| metadata.file_type().is_socket());
        if is_socket {
            clues.add(
                Endpoint::below(root, path),
                Evidence::Nested,
                format!("{} inside, as pid {pid} sees it", known.whose),
            );
        }
    }
}
