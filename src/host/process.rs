//! Facts about a process from /proc, and the translation of pids between pid namespaces.

use std::fs;
use std::path::{Path, PathBuf};

/// Reads the host's /proc, which may be mounted elsewhere (option `host.root`).
#[derive(Debug, Clone)]
pub struct Proc {
    root: PathBuf,
}

impl Proc {
    /// The `proc` folder below this root directory.
    pub fn new(root: &Path) -> Self {
        Proc { root: root.join("proc") }
    }

    fn file(&self, pid: i32, name: &str) -> PathBuf {
        self.root.join(format!("{pid}/{name}"))
    }

    /// When the process began, in clock ticks since boot. Pids are reused; a pid together with its start is unique.
    pub fn start_ticks(&self, pid: i32) -> Option<u64> {
        parse_start_ticks(&fs::read_to_string(self.file(pid, "stat")).ok()?)
    }

    /// The cgroup whose path names `id`, as the file system shows it below the hierarchy's mount point.
    /// `None` when the process is not there, or is not in a cgroup of that container.
    pub fn cgroup_naming(&self, pid: i32, id: &str) -> Option<String> {
        cgroup_naming(&fs::read_to_string(self.file(pid, "cgroup")).ok()?, id).map(str::to_owned)
    }

    /// Whether this is an init system, which makes sockets for engines that it starts later (socket activation).
    pub fn is_init_system(&self, pid: i32) -> bool {
        let command = || fs::read_to_string(self.file(pid, "comm")).unwrap_or_default();
        pid == 1 && matches!(command().trim(), "systemd" | "init")
    }

    fn pid_namespace(&self, pid: &str) -> Option<PathBuf> {
        fs::read_link(self.root.join(pid).join("ns/pid")).ok()
    }

    /// How the pids that the process `engine` reports are to be translated into our own pid namespace.
    pub fn pid_view(&self, engine: Option<i32>) -> PidView {
        let Some(engine) = engine else {
            return PidView::Unknown;
        };
        match (self.pid_namespace(&engine.to_string()), self.pid_namespace("self")) {
            (Some(theirs), Some(ours)) if theirs == ours => PidView::Same,
            (Some(_), Some(_)) => match self.nesting(engine) {
                Some(depth) => PidView::Nested { depth },
                None => PidView::Unknown,
            },
            _ => PidView::Unknown,
        }
    }

    /// The position in NSpid lines of pids in the namespace of `pid`.
    fn nesting(&self, pid: i32) -> Option<usize> {
        let status = fs::read_to_string(self.file(pid, "status")).ok()?;
        parse_ns_pids(&status).len().checked_sub(1)
    }

    /// The pid in our namespace of the process that has `engine_pid` in the engine's and whose cgroup names `id`.
    pub fn translate(&self, view: PidView, engine_pid: i32, id: &str) -> Option<i32> {
        match view {
            PidView::Same => Some(engine_pid),
            PidView::Unknown => self.cgroup_naming(engine_pid, id).map(|_| engine_pid),
            PidView::Nested { depth } => self.pids().find(|pid| {
                let status = fs::read_to_string(self.file(*pid, "status")).unwrap_or_default();
                parse_ns_pids(&status).get(depth) == Some(&engine_pid) && self.cgroup_naming(*pid, id).is_some()
            }),
        }
    }

    fn pids(&self) -> impl Iterator<Item = i32> {
        let entries = fs::read_dir(&self.root).into_iter().flatten().flatten();
        entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
    }
}

/// How the engine's pids are translated into our pid namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PidView {
    /// Both namespaces are one: no translation.
    Same,
    /// The engine runs in a namespace below ours.
    Nested {
        /// The position of its pids in the NSpid lines of /proc/PID/status.
        depth: usize,
    },
    /// The engine's process cannot be seen: a pid is accepted only when its cgroup names the container.
    Unknown,
}

/// Field 22 of /proc/PID/stat. The second field, the command, may hold spaces and parentheses.
fn parse_start_ticks(stat: &str) -> Option<u64> {
    let (_, after_command) = stat.rsplit_once(')')?;
    after_command.split_ascii_whitespace().nth(19)?.parse().ok()
}

fn parse_ns_pids(status: &str) -> Vec<i32> {
    let line = status.lines().find_map(|line| line.strip_prefix("NSpid:")).unwrap_or_default();
    line.split_ascii_whitespace().filter_map(|pid| pid.parse().ok()).collect()
}

/// The path in /proc/PID/cgroup that names the whole id; cgroup v2's, which comes last, if several do. What a
/// container makes of its cgroup (crun's `container`, systemd's `init.scope`) is cut off.
fn cgroup_naming<'a>(text: &'a str, id: &str) -> Option<&'a str> {
    let paths = text.lines().rev().filter_map(|line| line.splitn(3, ':').nth(2));
    let mut named = paths.filter_map(|path| {
        let at = path.find(id).filter(|_| !id.is_empty())?;
        let end = path[at..].find('/').map_or(path.len(), |slash| at + slash);
        Some(&path[..end])
    });
    named.next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_may_hold_anything() {
        let stat = "7 (a) b (c) S 1 7 7 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 4711 0";
        assert_eq!(parse_start_ticks(stat), Some(4711));
        assert_eq!(parse_start_ticks("7 (x"), None);
        assert!(Proc::new(Path::new("/")).start_ticks(std::process::id() as i32).unwrap() > 0);
    }

    #[test]
    fn a_cgroup_is_believed_only_when_it_names_the_whole_id() {
        let text = "12:memory:/k8s.io/aaaa\n1:name=systemd:/other\n0::/kubepods/cri-containerd-aaaa.scope\n";
        assert_eq!(cgroup_naming(text, "aaaa"), Some("/kubepods/cri-containerd-aaaa.scope"));
        assert_eq!(cgroup_naming("0::/crio-aaaa.scope/container", "aaaa"), Some("/crio-aaaa.scope"));
        assert_eq!(cgroup_naming(text, "aaab"), None);
        assert_eq!(cgroup_naming(text, ""), None);
    }

    #[test]
    fn pids_are_translated_through_a_fake_proc() {
        let root = tempfile::tempdir().unwrap();
        let proc = |pid: &str, status: &str, cgroup: &str| {
            let dir = root.path().join("proc").join(pid);
            fs::create_dir_all(&dir).unwrap();
            fs::write(dir.join("status"), status).unwrap();
            fs::write(dir.join("cgroup"), cgroup).unwrap();
        };
        proc("100", "NSpid:\t100\t1\n", "0::/\n");
        proc("150", "NSpid:\t150\t9\n", "0::/k8s.io/cafe\n");
        proc("151", "NSpid:\t151\t9\n", "0::/k8s.io/beef\n");
        let host = Proc::new(root.path());
        let view = PidView::Nested { depth: host.nesting(100).unwrap() };
        assert_eq!(host.translate(view, 9, "cafe"), Some(150));
        assert_eq!(host.translate(view, 9, "dead"), None);
        assert_eq!(host.translate(PidView::Unknown, 150, "cafe"), Some(150));
        assert_eq!(host.translate(PidView::Unknown, 150, "beef"), None);
        assert_eq!(host.translate(PidView::Same, 7, "any"), Some(7));
    }
}
