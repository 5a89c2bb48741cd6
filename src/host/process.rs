//! Facts about a process from /proc, and the translation of pids between pid namespaces.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::{fs, io};

use super::cgroup_name::naming;
use super::namespace::NamespaceNumbers;
use super::proc_file::At;
use super::process_folder::ProcessFolder;
use super::process_stat::{Stat, parse_stat};

/// Reads the host's /proc, which may be mounted elsewhere (option `host.root`).
#[derive(Debug, Clone)]
pub struct Proc {
    root: PathBuf,
    /// Set once this /proc is known to have the pids of our own pid namespace.
    counts_as_we_do: OnceLock<()>,
}

impl Proc {
    /// The `proc` folder below this root directory.
    pub fn new(root: &Path) -> Self {
        Proc { root: root.join("proc"), counts_as_we_do: OnceLock::new() }
    }

    fn read<T>(&self, pid: i32, name: &str, with: impl FnOnce(&str) -> T) -> io::Result<T> {
        At::Path(&self.root).read(format_args!("{pid}/{name}"), with)
    }

    /// Opens the folder of a process. Errors: `NotFound` if there is no such process. Others, such as a lack of
    /// descriptors, prove nothing about it.
    pub fn folder(&self, pid: i32) -> io::Result<ProcessFolder> {
        At::Path(&self.root).folder(format_args!("{pid}")).map(ProcessFolder::new)
    }

    /// When the process began, in clock ticks since boot. Pids are reused; a pid with its start time is unique. `None`
    /// if the process has ended, even if nobody has waited for it yet, as when a shim hangs.
    pub fn start_ticks(&self, pid: i32) -> Option<u64> {
        let stat = self.read(pid, "stat", parse_stat).ok()??;
        (!stat.has_ended()).then_some(stat.start_ticks)
    }

    /// The cgroup of the container `id`, if the process is in it, as a path below the hierarchy's mount point. `None`
    /// if there is no such process, if it is not in that container, or if we are in our own cgroup namespace: then the
    /// kernel shows a text that begins with `/..` and is no path (`host::cgroup` may find the real one).
    pub fn cgroup_naming(&self, pid: i32, id: &str) -> Option<String> {
        let text = self.cgroup(pid).ok()?;
        let found = naming(&text, id).filter(|naming| !naming.line.path.is_outside())?;
        Some(found.path.to_owned())
    }

    /// Whether the process is in the container `id`, or in a cgroup that the container made below its own.
    pub fn is_in_container(&self, pid: i32, id: &str) -> bool {
        self.cgroup(pid).is_ok_and(|text| naming(&text, id).is_some())
    }

    /// The content of /proc/PID/cgroup; `host::cgroup_name` parses it.
    pub fn cgroup(&self, pid: i32) -> io::Result<String> {
        self.read(pid, "cgroup", str::to_owned)
    }

    /// The contents of /proc/PID/stat. Errors: `NotFound` (or ESRCH) if there is no such process. Others, such as a
    /// lack of descriptors, prove nothing about it.
    pub fn stat(&self, pid: i32) -> io::Result<Stat> {
        self.folder(pid)?.stat()
    }

    /// Whether the pids of this /proc are those of our own pid namespace. Only then can a process be opened by its pid.
    pub fn counts_as_we_do(&self) -> io::Result<bool> {
        if self.counts_as_we_do.get().is_some() {
            return Ok(true);
        }
        // Such a /proc has one pid for us, and it is the one that we know. In that of a namespace above ours, we have
        // several pids; in that of an unrelated one, there is no `self`.
        let is_ours = |status: &str| parse_ns_pids(status) == [std::process::id() as i32];
        match At::Path(&self.root).read(format_args!("self/status"), is_ours) {
            Ok(true) => Ok(self.counts_as_we_do.set(()).is_ok()),
            Ok(false) => Ok(false),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The numbers of a process's namespaces, as far as they may be read.
    pub fn namespaces(&self, pid: i32) -> NamespaceNumbers {
        self.folder(pid).map(|folder| folder.namespaces()).unwrap_or_default()
    }

    /// Whether this is an init system. Those make sockets for engines that they start later (socket activation).
    pub fn is_init_system(&self, pid: i32) -> bool {
        let is_named_so = |command: &str| matches!(command.trim(), "systemd" | "init");
        pid == 1 && self.read(pid, "comm", is_named_so).unwrap_or(false)
    }

    fn pid_namespace(&self, pid: &str) -> Option<PathBuf> {
        fs::read_link(self.root.join(pid).join("ns/pid")).ok()
    }

    /// How to translate the pids of the engine with this process into our own pid namespace.
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

    /// The position, in NSpid lines, of pids in the namespace of `pid`.
    fn nesting(&self, pid: i32) -> Option<usize> {
        self.read(pid, "status", parse_ns_pids).ok()?.len().checked_sub(1)
    }

    /// The pid, in our namespace, of the process that has `engine_pid` in the engine's namespace and whose cgroup names
    /// `id`; `None` if there is none. Errors: the search failed, for example because no descriptor was left.
    pub fn translate(&self, view: PidView, engine_pid: i32, id: &str) -> io::Result<Option<i32>> {
        match view {
            PidView::Same => Ok(Some(engine_pid)),
            PidView::Unknown => Ok(self.names(engine_pid, id)?.then_some(engine_pid)),
            PidView::Nested { depth } => {
                for pid in self.pids()? {
                    let Some(pids) = present(self.read(pid, "status", parse_ns_pids))? else { continue };
                    if pids.get(depth) == Some(&engine_pid) && self.names(pid, id)? {
                        return Ok(Some(pid));
                    }
                }
                Ok(None)
            }
        }
    }

    /// Whether the cgroup of this process names the container. False if there is no such process.
    fn names(&self, pid: i32, id: &str) -> io::Result<bool> {
        Ok(present(self.cgroup(pid))?.is_some_and(|text| naming(&text, id).is_some()))
    }

    fn pids(&self) -> io::Result<Vec<i32>> {
        let entries = fs::read_dir(&self.root)?.flatten();
        Ok(entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect())
    }
}

/// How the engine's pids are translated into our pid namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PidView {
    /// Both namespaces are the same: no translation.
    Same,
    /// The engine runs in a namespace below ours.
    Nested {
        /// The position of its pids in the NSpid lines of /proc/PID/status.
        depth: usize,
    },
    /// The engine's process cannot be seen. A pid is accepted only if its cgroup names the container.
    Unknown,
}

/// Turns errors that mean "no such process" into `None`. Other errors prove nothing about the process.
fn present<T>(read: io::Result<T>) -> io::Result<Option<T>> {
    match read {
        Ok(found) => Ok(Some(found)),
        Err(error) if matches!(error.raw_os_error(), Some(libc::ENOENT | libc::ESRCH)) => Ok(None),
        Err(error) => Err(error),
    }
}

fn parse_ns_pids(status: &str) -> Vec<i32> {
    let line = status.lines().find_map(|line| line.strip_prefix("NSpid:")).unwrap_or_default();
    line.split_ascii_whitespace().filter_map(|pid| pid.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let found = |view, pid, id| host.translate(view, pid, id).unwrap();
        assert_eq!(found(view, 9, "cafe"), Some(150));
        assert_eq!(found(view, 9, "dead"), None);
        assert_eq!(found(PidView::Unknown, 150, "cafe"), Some(150));
        assert_eq!(found(PidView::Unknown, 150, "beef"), None);
        assert_eq!(found(PidView::Unknown, 160, "cafe"), None);
        assert_eq!(found(PidView::Same, 7, "any"), Some(7));
        // Reading a directory as a file gives EISDIR, which stands for all errors that do not mean absence, such as
        // EMFILE.
        fs::remove_file(root.path().join("proc/150/cgroup")).unwrap();
        fs::create_dir(root.path().join("proc/150/cgroup")).unwrap();
        assert!(host.translate(PidView::Unknown, 150, "cafe").is_err() && host.translate(view, 9, "cafe").is_err());
    }

    #[test]
    fn trap_a_path_that_leaves_our_namespace_proves_the_container_and_is_no_path() {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("proc/150");
        fs::create_dir_all(&dir).unwrap();
        fs::write(dir.join("cgroup"), "0::/../pod7/cafe\n").unwrap();
        let host = Proc::new(root.path());
        assert!(host.is_in_container(150, "cafe"));
        assert_eq!(host.cgroup_naming(150, "cafe"), None);
        assert_eq!(host.translate(PidView::Unknown, 150, "cafe").unwrap(), Some(150));
    }
}
