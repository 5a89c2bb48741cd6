//! A small kubelet: it keeps the node full, restarts containers that exited, and removes finished pods.

use std::sync::Arc;
use std::time::Duration;

use super::catalog::{self, Planned, Role};
use crate::engine::Engine;
use crate::kubelet::ContainerSpec;
use crate::options::Workload;
use crate::pb::ContainerState;
use crate::rng::Rng;
use crate::store::{Result, Store};

/// One pod of the workload.
struct Pod {
    id: String,
    role: Role,
    /// The containers: how to start each, and its current id.
    containers: Vec<(ContainerSpec, String)>,
}

struct Loop {
    engine: Arc<Engine>,
    rng: Rng,
    target: usize,
    pods: Vec<Pod>,
}

/// The next step. It depends only on the store, so that it can be tested.
#[derive(Debug, PartialEq)]
enum Step {
    Run,
    Restart {
        pod: usize,
        container: usize,
    },
    Remove(usize),
    /// Kills a running server, as the kernel does when memory is short.
    Kill {
        pod: usize,
        container: usize,
    },
    Rest,
}

pub async fn run(engine: Arc<Engine>, options: Workload, mut rng: Rng) {
    let agents = catalog::agents(&mut rng);
    let mut node = Loop { engine, rng, target: options.pods, pods: Vec::new() };
    for agent in agents.into_iter().take(options.pods) {
        node.run_pod(agent).await;
    }
    // With --containers the node is full already.
    while node.pods.len() < options.pods * 3 / 4 {
        let planned = catalog::draw(&mut node.rng);
        node.run_pod(planned).await;
    }
    loop {
        let pause = options.pace.as_secs_f64() * node.rng.between(0.5, 1.5);
        tokio::time::sleep(Duration::from_secs_f64(pause)).await;
        node.turn().await;
    }
}

impl Loop {
    async fn turn(&mut self) {
        let step = decide(&self.engine.store(), &self.pods, self.target, &mut self.rng);
        match step {
            Step::Run => {
                let planned = catalog::draw(&mut self.rng);
                self.run_pod(planned).await;
            }
            Step::Restart { pod, container } => self.restart(pod, container).await,
            Step::Remove(pod) => {
                let pod = self.pods.swap_remove(pod);
                say(self.engine.remove_pod(&pod.id).await);
            }
            Step::Kill { pod, container } => {
                let id = &self.pods[pod].containers[container].1;
                // The process may have ended since the decision; then there is nothing to kill.
                let _ = self.engine.signal(id, libc::SIGKILL);
            }
            Step::Rest => {}
        }
    }

    async fn run_pod(&mut self, planned: Planned) {
        let config = planned.pod.config(|| self.engine.new_uid());
        let id = match self.engine.run_pod(config, "").await {
            Ok(id) => id,
            Err(e) => return say(Err(e)),
        };
        let mut pod = Pod { id, role: planned.role, containers: Vec::new() };
        for spec in planned.containers {
            match self.start(&pod.id, spec.clone()).await {
                Ok(id) => pod.containers.push((spec, id)),
                Err(e) => say(Err(e)),
            }
        }
        self.pods.push(pod);
    }

    /// Makes the next attempt, and removes the old one, as the kubelet's garbage collection does.
    async fn restart(&mut self, pod: usize, container: usize) {
        let sandbox = self.pods[pod].id.clone();
        let (mut spec, old) = self.pods[pod].containers[container].clone();
        spec.attempt += 1;
        match self.start(&sandbox, spec.clone()).await {
            Ok(id) => self.pods[pod].containers[container] = (spec, id),
            Err(e) => return say(Err(e)),
        }
        say(self.engine.remove_container(&old).await);
    }

    async fn start(&self, sandbox: &str, spec: ContainerSpec) -> Result<String> {
        let request = {
            let store = self.engine.store();
            let sandbox = store.sandbox(sandbox)?;
            spec.request(&sandbox.id, &sandbox.config)
        };
        let id = self.engine.create_container(request).await?;
        self.engine.start_container(&id).await?;
        Ok(id)
    }
}

fn decide(store: &Store, pods: &[Pod], target: usize, rng: &mut Rng) -> Step {
    let state = |id: &str| store.containers.get(id).map(|c| c.status.state());
    let (mut leaving, mut dead, mut alive) = (Vec::new(), Vec::new(), Vec::new());
    for (at, pod) in pods.iter().enumerate() {
        let finished = pod.containers.iter().all(|(_, id)| state(id) == Some(ContainerState::ContainerExited));
        if pod.role == Role::Service || (pod.role == Role::Job && finished) {
            leaving.push(at);
        }
        for (container, (_, id)) in pod.containers.iter().enumerate() {
            match state(id) {
                Some(ContainerState::ContainerExited) if pod.role != Role::Job => dead.push((at, container)),
                Some(ContainerState::ContainerRunning) if pod.role == Role::Service => alive.push((at, container)),
                _ => {}
            }
        }
    }
    match rng.below(10) {
        0..4 if !dead.is_empty() => {
            let (pod, container) = *rng.pick(&dead);
            Step::Restart { pod, container }
        }
        0..7 if pods.len() < target => Step::Run,
        4..9 if !leaving.is_empty() => Step::Remove(*rng.pick(&leaving)),
        9 if !alive.is_empty() => {
            let (pod, container) = *rng.pick(&alive);
            Step::Kill { pod, container }
        }
        _ if pods.len() < target => Step::Run,
        _ if !leaving.is_empty() => Step::Remove(*rng.pick(&leaving)),
        _ => Step::Rest,
    }
}

/// Prints the failures of the workload's commands, because nobody waits for them.
fn say(done: Result<()>) {
    if let Err(e) = done {
        eprintln!("cri-sim: workload: {}", e.message());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_node_is_filled_and_a_node_of_agents_rests() {
        let store = Store::default();
        let mut rng = Rng::new(3);
        for _ in 0..50 {
            assert_eq!(decide(&store, &[], 1, &mut rng), Step::Run);
            let agent = [Pod { id: "a".into(), role: Role::Agent, containers: Vec::new() }];
            assert_eq!(decide(&store, &agent, 1, &mut rng), Step::Rest);
            let service = [Pod { id: "a".into(), role: Role::Service, containers: Vec::new() }];
            assert_eq!(decide(&store, &service, 1, &mut rng), Step::Remove(0));
        }
    }
}
