//! The field reports that a real containerd can show: what nodes do, and the library once got wrong. Their siblings on the
//! simulated engine are in scenarios/field_reports.

mod support;

use std::fs;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use criwatch::config::Config;
use criwatch::hub::{EventQueue, Next};
use criwatch::model::*;
use criwatch::portfolio::Query;
use criwatch::watcher::Watcher;
use serde_json::Value;

use support::containerd::Containerd;
use support::pods::{ContainerSpec, PodSpec};
use support::suite::{self, Outcome, Setup, Skipped, Test, unique};
use support::wait::{self, PATIENCE};

const TESTS: &[Test] = &[
    ("row_1_each_container_has_its_authors_tag", each_container_has_its_authors_tag),
    ("row_2_the_newest_pod_of_a_name_is_meant", the_newest_pod_of_a_name_is_meant),
    ("row_5_the_pid_of_a_lost_process_is_withdrawn", the_pid_of_a_lost_process_is_withdrawn),
    ("row_7_what_lost_its_spec_is_there_as_long_as_it_is_listed", what_lost_its_spec_is_there),
    ("row_7_removals_are_told_once", removals_are_reported_once),
    ("row_8_a_removed_tag_stays_the_runs_name", a_removed_tag_stays_the_runs_name),
    ("row_9_image_ids_stay", image_ids_stay),
    ("row_16_reserved_keys_are_the_engines_own", reserved_keys_are_the_engines_own),
];

fn main() {
    suite::run(TESTS);
}

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// A watcher that lists often, and everything that it reported.
struct Watched {
    watcher: Watcher,
    queue: Arc<EventQueue>,
    events: Vec<Event>,
}

impl Watched {
    fn on(setup: &Setup) -> Result<Watched> {
        let mut config = Config::default();
        for (key, value) in [("relist.interval_ms", "100"), ("poll.interval_ms", "100")] {
            config.set(key, value)?;
        }
        let watcher = Watcher::new(Some(&setup.engine.endpoint), config)?;
        let kinds = [CRI_EVENT_STARTED, CRI_EVENT_EXITED, CRI_EVENT_UPDATED, CRI_EVENT_REMOVED, CRI_EVENT_LOG];
        let queue = watcher.subscribe(kinds.iter().fold(0, |mask, kind| mask | 1 << kind), 0, 1 << 20)?;
        watcher.start()?;
        watcher.wait_ready(Some(PATIENCE))?;
        Ok(Watched { watcher, queue, events: Vec::new() })
    }

    fn drain(&mut self) -> &[Event] {
        while let Next::Event(event) = self.queue.next(Some(Duration::ZERO)) {
            self.events.push(event);
        }
        &self.events
    }

    fn count(&mut self, id: &str, event_type: EventType) -> usize {
        let is_it = |e: &&Event| e.event_type == event_type && e.container.as_ref().is_some_and(|c| *c.id == *id);
        self.drain().iter().filter(is_it).count()
    }

    fn record(&self, id: &str) -> Result<Arc<Container>> {
        let query = Query::parse(Some(r#"{"all":true,"gone":true}"#))?;
        let found = self.watcher.snapshot()?.select(&query).find(|c| *c.id == *id).cloned();
        found.ok_or_else(|| format!("no record of {id}").into())
    }

    fn wait_for(&self, what: &str, id: &str, is_so: impl Fn(&Container) -> bool) -> Result<Arc<Container>> {
        Ok(wait::until(what, PATIENCE, || {
            let record = self.record(id).map_err(|error| error.to_string())?;
            if is_so(&record) { Ok(record) } else { Err(format!("{record:?}")) }
        })?)
    }

    fn lists(&self) -> Result<u64> {
        let stats: Value = serde_json::from_str(self.watcher.stats()?.as_str())?;
        stats["stats"]["lists"].as_u64().ok_or_else(|| format!("no count of lists in {stats}").into())
    }

    fn relists(&self, lists: u64) -> Outcome {
        let wanted = self.lists()? + lists;
        Ok(wait::for_condition("more lists", PATIENCE, || self.lists().is_ok_and(|lists| lists >= wanted))?)
    }

    /// Twenty relists bring nothing about this one, once what was under way is over.
    fn falls_silent(&mut self, id: &str) -> Outcome {
        let about = |watched: &mut Watched| {
            let told = |e: &&Event| e.container.as_ref().is_some_and(|c| *c.id == *id);
            let warned = |e: &&Event| e.message.as_ref().is_some_and(|m| m.contains(id));
            watched.drain().iter().filter(|e| told(e) || warned(e)).count()
        };
        let mut before = None;
        for _ in 0..10 {
            let now = about(self);
            if before == Some(now) {
                return Ok(());
            }
            before = Some(now);
            self.relists(20)?;
        }
        Err(format!("{id} never falls silent: {:?}", self.events).into())
    }
}

/// The containerd of this test; others cannot be driven past CRI.
fn containerd(setup: &Setup) -> Result<&Containerd> {
    setup.engine.containerd.as_ref().ok_or_else(|| Skipped("this needs containerd's own client").into())
}

/// Gives the tests' image more tags, and answers the image's id.
fn tag(setup: &Setup, tags: &[&str]) -> Result<String> {
    let image = support::containerd::IMAGE;
    for tag in tags {
        containerd(setup)?.ctr(&["images", "tag", image, tag])?;
        wait::for_condition("the tag to be known to CRI", PATIENCE, || {
            setup.engine.pods.has_image(tag).is_ok_and(|known| known)
        })?;
    }
    Ok(setup.engine.pods.image_id(image)?)
}

fn each_container_has_its_authors_tag(setup: &mut Setup) -> Outcome {
    let tags = ["localhost/busybox:a", "localhost/busybox:b", "localhost/busybox:c"];
    let image_id = tag(setup, &tags)?;
    let pods = &setup.engine.pods;
    let watched = Watched::on(setup)?;
    let pod = pods.run_pod(&PodSpec::new("cri-lab", &unique("tags")))?;
    // Older contracts have no user_specified_image; there a kubelet names the image.
    let by_name = containerd(setup)?.package().line.starts_with("1.");
    let mut made = Vec::new();
    for (n, tag) in tags.iter().enumerate() {
        let image = if by_name { tag } else { image_id.as_str() };
        let spec = ContainerSpec::lasting(&format!("c{n}")).image(image, tag);
        made.push((pods.run(&pod, &spec)?, *tag));
    }
    for (id, _) in &made {
        watched.wait_for("a pid", id, |c| c.pid.is_some())?;
    }
    watched.relists(5)?;
    for (id, tag) in made {
        let record = watched.record(&id)?;
        assert_eq!((&*record.image.name, record.image.repository()), (tag, "localhost/busybox"), "{record:?}");
        assert_eq!(*record.image.id, *image_id, "{record:?}");
        let inspected: Value = serde_json::from_str(watched.watcher.inspect(&id, 0, Some(PATIENCE))?.as_str())?;
        assert_eq!(inspected["container"]["image"]["name"], tag, "{inspected:#}");
    }
    Ok(())
}

fn the_newest_pod_of_a_name_is_meant(setup: &mut Setup) -> Outcome {
    let pods = &setup.engine.pods;
    let name = unique("web-0");
    let mut ids = Vec::new();
    for attempt in [5, 0] {
        let pod = pods.run_pod(&PodSpec::new("shop", &name))?;
        ids.push(pods.run(&pod, &ContainerSpec::new("app", ["true"]).attempt(attempt))?);
        pods.stop_pod(&pod.id)?;
    }
    let watched = Watched::on(setup)?;
    let path = format!("shop/{name}/app");
    for answer in [watched.watcher.get(&path)?, watched.watcher.inspect(&path, 0, Some(PATIENCE))?] {
        let answer: Value = serde_json::from_str(answer.as_str())?;
        assert_eq!(answer["container"]["id"], *ids[1], "{answer:#}");
    }
    Ok(())
}

/// The shim is stopped and the process killed: the engine says "running", because its shim would have to report the end.
fn the_pid_of_a_lost_process_is_withdrawn(setup: &mut Setup) -> Outcome {
    containerd(setup)?;
    let pods = &setup.engine.pods;
    let mut watched = Watched::on(setup)?;
    let pod = pods.run_pod(&PodSpec::new("cri-lab", &unique("lost")))?;
    let id = pods.run(&pod, &ContainerSpec::lasting("app"))?;
    let pid = watched.wait_for("a pid", &id, |c| c.pid.is_some())?.pid.ok_or("no pid")?;
    let shim = Stopped::parent_of(pid)?;
    // SAFETY: kill takes plain numbers. The stopped shim has not waited for the process, so that the pid is its own.
    assert_eq!(unsafe { libc::kill(pid, libc::SIGKILL) }, 0, "{}", std::io::Error::last_os_error());
    watched.wait_for("the pid's end", &id, |c| c.pid.is_none())?;
    watched.falls_silent(&id)?;
    let record = watched.record(&id)?;
    assert_eq!((record.state, record.pid), (State::Running, None), "{:?}", watched.events);
    assert_eq!((watched.count(&id, EventType::Started), watched.count(&id, EventType::Exited)), (1, 0));
    let withdrawn = |e: &&Event| {
        let is_it = e.container.as_ref().is_some_and(|c| *c.id == *id && c.pid.is_none());
        is_it && e.event_type == EventType::Updated && e.changed & CRI_CHANGED_PID != 0
    };
    assert_eq!(watched.drain().iter().filter(withdrawn).count(), 1, "{:?}", watched.events);
    drop(shim);
    watched.wait_for("the exit", &id, |c| c.state == State::Exited)?;
    Ok(())
}

/// A process that is stopped until this is dropped.
struct Stopped(i32);

impl Stopped {
    fn parent_of(pid: i32) -> Result<Stopped> {
        let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
        let parent = status.lines().find_map(|line| line.strip_prefix("PPid:")).ok_or("no parent")?;
        let shim = Stopped(parent.trim().parse()?);
        shim.signal(libc::SIGSTOP)?;
        Ok(shim)
    }

    fn signal(&self, signal: i32) -> std::io::Result<()> {
        // SAFETY: kill takes plain numbers. A shim lives as long as its pod, which nobody removes meanwhile.
        if unsafe { libc::kill(self.0, signal) } == 0 { Ok(()) } else { Err(std::io::Error::last_os_error()) }
    }
}

impl Drop for Stopped {
    fn drop(&mut self) {
        if let Err(error) = self.signal(libc::SIGCONT) {
            eprintln!("the shim {} stays stopped: {error}", self.0);
        }
    }
}

/// `ctr containers rm` of what has exited: CRI lists it, and has no verbose status of it any more.
fn what_lost_its_spec_is_there(setup: &mut Setup) -> Outcome {
    let engine = containerd(setup)?;
    let pods = &setup.engine.pods;
    let mut watched = Watched::on(setup)?;
    let pod = pods.run_pod(&PodSpec::new("cri-lab", &unique("lost")))?;
    let id = pods.run(&pod, &ContainerSpec::new("job", ["sh", "-c", "exit 3"]))?;
    watched.wait_for("the exit", &id, |c| c.exit.is_some())?;
    engine.ctr(&["containers", "rm", &id])?;
    watched.falls_silent(&id)?;
    assert_eq!(watched.count(&id, EventType::Removed), 0, "{:?}", watched.events);
    assert_eq!(watched.count(&id, EventType::Exited), 1, "{:?}", watched.events);
    // Somebody who comes later sees the same.
    let mut later = Watched::on(setup)?;
    later.falls_silent(&id)?;
    for watched in [&mut watched, &mut later] {
        let record = watched.record(&id)?;
        assert_eq!((record.state, record.exit.as_ref().and_then(|e| e.code)), (State::Exited, Some(3)), "{record:?}");
        assert_eq!(watched.count(&id, EventType::Removed), 0, "{:?}", watched.events);
        let inspected: Value = serde_json::from_str(watched.watcher.inspect(&id, 0, Some(PATIENCE))?.as_str())?;
        assert_eq!(inspected["container"]["exitCode"], 3, "{inspected:#}");
    }
    // Some versions cannot remove it any more.
    if pods.remove(&id).is_ok() {
        wait::for_condition("the removal", PATIENCE, || watched.count(&id, EventType::Removed) == 1)?;
    }
    Ok(())
}

/// At a removal the verbose status is gone before the list's entry.
fn removals_are_reported_once(setup: &mut Setup) -> Outcome {
    let pods = &setup.engine.pods;
    let mut watched = Watched::on(setup)?;
    let pod = pods.run_pod(&PodSpec::new("cri-lab", &unique("removals")))?;
    let mut ids = Vec::new();
    for n in 0..12 {
        let id = pods.run(&pod, &ContainerSpec::lasting(&format!("c{n}")))?;
        watched.wait_for("a pid", &id, |c| c.pid.is_some())?;
        pods.stop(&id, 0)?;
        pods.remove(&id)?;
        ids.push(id);
    }
    watched.watcher.resync(Some(PATIENCE))?;
    watched.relists(20)?;
    for id in &ids {
        let kinds = [EventType::Started, EventType::Exited, EventType::Removed];
        let counts = kinds.map(|kind| watched.count(id, kind));
        assert_eq!(counts, [1, 1, 1], "{id}: {:?}", watched.events);
    }
    Ok(())
}

fn a_removed_tag_stays_the_runs_name(setup: &mut Setup) -> Outcome {
    const TAG: &str = "localhost/busybox:short-lived";
    tag(setup, &[TAG])?;
    let pods = &setup.engine.pods;
    let mut watched = Watched::on(setup)?;
    let pod = pods.run_pod(&PodSpec::new("cri-lab", &unique("untagged")))?;
    let id = pods.run(&pod, &ContainerSpec::lasting("app").image(TAG, TAG))?;
    watched.wait_for("a pid", &id, |c| c.pid.is_some())?;
    containerd(setup)?.ctr(&["images", "rm", TAG])?;
    wait::for_condition("the tag to be gone", PATIENCE, || pods.has_image(TAG).is_ok_and(|known| !known))?;
    watched.relists(5)?;
    pods.stop(&id, 0)?;
    watched.wait_for("the exit", &id, |c| c.state == State::Exited)?;
    watched.falls_silent(&id)?;
    let names = |e: &Event| e.container.as_ref().filter(|c| *c.id == *id).map(|c| c.image.name.clone());
    let named: Vec<_> = watched.drain().iter().filter_map(names).collect();
    assert!(named.iter().all(|name| **name == *TAG), "{named:?}");
    Ok(())
}

fn image_ids_stay(setup: &mut Setup) -> Outcome {
    let pods = &setup.engine.pods;
    let image_id = pods.image_id(pods.image())?;
    let watched = Watched::on(setup)?;
    let pod = pods.run_pod(&PodSpec::new("cri-lab", &unique("image")))?;
    let id = pods.run(&pod, &ContainerSpec::lasting("app"))?;
    watched.wait_for("a pid", &id, |c| c.pid.is_some())?;
    watched.relists(5)?;
    let record = watched.record(&id)?;
    assert_eq!((&*record.image.id, &*record.image.name), (&*image_id, pods.image()), "{record:?}");
    Ok(())
}

fn reserved_keys_are_the_engines_own(setup: &mut Setup) -> Outcome {
    let pods = &setup.engine.pods;
    let name = unique("forged");
    let spec = PodSpec::new("cri-lab", &name)
        .label("io.kubernetes.sandbox", "x")
        .label("io.kubernetes.container.name", "nginx");
    let pod = pods.run_pod(&spec)?;
    let id = pods.run(&pod, &ContainerSpec::lasting("app").label("io.kubernetes.sandbox", "x"))?;
    let watched = Watched::on(setup)?;
    let matching = |selector: &str| -> Result<Vec<String>> {
        let query = serde_json::json!({ "selector": format!("{selector},io.kubernetes.pod.name={name}") }).to_string();
        let list = watched.watcher.list(Some(&query))?.ok_or("nothing new")?;
        let list: Value = serde_json::from_str(list.as_str())?;
        let ids = list["containers"].as_array().ok_or("no containers")?.iter().filter_map(|c| c["id"].as_str());
        Ok(ids.map(str::to_owned).collect())
    };
    assert_eq!(matching("io.kubernetes.sandbox")?, std::slice::from_ref(&pod.id));
    assert_eq!(matching("!io.kubernetes.sandbox")?, std::slice::from_ref(&id));
    assert_eq!(matching("io.kubernetes.container.name=nginx")?, Vec::<String>::new());
    assert_eq!(matching("io.kubernetes.container.name=app")?, [id]);
    Ok(())
}

impl Containerd {
    /// containerd's own client, on what CRI has.
    fn ctr(&self, arguments: &[&str]) -> Result<()> {
        let mut command = self.client();
        let output = command.args(arguments).output()?;
        match output.status.success() {
            true => Ok(()),
            false => Err(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr)).into()),
        }
    }

    fn client(&self) -> Command {
        let mut command = Command::new(self.package().dir.join("usr/bin/ctr"));
        command.arg("--address").arg(self.socket()).args(["--namespace", "k8s.io"]);
        command
    }
}
