//! Proves pids on the host without asking the engine: those in the pid files that runtimes leave on disk.
//!
//! A pid is proven if the process's cgroup names the whole id of the container, as its deepest one, and the process is
//! alive after that was read. Everything is read through one open folder of /proc, so it all belongs to one process. A
//! stale file fails, as does a pid that another process has by now, and a container in a virtual machine, whose
//! processes are in no cgroup of that name. For what fails, the engine is asked.

use std::io::{self, Read};
use std::path::Path;

use super::Proc;
use super::below::Root;
use super::cgroup_name::{CgroupName, Line, init_names};
use super::namespace::NamespaceNumbers;
use super::process::PidView;
use super::refusal::Refusal;

/// The longest pid file: it contains a number, and perhaps a newline.
const LONGEST: usize = 32;

/// A process that is proven to be a container's first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proven {
    /// The pid in the /proc below `host.root`.
    pub pid: i32,
    /// The pid in the engine's pid namespace, if it is a different number.
    pub engine_pid: Option<i32>,
    /// When it began, in clock ticks since boot.
    pub start_ticks: u64,
    /// The numbers of its namespaces, as far as they may be read.
    pub namespaces: NamespaceNumbers,
    /// The path of the container's cgroup as /proc/PID/cgroup shows it; that of v2, if it names the container. It may
    /// begin with `/..`: `host::cgroup` finds a place from [`Proven::cgroup_line`].
    pub cgroup_path: String,
    /// The controllers of the path's hierarchy; empty for v2.
    pub controllers: String,
}

impl Proven {
    /// The line for [`crate::host::cgroup::Cgroups::place`].
    pub fn cgroup_line(&self) -> Line<'_> {
        Line { controllers: &self.controllers, path: CgroupName::new(&self.cgroup_path) }
    }
}

/// Proves that process `pid` is the first of container `id`, which stays true after an exec.
///
/// Reads two files and seven links of /proc, in 8 us. A process that has ended is refused, although its cgroup may
/// still name the container.
pub fn prove(proc: &Proc, pid: i32, id: &str) -> Result<Proven, Refusal> {
    let failed = |error: io::Error| Refusal::of_read(pid, &error);
    let folder = proc.folder(pid).map_err(failed)?;
    let named = |text: &str| init_names(text, id).map(|it| (it.path.to_owned(), it.line.controllers.to_owned()));
    let named = folder.cgroup(named).map_err(failed)?;
    let stat = folder.stat().map_err(failed)?;
    if stat.has_ended() {
        return Err(Refusal::Ended(pid));
    }
    let (cgroup_path, controllers) = named.ok_or(Refusal::ForeignCgroup(pid))?;
    let namespaces = folder.namespaces();
    Ok(Proven { pid, engine_pid: None, start_ticks: stat.start_ticks, namespaces, cgroup_path, controllers })
}

/// Proves the pid in a pid file below `root`; `view` translates the writer's pids to those of `proc`.
///
/// Takes 12 us; with a nested pid namespace, as long as it takes to read the status of every process.
pub fn prove_file(proc: &Proc, view: PidView, root: &Root, file: &Path, id: &str) -> Result<Proven, Refusal> {
    let written = read_pid(root, file)?;
    let pid = match view {
        PidView::Same => written,
        PidView::Nested { .. } => {
            let found = proc.translate(view, written, id).map_err(|error| Refusal::of_read(written, &error))?;
            found.ok_or(Refusal::NoProcess(written))?
        }
        // Take the number as it is: the proof below decides.
        PidView::Unknown => written,
    };
    let proven = prove(proc, pid, id)?;
    Ok(Proven { engine_pid: (written != pid).then_some(written), ..proven })
}

/// The number in a pid file.
pub fn read_pid(root: &Root, file: &Path) -> Result<i32, Refusal> {
    let mut bytes = [0; LONGEST + 1];
    // A regular file is read to its end at once. Any other kind of file does not block, and its text is checked like
    // any other.
    let read = root.open_file(file).and_then(|mut open| open.read(&mut bytes));
    let length = read.map_err(|error| Refusal::of_file(file, &error))?;
    parse_pid(&bytes[..length])
}

fn parse_pid(bytes: &[u8]) -> Result<i32, Refusal> {
    let refuse = |what: String| Err(Refusal::NotAPid(what));
    if bytes.len() > LONGEST {
        return refuse(format!("longer than {LONGEST} bytes"));
    }
    let text = String::from_utf8_lossy(bytes);
    match text.trim_ascii() {
        // The file may be half written. A file that is renamed into its place is complete.
        "" => refuse("empty".into()),
        number if number.bytes().all(|byte| byte.is_ascii_digit()) => match number.parse() {
            Ok(pid) if pid > 0 => Ok(pid),
            _ => refuse(format!("{number} is no pid")),
        },
        other => refuse(format!("{other:?} is no pid")),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    const A: &str = "72e0b85d6a1472e0b85d6a1472e0b85d6a1472e0b85d6a1472e0b85d6a14aaaa";
    const B: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abbbbb";

    /// A host's files: /proc with processes, and folders of an engine.
    struct Host(tempfile::TempDir);

    impl Host {
        fn new() -> Self {
            Host(tempfile::tempdir().unwrap())
        }

        fn proc(&self) -> Proc {
            Proc::new(self.0.path())
        }

        fn root(&self) -> Root {
            Root::open(self.0.path()).unwrap()
        }

        fn write(&self, path: &str, text: &str) {
            let path = self.0.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }

        fn process(&self, pid: i32, state: char, start: u64, cgroup: &str) {
            let stat = format!("{pid} (x) {state} 1 7 7 0 -1 4 {}{start} {}0\n", "0 ".repeat(12), "0 ".repeat(29));
            self.write(&format!("proc/{pid}/stat"), &stat);
            self.write(&format!("proc/{pid}/cgroup"), cgroup);
        }

        fn prove(&self, file: &str) -> Result<Proven, Refusal> {
            prove_file(&self.proc(), PidView::Same, &self.root(), Path::new(file), A)
        }
    }

    fn of(id: &str) -> String {
        format!("4:memory:/k8s.io/{id}\n0::/kubepods/pod1/{id}/init.scope\n")
    }

    #[test]
    fn a_pid_file_is_proven_by_the_cgroup() {
        let host = Host::new();
        host.process(150, 'S', 4711, &of(A));
        host.write("run/task/init.pid", "150\n");
        // As on most hosts, the path goes through an absolute link.
        fs::create_dir_all(host.0.path().join("var")).unwrap();
        symlink("/run", host.0.path().join("var/run")).unwrap();
        for file in ["/run/task/init.pid", "/var/run/task/init.pid"] {
            let proven = host.prove(file).unwrap();
            assert_eq!((proven.pid, proven.engine_pid, proven.start_ticks), (150, None, 4711));
            assert_eq!(proven.cgroup_path, format!("/kubepods/pod1/{A}"));
            assert!(proven.cgroup_line().is_v2());
        }
    }

    #[test]
    fn only_v1_may_name_the_container() {
        let host = Host::new();
        host.process(150, 'S', 1, &format!("4:memory:/k8s.io/{A}\n0::/\n"));
        assert_eq!(prove(&host.proc(), 150, A).unwrap().controllers, "memory");
    }

    #[test]
    fn trap_a_stale_file_and_a_pid_of_another_are_refused() {
        let host = Host::new();
        host.write("init.pid", "150");
        assert_eq!(host.prove("init.pid"), Err(Refusal::NoProcess(150)));
        let within = format!("0::/k8s.io/{A}/docker/{B}\n");
        let monitor = format!("0::/kubepods/pod1/crio-conmon-{A}\n");
        for cgroup in [of(B), "0::/system.slice/sshd.service\n".into(), String::new(), within, monitor] {
            host.process(150, 'S', 4711, &cgroup);
            assert_eq!(host.prove("init.pid"), Err(Refusal::ForeignCgroup(150)), "{cgroup}");
        }
        // In Kata, the process is the virtual machine's monitor.
        host.process(150, 'S', 4711, &format!("0::/kubepods/pod1/kata_{A}\n"));
        assert_eq!(host.prove("init.pid"), Err(Refusal::ForeignCgroup(150)));
        host.process(150, 'Z', 4711, &of(A));
        assert_eq!(host.prove("init.pid"), Err(Refusal::Ended(150)));
    }

    #[test]
    fn what_is_no_pid_file_is_refused_by_name() {
        let host = Host::new();
        let not = |text: &str| {
            host.write("f", text);
            match host.prove("/f") {
                Err(Refusal::NotAPid(what)) => what,
                other => panic!("{text:?}: {other:?}"),
            }
        };
        assert_eq!(not(""), "empty");
        assert_eq!(not("-1"), "\"-1\" is no pid");
        assert_eq!(not("0"), "0 is no pid");
        assert_eq!(not("99999999999"), "99999999999 is no pid");
        assert_eq!(not("12 13"), "\"12 13\" is no pid");
        assert_eq!(not(&"1".repeat(33)), "longer than 32 bytes");
        assert_eq!(not("\u{1b}[2J"), "\"\\u{1b}[2J\" is no pid", "no escape reaches a terminal");
        assert_eq!(host.prove("/nothing"), Err(Refusal::NoFile));
        assert_eq!(host.prove("/f/g"), Err(Refusal::NoFile));
        fs::create_dir(host.0.path().join("dir")).unwrap();
        assert_eq!(host.prove("/dir"), Err(Refusal::NotAPid("a folder".into())));
        symlink("loop", host.0.path().join("loop")).unwrap();
        assert!(matches!(host.prove("/loop"), Err(Refusal::NotAPid(_))));
    }

    #[test]
    fn a_pid_of_a_nested_namespace_is_translated() {
        let host = Host::new();
        host.process(151, 'S', 1, &of(A));
        host.write("proc/151/status", "NSpid:\t151\t9\n");
        host.write("f", "9");
        let view = PidView::Nested { depth: 1 };
        let proven = prove_file(&host.proc(), view, &host.root(), Path::new("f"), A).unwrap();
        assert_eq!((proven.pid, proven.engine_pid), (151, Some(9)));
        let foreign = prove_file(&host.proc(), view, &host.root(), Path::new("f"), B);
        assert_eq!(foreign, Err(Refusal::NoProcess(9)));
    }
}
