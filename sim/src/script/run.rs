//! Carries out scripts. Every command has one answer: `ok VERB ...` or `error VERB: why`.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use super::fault_grammar::Fault;
use super::grammar::{self, Awaited, Command};
use super::names;
use crate::engine::Engine;
use crate::faults::{ALL, Claim};
use crate::kubelet::{ContainerSpec, PodSpec};
use crate::pb;
use crate::server::Serving;
use crate::store::{Container, Sandbox, Store};

pub struct Runner {
    engine: Arc<Engine>,
    serving: Arc<Serving>,
}

/// Whether the program continues after a command.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Flow {
    Continue,
    Quit,
}

impl Runner {
    pub fn new(engine: Arc<Engine>, serving: Arc<Serving>) -> Self {
        Runner { engine, serving }
    }

    /// The answer to a line; empty for a line without a command.
    pub async fn line(&self, line: &str) -> (String, Flow) {
        let verb = line.split_whitespace().next().unwrap_or_default();
        let done = match grammar::parse(line) {
            Ok(None) => return (String::new(), Flow::Continue),
            Ok(Some(Command::Quit)) => return ("ok quit".into(), Flow::Quit),
            Ok(Some(command)) => self.run(command, verb).await,
            Err(why) => Err(why),
        };
        let answer = done.unwrap_or_else(|why| format!("error {verb}: {}", why.replace('\n', " ")));
        (answer, Flow::Continue)
    }

    async fn run(&self, command: Command, verb: &str) -> Result<String, String> {
        let done = match command {
            Command::RunPod(pod) => self.run_pod(pod).await?,
            Command::Create { pod, container } => self.create(&pod, container).await?.1,
            Command::Start(name) => self.start(&self.container_id(&name)?).await?,
            Command::Stop { container, grace } => self.stop(&container, grace).await?,
            Command::Remove(name) => {
                let id = self.container_id(&name)?;
                self.engine.remove_container(&id).await.map_err(message)?;
                format!("id={id}")
            }
            Command::StopPod(name) => {
                let id = self.sandbox_id(&name)?;
                self.engine.stop_pod(&id).await.map_err(message)?;
                format!("id={id}")
            }
            Command::RemovePod(name) => {
                let id = self.sandbox_id(&name)?;
                self.engine.remove_pod(&id).await.map_err(message)?;
                format!("id={id}")
            }
            Command::Pod { pod, containers } => self.pod(pod, containers).await?,
            Command::Kill { name, signal } => {
                let id = self.sandbox_id(&name).or_else(|_| self.container_id(&name))?;
                let pid = self.engine.signal(&id, signal).map_err(message)?;
                format!("id={id} pid={pid}")
            }
            Command::Oom { container, noticed_after } => {
                let id = self.container_id(&container)?;
                let pid = self.engine.kill_for_memory(&id, noticed_after).map_err(message)?;
                format!("id={id} pid={pid}")
            }
            Command::Tell { kind, name } => {
                let (id, sandbox_id) = self.event_ids(&name)?;
                self.engine.send_extra_event(&id, &sandbox_id, kind).await;
                format!("id={id}")
            }
            Command::Wait { name, state, limit } => self.wait(&name, state, limit).await?,
            Command::WaitSubscribed { count, limit } => self.wait_subscribed(count, limit).await?,
            Command::Sleep(time) => {
                tokio::time::sleep(time).await;
                String::new()
            }
            Command::List => return Ok(self.list()),
            Command::Stats => self.stats(),
            Command::Restart { new_ids } => {
                self.down();
                let pods = if new_ids { self.engine.reboot().await.map_err(message)? } else { 0 };
                self.up()?;
                if new_ids { format!("pods={pods}") } else { String::new() }
            }
            Command::Down => {
                self.down();
                String::new()
            }
            Command::Up => {
                self.up()?;
                String::new()
            }
            Command::Lose(name) => {
                let id = self.sandbox_id(&name).or_else(|_| self.container_id(&name))?;
                self.engine.lose(&id);
                format!("id={id}")
            }
            Command::Find(prefix) => {
                let id = self.engine.find(&prefix).ok_or_else(|| format!("no lost id begins with {prefix:?}"))?;
                format!("id={id}")
            }
            Command::Vanish(name) => {
                let id = self.container_id(&name)?;
                let pid = self.engine.end_unnoticed(&id).await.map_err(message)?;
                format!("id={id} pid={pid}")
            }
            Command::Tag { tag, image } => format!("id={}", self.engine.store().tag(&tag, &image)),
            Command::Untag(tag) => {
                let id = self.engine.store().untag(&tag).ok_or_else(|| format!("no image has the tag {tag:?}"))?;
                format!("id={id}")
            }
            Command::Claim { name, claim } => self.claim(&name, claim)?,
            Command::Fault(fault) => self.fault(fault).await,
            Command::Quit => String::new(),
        };
        Ok(format!("ok {verb} {done}").trim_end().to_owned())
    }

    async fn run_pod(&self, pod: PodSpec) -> Result<String, String> {
        let name = pod.name.clone();
        let config = pod.config(|| self.engine.new_uid());
        let id = self.engine.run_pod(config, "").await.map_err(message)?;
        let pid = self.engine.store().sandbox(&id).map_or(0, |s| s.pid);
        Ok(format!("{name} id={id} pid={pid}"))
    }

    /// Creates a container. Returns the new id, and the answer.
    async fn create(&self, pod: &str, container: ContainerSpec) -> Result<(String, String), String> {
        let name = container.name.clone();
        let request = {
            let store = self.engine.store();
            let sandbox = names::sandbox(&store, pod).ok_or_else(|| no_pod(pod))?;
            container.request(&sandbox.id, &sandbox.config)
        };
        let id = self.engine.create_container(request).await.map_err(message)?;
        let answer = format!("{name} id={id}");
        Ok((id, answer))
    }

    async fn start(&self, id: &str) -> Result<String, String> {
        self.engine.start_container(id).await.map_err(message)?;
        let pid = self.engine.store().container(id).map_or(0, |c| c.status.pid);
        Ok(format!("id={id} pid={pid}"))
    }

    async fn stop(&self, name: &str, grace: Duration) -> Result<String, String> {
        let id = self.container_id(name)?;
        self.engine.stop_container(&id, grace).await.map_err(message)?;
        let code = self.engine.store().container(&id).map_or(0, |c| c.status.exit_code);
        Ok(format!("id={id} exit={code}"))
    }

    async fn pod(&self, pod: PodSpec, containers: Vec<ContainerSpec>) -> Result<String, String> {
        let mut answer = self.run_pod(pod.clone()).await?;
        let path = format!("{}/{}", pod.namespace, pod.name);
        for container in containers {
            let name = container.name.clone();
            let (id, _) = self.create(&path, container).await?;
            let started = self.start(&id).await?;
            let _ = write!(answer, " {name}: {started}");
        }
        Ok(answer)
    }

    async fn wait(&self, name: &str, state: Awaited, limit: Duration) -> Result<String, String> {
        let reached = self.engine.until(|store| shown(store, name, state));
        match tokio::time::timeout(limit, reached).await {
            Ok(answer) => Ok(format!("{name} {answer}")),
            Err(_) => Err(format!("{name} did not get there within {limit:?}")),
        }
    }

    async fn wait_subscribed(&self, count: u64, limit: Duration) -> Result<String, String> {
        let reached = self.engine.until(|_| (self.engine.subscriptions() >= count).then_some(()));
        let done = tokio::time::timeout(limit, reached).await;
        done.map_err(|_| format!("only {} subscriptions within {limit:?}", self.engine.subscriptions()))?;
        Ok(format!("subscriptions={}", self.engine.subscriptions()))
    }

    fn down(&self) {
        self.engine.go_down();
        self.serving.socket.close();
    }

    fn up(&self) -> Result<(), String> {
        self.engine.come_up();
        self.serving.socket.open().map_err(|e| format!("cannot listen again: {e}"))
    }

    async fn fault(&self, fault: Fault) -> String {
        let faults = &self.engine.faults;
        match fault {
            Fault::Stall(on) => faults.switch(|s| s.stall = on),
            Fault::Slow(by) => faults.switch(|s| s.slow = by),
            Fault::NotServed(on) => faults.switch(|s| s.not_served = on),
            Fault::NotInitialized(code) => faults.switch(|s| s.not_initialized = code),
            Fault::WithholdHeaders(on) => faults.switch(|s| s.withhold_headers = on),
            Fault::SilentEvents(on) => faults.switch(|s| s.silent_events = on),
            Fault::PartialLists(on) => faults.switch(|s| s.partial_lists = on),
            Fault::Hostile(how) => faults.switch(|s| s.hostility = how),
            Fault::Mute(on) => self.serving.socket.mute(on),
            Fault::Event(fault) => self.engine.fault(fault).await,
            Fault::EndStreams(how) => faults.end_streams(how),
            Fault::ClockStep(by) => faults.step_clock(by),
            Fault::Replay(n) => return format!("events={}", self.engine.replay(n).await),
        }
        String::new()
    }

    fn claim(&self, name: &str, claim: Option<Claim>) -> Result<String, String> {
        let id = match name {
            ALL => ALL.to_owned(),
            name => self.sandbox_id(name).or_else(|_| self.container_id(name))?,
        };
        self.engine.faults.claim(|claims| match claim {
            Some(claim) => claims.add(&id, claim),
            None => claims.end(&id),
        });
        Ok(format!("id={id}"))
    }

    fn list(&self) -> String {
        let store = self.engine.store();
        let mut lines = String::new();
        for s in store.sandboxes.values() {
            let _ = writeln!(lines, "- sandbox {} {}", names::pod_path(s), describe_sandbox(s));
            for c in store.containers_of(&s.id) {
                let _ = writeln!(lines, "- container {} {}", names::container_path(&store, c), describe_container(c));
            }
        }
        format!("{lines}ok list sandboxes={} containers={}", store.sandboxes.len(), store.containers.len())
    }

    fn stats(&self) -> String {
        let store = self.engine.store();
        let running = store.containers.values().filter(|c| is_running(c)).count();
        let counts = format!("sandboxes={} containers={}", store.sandboxes.len(), store.containers.len());
        let calls: String = self.serving.calls.all().iter().map(|(method, n)| format!(" {method}={n}")).collect();
        let (events, subscriptions) = (self.engine.emitted(), self.engine.subscriptions());
        format!("{counts} running={running} events={events} subscriptions={subscriptions}{calls}")
    }

    fn sandbox_id(&self, name: &str) -> Result<String, String> {
        names::sandbox(&self.engine.store(), name).map(|s| s.id.clone()).ok_or_else(|| no_pod(name))
    }

    /// The id that an event is about, and the id of its sandbox.
    fn event_ids(&self, name: &str) -> Result<(String, String), String> {
        if let Ok(id) = self.sandbox_id(name) {
            return Ok((id.clone(), id));
        }
        let id = self.container_id(name)?;
        let sandbox_id = self.engine.store().container(&id).map_or_else(|_| String::new(), |c| c.sandbox_id.clone());
        Ok((id, sandbox_id))
    }

    fn container_id(&self, name: &str) -> Result<String, String> {
        let none = || format!("no container is called {name:?}: `list` shows all");
        names::container(&self.engine.store(), name).map(|c| c.id.clone()).ok_or_else(none)
    }
}

fn message(error: crate::store::Error) -> String {
    error.message().to_owned()
}

fn no_pod(name: &str) -> String {
    format!("no pod is called {name:?}: `list` shows all")
}

/// The answer of `wait`, once the store shows the state.
fn shown(store: &Store, name: &str, state: Awaited) -> Option<String> {
    let sandbox = || names::sandbox(store, name);
    let container = |wanted| names::container(store, name).filter(|c| c.status.state() == wanted);
    match state {
        Awaited::Created => container(pb::ContainerState::ContainerCreated).map(describe_container),
        Awaited::Running => container(pb::ContainerState::ContainerRunning).map(describe_container),
        Awaited::Exited => container(pb::ContainerState::ContainerExited).map(describe_container),
        Awaited::Ready => sandbox().filter(|s| s.ready).map(describe_sandbox),
        Awaited::NotReady => sandbox().filter(|s| !s.ready).map(describe_sandbox),
        Awaited::Gone => (sandbox().is_none() && names::container(store, name).is_none()).then(|| "gone".into()),
    }
}

fn describe_sandbox(s: &Sandbox) -> String {
    format!("{} id={} pid={}", if s.ready { "ready" } else { "notready" }, s.id, s.pid)
}

fn describe_container(c: &Container) -> String {
    let end = match c.status.state() {
        pb::ContainerState::ContainerCreated => "created".into(),
        pb::ContainerState::ContainerRunning => "running".into(),
        _ => format!("exited exit={}", c.status.exit_code),
    };
    format!("{end} id={} pid={}", c.id, c.status.pid)
}

fn is_running(c: &Container) -> bool {
    c.status.state() == pb::ContainerState::ContainerRunning
}
