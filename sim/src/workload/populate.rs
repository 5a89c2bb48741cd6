//! A node that is full from the start, for tests at scale.

use std::sync::Arc;

use crate::engine::Engine;
use crate::kubelet::{ContainerSpec, PodSpec};

const CONTAINERS_PER_POD: usize = 2;

/// Runs `count` containers, two in each pod, without events, as if they had run before any client came.
pub async fn populate(engine: &Arc<Engine>, count: usize) -> Result<(), String> {
    engine.go_down();
    let mut left = count;
    let mut number = 0;
    while left > 0 {
        let mut pod = PodSpec::new(&format!("filler-{number}"));
        pod.namespace = format!("team-{}", number % 10);
        pod.labels.insert("app".into(), "filler".into());
        let config = pod.config(|| engine.new_uid());
        let id = engine.run_pod(config.clone(), "").await.map_err(failed)?;
        for name in ["main", "sidecar"].into_iter().take(CONTAINERS_PER_POD.min(left)) {
            let request = ContainerSpec::new(name).request(&id, &config);
            let container = engine.create_container(request).await.map_err(failed)?;
            engine.start_container(&container).await.map_err(failed)?;
            left -= 1;
        }
        number += 1;
    }
    engine.come_up();
    Ok(())
}

fn failed(error: crate::store::Error) -> String {
    format!("cannot fill the node: {}", error.message())
}
