//! What is lost where the host shows less: nothing but the hints. Each test runs this program once more, within limits.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, ExitCode, Stdio};
use std::{fs, io};

use criwatch::model::EventType;
use serde_json::{Value, json};

use crate::exits::end;
use crate::pids::{engines_pid, run_some};
use crate::seen::Seen;
use crate::support::pods::{ContainerSpec, PodSpec};
use crate::support::suite::{Outcome, Setup, Skipped, unique};
use crate::support::wait::{self, PATIENCE};

/// What the inner program watches, and whose exit it waits for: `ENDPOINT ID KEY=VALUE ...`.
const INSIDE: &str = "CRI_WITNESS_INSIDE";

/// The inner program: what it knows when it is ready, and then how the container exits, each as a line of JSON.
pub fn inside() -> Option<ExitCode> {
    let task = std::env::var(INSIDE).ok()?;
    let result = watch(&task);
    if let Err(error) = &result {
        eprintln!("{error}");
    }
    Some(if result.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn watch(task: &str) -> Outcome {
    let mut words = task.split(' ');
    let (endpoint, id) = (words.next().ok_or("an endpoint")?, words.next().ok_or("an id")?);
    let options: Vec<_> = words.filter_map(|word| word.split_once('=')).collect();
    let mut seen = Seen::of(endpoint, &options)?;
    // What a means lacks is known a moment later than what the engine says.
    wait::until("what the host tells", PATIENCE, || {
        let witness = seen.witness().map_err(|error| error.to_string())?;
        let known = |key: &str| witness[key].as_object().is_some_and(|it| !it.is_empty());
        let used = witness["means"].as_array().is_some_and(|used| !used.is_empty());
        if used || known("lacks") { Ok(()) } else { Err(witness.to_string()) }
    })?;
    let pids =
        seen.watcher.containers()?.iter().map(|c| (c.id.to_string(), json!(c.pid))).collect::<serde_json::Map<_, _>>();
    println!("{}", json!({"witness": seen.witness()?, "pids": pids, "gone": seen.counter("vanishedProcesses")?}));
    let exited = seen.event(EventType::Exited, id)?;
    let code = exited.container.and_then(|c| c.exit.clone()).and_then(|exit| exit.code);
    println!("{}", json!({"code": code, "witness": seen.witness()?}));
    Ok(())
}

/// One that watches within limits.
struct Inner {
    child: Child,
    lines: io::Lines<BufReader<ChildStdout>>,
}

impl Inner {
    fn start(wrapper: &[&str], task: &str) -> Result<Inner, Box<dyn std::error::Error>> {
        let own = std::env::current_exe()?;
        let words = [wrapper, &[own.to_str().ok_or("a path in UTF-8")?]].concat();
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).env(INSIDE, task).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|_| Skipped("unshare, setpriv and sh are not all installed"))?;
        let lines = BufReader::new(child.stdout.take().ok_or("its output")?).lines();
        Ok(Inner { child, lines })
    }

    /// The next line that it prints.
    fn line(&mut self) -> Result<Value, Box<dyn std::error::Error>> {
        if let Some(line) = self.lines.next() {
            return Ok(serde_json::from_str(&line?)?);
        }
        let mut told = String::new();
        if let Some(mut errors) = self.child.stderr.take() {
            io::Read::read_to_string(&mut errors, &mut told)?;
        }
        // The helper programs name themselves when it is they who may not.
        let cannot = ["unshare: ", "setpriv: ", "mount: ", "cannot create /proc/sys/user"];
        if cannot.iter().any(|what| told.contains(what)) {
            eprintln!("{told}");
            return Err(Skipped("this machine does not permit the namespaces or limits of this test").into());
        }
        Err(format!("the inner program ended: {told}").into())
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Watches some containers by way of `wrapper`, and one that exits with 42. Whatever the host shows, all are there, and so is the
/// exit's code. Returns what the host showed at first and in the end, and the pids that were known, beside the engine's.
fn within(setup: &mut Setup, wrapper: &[&str], options: &str) -> Result<Found, Box<dyn std::error::Error>> {
    let (pod, ids) = run_some(setup, 3)?;
    let stoppable = setup.engine.pods.run(&pod, &ContainerSpec::stoppable("stoppable", 42))?;
    let pid = engines_pid(setup, &stoppable)?.ok_or("no pid of what is to stop")?;
    let mut inner = Inner::start(wrapper, &format!("{} {stoppable} {options}", setup.engine.endpoint))?;
    let first = inner.line()?;
    let mut known = Vec::new();
    for id in ids.iter().chain([&stoppable]) {
        let told = first["pids"].get(id).ok_or_else(|| format!("{id} is not in {first}"))?;
        known.push((told.as_i64().map(|pid| pid as i32), engines_pid(setup, id)?));
    }
    assert_eq!(first["gone"], 0, "what cannot be seen is not gone: {first}");
    end(pid);
    let last = inner.line()?;
    assert_eq!(last["code"], 42, "{last}");
    Ok(Found { witness: last["witness"].clone(), known })
}

struct Found {
    witness: Value,
    /// The pid that was known, and the engine's.
    known: Vec<(Option<i32>, Option<i32>)>,
}

impl Found {
    fn uses(&self, means: &str) -> bool {
        self.witness["means"].as_array().is_some_and(|used| used.iter().any(|it| it == means))
    }

    fn says_why_not(&self, means: &str, why: &str) {
        let said = self.witness["lacks"][means].as_str().unwrap_or_default();
        assert!(said.contains(why) && !self.uses(means), "{means}: {why}: {:#}", self.witness);
    }

    fn has_all_pids(&self) {
        assert!(self.known.iter().all(|(known, engines)| known.is_some() && known == engines), "{:?}", self.known);
    }
}

/// Lets another user reach the engine's socket, and nothing else of it.
fn open_to_others(socket: &Path) -> io::Result<()> {
    let mut dir = socket.parent();
    while let Some(it) = dir.filter(|dir| dir.parent().is_some()) {
        let mode = fs::metadata(it)?.permissions().mode();
        if mode & 0o001 == 0 {
            fs::set_permissions(it, fs::Permissions::from_mode(mode | 0o001))?;
        }
        dir = it.parent();
    }
    fs::set_permissions(socket, fs::Permissions::from_mode(0o666))
}

fn needs_own_engine(setup: &Setup) -> Outcome {
    match setup.engine.containerd {
        Some(_) => Ok(()),
        None => Err(Skipped("only an engine of our own may be opened to other users, or has its files here").into()),
    }
}

pub fn another_user(setup: &mut Setup) -> Outcome {
    needs_own_engine(setup)?;
    open_to_others(Path::new(setup.engine.endpoint.trim_start_matches("unix://")))?;
    let wrapper =
        ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--bounding-set=-all", "--inh-caps=-all"];
    let found = within(setup, &wrapper, "")?;
    found.has_all_pids();
    found.says_why_not("folders", "may not be read");
    found.says_why_not("fanotify", "may not be read");
    assert!(found.uses("pidfds"), "a pidfd needs no right: {:#}", found.witness);
    Ok(())
}

pub fn no_mounts(setup: &mut Setup) -> Outcome {
    let nowhere = tempfile::tempdir()?;
    fs::create_dir(nowhere.path().join("run"))?;
    std::os::unix::fs::symlink("/proc", nowhere.path().join("proc"))?;
    // Without the right to trace the engine its own view is shut, so that its files are looked for below the root, where there
    // are none.
    let wrapper = ["setpriv", "--bounding-set=-sys_ptrace", "--inh-caps=-all"];
    let found = within(setup, &wrapper, &format!("host.root={}", nowhere.path().display()))?;
    found.has_all_pids();
    found.says_why_not("folders", if setup.engine.containerd.is_some() { "it is not there" } else { "" });
    found.says_why_not("cgroups", "no cgroup file system");
    Ok(())
}

pub fn own_pid_namespace(setup: &mut Setup) -> Outcome {
    let found = within(setup, &["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"], "")?;
    assert!(found.known.iter().all(|(known, _)| known.is_none()), "no such process is to be seen: {:?}", found.known);
    found.says_why_not("pidfds", "pid namespace of its own");
    Ok(())
}

pub fn own_cgroup_namespace(setup: &mut Setup) -> Outcome {
    needs_own_engine(setup)?;
    let found = within(setup, &["unshare", "--cgroup"], "")?;
    found.has_all_pids();
    assert!(found.uses("folders") && found.uses("pidFiles") && found.uses("pidfds"), "{:#}", found.witness);
    Ok(())
}

pub fn read_only_mounts(setup: &mut Setup) -> Outcome {
    needs_own_engine(setup)?;
    let dir = setup.engine.containerd.as_ref().map(|engine| engine.dir().to_owned()).ok_or("no engine of our own")?;
    let read_only = |dir: &str| format!("mount --bind {dir} {dir} && mount -o remount,ro,bind {dir} &&");
    let script = format!("{} {} exec \"$0\"", read_only(&dir.display().to_string()), read_only("/sys/fs/cgroup"));
    let found = within(setup, &["unshare", "--mount", "sh", "-c", &script], "")?;
    found.has_all_pids();
    assert!(found.uses("folders") && found.uses("pidfds"), "reading is enough: {:#}", found.witness);
    Ok(())
}

pub fn no_inotify_instance(setup: &mut Setup) -> Outcome {
    needs_own_engine(setup)?;
    // The limit is this namespace's own.
    let script = "echo 0 > /proc/sys/user/max_inotify_instances && exec \"$0\"";
    let found = within(setup, &["unshare", "--user", "--map-root-user", "sh", "-c", script], "")?;
    found.has_all_pids();
    found.says_why_not("folders", "max_user_instances");
    found.says_why_not("cgroups", "max_user_instances");
    Ok(())
}

pub fn descriptors_64(setup: &mut Setup) -> Outcome {
    let found = within(setup, &["sh", "-c", "ulimit -n 64 && exec \"$0\""], "")?;
    found.has_all_pids();
    assert!(found.uses("pidfds"), "{:#}", found.witness);
    // As few as there may be.
    let found = within(setup, &["env"], "host.max_descriptors=1")?;
    found.has_all_pids();
    Ok(())
}

/// A program with room for 64 descriptors lists more containers than that, all with their pids.
pub fn few_descriptors(setup: &mut Setup) -> Outcome {
    const LIMIT: u32 = 64;
    let pod = setup.engine.pods.run_pod(&PodSpec::new("cri-lab", &unique("few")))?;
    let mut ids = Vec::new();
    for n in 0..20 {
        ids.push(setup.engine.pods.run(&pod, &ContainerSpec::lasting(&format!("c{n}")))?);
    }
    let program = crate::support::probe::compile()?;
    let script = format!("ulimit -n {LIMIT} && exec \"$0\" \"$@\"");
    let mut command = Command::new("sh");
    command.args(["-c", &script]).arg(program).args([setup.engine.endpoint.as_str(), "list"]);
    let output = command.output()?;
    assert!(output.status.success(), "{output:?}");
    let list: Value = serde_json::from_slice(&output.stdout)?;
    let listed = list["containers"].as_array().ok_or_else(|| format!("no containers in {list:#}"))?;
    for id in &ids {
        let entry = listed.iter().find(|c| c["id"] == **id).ok_or_else(|| format!("{id} is not in {list:#}"))?;
        assert!(entry["pid"].as_i64().is_some_and(|pid| pid > 0), "{entry:#}");
    }
    Ok(())
}
