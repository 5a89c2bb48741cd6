//! What the host's traces of an engine become: hints. From the engine's folders, and from cgroups where those are not to be seen.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use criwatch::config::Config;
use criwatch::cri::{Folders, Hint, PidResolver, Version, Witness};
use criwatch::host::cgroup::CgroupMount;

use super::marks::{marked, mount};
use super::{Made, Outcome, Test, inside, skip};

pub const TESTS: &[Test] = &[
    ("traces::trap_a_pid_file_is_there_when_it_has_its_name", pid_file),
    ("traces::what_is_there_before_the_first_list_becomes_hints", look_around),
    ("traces::the_folders_beside_the_socket_are_searched_before_the_engine_names_its_own", look_ahead),
    ("traces::trap_an_exit_file_is_read_before_the_engine_removes_it", exit_file),
    ("traces::what_lies_above_an_engines_folder_is_not_its_own", above),
    ("traces::without_folders_a_mark_reports_containers", fall_back_to_marks),
    ("traces::without_the_right_to_mark_the_folders_of_pods_tell", fall_back_to_inotify),
    ("traces::without_cgroups_there_is_nothing", fall_back_to_nothing),
];

pub const INSIDE: &[Test] = &[("no_right_to_mark", inside_fall_back_to_inotify)];

fn version(name: &str) -> Version {
    let mut version = Version::default();
    version.runtime_name = name.into();
    version
}

/// The folders of an engine with this configuration.
fn folders(name: &str, config: &str) -> Result<Folders, Box<dyn std::error::Error>> {
    let info = HashMap::from([("config".to_owned(), config.to_owned())]);
    Folders::parse(&version(name), &info).ok_or_else(|| "it has no folders".into())
}

/// The folders of a containerd with this state folder.
fn containerd(state: &Path) -> Result<Folders, Box<dyn std::error::Error>> {
    folders("containerd", &format!(r#"{{"stateDir":"{}/io.containerd.grpc.v1.cri"}}"#, state.display()))
}

/// Makes a container's folder in containerd's state folder, with the pid in it.
fn make_task(state: &Path, name: &str, pid: i32) -> std::io::Result<()> {
    let task = state.join("io.containerd.runtime.v2.task/k8s.io").join(name);
    fs::create_dir_all(&task)?;
    fs::write(task.join("init.pid"), pid.to_string())
}

/// A watcher's witness, and the hints of it.
struct Watching {
    witness: Witness,
    pids: Arc<PidResolver>,
    runtime: tokio::runtime::Runtime,
    /// All hints so far.
    hints: Vec<Hint>,
}

impl Watching {
    /// It sees these folders of an engine, or none.
    fn of(root: &Path, folders: Option<Folders>) -> Result<Self, Box<dyn std::error::Error>> {
        let mut watching = Watching::of_nothing(root)?;
        watching.watch(folders);
        Ok(watching)
    }

    /// No engine has named its folders yet.
    fn of_nothing(root: &Path) -> Result<Self, Box<dyn std::error::Error>> {
        let mut config = Config::default();
        config.set("host.root", root.to_str().ok_or("a path in UTF-8")?)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (witness, pids) = (Witness::new(&config), Arc::new(PidResolver::new(&config, None)));
        Ok(Watching { witness, pids, runtime, hints: Vec::new() })
    }

    fn watch(&mut self, folders: Option<Folders>) {
        let _guard = self.runtime.enter();
        self.witness.watch_folders(&self.pids, folders.map(Arc::new));
    }

    fn used(&self) -> Vec<&'static str> {
        self.witness.means().used
    }

    /// Takes hints until there is such a one.
    fn wait_until(&mut self, what: &str, is_it: impl Fn(&Hint) -> bool) -> Outcome {
        const PATIENCE: Duration = Duration::from_secs(20);
        let Watching { witness, runtime, hints, .. } = self;
        let come = async {
            while !hints.iter().any(&is_it) {
                hints.extend(witness.next().await);
            }
        };
        let come = runtime.block_on(async { tokio::time::timeout(PATIENCE, come).await });
        come.map_err(|_| format!("{what} did not come: {hints:?}").into())
    }

    /// The same, and drops all that came until then.
    fn wait_for(&mut self, wanted: &Hint) -> Outcome {
        self.wait_until(&format!("{wanted:?}"), |hint| hint == wanted)?;
        self.hints.clear();
        Ok(())
    }
}

fn id(n: u32) -> String {
    format!("{:064x}", u64::from(std::process::id()) << 8 | u64::from(n))
}

fn kubepods(mount: &CgroupMount) -> PathBuf {
    mount.dir.join(format!("criwatch_test_{}-kubepods.slice", std::process::id()))
}

fn fall_back_to_marks() -> Outcome {
    let mount = mount()?;
    drop(marked(&mount)?);
    let mut watching = Watching::of(Path::new("/"), None)?;
    assert_eq!(watching.used(), ["fanotify"]);
    let parent = Made::new(&mount, "anywhere")?;
    let container = Made::at(parent.dir.join(id(1)))?;
    watching.wait_for(&Hint::Created(id(1).into()))?;
    drop(container);
    watching.wait_for(&Hint::Gone(id(1).into()))?;
    // The engine's, its monitor's and a mount's: one of them is a container's.
    let _monitor = Made::at(parent.dir.join(format!("crio-conmon-{}.scope", id(2))))?;
    let _scope = Made::at(parent.dir.join(format!("crio-{}.scope", id(3))))?;
    watching.wait_until("the scope", |hint| *hint == Hint::Created(id(3).into()))?;
    assert!(!watching.hints.contains(&Hint::Created(id(2).into())), "{:?}", watching.hints);
    Ok(())
}

fn fall_back_to_inotify() -> Outcome {
    mount()?;
    inside("no_right_to_mark", &["setpriv", "--bounding-set=-sys_admin", "--inh-caps=-all"], &[])
}

fn inside_fall_back_to_inotify() -> Outcome {
    let mount = mount()?;
    let parent = Made::at(kubepods(&mount))?;
    let _before = Made::at(parent.dir.join(id(9)))?;
    let mut watching = Watching::of(Path::new("/"), None)?;
    let means = watching.witness.means();
    if means.used.contains(&"fanotify") {
        return Err(skip("CAP_SYS_ADMIN cannot be given up"));
    }
    assert_eq!(means.used, ["cgroups"], "{means:?}");
    assert!(means.lacks.iter().any(|(what, why)| *what == "fanotify" && why.contains("may not be read")), "{means:?}");
    // The name of a pod's folder is used again, although the kernel did not say that the first one went.
    for n in 0..3 {
        let pod = Made::at(parent.dir.join("pod0c5e2d6e-7c8f-4d5c-9a0b-1f2e3d4c5b6a"))?;
        let container = Made::at(pod.dir.join(id(n)))?;
        watching.wait_for(&Hint::Created(id(n).into()))?;
        drop(container);
        watching.wait_for(&Hint::Gone(id(n).into()))?;
        drop(pod);
    }
    Ok(())
}

fn fall_back_to_nothing() -> Outcome {
    let nowhere = tempfile::tempdir()?;
    let means = Watching::of(nowhere.path(), None)?.witness.means();
    assert!(means.used.is_empty(), "{means:?}");
    assert!(means.lacks.iter().any(|(what, why)| *what == "cgroups" && why.contains("host.root")), "{means:?}");
    Ok(())
}

/// As containerd makes it: beside its place first. A folder that goes gets a name with a dot before.
fn pid_file() -> Outcome {
    let mount = mount()?;
    let state = tempfile::tempdir()?;
    let tasks = state.path().join("io.containerd.runtime.v2.task/k8s.io");
    fs::create_dir_all(&tasks)?;
    let config = format!(r#"{{"stateDir":"{}/io.containerd.grpc.v1.cri"}}"#, state.path().display());
    let mut watching = Watching::of(Path::new("/"), Some(folders("containerd", &config)?))?;
    assert_eq!(watching.used(), ["folders", "pidFiles"]);
    // The first process of a new cgroup is the runtime's own: it is in no pid file.
    let mut made = Made::at(mount.dir.join(id(20)))?;
    made.enter()?;
    let mut other = Made::at(mount.dir.join(id(21)))?;
    let pid = std::mem::take(&mut made.child).ok_or("a child")?.id() as i32;
    let task = tasks.join(id(20));
    fs::create_dir(&task)?;
    watching.wait_for(&Hint::Created(id(20).into()))?;
    // Somebody else's pid under a name that is not yet the file's: never looked at.
    fs::write(task.join(".init.pid"), other.enter()?.to_string())?;
    fs::write(task.join(".init.pid"), pid.to_string())?;
    fs::rename(task.join(".init.pid"), task.join("init.pid"))?;
    watching.wait_until("the pid", |hint| matches!(hint, Hint::Pid(..)))?;
    let found: Vec<_> = watching.hints.drain(..).collect();
    let [Hint::Pid(of, details)] = &found[..] else { return Err(format!("{found:?}").into()) };
    assert_eq!((&**of, details.pid), (&*id(20), Some(pid)));
    fs::rename(&task, tasks.join(format!(".{}", id(20))))?;
    watching.wait_until("its end", |hint| *hint == Hint::Gone(id(20).into()))?;
    fs::remove_dir_all(tasks.join(format!(".{}", id(20))))?;
    fs::create_dir(tasks.join(id(22)))?;
    watching.wait_until("the next", |hint| *hint == Hint::Created(id(22).into()))?;
    assert_eq!(
        watching.hints,
        [Hint::Gone(id(20).into()), Hint::Created(id(22).into())],
        "names with a dot are no ids"
    );
    // SAFETY: plain numbers; the process is a child of this program, which waits for it.
    unsafe { libc::kill(pid, libc::SIGKILL) };
    let mut status = 0;
    // SAFETY: a number of ours is written.
    unsafe { libc::waitpid(pid, &raw mut status, 0) };
    Ok(())
}

/// Proven ones become hints; files of what is gone, or of other names, do not.
fn look_around() -> Outcome {
    let mount = mount()?;
    let state = tempfile::tempdir()?;
    let mut made = Made::at(mount.dir.join(id(50)))?;
    let pid = made.enter()?;
    for name in [&*id(50), &id(51), "not-an-id"] {
        make_task(state.path(), name, pid)?;
    }
    let mut watching = Watching::of(Path::new("/"), Some(containerd(state.path())?))?;
    watching.witness.look_around();
    watching.wait_until("the pid", |hint| matches!(hint, Hint::Pid(..)))?;
    let found: Vec<_> = watching.hints.drain(..).collect();
    let [Hint::Pid(of, details)] = &found[..] else { return Err(format!("{found:?}").into()) };
    assert_eq!((&**of, details.pid), (&*id(50), Some(pid)));
    watching.witness.look_no_more();
    make_task(state.path(), &id(52), pid)?;
    watching.wait_until("what is new", |hint| *hint == Hint::Created(id(52).into()))?;
    assert_eq!(watching.hints, [Hint::Created(id(52).into())], "the lists have the rest");
    made.end();
    Ok(())
}

/// What was found there stays, because it is proven. What the engine names is searched unless it is the same.
fn look_ahead() -> Outcome {
    let mount = mount()?;
    let (beside, other) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let mut made = Made::at(mount.dir.join(id(55)))?;
    let pid = made.enter()?;
    let likely = || Folders::likely(&beside.path().join("containerd.sock"));
    let mut watching = Watching::of_nothing(Path::new("/"))?;
    watching.witness.look_ahead(&watching.pids, likely());
    watching.watch(Some(containerd(beside.path())?));
    watching.witness.look_around();
    make_task(beside.path(), &id(55), pid)?;
    watching.wait_until("the pid, now that the folder is made", |hint| matches!(hint, Hint::Pid(..)))?;

    let mut watching = Watching::of_nothing(Path::new("/"))?;
    watching.witness.look_ahead(&watching.pids, likely());
    assert!(watching.witness.take_up_search(&version("containerd")).is_some());
    watching.wait_until("the pid", |hint| matches!(hint, Hint::Pid(..)))?;
    watching.watch(Some(containerd(beside.path())?));
    watching.witness.look_around();
    make_task(beside.path(), &id(56), pid)?;
    watching.wait_until("what is new", |hint| *hint == Hint::Created(id(56).into()))?;
    let pids = |of: &Watching| of.hints.iter().filter(|hint| matches!(hint, Hint::Pid(..))).count();
    assert_eq!(pids(&watching), 1, "{:?}: the same folder is not searched again", watching.hints);

    assert!(watching.witness.take_up_search(&version("cri-o")).is_none(), "CRI-O has other folders");
    assert!(watching.witness.take_up_search(&version("containerd")).is_none(), "that search has ended");
    watching.witness.look_ahead(&watching.pids, likely());
    watching.witness.forget_search();
    let found = watching.witness.take_up_search(&version("containerd"));
    assert!(found.is_none(), "another connection begins without it");

    watching.hints.clear();
    make_task(other.path(), &id(55), pid)?;
    watching.watch(Some(containerd(other.path())?));
    watching.witness.look_around();
    watching.wait_until("the pid in the folder that the engine names", |hint| matches!(hint, Hint::Pid(..)))?;
    made.end();
    Ok(())
}

/// CRI-O removes it as soon as it has read it, 0.2 s after the exit.
fn exit_file() -> Outcome {
    let state = tempfile::tempdir()?;
    let exits = state.path().join("exits");
    fs::create_dir(&exits)?;
    let config = format!(
        r#"{{"crio":{{"ContainerAttachSocketDir":"{0}","ContainerExitsDir":"{0}/exits","RunRoot":"{0}/run"}}}}"#,
        state.path().display()
    );
    let mut watching = Watching::of(Path::new("/"), Some(folders("cri-o", &config)?))?;
    for (n, text) in [(30, "42"), (31, "0\n"), (32, "x")] {
        fs::write(exits.join(".new"), text)?;
        fs::rename(exits.join(".new"), exits.join(id(n)))?;
        let code = text.trim().parse().ok();
        watching.wait_for(&Hint::Exited { id: id(n).into(), process: None, code })?;
        fs::remove_file(exits.join(id(n)))?;
    }
    Ok(())
}

/// An engine's folder that is not there yet is waited for in its own state folder, not in what everybody has.
fn above() -> Outcome {
    let root = tempfile::tempdir()?;
    let run = root.path().join("run");
    fs::create_dir(&run)?;
    let config = format!(r#"{{"stateDir":"{}/containerd/io.containerd.grpc.v1.cri"}}"#, run.display());
    let nothing = Watching::of(Path::new("/"), Some(folders("containerd", &config)?))?;
    assert!(!nothing.used().contains(&"folders"), "{:?}", nothing.witness.means());
    fs::create_dir(run.join("containerd"))?;
    let mut watching = Watching::of(Path::new("/"), Some(folders("containerd", &config)?))?;
    assert!(watching.used().contains(&"folders"), "{:?}", watching.witness.means());
    fs::create_dir_all(run.join("containerd/io.containerd.runtime.v2.task/k8s.io").join(id(40)))?;
    watching.wait_for(&Hint::Created(id(40).into()))
}
