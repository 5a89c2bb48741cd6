//! The engine that is measured with: a private containerd, or one that runs already.

use super::containerd::{Containerd, IMAGE};
use super::machine;
use super::pods::{ContainerSpec, PodSpec, Pods};

pub struct Engine {
    pub pods: Pods,
    pub endpoint: String,
    /// Ends with it.
    containerd: Option<Containerd>,
    filled: usize,
}

impl Engine {
    /// `ENDPOINT`, else the newest containerd that can be had; or why there is none.
    pub fn start() -> Result<Engine, String> {
        if let Ok(endpoint) = std::env::var("ENDPOINT")
            && !endpoint.is_empty()
        {
            let image = std::env::var("CRI_TEST_IMAGE").unwrap_or_else(|_| IMAGE.into());
            let pods = Pods::connect(&endpoint, &image, &std::env::temp_dir())?.leaving_nothing();
            return Ok(Engine { pods, endpoint, containerd: None, filled: 0 });
        }
        let lab = super::lab::lab()?;
        let newest = lab.engines.iter().max_by(|a, b| a.line.cmp(&b.line)).ok_or("no containerd could be had")?;
        let containerd = Containerd::start(lab, newest)?;
        Ok(Engine {
            pods: containerd.pods()?,
            endpoint: containerd.endpoint(),
            containerd: Some(containerd),
            filled: 0,
        })
    }

    pub fn version(&self) -> Result<String, String> {
        let version = self.pods.version().map_err(|e| e.to_string())?;
        Ok(format!("{} {}", version.runtime_name, version.runtime_version))
    }

    /// Runs pods of one container each, until there are so many.
    pub fn fill(&mut self, pods: usize) -> Result<(), String> {
        for n in self.filled..pods {
            let pod = self.pods.run_pod(&PodSpec::new("bench", &format!("pod-{n}"))).map_err(|e| e.to_string())?;
            self.pods.run(&pod, &ContainerSpec::lasting("app")).map_err(|e| e.to_string())?;
            self.filled = n + 1;
        }
        Ok(())
    }

    /// How many containers and sandboxes run.
    pub fn size(&self) -> usize {
        2 * self.filled
    }

    /// The CPU time that the engine has had, in milliseconds; `None` where its process is not known.
    pub fn cpu_ms(&self) -> Option<f64> {
        let pid = self.containerd.as_ref()?.pid()?;
        Some(machine::cpu_of(pid.try_into().ok()?) / 1e6)
    }
}
