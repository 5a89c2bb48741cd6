//! What the host shows of a container's process beside /proc/PID: its cgroup and its pid file.

mod cgroups;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

pub use cgroups::Cgroups;

pub struct Host {
    cgroups: Option<Cgroups>,
    /// containerd's `state`, our own folder: made at start, removed at the end.
    state: PathBuf,
}

impl Host {
    pub fn new(cgroups: Option<Cgroups>, state: PathBuf) -> io::Result<Self> {
        fs::create_dir_all(&state)?;
        Ok(Host { cgroups, state })
    }

    /// What a verbose Status tells as stateDir: the CRI plugin's folder below containerd's state.
    pub fn state_dir(&self) -> PathBuf {
        self.state.join("io.containerd.grpc.v1.cri")
    }

    pub fn cgroups(&self) -> Option<&Cgroups> {
        self.cgroups.as_ref()
    }

    /// Neither a missing cgroup nor a missing pid file keeps a container from running; both are said on stderr.
    pub fn place(&self, id: &str, cgroup: &str, pid: u32) {
        if let Some(cgroups) = &self.cgroups {
            warn(cgroups.add(cgroup, pid), || {
                format!("cannot put pid {pid} into the cgroup {cgroup}")
            });
        }
        let bundle = self.bundle(id);
        let written = fs::create_dir_all(&bundle).and_then(|()| fs::write(bundle.join("init.pid"), pid.to_string()));
        warn(written, || format!("cannot write the pid file in {}", bundle.display()));
    }

    pub fn clear(&self, id: &str, cgroup: &str) {
        if let Some(cgroups) = &self.cgroups {
            cgroups.remove(cgroup);
        }
        let bundle = self.bundle(id);
        warn(fs::remove_dir_all(&bundle), || {
            format!("cannot remove {}", bundle.display())
        });
    }

    /// After the last process.
    pub fn clean_up(&self) {
        if let Some(cgroups) = &self.cgroups {
            warn(cgroups.remove_all(), || {
                format!("cannot remove the cgroups below {}", cgroups.folder().display())
            });
        }
        warn(fs::remove_dir_all(&self.state), || {
            format!("cannot remove {}", self.state.display())
        });
    }

    fn bundle(&self, id: &str) -> PathBuf {
        self.state
            .join("io.containerd.runtime.v2.task/k8s.io")
            .join(Path::new(id))
    }
}

fn warn(result: io::Result<()>, what: impl Fn() -> String) {
    if let Err(e) = result {
        eprintln!("cri-sim: {}: {e}", what());
    }
}
