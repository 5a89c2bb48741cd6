//! Tests that resync is a barrier.

use std::collections::BTreeSet;

use criwatch::cri::proto::{ContainerState, PodSandboxState};
use serde_json::Value;

use crate::churn::fail_on;
use crate::support::churn::{Churn, Span};
use crate::support::pods::{ContainerSpec, Pods};
use crate::support::suite::{Outcome, Setup, unique};

const ROUNDS: usize = 12;

/// Again and again: much happens, then nothing, and the list after resync is the engine's own.
pub fn resync_is_a_barrier(setup: &mut Setup) -> Outcome {
    let events = setup.follow()?;
    let driver = &setup.engine.pods;
    let churn = Churn::new(driver, 2)?;
    let mut lasting: Vec<String> = Vec::new();
    for round in 0..ROUNDS {
        fail_on(churn.run(4, 4, Span::Brief))?;
        let spec = ContainerSpec::lasting(&unique("round"));
        lasting.push(driver.run(&churn.pods()[round % 2], &spec)?);
        if round % 3 == 2 {
            driver.stop(&lasting.swap_remove(0), 0)?;
        }
        let before = running(driver)?;
        let mut list = listed(&events.resync()?);
        let after = running(driver)?;
        if setup.engine.containerd.is_none() {
            // Others may be at work.
            list.retain(|id| lasting.contains(id) || churn.pods().iter().any(|pod| pod.id == *id));
            assert!(list.is_subset(&before) && lasting.iter().all(|id| list.contains(id)), "round {round}: {list:?}");
            continue;
        }
        assert_eq!(before, after, "nothing changes meanwhile");
        assert_eq!(list, before, "round {round}: the list after resync, and the engine's own");
    }
    setup.figure(&format!("{ROUNDS} resyncs, each followed by the engine's own list"));
    events.finish()?;
    Ok(())
}

/// What runs, by the engine's own lists.
pub fn running(driver: &Pods) -> Result<BTreeSet<String>, String> {
    let containers = driver.containers().map_err(|error| error.to_string())?;
    let sandboxes = driver.sandboxes().map_err(|error| error.to_string())?;
    let containers = containers.into_iter().filter(|c| c.state() == ContainerState::ContainerRunning).map(|c| c.id);
    let sandboxes = sandboxes.into_iter().filter(|s| s.state() == PodSandboxState::SandboxReady).map(|s| s.id);
    Ok(containers.chain(sandboxes).collect())
}

/// What runs, by the library's list.
pub fn listed(list: &Value) -> BTreeSet<String> {
    let entries = list["containers"].as_array().expect("a list has containers");
    entries.iter().map(|entry| entry["id"].as_str().expect("each has an id").to_owned()).collect()
}
