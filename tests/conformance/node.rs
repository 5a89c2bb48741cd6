//! What runs pods: the simulated engine, or a real one.

use crate::support::containerd::Containerd;
use crate::support::engines::{Engine, Source};
use crate::support::pods::{ContainerSpec, Pod, PodSpec};
use crate::support::sim::Sim;

/// A pod with one container, as the engine reported it: the truth.
pub struct Run {
    pub pod: String,
    pub pod_id: String,
    pub container: String,
    pub id: String,
}

/// An engine that does what it is asked to.
pub trait Node {
    fn endpoint(&self) -> String;
    /// How it is to be watched.
    fn options(&self) -> &'static str;
    /// Runs a pod in the namespace `shop`; the sandbox's id.
    fn run_pod(&mut self, pod: &str) -> Result<String, String>;
    /// Runs a container in it.
    fn run(&mut self, pod: &str, pod_id: String, container: &str) -> Result<Run, String>;
    /// Ends the container; its exit code.
    fn end(&mut self, run: &Run) -> Result<i32, String>;
    /// Stops the pod.
    fn stop_pod(&mut self, run: &Run) -> Result<(), String>;
    /// Removes the pod.
    fn remove(&mut self, run: &Run) -> Result<(), String>;
}

/// Of containerd 1.7, all subscribers take from one channel: each would get a part, and list what it missed, sooner or
/// later. So all list.
const SHARED: &str = "events=poll";
const STREAMED: &str = "events=auto";

/// The simulated engine, and whether its subscribers share one channel.
pub struct Simulated(Sim, bool);

impl Simulated {
    pub fn start(profile: &str) -> Result<Simulated, String> {
        Ok(Simulated(Sim::start(&["--profile", profile])?, profile == "containerd-1.7"))
    }
}

impl Node for Simulated {
    fn endpoint(&self) -> String {
        self.0.endpoint().to_owned()
    }

    fn options(&self) -> &'static str {
        if self.1 { SHARED } else { STREAMED }
    }

    fn run_pod(&mut self, pod: &str) -> Result<String, String> {
        self.0.make(&format!("run-pod {pod} ns=shop label=tier=front annotation=note=a\\b"))
    }

    fn run(&mut self, pod: &str, pod_id: String, container: &str) -> Result<Run, String> {
        let id = self.0.make(&format!("create shop/{pod} {container} label=app={container}"))?;
        self.0.tell(&format!("start shop/{pod}/{container}"))?;
        Ok(Run { pod: pod.into(), pod_id, container: container.into(), id })
    }

    fn end(&mut self, run: &Run) -> Result<i32, String> {
        self.0.tell(&format!("stop {}", run.id))?;
        let answer = self.0.tell(&format!("wait {} exited", run.id))?;
        let code = answer.split(' ').find_map(|word| word.strip_prefix("exit="));
        code.and_then(|code| code.parse().ok()).ok_or(format!("no exit code in {answer:?}"))
    }

    fn stop_pod(&mut self, run: &Run) -> Result<(), String> {
        self.0.tell(&format!("stop-pod {}", run.pod_id)).map(drop)
    }

    fn remove(&mut self, run: &Run) -> Result<(), String> {
        self.0.tell(&format!("rm-pod {}", run.pod_id)).map(drop)
    }
}

pub struct Real {
    engine: Engine,
    pods: Vec<Pod>,
}

/// What the containers exit with when they are asked to stop.
const EXIT_CODE: i32 = 7;

impl Real {
    pub fn start(source: &Source) -> Result<Real, String> {
        Ok(Real { engine: source.start()?, pods: Vec::new() })
    }

    /// The engine's own log, for a failure.
    pub fn log(&self) -> String {
        self.engine.containerd.as_ref().map(Containerd::log_tail).unwrap_or_default()
    }
}

impl Node for Real {
    fn endpoint(&self) -> String {
        self.engine.endpoint.clone()
    }

    fn options(&self) -> &'static str {
        let is_shared = self.engine.containerd.as_ref().is_some_and(|containerd| containerd.package().line == "1.7");
        if is_shared { SHARED } else { STREAMED }
    }

    fn run_pod(&mut self, pod: &str) -> Result<String, String> {
        let spec = PodSpec::new("shop", pod).label("tier", "front").annotation("note", "a\\b");
        let made = self.engine.pods.run_pod(&spec).map_err(|e| format!("{e}\n{}", self.log()))?;
        let pod_id = made.id.clone();
        self.pods.push(made);
        Ok(pod_id)
    }

    fn run(&mut self, pod: &str, pod_id: String, container: &str) -> Result<Run, String> {
        let made = self.pods.iter().find(|pod| pod.id == pod_id).ok_or("there is no such pod")?;
        let spec = ContainerSpec::stoppable(container, EXIT_CODE).label("app", container);
        let id = self.engine.pods.run(made, &spec).map_err(|e| e.to_string())?;
        Ok(Run { pod: pod.into(), pod_id, container: container.into(), id })
    }

    fn end(&mut self, run: &Run) -> Result<i32, String> {
        self.engine.pods.stop(&run.id, 30).map_err(|e| e.to_string())?;
        self.engine.pods.brief_status(&run.id).map(|status| status.exit_code).map_err(|e| e.to_string())
    }

    fn stop_pod(&mut self, run: &Run) -> Result<(), String> {
        self.engine.pods.stop_pod(&run.pod_id).map_err(|e| e.to_string())
    }

    fn remove(&mut self, run: &Run) -> Result<(), String> {
        self.engine.pods.remove_pod(&run.pod_id).map_err(|e| e.to_string())
    }
}
