//! Gets from a pid that the engine reports, or that is in its pid file, to the process on the host.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use tokio::sync::Mutex;

use super::client::Client;
use super::info::Info;
use super::traces::bundle::image_name;
use super::traces::folders::Folders;
use crate::config::{Config, PidSource};
use crate::host::below::Root;
use crate::host::cgroup::{Cgroups, id_of};
use crate::host::cgroup_name::{CgroupName, Line, naming};
use crate::host::namespace::{NamespaceKind, NamespaceNumbers};
use crate::host::proven::prove_file;
use crate::host::{PidView, Proc, Refusal};
use crate::model::{Details, Id, Namespaces};

/// How long to wait for the engine's folders. If it is too busy to answer, it is asked again later.
const FOLDERS_PATIENCE: Duration = Duration::from_secs(2);
const ASK_AGAIN: Duration = Duration::from_secs(30);

/// Finds containers' processes, and checks the engine's pids against the host.
#[derive(Debug)]
pub struct PidResolver {
    proc: Proc,
    view: PidView,
    source: PidSource,
    /// cgroup v2 in its usual place, which is found without the table of mounts.
    usual_v2: OnceLock<Option<Cgroups>>,
    /// All cgroup file systems. They are read when first needed, because the table of mounts is long where many
    /// containers run.
    cgroups: OnceLock<Option<Cgroups>>,
    host_root: PathBuf,
    /// The root below which the engine's paths are read.
    engine_root: PathBuf,
    folders: Mutex<Answer>,
    /// Folders with containers beside the engine's socket.
    assumed: OnceLock<Arc<Folders>>,
}

/// What to look for in the engine's folders.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The container whose process is wanted.
    pub id: Id,
    /// Whether the image's name is wanted, too, because no statement of the engine has a good one.
    pub image_name: bool,
}

/// What the engine has reported about its folders.
#[derive(Debug, Clone)]
enum Answer {
    /// Nothing. At this time, if any, the engine was last asked in vain.
    Nothing(Option<Instant>),
    Folders(Option<Arc<Folders>>),
}

impl PidResolver {
    /// A resolver for the engine with this pid (`None`: unknown).
    pub fn new(config: &Config, engine_pid: Option<i32>) -> Self {
        let root = &config.host_root;
        let proc = Proc::new(root);
        let view = proc.pid_view(engine_pid);
        PidResolver {
            proc,
            view,
            source: config.pid_source,
            usual_v2: OnceLock::new(),
            cgroups: OnceLock::new(),
            host_root: root.clone(),
            engine_root: engine_root(root, engine_pid),
            folders: Mutex::new(Answer::Nothing(None)),
            assumed: OnceLock::new(),
        }
    }

    /// Uses these folders until the engine has named its own: there are containers in them.
    pub fn assume(&self, folders: Arc<Folders>) {
        // One connection has one such search, so that nothing is set twice.
        let _ = self.assumed.set(folders);
    }

    /// Where the engine's pid files are. It is asked, with one verbose `Status` for each connection, unless folders are
    /// assumed. `None`: no folders are known.
    ///
    /// Errors are not kept: an engine that is busy is asked again, half a minute later.
    pub async fn folders(&self, client: &Client) -> Option<Arc<Folders>> {
        let mut answer = self.folders.lock().await;
        match (&*answer, self.assumed.get()) {
            (Answer::Folders(folders), _) => folders.clone(),
            (Answer::Nothing(_), Some(assumed)) => Some(assumed.clone()),
            (Answer::Nothing(Some(at)), None) if at.elapsed() < ASK_AGAIN => None,
            (Answer::Nothing(_), None) => Self::ask(&mut answer, client).await,
        }
    }

    /// The folders that the engine names, even if others are assumed. If it does not answer, those stay.
    pub async fn named_folders(&self, client: &Client) -> Option<Arc<Folders>> {
        let mut answer = self.folders.lock().await;
        if let Answer::Nothing(_) = &*answer {
            Self::ask(&mut answer, client).await;
        }
        match &*answer {
            Answer::Folders(folders) => folders.clone(),
            Answer::Nothing(_) => self.assumed.get().cloned(),
        }
    }

    async fn ask(answer: &mut Answer, client: &Client) -> Option<Arc<Folders>> {
        match client.runtime_info(FOLDERS_PATIENCE).await {
            Ok(info) => {
                let folders = Folders::parse(client.version(), &info).map(Arc::new);
                *answer = Answer::Folders(folders.clone());
                folders
            }
            Err(_) => {
                *answer = Answer::Nothing(Some(Instant::now()));
                None
            }
        }
    }

    /// Whether this engine's pid files are worth a look, as far as is known when a connection is made.
    pub fn reads_files_of(&self, client: &Client) -> bool {
        self.reads_files() && Folders::may_exist(client.version())
    }

    /// The root below which the engine's paths are read.
    pub(super) fn engine_root(&self) -> &Path {
        &self.engine_root
    }

    /// Whether the engine's process is in our /proc. Then its containers' processes are there, too.
    pub(super) fn sees_engine(&self) -> bool {
        self.view != PidView::Unknown
    }

    /// Whether pid files are used.
    pub fn reads_files(&self) -> bool {
        self.source == PidSource::Auto
    }

    /// Finds containers' processes by their pid files, proven by the host; the results are in the same order. It takes
    /// 36 us each, and 40 us for the name of an image.
    pub(super) fn find_in_files(&self, folders: &Folders, wanted: &[Wanted]) -> Vec<Result<Details, Refusal>> {
        match Root::open(&self.engine_root) {
            Ok(root) => wanted.iter().map(|it| self.find_in_files_below(&root, folders, it)).collect(),
            Err(error) => vec![Err(Refusal::of_file(&self.engine_root, &error)); wanted.len()],
        }
    }

    fn find_in_files_below(&self, root: &Root, folders: &Folders, wanted: &Wanted) -> Result<Details, Refusal> {
        let id = &wanted.id;
        let mut refusal = Refusal::NoFile;
        for file in folders.pid_files(id) {
            match prove_file(&self.proc, self.view, root, &file, id) {
                Ok(proven) => {
                    let made = Details {
                        pid: Some(proven.pid),
                        pid_start_ticks: Some(proven.start_ticks),
                        engine_pid: proven.engine_pid,
                        namespaces: namespaces(proven.namespaces),
                        image_name: wanted.image_name.then(|| image_name(folders, root, id)).flatten(),
                        ..Details::default()
                    };
                    return Ok(self.with_cgroup(made, proven.cgroup_line()));
                }
                Err(Refusal::NoFile) => {}
                Err(other) => refusal = other,
            }
        }
        Err(refusal)
    }

    /// What a verbose reply says about the process of `id`. `running` is the state in that reply: CRI-O also names a
    /// pid for a container that is not started yet, and an old pid for one that has exited.
    pub(super) fn details(&self, id: &str, info: &Info, running: bool) -> Details {
        let made = Details { spec: info.given.then(|| info.spec.clone().into()), ..Details::default() };
        if !running {
            return made;
        }
        let Some(said) = info.pid else {
            // It is no use to ask again: this engine gives no pid here. (A pid of 0 may still become a pid.)
            return Details { no_pid: !info.names_pid, ..made };
        };
        if self.source == PidSource::Engine {
            return Details { pid: Some(said), ..made };
        }
        let pid = match self.proc.translate(self.view, said, id) {
            Ok(Some(pid)) => pid,
            Ok(None) => return Details { engine_pid: Some(said), ..made },
            // The search itself failed, which proves nothing: keep what is known.
            Err(_) => return made,
        };
        let start = match self.proc.stat(pid) {
            // A zombie has no namespaces left, and its pid is of no use.
            Ok(stat) if stat.has_ended() => return Details { engine_pid: Some(said), ..made },
            Ok(stat) => Some(stat.start_ticks),
            // A missing process has just ended. The kernel may give its pid to another one at any moment.
            Err(error) if is_absence(&error) => return Details { engine_pid: Some(said), ..made },
            // The process could not be read (no descriptor was left), which proves nothing: keep the engine's pid.
            Err(_) => None,
        };
        let made = Details {
            pid: Some(pid),
            pid_start_ticks: start,
            engine_pid: (pid != said).then_some(said),
            namespaces: self.namespaces(pid),
            ..made
        };
        let text = self.proc.cgroup(pid).unwrap_or_default();
        match naming(&text, id) {
            Some(named) => self.with_cgroup(made, Line { path: CgroupName::new(named.path), ..named.line }),
            None => made,
        }
    }

    /// The cgroup file systems. Without them, paths stay as the kernel shows them, if they are paths.
    fn cgroups(&self) -> Option<&Cgroups> {
        self.cgroups.get_or_init(|| Cgroups::read(&self.host_root).ok()).as_ref()
    }

    /// The file systems for lines of cgroup v2.
    fn v2(&self) -> Option<&Cgroups> {
        let usual = self.usual_v2.get_or_init(|| Cgroups::usual_v2(&self.host_root));
        usual.as_ref().or_else(|| self.cgroups())
    }

    /// Adds the container's cgroup: its path in the file system that this line of /proc/PID/cgroup means, and its id,
    /// which only v2 has.
    fn with_cgroup(&self, made: Details, line: Line<'_>) -> Details {
        let cgroups = if line.is_v2() { self.v2() } else { self.cgroups() };
        let placed = cgroups.and_then(|cgroups| cgroups.place(&line).ok());
        let id = placed.as_ref().filter(|_| line.is_v2()).and_then(|place| id_of(&place.dir).ok());
        // If the hierarchy is not mounted below host.root, the path stays as the kernel shows it, unless it is outside
        // of our view.
        let path = match placed {
            Some(place) => Some(place.path),
            None => (!line.path.is_outside()).then(|| line.path.path().to_owned()),
        };
        Details { cgroup_path: path.map(Arc::from), cgroup_id: id, ..made }
    }

    /// Which of these processes no longer exist. Lets other tasks on this thread run in between.
    pub async fn gone(&self, processes: Vec<(Id, i32, u64)>) -> Vec<(Id, i32, u64)> {
        const BATCH: usize = 128;
        let mut gone = Vec::new();
        for batch in processes.chunks(BATCH) {
            gone.extend(batch.iter().filter(|(_, pid, start)| self.is_gone(*pid, *start)).cloned());
            tokio::task::yield_now().await;
        }
        gone
    }

    /// Whether the process that began then is known to have ended. A zombie counts, because a shim that hangs leaves
    /// one, and then the engine never learns of the end. A process that cannot be read may still exist.
    fn is_gone(&self, pid: i32, start: u64) -> bool {
        match self.proc.stat(pid) {
            Ok(stat) => stat.start_ticks != start || stat.has_ended(),
            Err(error) => is_absence(&error),
        }
    }

    /// The namespaces of a process, as far as they may be read.
    pub fn namespaces(&self, pid: i32) -> Namespaces {
        namespaces(self.proc.namespaces(pid))
    }
}

fn namespaces(numbers: NamespaceNumbers) -> Namespaces {
    use NamespaceKind::{Cgroup, Ipc, Mount, Net, Pid, User, Uts};
    let of = |kind| numbers.get(kind).unwrap_or_default();
    let mut all = Namespaces::default();
    (all.net, all.mnt, all.pid, all.ipc) = (of(Net), of(Mount), of(Pid), of(Ipc));
    (all.uts, all.user, all.cgroup) = (of(Uts), of(User), of(Cgroup));
    all
}

/// The engine's own root directory, if we may use it; otherwise the host's.
fn engine_root(host_root: &Path, engine_pid: Option<i32>) -> PathBuf {
    let of_process = engine_pid.map(|pid| host_root.join(format!("proc/{pid}/root")));
    of_process.filter(|root| root.join(".").is_dir()).unwrap_or_else(|| host_root.to_owned())
}

/// Whether an error of reading a process's file means that the process does not exist.
fn is_absence(error: &std::io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::ENOENT | libc::ESRCH))
}

#[cfg(test)]
pub(super) mod tests;
