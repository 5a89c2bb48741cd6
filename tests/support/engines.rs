//! The engines that tests run on: containerd in its versions, provisioned here, and those of `CRI_TEST_ENDPOINTS`.

use super::containerd::{Containerd, IMAGE};
use super::lab::{self, Lab, Package};
use super::pods::Pods;

/// An engine that can be had.
#[derive(Debug, Clone)]
pub enum Source {
    /// A containerd that is started for each test.
    Containerd(&'static Lab, Package),
    /// An engine that runs already, at `unix:///...`.
    Endpoint(String),
}

/// An engine to test on, or why it is lacking.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// How tests are called: `containerd-1.7`, or the endpoint.
    pub name: String,
    /// The engine, or the reason.
    pub source: Result<Source, String>,
}

/// Every engine that tests should run on. Those that are lacking stand there with their reasons, to be counted.
pub fn candidates() -> Vec<Candidate> {
    let mut all = match lab::lab() {
        Err(reason) => vec![Candidate { name: "containerd".into(), source: Err(reason.into()) }],
        Ok(lab) => of_lab(lab),
    };
    let endpoints = std::env::var("CRI_TEST_ENDPOINTS").unwrap_or_default();
    for endpoint in endpoints.split(',').map(str::trim).filter(|endpoint| !endpoint.is_empty()) {
        let endpoint = if endpoint.starts_with('/') { format!("unix://{endpoint}") } else { endpoint.to_owned() };
        all.push(Candidate { name: endpoint.clone(), source: Ok(Source::Endpoint(endpoint)) });
    }
    all
}

fn of_lab(lab: &'static Lab) -> Vec<Candidate> {
    let ready = lab.engines.iter().map(|package| Candidate {
        name: format!("containerd-{}", package.line),
        source: Ok(Source::Containerd(lab, package.clone())),
    });
    let missing = lab
        .missing
        .iter()
        .map(|(line, reason)| Candidate { name: format!("containerd-{line}"), source: Err(reason.clone()) });
    ready.chain(missing).collect()
}

/// A running engine and a driver for pods on it. The pods go first.
pub struct Engine {
    /// Runs pods on it.
    pub pods: Pods,
    /// Where it is reached.
    pub endpoint: String,
    /// The process, where it is ours.
    pub containerd: Option<Containerd>,
}

impl Source {
    /// Starts the engine, or connects with it.
    pub fn start(&self) -> Result<Engine, String> {
        match self {
            Source::Containerd(lab, package) => {
                let containerd = Containerd::start(lab, package)?;
                let (pods, endpoint) = (containerd.pods()?, containerd.endpoint());
                Ok(Engine { pods, endpoint, containerd: Some(containerd) })
            }
            Source::Endpoint(endpoint) => {
                let image = std::env::var("CRI_TEST_IMAGE").unwrap_or_else(|_| IMAGE.into());
                let pods = Pods::connect(endpoint, &image, &std::env::temp_dir())?.leaving_nothing();
                pods.version().map_err(|error| format!("{endpoint}: {error}"))?;
                Ok(Engine { pods, endpoint: endpoint.clone(), containerd: None })
            }
        }
    }
}
