//! One containerd of one version, with root, state and socket of its own, so that many run side by side.

use std::fs::{self, File};
use std::io;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use super::lab::{Lab, Package};
use super::pods::Pods;
use super::{leftovers, wait};

/// The image that containers of the tests run.
pub const IMAGE: &str = "localhost/busybox:latest";
const PAUSE: &str = "localhost/pause:latest";

/// A containerd. Dropped, it is gone with its pods, processes, mounts, cgroups and files; what a killed test program
/// left is removed when the next one starts an engine.
pub struct Containerd {
    package: Package,
    tools: PathBuf,
    process: Option<Child>,
    /// What starts it: a program and its arguments, which end in a command of their own.
    by: Vec<String>,
    dir: TempDir,
    /// Held while we run: so a later process knows an abandoned folder.
    _owner: File,
}

impl Containerd {
    /// Starts it, waits until it answers, and gives it the images.
    pub fn start(lab: &Lab, package: &Package) -> Result<Containerd, String> {
        Self::start_by(lab, package, Vec::new())
    }

    /// The same, where its processes see other mounts and have other pids, and its socket has a well-known path.
    pub fn start_in_namespaces(lab: &Lab, package: &Package) -> Result<Containerd, String> {
        let script = "mount -t proc proc /proc && mount -t tmpfs none /run && mkdir -p /run/containerd && \
                      ln -s \"${1%/*}/containerd.sock\" /run/containerd/containerd.sock && \
                      config=$1 && shift && exec \"$@\" --config \"$config\"";
        let words = ["unshare", "-m", "-p", "-f", "--kill-child", "sh", "-c", script, "sh"];
        Self::start_by(lab, package, words.map(str::to_owned).into())
    }

    /// The same, where mounts below its folder are passed on to containers that mount the folder, as on a node with systemd.
    pub fn start_with_shared_folder(lab: &Lab, package: &Package) -> Result<Containerd, String> {
        let script = "dir=${1%/*} && { grep -q \" $dir \" /proc/self/mountinfo || \
                      { mount --bind \"$dir\" \"$dir\" && mount --make-shared \"$dir\"; }; } && \
                      config=$1 && shift && exec \"$@\" --config \"$config\"";
        Self::start_by(lab, package, ["sh", "-c", script, "sh"].map(str::to_owned).into())
    }

    fn start_by(lab: &Lab, package: &Package, by: Vec<String>) -> Result<Containerd, String> {
        remove_abandoned();
        let dir = tempfile::Builder::new().prefix(leftovers::PREFIX).tempdir().map_err(|error| error.to_string())?;
        let owner = claim(dir.path()).map_err(|error| format!("{}: {error}", dir.path().display()))?;
        let mut engine =
            Containerd { package: package.clone(), tools: lab.tools.clone(), process: None, by, dir, _owner: owner };
        fs::write(engine.path("config.toml"), engine.config()).map_err(|error| format!("config.toml: {error}"))?;
        engine.start_again()?;
        engine.import(&lab.image)?;
        Ok(engine)
    }

    /// Starts it after its end, and waits until it answers.
    pub fn start_again(&mut self) -> Result<(), String> {
        assert!(self.process.is_none(), "containerd {} runs already", self.package.version);
        let log = File::options().create(true).append(true).open(self.path("containerd.log"));
        let log = log.map_err(|error| format!("containerd.log: {error}"))?;
        let (program, config) = (self.package.dir.join("usr/bin/containerd"), self.path("config.toml"));
        let mut command = match self.by.split_first() {
            None => Command::new(program),
            Some((first, rest)) => {
                let mut command = Command::new(first);
                command.args(rest).arg(&config).arg(program);
                command
            }
        };
        if self.by.is_empty() {
            command.arg("--config").arg(config);
        }
        command.env("PATH", self.search_path());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        self.process = Some(command.spawn().map_err(|error| format!("{command:?}: {error}"))?);
        self.wait_until_it_answers()
    }

    fn wait_until_it_answers(&mut self) -> Result<(), String> {
        let pods = self.pods()?;
        wait::until("containerd to answer", wait::PATIENCE, || {
            // Version answers early; a list does once the containers of an earlier run are recovered.
            pods.version().and_then(|_| pods.sandboxes()).map_err(|error| error.to_string())
        })
        .map(drop)
        .map_err(|error| format!("{error}\n{}", self.log_tail()))
    }

    /// Imports the images of an archive; returns when CRI knows the tests' own.
    pub fn import(&self, image: &Path) -> Result<(), String> {
        let mut command = Command::new(self.package.dir.join("usr/bin/ctr"));
        command.arg("--address").arg(self.socket()).args(["--namespace", "k8s.io", "images", "import"]).arg(image);
        let output = command.env("PATH", self.search_path()).output().map_err(|error| format!("ctr: {error}"))?;
        if !output.status.success() {
            return Err(format!("ctr images import: {}", String::from_utf8_lossy(&output.stderr)));
        }
        let pods = self.pods()?;
        wait::until("the images to be known to CRI", wait::PATIENCE, || {
            for name in [PAUSE, IMAGE] {
                if !pods.has_image(name).map_err(|error| error.to_string())? {
                    return Err(format!("{name} is not there"));
                }
            }
            Ok(())
        })
    }

    /// A driver for pods on this engine.
    pub fn pods(&self) -> Result<Pods, String> {
        let pods = Pods::connect(&self.endpoint(), IMAGE, self.dir())?;
        Ok(pods.with_cgroup_parent(&leftovers::cgroup_parent(self.dir())))
    }

    /// Where it is reached: `unix:///...`.
    pub fn endpoint(&self) -> String {
        format!("unix://{}", self.socket().display())
    }

    /// Its socket.
    pub fn socket(&self) -> PathBuf {
        self.path("containerd.sock")
    }

    /// The folder with everything it has.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Whether each subscriber gets every event. containerd 1.6 has no events, and the subscribers of 1.7 compete for them.
    pub fn sends_all_events_to_each(&self) -> bool {
        self.package.line == "2"
    }

    /// What it is.
    pub fn package(&self) -> &Package {
        &self.package
    }

    /// Its process, while it runs.
    pub fn pid(&self) -> Option<i32> {
        self.process.as_ref().map(|process| process.id() as i32)
    }

    /// Asks it to end, and waits for that. Its containers go on running.
    pub fn terminate(&mut self) -> io::Result<ExitStatus> {
        self.end_by(libc::SIGTERM)
    }

    /// Ends it without a chance to clean up. Its containers go on running.
    pub fn kill(&mut self) -> io::Result<ExitStatus> {
        self.end_by(libc::SIGKILL)
    }

    /// Stops it in its tracks: its socket accepts, nothing answers.
    pub fn freeze(&self) -> io::Result<()> {
        self.signal(libc::SIGSTOP)
    }

    /// Lets it go on after `freeze`.
    pub fn thaw(&self) -> io::Result<()> {
        self.signal(libc::SIGCONT)
    }

    /// The end of its log.
    pub fn log_tail(&self) -> String {
        let log = fs::read(self.path("containerd.log")).unwrap_or_default();
        let text = String::from_utf8_lossy(&log[log.len().saturating_sub(8 * 1024)..]).into_owned();
        let lines: Vec<&str> = text.lines().collect();
        let tail = &lines[lines.len().saturating_sub(15)..];
        format!("--- log of containerd {}\n{}", self.package.version, tail.join("\n"))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// containerd finds its shim, and the shim runc, by PATH.
    fn search_path(&self) -> String {
        let path = std::env::var("PATH").unwrap_or_default();
        format!("{}:{}:{path}", self.package.dir.join("usr/bin").display(), self.tools.display())
    }

    fn signal(&self, signal: i32) -> io::Result<()> {
        let pid = self.pid().ok_or_else(|| io::Error::other("containerd does not run"))?;
        // SAFETY: kill takes plain numbers; the pid is a child's that was not waited for, so it is still its own.
        if unsafe { libc::kill(pid, signal) } == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    }

    fn end_by(&mut self, signal: i32) -> io::Result<ExitStatus> {
        self.signal(signal)?;
        self.process.take().expect("it was just signalled").wait()
    }

    fn config(&self) -> String {
        let dir = self.dir.path().display();
        // Its own mounts under a folder that is itself an overlay would be refused.
        let snapshotter = if is_overlay(self.dir.path()) { "native" } else { "overlayfs" };
        let template = if self.package.line.starts_with("1.") { CONFIG_1 } else { CONFIG_2 };
        template
            .replace("{dir}", &dir.to_string())
            .replace("{tools}", &self.tools.display().to_string())
            .replace("{snapshotter}", snapshotter)
            .replace("{pause}", PAUSE)
    }

    /// Pods are removed by the engine as long as it can; the rest is ended by pid.
    fn remove_pods(&mut self) -> Result<(), String> {
        if self.process.as_mut().is_none_or(|process| !matches!(process.try_wait(), Ok(None))) {
            return Ok(());
        }
        self.thaw().map_err(|error| error.to_string())?;
        let pods = self.pods()?;
        for sandbox in pods.sandboxes().map_err(|error| error.to_string())? {
            pods.remove_pod(&sandbox.id).map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    fn end_process(&mut self) -> Result<(), String> {
        let Some(mut process) = self.process.take() else {
            return Ok(());
        };
        // SAFETY: as in `signal`.
        unsafe { libc::kill(process.id() as i32, libc::SIGTERM) };
        let ended = wait::for_condition("containerd to end", Duration::from_secs(10), || {
            !matches!(process.try_wait(), Ok(None))
        });
        if ended.is_err() {
            process.kill().and_then(|()| process.wait()).map_err(|error| format!("kill containerd: {error}"))?;
        }
        Ok(())
    }
}

impl Drop for Containerd {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.log_tail());
        }
        // Each step is tried whatever became of the one before: the last ones end what the first ones could not.
        let steps = [self.remove_pods(), self.end_process(), leftovers::remove(self.dir.path())];
        for error in steps.into_iter().filter_map(Result::err) {
            eprintln!("containerd {} left something behind: {error}", self.package.version);
        }
    }
}

/// Removes the folders, processes and mounts of engines whose test program was killed.
fn remove_abandoned() {
    let entries = fs::read_dir(std::env::temp_dir()).into_iter().flatten().flatten();
    for dir in entries.map(|entry| entry.path()) {
        let is_ours = dir.file_name().is_some_and(|name| name.to_string_lossy().starts_with(leftovers::PREFIX));
        if !is_ours {
            continue;
        }
        // A folder without this file is being made at this moment; a locked one is in use.
        let Ok(_owner) = lock(&dir.join("owner")) else {
            continue;
        };
        let removed =
            leftovers::remove(&dir).and_then(|()| fs::remove_dir_all(&dir).map_err(|error| error.to_string()));
        if let Err(error) = removed {
            eprintln!("the abandoned {} could not be removed: {error}", dir.display());
        }
    }
}

/// Makes a folder ours. Its owner file appears when it is locked already, so that nobody takes it for abandoned.
fn claim(dir: &Path) -> io::Result<File> {
    File::create(dir.join("owner.new"))?;
    let owner = lock(&dir.join("owner.new"))?;
    fs::rename(dir.join("owner.new"), dir.join("owner"))?;
    Ok(owner)
}

fn lock(path: &Path) -> io::Result<File> {
    let file = File::options().write(true).open(path)?;
    // SAFETY: the descriptor is open.
    if unsafe { libc::flock(file.as_raw_fd(), libc::LOCK_EX | libc::LOCK_NB) } == 0 {
        Ok(file)
    } else {
        Err(io::Error::last_os_error())
    }
}

fn is_overlay(path: &Path) -> bool {
    let path = std::ffi::CString::new(path.as_os_str().as_encoded_bytes()).expect("a path has no NUL");
    // SAFETY: statfs is plain data, for which zeros are a value; the path outlives the call.
    let mut found: libc::statfs = unsafe { std::mem::zeroed() };
    // SAFETY: both pointers are good for the call.
    unsafe { libc::statfs(path.as_ptr(), &mut found) == 0 && found.f_type == libc::OVERLAYFS_SUPER_MAGIC }
}

/// For 1.6 and 1.7. `restrict_oom_score_adj`: lowering it needs CAP_SYS_RESOURCE, which containers often lack.
/// The disabled plugins, CNI, and runc's root would otherwise touch the system's own folders.
const CONFIG_1: &str = r#"version = 2
root = "{dir}/root"
state = "{dir}/state"
disabled_plugins = ["io.containerd.internal.v1.opt", "io.containerd.nri.v1.nri"]

[grpc]
  address = "{dir}/containerd.sock"

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{pause}"
  restrict_oom_score_adj = true
  disable_apparmor = true

[plugins."io.containerd.grpc.v1.cri".cni]
  conf_dir = "{dir}/cni"

[plugins."io.containerd.grpc.v1.cri".containerd]
  snapshotter = "{snapshotter}"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
  BinaryName = "{tools}/runc"
  Root = "{dir}/runc"
"#;

/// The same for 2.x. As on most nodes, its state folder is that of its socket: see `Folders::likely`.
const CONFIG_2: &str = r#"version = 3
root = "{dir}/root"
state = "{dir}"
disabled_plugins = ["io.containerd.internal.v1.opt", "io.containerd.nri.v1.nri"]

[grpc]
  address = "{dir}/containerd.sock"

[plugins."io.containerd.cri.v1.images"]
  snapshotter = "{snapshotter}"

[plugins."io.containerd.cri.v1.images".pinned_images]
  sandbox = "{pause}"

[plugins."io.containerd.cri.v1.runtime"]
  restrict_oom_score_adj = true
  disable_apparmor = true

[plugins."io.containerd.cri.v1.runtime".cni]
  conf_dir = "{dir}/cni"

[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"

[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc.options]
  BinaryName = "{tools}/runc"
  Root = "{dir}/runc"
"#;
