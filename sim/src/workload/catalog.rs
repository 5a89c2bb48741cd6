//! The pods that run on the simulated node.

use crate::kubelet::{ContainerSpec, PodSpec};
use crate::rng::Rng;

/// How the workload treats a pod.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Role {
    /// Runs on each node, for ever.
    Agent,
    /// A replica of a service: restarted after an exit, replaced now and then.
    Service,
    /// Runs to its end, and is removed some time later.
    Job,
}

/// A pod to be run, with its containers.
#[derive(Clone, Debug)]
pub struct Planned {
    pub role: Role,
    pub pod: PodSpec,
    pub containers: Vec<ContainerSpec>,
}

const AGENTS: &[&str] = &["kube-proxy", "node-exporter"];
const SERVICES: &[&str] = &["frontend", "checkout", "cart", "payments", "catalog"];
const FLAKY: &[&str] = &["recommender", "legacy-import"];
const JOBS: &[&str] = &["report", "backup", "thumbnails", "migrate"];

/// The pods that every node has.
pub fn agents(rng: &mut Rng) -> Vec<Planned> {
    AGENTS
        .iter()
        .map(|app| planned(Role::Agent, "kube-system", app, &rng.suffix(5), vec![ContainerSpec::new(app)]))
        .collect()
}

/// A new pod: mostly replicas, many jobs, a few crash loops.
pub fn draw(rng: &mut Rng) -> Planned {
    match rng.below(10) {
        0..5 => service(rng),
        5..9 => job(rng),
        _ => flaky(rng),
    }
}

fn service(rng: &mut Rng) -> Planned {
    let app = *rng.pick(SERVICES);
    let mut containers = vec![ContainerSpec::new(app)];
    if rng.chance(0.4) {
        containers.push(ContainerSpec::new("mesh-proxy"));
    }
    let suffix = format!("{}-{}", template_hash(app), rng.suffix(5));
    planned(Role::Service, "shop", app, &suffix, containers)
}

fn job(rng: &mut Rng) -> Planned {
    let app = *rng.pick(JOBS);
    let run_time = if rng.chance(0.2) { rng.between(0.005, 0.05) } else { rng.between(1.0, 6.0) };
    let code = if rng.chance(0.25) { 1 + rng.below(3) } else { 0 };
    let mut main = ContainerSpec::new(app);
    main.command = shell(run_time, code);
    let suffix = format!("{}-{}", 10_000 + rng.below(90_000), rng.suffix(5));
    planned(Role::Job, "batch", app, &suffix, vec![main])
}

fn flaky(rng: &mut Rng) -> Planned {
    let app = *rng.pick(FLAKY);
    let mut main = ContainerSpec::new(app);
    main.command = shell(rng.between(0.2, 2.0), 1 + rng.below(2));
    let suffix = format!("{}-{}", template_hash(app), rng.suffix(5));
    planned(Role::Service, "shop", app, &suffix, vec![main])
}

fn shell(run_time: f64, code: usize) -> Vec<String> {
    vec!["sh".into(), "-c".into(), format!("sleep {run_time:.3}; exit {code}")]
}

/// All replicas of a deployment carry the same hash.
fn template_hash(app: &str) -> String {
    Rng::new(app.bytes().map(u64::from).sum()).suffix(9)
}

fn planned(role: Role, namespace: &str, app: &str, suffix: &str, containers: Vec<ContainerSpec>) -> Planned {
    let mut pod = PodSpec::new(&format!("{app}-{suffix}"));
    pod.namespace = namespace.into();
    pod.labels.insert("app".into(), app.into());
    pod.host_network = role == Role::Agent;
    Planned { role, pod, containers }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_draws_the_same_pods() {
        let names = |seed| {
            let mut rng = Rng::new(seed);
            (0..50).map(|_| draw(&mut rng).pod.name).collect::<Vec<_>>()
        };
        assert_eq!(names(1), names(1));
        assert_ne!(names(1), names(2));
    }

    #[test]
    fn every_command_is_installed() {
        let mut rng = Rng::new(1);
        for planned in agents(&mut rng).into_iter().chain((0..200).map(|_| draw(&mut rng)).collect::<Vec<_>>()) {
            for c in planned.containers {
                assert!(crate::command::plan(&c.command, &[]).is_ok(), "{:?}", c.command);
            }
        }
    }
}
