//! Engines that come later, are made anew, or are left for a better one.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fs;

use criwatch::model::{EventType, WatcherState};
use criwatch::watcher::{EventQueue, Next, Watcher};
use libtest_mimic::{Completion, Failed};

use crate::node::*;
use crate::support::schema;
use crate::support::sim::Sim;
use crate::support::wait::PATIENCE;

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
    event.event_type == EventType::State
        && event.message.as_ref().is_some_and(|m| m.contains("the watcher changes from the engine at"))
}

/// The one that was taken is empty: the better one that comes later is followed, and why is reported.
pub fn k3s_late() -> Outcome {
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
pub fn kept() -> Outcome {
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
pub fn what_is_left_ends() -> Outcome {
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
/// still runs.
pub fn made_anew() -> Outcome {
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
    until(&queue, "STATE with the reason", |event| event.message.as_ref().is_some_and(|m| m.contains("was replaced")))?;
    until(&queue, "STARTED of after", starts("after"))?;
    drop(old);
    Ok(Completion::Completed)
}

/// Nothing is there at first: not the socket, not its folder.
pub fn folder_comes() -> Outcome {
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
