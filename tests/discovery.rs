//! Finding the engines of a node: layouts of nodes as they are found in the field, made of engines beneath a root of their own.

mod support;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::channel;
use std::time::Duration;

use criwatch::config::Config;
use criwatch::model::{Engines, EventType, WatcherState};
use criwatch::watcher::{EngineNews, EventQueue, Finder, Next, NextEngine, Watcher, engines};
use libtest_mimic::{Arguments, Completion, Failed, Trial};
use serde_json::Value;
use tempfile::TempDir;

use support::containerd::Containerd;
use support::pods::{ContainerSpec, PodSpec};
use support::sim::{self, Sim};
use support::wait::{self, PATIENCE};
use support::{c, go, lab, schema};

type Outcome = Result<Completion, Failed>;

const CONTAINERD: &str = "/run/containerd/containerd.sock";
const CRIO: &str = "/run/crio/crio.sock";
const K3S: &str = "/run/k3s/containerd/containerd.sock";
const CRI_DOCKERD: &str = "/run/cri-dockerd.sock";

fn main() {
    let trials = vec![
        Trial::ignorable_test("kubeadm_among_sockets_that_are_no_engines", kubeadm),
        Trial::ignorable_test("kubelet_drop_ins_count_more_than_its_file", drop_ins),
        Trial::ignorable_test("k3s_beside_an_empty_containerd", k3s),
        Trial::ignorable_test("k3s_that_starts_after_us_is_followed", k3s_late),
        Trial::ignorable_test("an_engine_in_use_is_kept", kept),
        Trial::ignorable_test("what_an_engine_leaves_behind_ends", what_is_left_ends),
        Trial::ignorable_test("a_socket_made_anew_is_connected_to_at_once", made_anew),
        Trial::ignorable_test("a_folder_that_is_not_there_yet_is_waited_for", folder_comes),
        Trial::ignorable_test("crictl_and_rootless_engines", crictl_and_rootless),
        Trial::ignorable_test("a_socket_without_rights_is_listed_with_its_error", without_rights),
        Trial::ignorable_test("docker_beside_kind", kind),
        Trial::ignorable_test("a_real_containerd_in_namespaces_of_its_own", real_in_namespaces),
        Trial::ignorable_test("three_real_containerds_beside_two_engines", real),
        Trial::ignorable_test("a_finder_tells_what_comes_and_goes", finder),
        Trial::ignorable_test("the_example_in_c_follows_all_engines", example_in_c),
        Trial::ignorable_test("the_example_in_go_follows_all_engines", example_in_go),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

/// A host's root directory.
struct Root(TempDir);

impl Root {
    fn new() -> Result<Root, Failed> {
        let root = Root(tempfile::tempdir()?);
        fs::set_permissions(root.path(), fs::Permissions::from_mode(0o755))?;
        root.folder("/run")?;
        root.folder("/var")?;
        // As on most hosts: absolute, and to be resolved below this root.
        symlink("/run", root.path().join("var/run"))?;
        Ok(root)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn at(&self, path: &str) -> PathBuf {
        self.path().join(path.trim_start_matches('/'))
    }

    fn folder(&self, path: &str) -> Result<(), Failed> {
        Ok(fs::create_dir_all(self.at(path))?)
    }

    /// The place for a file, whose folder is made.
    fn place(&self, path: &str) -> Result<PathBuf, Failed> {
        let at = self.at(path);
        fs::create_dir_all(at.parent().ok_or("a path with a folder")?)?;
        Ok(at)
    }

    fn file(&self, path: &str, text: &str) -> Result<(), Failed> {
        Ok(fs::write(self.place(path)?, text)?)
    }

    /// A process with this command line.
    fn process(&self, pid: u32, words: &[&str]) -> Result<(), Failed> {
        self.file(&format!("/proc/{pid}/cmdline"), &(words.join("\0") + "\0"))
    }

    fn sim(&self, path: &str, arguments: &[&str]) -> Result<Sim, Failed> {
        Ok(Sim::start_at(&self.place(path)?, arguments)?)
    }

    /// How it is named in answers.
    fn api(&self, path: &str) -> String {
        format!("unix://{}", self.at(path).display())
    }

    fn config(&self, more: &[(&str, &str)]) -> Result<Config, Failed> {
        let mut config = Config::default();
        let root = self.path().to_string_lossy();
        for (key, value) in [("host.root", &*root), ("discover.interval_ms", "100")].iter().chain(more) {
            config.set(key, value)?;
        }
        Ok(config)
    }

    /// Every engine; that its JSON obeys its schema, and that a watcher and the command show the containers of the first.
    fn engines(&self, more: &[(&str, &str)]) -> Result<Engines, Failed> {
        let found = engines(&self.config(more)?, Some(Duration::from_secs(5)))?;
        schema::obey(found.json().as_str())?;
        Ok(found)
    }

    fn watcher(&self, more: &[(&str, &str)]) -> Result<Watcher, Failed> {
        Ok(Watcher::new(None, self.config(more)?)?)
    }

    /// `criwatch ps` without an argument, once nobody is waited for.
    fn ps(&self, more: &[(&str, &str)]) -> Result<Option<String>, Failed> {
        let Ok(version) = Command::new("python3").arg("--version").output() else {
            return Ok(None);
        };
        if !version.status.success() {
            return Ok(None);
        }
        let mut command = Command::new("python3");
        command.args(["-m", "criwatch", "ps", "-o", "json"]);
        command.env("PYTHONPATH", c::root().join("bindings/python")).env("PYTHONDONTWRITEBYTECODE", "1");
        command.env("CRIWATCH_LIBRARY", c::Library::of_this_build().path());
        command.env_remove("CRI_RUNTIME_ENDPOINT").env_remove("CONTAINER_RUNTIME_ENDPOINT");
        let root = format!("host.root={}", self.path().display());
        for option in more.iter().map(|(key, value)| format!("{key}={value}")).chain([root]) {
            command.arg("--option").arg(option);
        }
        Ok(Some(c::succeed(&mut command)?))
    }

    /// Both a watcher and the command show this container, and not that one.
    fn shows(&self, more: &[(&str, &str)], wanted: &str, other: &str) -> Result<(), Failed> {
        let watcher = self.watcher(more)?;
        watcher.resync(Some(PATIENCE))?;
        let names: Vec<String> = watcher.containers()?.iter().map(|c| c.name.to_string()).collect();
        if !names.iter().any(|n| n == wanted) || names.iter().any(|n| n == other) {
            return Err(format!("the watcher shows {names:?}, not {wanted}").into());
        }
        if let Some(text) = self.ps(more)?
            && (!text.contains(&format!("\"{wanted}\"")) || text.contains(&format!("\"{other}\"")))
        {
            return Err(format!("criwatch ps shows not {wanted}, or {other}: {text}").into());
        }
        Ok(())
    }
}

fn apis(found: &Engines) -> Vec<String> {
    found.candidates.iter().map(|candidate| candidate.api.to_string()).collect()
}

fn expect(what: &str, found: &impl PartialEq<bool>) -> Result<(), Failed> {
    if *found == true { Ok(()) } else { Err(what.to_owned().into()) }
}

fn skipped(reason: &str) -> Outcome {
    Ok(Completion::ignored_with(reason))
}

/// A socket that accepts and says nothing.
fn mute(path: PathBuf) -> Result<UnixListener, Failed> {
    Ok(UnixListener::bind(path)?)
}

/// A server of another protocol, for as long as its listener lives.
fn http1(path: PathBuf) -> Result<(), Failed> {
    let listener = UnixListener::bind(path)?;
    std::thread::spawn(move || {
        for mut client in listener.incoming().flatten() {
            let mut request = [0; 64];
            let _ = client.read(&mut request);
            let _ = client.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        }
    });
    Ok(())
}

/// The kubelet's configuration names an engine through an absolute link; others have pods, too, are mute or no engines.
fn kubeadm() -> Outcome {
    let root = Root::new()?;
    root.process(812, &["/usr/bin/kubelet", "--config=/var/lib/kubelet/config.yaml", "--v=2"])?;
    root.file(
        "/var/lib/kubelet/config.yaml",
        "apiVersion: kubelet.config.k8s.io/v1beta1\ncontainerRuntimeEndpoint: \"unix:///var/run/crio/crio.sock\"\n",
    )?;
    let mut ours = root.sim(CRIO, &["--profile", "crio"])?;
    ours.tell("pod web ns=shop nginx")?;
    let mut other = root.sim(CONTAINERD, &[])?;
    other.tell("pod stray ns=x docker")?;
    let _mute = mute(root.place(K3S)?)?;
    http1(root.place(CRI_DOCKERD)?)?;
    let found = root.engines(&[])?;
    let json: Value = serde_json::from_str(found.json().as_str())?;
    let crio = root.api("/var/run/crio/crio.sock");
    // As the kubelet wrote it; the well-known path is the same socket.
    if apis(&found)[..2] != [crio.clone(), root.api(CONTAINERD)] {
        return Err(format!("not in this order: {json:#}").into());
    }
    let best = &json["engines"][0];
    let reasons = best["reasons"].as_array().ok_or("reasons")?;
    expect("its reasons", &(reasons[0]["evidence"] == "kubelet" && reasons[1]["evidence"] == "wellKnown"))?;
    expect("its file", &reasons[0]["text"].as_str().unwrap_or_default().contains("/var/lib/kubelet/config.yaml"))?;
    expect("its sandboxes", &(best["sandboxes"] == 1 && best["runtimeName"] == "cri-o"))?;
    let error = |api: &str| found.candidates.iter().find(|c| *c.api == *root.api(api)).and_then(|c| c.error.clone());
    expect("the mute one timed out", &error(K3S).is_some_and(|e| e.message().contains("no answer")))?;
    expect("another protocol is no engine", &error(CRI_DOCKERD).is_some())?;
    root.shows(&[], "nginx", "docker")?;
    let watcher = root.watcher(&[])?;
    watcher.resync(Some(PATIENCE))?;
    let info = schema::obey(watcher.engine_info()?.as_str())?;
    expect("the api", &(info["engine"]["api"] == crio.as_str()))?;
    expect("the others", &(info["candidates"][0]["api"] == root.api(CONTAINERD).as_str()))?;
    Ok(Completion::Completed)
}

fn drop_ins() -> Outcome {
    let root = Root::new()?;
    root.process(812, &["kubelet", "--config", "/etc/kubelet.yaml", "--config-dir=/etc/kubelet.conf.d"])?;
    root.file("/etc/kubelet.yaml", "containerRuntimeEndpoint: unix:///run/a.sock\n")?;
    root.file("/etc/kubelet.conf.d/10-a.conf", "containerRuntimeEndpoint: unix:///run/b.sock\n")?;
    root.file("/etc/kubelet.conf.d/20-b.conf", "containerRuntimeEndpoint: unix:///run/odd/place.sock # last\n")?;
    root.file("/etc/kubelet.conf.d/30-c.conf", "kind: KubeletConfiguration\n")?;
    root.file("/etc/kubelet.conf.d/40-d.yaml", "containerRuntimeEndpoint: unix:///run/c.sock\n")?;
    let mut sim = root.sim("/run/odd/place.sock", &[])?;
    sim.tell("pod web ns=shop nginx")?;
    let found = root.engines(&[])?;
    expect("the last drop-in", &(apis(&found) == [root.api("/run/odd/place.sock")]))?;
    root.shows(&[], "nginx", "none")?;
    // A flag counts more than all of them, also when nobody is there.
    root.process(
        812,
        &["kubelet", "--container-runtime-endpoint=unix:///run/flag.sock", "--config-dir=/etc/kubelet.conf.d"],
    )?;
    let found = root.engines(&[])?;
    expect("the flag", &(apis(&found) == [root.api("/run/flag.sock")] && !found.candidates[0].answers()))?;
    // Without a process that can be seen, kubeadm's files count.
    fs::remove_dir_all(root.at("/proc"))?;
    root.file(
        "/var/lib/kubelet/kubeadm-flags.env",
        "KUBELET_KUBEADM_ARGS=\"--container-runtime-endpoint=/run/odd/place.sock\"\n",
    )?;
    expect("kubeadm's flags", &(apis(&root.engines(&[])?) == [root.api("/run/odd/place.sock")]))?;
    Ok(Completion::Completed)
}

/// k3s hides its arguments; an empty containerd of the distribution comes first in the table.
fn k3s() -> Outcome {
    let root = Root::new()?;
    root.process(700, &["/usr/local/bin/k3s server"])?;
    let _empty = root.sim(CONTAINERD, &[])?;
    let mut ours = root.sim(K3S, &[])?;
    ours.tell("pod web ns=shop nginx")?;
    expect("k3s first", &(apis(&root.engines(&[])?) == [root.api(K3S), root.api(CONTAINERD)]))?;
    root.shows(&[], "nginx", "none")?;
    // The same without the host's processes: it has pods.
    fs::remove_dir_all(root.at("/proc"))?;
    root.folder("/proc")?;
    expect("pods first", &(apis(&root.engines(&[])?) == [root.api(K3S), root.api(CONTAINERD)]))?;
    root.shows(&[], "nginx", "none")?;
    Ok(Completion::Completed)
}

/// All events until one that is wanted; they stand in the error.
fn until(queue: &EventQueue, what: &str, wanted: impl Fn(&criwatch::model::Event) -> bool) -> Result<(), Failed> {
    let mut seen = Vec::new();
    loop {
        match queue.next(Some(PATIENCE)) {
            Next::Event(event) if wanted(&event) => return Ok(()),
            Next::Event(event) => seen.push(format!(
                "{} {} {:?} {:?}",
                event.event_type.word(),
                event.container.as_ref().map_or("", |c| &*c.name),
                event.state,
                event.message
            )),
            _ => return Err(format!("no {what}; seen: {seen:#?}").into()),
        }
    }
}

fn starts(name: &str) -> impl Fn(&criwatch::model::Event) -> bool {
    move |event| event.event_type == EventType::Started && event.container.as_ref().is_some_and(|c| *c.name == *name)
}

fn leaves(event: &criwatch::model::Event) -> bool {
    event.event_type == EventType::State && event.message.as_ref().is_some_and(|m| m.contains("is left for"))
}

/// The one that was taken is empty: the better one that comes later is followed, and why is reported.
fn k3s_late() -> Outcome {
    let root = Root::new()?;
    let _empty = root.sim(CONTAINERD, &[])?;
    let watcher = root.watcher(&[("discover.interval_ms", "60000")])?;
    let queue = watcher.subscribe(0, 0, 0)?;
    watcher.start()?;
    watcher.wait_ready(Some(PATIENCE))?;
    expect("the empty one is taken", &(*watcher.engine()?.api == *root.api(CONTAINERD)))?;
    // The socket appears in a folder that was not there: nobody waits for the next look, which is a minute away.
    let mut late = root.sim("/run/late.sock", &[])?;
    late.tell("pod web ns=shop nginx")?;
    fs::rename(root.at("/run/late.sock"), root.place(K3S)?)?;
    until(&queue, "STATE with the reason", leaves)?;
    until(&queue, "STARTED of nginx", starts("nginx"))?;
    expect("the api", &(*watcher.engine()?.api == *root.api(K3S)))?;
    let info = schema::obey(watcher.engine_info()?.as_str())?;
    expect("the one that was left", &(info["candidates"][0]["api"] == root.api(CONTAINERD).as_str()))?;
    Ok(Completion::Completed)
}

/// An engine that has containers is kept, whatever else comes, unless the kubelet names the other.
fn kept() -> Outcome {
    let root = Root::new()?;
    let mut first = root.sim(CRIO, &[])?;
    first.tell("pod web ns=shop nginx")?;
    let watcher = root.watcher(&[])?;
    let queue = watcher.subscribe(0, 0, 0)?;
    watcher.start()?;
    until(&queue, "STARTED of nginx", starts("nginx"))?;
    let mut other = root.sim(CONTAINERD, &[])?;
    other.tell("pod stray ns=x one")?;
    other.tell("pod stray2 ns=x two")?;
    first.tell("pod next ns=shop last")?;
    until(&queue, "STARTED of last", |event| {
        assert!(!leaves(event), "{event:?}");
        starts("last")(event)
    })?;
    expect("it is kept", &(*watcher.engine()?.api == *root.api(CRIO)))?;
    Ok(Completion::Completed)
}

/// The kubelet's engine was not there at first. When it comes, the other is left, and its containers end.
fn what_is_left_ends() -> Outcome {
    let root = Root::new()?;
    root.process(812, &["kubelet", "--container-runtime-endpoint=unix:///run/crio/crio.sock"])?;
    let mut other = root.sim(CONTAINERD, &[])?;
    other.tell("pod stray ns=x docker")?;
    let watcher = root.watcher(&[])?;
    let queue = watcher.subscribe(0, 0, 0)?;
    watcher.start()?;
    until(&queue, "STARTED of docker", starts("docker"))?;
    let mut ours = root.sim(CRIO, &["--profile", "crio"])?;
    ours.tell("pod web ns=shop nginx")?;
    until(&queue, "STATE with the reason", leaves)?;
    let missing = RefCell::new(BTreeSet::from(["exited docker", "exited stray", "started nginx"]));
    until(&queue, "EXITED of both runs of the old engine, and STARTED of nginx", |event| {
        let name = event.container.as_ref().map_or("", |c| &*c.name);
        missing.borrow_mut().remove(format!("{} {name}", event.event_type.word()).as_str());
        missing.borrow().is_empty()
    })?;
    let names: Vec<String> = watcher.containers()?.iter().map(|c| c.name.to_string()).collect();
    expect("only the new one's", &(names.contains(&"nginx".to_owned()) && !names.contains(&"docker".to_owned())))?;
    Ok(Completion::Completed)
}

/// The connection stands, and the socket at its path is another one's: the new engine is connected to although the old one
/// lives.
fn made_anew() -> Outcome {
    let root = Root::new()?;
    let path = root.place("/run/cri/engine.sock")?;
    let mut old = Sim::start_at(&path, &[])?;
    old.tell("pod web ns=shop before")?;
    // Nothing else would notice: no list comes before an hour has passed.
    let config = root.config(&[("relist.interval_ms", "3600000")])?;
    let watcher = Watcher::new(Some(&root.api("/run/cri/engine.sock")), config)?;
    let queue = watcher.subscribe(0, 0, 0)?;
    watcher.start()?;
    until(&queue, "STARTED of before", starts("before"))?;
    let aside = root.place("/run/aside.sock")?;
    let mut new = Sim::start_at(&aside, &[])?;
    new.tell("pod web ns=shop after")?;
    fs::rename(&aside, &path)?;
    until(&queue, "STATE with the reason", |event| event.message.as_ref().is_some_and(|m| m.contains("made anew")))?;
    until(&queue, "STARTED of after", starts("after"))?;
    drop(old);
    Ok(Completion::Completed)
}

/// Nothing is there at first: not the socket, not its folder.
fn folder_comes() -> Outcome {
    let root = Root::new()?;
    // So long would be the wait without the folder's notice.
    let slow = [("reconnect.min_delay_ms", "3600000"), ("reconnect.max_delay_ms", "3600000")];
    let config = root.config(&slow)?;
    let named = Watcher::new(Some(&root.api("/var/run/a/b/engine.sock")), config)?;
    let found = root.watcher(&slow)?;
    let queues = (named.subscribe(0, 0, 0)?, found.subscribe(0, 0, 0)?);
    let backoff = |event: &criwatch::model::Event| event.state == WatcherState::Backoff;
    for (watcher, queue) in [(&named, &queues.0), (&found, &queues.1)] {
        watcher.start()?;
        until(queue, "the first attempt to fail", backoff)?;
    }
    let mut sim = root.sim("/run/aside.sock", &[])?;
    sim.tell("pod web ns=shop nginx")?;
    // One after the other, as an engine that starts does; that the socket is there says that it listens.
    root.folder("/run/a/b")?;
    fs::rename(root.at("/run/aside.sock"), root.at("/run/a/b/engine.sock"))?;
    until(&queues.0, "STARTED of nginx", starts("nginx"))?;
    fs::rename(root.at("/run/a/b/engine.sock"), root.place(K3S)?)?;
    until(&queues.1, "STARTED of nginx", starts("nginx"))?;
    Ok(Completion::Completed)
}

fn crictl_and_rootless() -> Outcome {
    let root = Root::new()?;
    root.file("/etc/crictl.yaml", "timeout: 2\nruntime-endpoint: unix:///run/own/engine.sock\n")?;
    let _one = root.sim("/run/own/engine.sock", &[])?;
    let _two = root.sim(CONTAINERD, &[])?;
    let rootless = "/run/user/1000/k3s/containerd/containerd.sock";
    let mut three = root.sim(rootless, &[])?;
    expect(
        "crictl's first",
        &(apis(&root.engines(&[])?) == ["/run/own/engine.sock", CONTAINERD, rootless].map(|p| root.api(p))),
    )?;
    three.tell("pod web ns=shop nginx")?;
    expect(
        "pods first",
        &(apis(&root.engines(&[])?) == [rootless, "/run/own/engine.sock", CONTAINERD].map(|p| root.api(p))),
    )?;
    root.shows(&[], "nginx", "none")?;
    Ok(Completion::Completed)
}

/// A thread of another user looks: its own credentials only.
fn without_rights() -> Outcome {
    let root = Root::new()?;
    let _ours = root.sim(CRIO, &[])?;
    let _other = root.sim(CONTAINERD, &[])?;
    fs::set_permissions(root.at(CONTAINERD), fs::Permissions::from_mode(0o600))?;
    fs::set_permissions(root.at(CRIO), fs::Permissions::from_mode(0o666))?;
    // SAFETY: no arguments.
    if unsafe { libc::geteuid() } != 0 {
        return skipped("not root: cannot become somebody who lacks rights");
    }
    let config = root.config(&[])?;
    let look = std::thread::spawn(move || {
        const NOBODY: libc::c_long = 65534;
        // SAFETY: integers only; the system call, unlike libc's function, concerns this thread alone.
        if unsafe { libc::syscall(libc::SYS_setresuid, NOBODY, NOBODY, NOBODY) } != 0 {
            return Err(std::io::Error::last_os_error().to_string());
        }
        engines(&config, Some(Duration::from_secs(5))).map_err(|e| e.to_string())
    });
    let found = look.join().map_err(|_| "the thread panicked")??;
    let json = schema::obey(found.json().as_str())?;
    expect("the other is the best", &(apis(&found) == [CRIO, CONTAINERD].map(|p| root.api(p))))?;
    let error = &json["engines"][1]["error"];
    expect("EACCES", &(error["name"] == "CRI_E_PERMISSION" && error["osCode"] == libc::EACCES))?;
    expect("no sockets", &(json["absent"].as_array().is_some_and(|absent| !absent.is_empty())))?;
    Ok(Completion::Completed)
}

/// Whether namespaces can be made here, or why not.
fn namespaces() -> Result<(), String> {
    match Command::new("unshare").args(["-m", "-p", "-f", "mount", "-t", "tmpfs", "none", "/mnt"]).output() {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(format!("no namespaces: {}", String::from_utf8_lossy(&output.stderr).trim())),
        Err(e) => Err(format!("unshare: {e}")),
    }
}

/// An engine in mount and pid namespaces of its own, with its socket on a file system that nobody else sees. `quit` ends it: the
/// program that made the namespaces ignores signals.
struct Nested(Sim);

impl Nested {
    fn start() -> Result<Result<Nested, String>, Failed> {
        if let Err(reason) = namespaces() {
            return Ok(Err(reason));
        }
        // /proc stays the host's: the engine writes of its processes what fork returns, in its own numbers.
        let script = "mount -t tmpfs none /run && mkdir -p /run/containerd && mount -t proc proc /proc && exec \"$0\" --socket \
                      /run/containerd/containerd.sock --script -";
        let mut command = Command::new("unshare");
        command.args(["-m", "-p", "-f", "--kill-child", "sh", "-c", script]).arg(sim::program()?);
        Ok(Ok(Nested(Sim::start_by(command)?)))
    }
}

impl Drop for Nested {
    fn drop(&mut self) {
        // It fails where it has ended.
        let _ = self.0.tell("quit");
    }
}

/// Docker's containerd is empty; the cluster's is in a container, where its pids are others.
fn kind() -> Outcome {
    let root = Root::new()?;
    // The processes of this machine: the engine in the container is one of them.
    symlink("/proc", root.at("/proc"))?;
    let _docker = root.sim(CONTAINERD, &[])?;
    let mut nested = match Nested::start()? {
        Ok(nested) => nested,
        Err(reason) => return skipped(&reason),
    };
    nested.0.tell("pod kind-web ns=shop kind-nginx")?;
    let inner = nested.0.living()?;
    let without = root.engines(&[])?;
    expect("not without being asked", &(apis(&without) == [root.api(CONTAINERD)]))?;
    let more = [("discover.nested", "true")];
    let found = root.engines(&more)?;
    // Other tests may have some of their own on this machine.
    let is_ours = |api: &str| api.starts_with(&format!("unix://{}/", root.at("/proc").display()));
    let nested_ones: Vec<_> = found.candidates.iter().filter(|c| is_ours(&c.api) && c.sandboxes == Some(1)).collect();
    if nested_ones.is_empty() {
        return Err(format!("not found: {}", found.json().as_str()).into());
    }
    expect("it is better than Docker's", &(found.candidates[0].sandboxes == Some(1)))?;
    root.shows(&more, "kind-nginx", "none")?;
    let watcher = root.watcher(&more)?;
    watcher.resync(Some(PATIENCE))?;
    for container in watcher.containers()? {
        let pid = container.pid.ok_or_else(|| format!("no pid of {}: {:?}", container.name, inner))?;
        let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
        let numbers = status.lines().find_map(|line| line.strip_prefix("NSpid:")).unwrap_or_default();
        let its = inner.iter().find(|thing| *thing.id == *container.id).ok_or("not one of the engine's")?;
        expect(
            "a pid of ours",
            &(numbers.split_whitespace().last() == Some(its.pid.to_string().as_str()) && pid != its.pid),
        )?;
    }
    Ok(Completion::Completed)
}

/// containerd in three versions and two other engines, all in use; the kubelet decides.
fn real() -> Outcome {
    let lab = match lab::lab() {
        Ok(lab) => lab,
        Err(reason) => return skipped(reason),
    };
    if lab.engines.len() < 3 {
        return skipped(&format!("not all of the engines: {:?}", lab.missing));
    }
    let root = Root::new()?;
    let places = [CONTAINERD, K3S, "/run/k0s/containerd.sock"];
    let mut real = Vec::new();
    for (package, place) in lab.engines.iter().zip(places) {
        let engine = Containerd::start(lab, package)?;
        // The same socket at another path, as a bind mount would have it.
        fs::hard_link(engine.socket(), root.place(place)?)?;
        real.push(engine);
    }
    let _simulated = [root.sim(CRIO, &["--profile", "crio"])?, root.sim(CRI_DOCKERD, &["--profile", "cri-dockerd"])?];
    let found = root.engines(&[])?;
    expect("all five answer", &(found.candidates.iter().filter(|c| c.answers()).count() == 5))?;
    expect("the table decides among the empty", &(*found.candidates[0].api == *root.api(CONTAINERD)))?;
    let pods = real[1].pods()?;
    let pod = pods.run_pod(&PodSpec::new("shop", "web"))?;
    pods.run(&pod, &ContainerSpec::lasting("nginx"))?;
    expect("the one in use", &(*root.engines(&[])?.candidates[0].api == *root.api(K3S)))?;
    root.shows(&[], "nginx", "none")?;
    root.process(9, &["/opt/kubelet", "--container-runtime-endpoint", "unix:///run/k0s/containerd.sock"])?;
    let found = root.engines(&[])?;
    expect("the kubelet's", &(*found.candidates[0].api == *root.api("/run/k0s/containerd.sock")))?;
    let pid = real[2].pid();
    expect("its process", &(found.candidates[0].pid == pid))?;
    Ok(Completion::Completed)
}

/// As a node of kind is: its containerd, and the pods on it, have pids of their own. The link to its socket is absolute.
fn real_in_namespaces() -> Outcome {
    if let Err(reason) = namespaces() {
        return skipped(&reason);
    }
    let (lab, package) = match lab::lab().map(|lab| (lab, lab.engines.last())) {
        Ok((lab, Some(package))) => (lab, package),
        Ok((lab, None)) => return skipped(&format!("{:?}", lab.missing)),
        Err(reason) => return skipped(reason),
    };
    let root = Root::new()?;
    symlink("/proc", root.at("/proc"))?;
    let _docker = root.sim(CONTAINERD, &[])?;
    let engine = Containerd::start_in_namespaces(lab, package)?;
    let pods = engine.pods()?;
    let pod = pods.run_pod(&PodSpec::new("shop", "web"))?;
    let id = pods.run(&pod, &ContainerSpec::lasting("nested-nginx"))?;
    let more = [("discover.nested", "true")];
    let found = root.engines(&more)?;
    // Other tests may have engines of this kind at the same time.
    let mut checked = false;
    for candidate in found.candidates.iter().filter(|candidate| candidate.sandboxes.is_some_and(|count| count > 0)) {
        let watcher = Watcher::new(Some(&candidate.api), root.config(&more)?)?;
        watcher.resync(Some(PATIENCE))?;
        let Some(container) = watcher.containers()?.into_iter().find(|container| *container.id == *id) else {
            continue;
        };
        let pid = container.pid.ok_or("its pid")?;
        let cgroup = fs::read_to_string(format!("/proc/{pid}/cgroup"))?;
        expect("a process of the container, by our numbers", &cgroup.contains(&id))?;
        let numbers = fs::read_to_string(format!("/proc/{pid}/status"))?;
        let numbers = numbers.lines().find_map(|line| line.strip_prefix("NSpid:")).unwrap_or_default().to_owned();
        expect("another number inside", &(numbers.split_whitespace().count() > 1))?;
        checked = true;
    }
    if !checked {
        return Err(format!("not found: {}", found.json().as_str()).into());
    }
    Ok(Completion::Completed)
}

fn finder() -> Outcome {
    let root = Root::new()?;
    let _mute = mute(root.place(CRIO)?)?;
    let mut one = root.sim(CONTAINERD, &[])?;
    let finder = Finder::new(root.config(&[("connect.timeout_ms", "500")])?)?;
    let next = |what: &str| match finder.next(Some(PATIENCE)) {
        Ok(NextEngine::News(news)) => Ok(news),
        other => Err(Failed::from(format!("{what}: {other:?}"))),
    };
    let is = |news: &EngineNews, path: &str| match news {
        EngineNews::Found(c) => format!("+{}", c.api) == format!("+{}", root.api(path)),
        EngineNews::Changed(c) => format!("~{}", c.api) == format!("~{}", root.api(path)),
        EngineNews::Lost(c) => format!("-{}", c.api) == format!("-{}", root.api(path)),
        _ => false,
    };
    let found = next("the first")?;
    expect("found", &(matches!(found, EngineNews::Found(_)) && is(&found, CONTAINERD)))?;
    one.tell("pod web ns=shop nginx")?;
    let changed = next("it is in use")?;
    expect(
        "changed",
        &(matches!(&changed, EngineNews::Changed(c) if c.sandboxes == Some(1)) && is(&changed, CONTAINERD)),
    )?;
    let two = root.sim(K3S, &[])?;
    let found = next("the second")?;
    expect("found, too", &(matches!(found, EngineNews::Found(_)) && is(&found, K3S)))?;
    drop(two);
    let lost = next("its end")?;
    expect("lost", &(matches!(lost, EngineNews::Lost(_)) && is(&lost, K3S)))?;
    expect("no more", &matches!(finder.next(Some(Duration::ZERO)), Ok(NextEngine::Again)))?;
    wait::for_condition("the descriptor to be quiet", PATIENCE, || {
        let mut poll = libc::pollfd { fd: finder.fd(), events: libc::POLLIN, revents: 0 };
        // SAFETY: one pollfd of ours.
        unsafe { libc::poll(&mut poll, 1, 0) == 0 }
    })?;
    finder.stop();
    expect("closed", &matches!(finder.next(None), Ok(NextEngine::Closed)))?;
    Ok(Completion::Completed)
}

fn example_in_c() -> Outcome {
    let library = c::Library::of_this_build();
    follows_all(|options| {
        let mut command = Command::new(library.build("examples/c/all_engines.c")?);
        command.args(options);
        Ok(command)
    })
}

fn example_in_go() -> Outcome {
    if let Err(reason) = go::available() {
        return skipped(&reason);
    }
    let (folder, prefix) = (tempfile::tempdir()?, go::Prefix::shared()?);
    let program = folder.path().join("allengines");
    prefix.build(&c::root().join("examples/go/allengines"), &program)?;
    follows_all(|options| {
        let mut command = prefix.run(&program);
        command.args(options.iter().flat_map(|option| ["-option", option]));
        Ok(command)
    })
}

/// What an agent of all engines prints while two of them, of one id, come and one goes; SIGTERM ends it well.
fn follows_all(program: impl Fn(&[String]) -> Result<Command, Failed>) -> Outcome {
    let root = Root::new()?;
    let mut one = root.sim(CONTAINERD, &[])?;
    one.tell("pod web ns=shop nginx")?;
    let options = ["host.root", "discover.interval_ms", "engine.id"];
    let values = [root.path().to_string_lossy().into_owned(), "100".into(), "node-1".into()];
    let options: Vec<String> = options.iter().zip(values).map(|(key, value)| format!("{key}={value}")).collect();
    let mut child = program(&options)?.stdout(Stdio::piped()).spawn()?;
    let (to, lines) = channel();
    let stdout = BufReader::new(child.stdout.take().ok_or("no stdout")?);
    // Read by a thread of its own, so that a wait for a line has an end.
    std::thread::spawn(move || stdout.lines().map_while(Result::ok).try_for_each(|line| to.send(line)));
    let mut seen = Vec::new();
    let mut shows = |wanted: &str| {
        let expected = format!("node-1  {wanted}");
        while let Ok(line) = lines.recv_timeout(PATIENCE) {
            let is = line.starts_with(&expected);
            seen.push(line);
            if is {
                return Ok(());
            }
        }
        Err(format!("it ended without {expected:?}: {seen:#?}"))
    };
    let outcome = (|| {
        shows(&format!("engine found at {} (1 of this id)", root.api(CONTAINERD)))?;
        shows("started  shop/web/nginx  pid ")?;
        let mut two = root.sim(CRIO, &["--profile", "crio"])?;
        shows(&format!("engine found at {} (2 of this id)", root.api(CRIO)))?;
        two.tell("pod db ns=data store")?;
        shows("started  data/db/store  pid ")?;
        one.tell("stop web/nginx")?;
        shows("exited   shop/web/nginx  pid ")?;
        drop(two);
        Ok::<(), Failed>(shows(&format!("engine lost at {} (1 of this id)", root.api(CRIO)))?)
    })();
    // SAFETY: a child of ours that was not waited for.
    unsafe { libc::kill(child.id() as i32, libc::SIGTERM) };
    let status = child.wait()?;
    outcome?;
    expect("it ends well", &status.success())?;
    Ok(Completion::Completed)
}
