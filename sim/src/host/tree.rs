//! A fake /proc for fake processes, so that clients can read a node of 10,000 containers like a real one.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

pub struct FakeTree {
    proc: PathBuf,
    engine: u32,
}

const NAMESPACES: &[&str] = &["cgroup", "ipc", "mnt", "net", "pid", "user", "uts"];

impl FakeTree {
    /// Makes `DIR/proc` with the engine itself, and with `self` for the reader's own namespaces.
    pub fn new(dir: &Path) -> io::Result<FakeTree> {
        let proc = dir.join("proc");
        fs::create_dir_all(dir)?;
        fs::create_dir(&proc)?;
        let engine = std::process::id();
        let tree = FakeTree { proc, engine };
        tree.add_files(engine, "/system.slice/cri-sim.service")?;
        let folder = tree.folder(engine);
        fs::create_dir(folder.join("ns"))?;
        for (at, name) in NAMESPACES.iter().enumerate() {
            symlink(format!("{name}:[{}]", 4_026_531_834 + at as u64), folder.join("ns").join(name))?;
        }
        // The state folder is real, so the engine's root is the machine's.
        symlink("/", folder.join("root"))?;
        symlink(engine.to_string(), tree.proc.join("self"))?;
        Ok(tree)
    }

    fn folder(&self, pid: u32) -> PathBuf {
        self.proc.join(pid.to_string())
    }

    /// All processes are in the engine's namespaces: one link for each process, because there are many.
    pub fn add(&self, pid: u32, cgroup: &str) -> io::Result<()> {
        self.add_files(pid, cgroup)?;
        symlink(format!("../{}/ns", self.engine), self.folder(pid).join("ns"))
    }

    /// Writes a process. Its start time is computed from its pid.
    fn add_files(&self, pid: u32, cgroup: &str) -> io::Result<()> {
        let folder = self.folder(pid);
        fs::create_dir(&folder)?;
        let ticks = 100 + u64::from(pid);
        let before = format!("{pid} (server) S 1 {pid} {pid} 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0");
        fs::write(folder.join("stat"), format!("{before} {ticks} {}\n", "0 ".repeat(30)))?;
        fs::write(folder.join("status"), format!("Name:\tserver\nPid:\t{pid}\nPPid:\t1\nNSpid:\t{pid}\n"))?;
        fs::write(folder.join("cgroup"), format!("0::{cgroup}\n"))
    }

    pub fn remove(&self, pid: u32) -> io::Result<()> {
        fs::remove_dir_all(self.folder(pid))
    }

    pub fn remove_all(&self) -> io::Result<()> {
        fs::remove_dir_all(&self.proc)
    }
}
