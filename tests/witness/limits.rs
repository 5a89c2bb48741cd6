//! What the host program's limits leave to the library.

use std::process::Command;

use crate::support::pods::{ContainerSpec, PodSpec};
use crate::support::suite::{Outcome, Setup, unique};

/// A program with room for 64 descriptors lists more containers than that, all with their pids.
pub fn few_descriptors(setup: &mut Setup) -> Outcome {
    const LIMIT: u32 = 64;
    let pod = setup.engine.pods.run_pod(&PodSpec::new("cri-lab", &unique("few")))?;
    let mut ids = Vec::new();
    for n in 0..20 {
        ids.push(setup.engine.pods.run(&pod, &ContainerSpec::lasting(&format!("c{n}")))?);
    }
    let program = crate::support::probe::compile()?;
    let script = format!("ulimit -n {LIMIT} && exec \"$0\" \"$@\"");
    let mut command = Command::new("sh");
    command.args(["-c", &script]).arg(program).args([setup.engine.endpoint.as_str(), "list"]);
    let output = command.output()?;
    assert!(output.status.success(), "{output:?}");
    let list: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    let listed = list["containers"].as_array().ok_or_else(|| format!("no containers in {list:#}"))?;
    for id in &ids {
        let entry = listed.iter().find(|c| c["id"] == **id).ok_or_else(|| format!("{id} is not in {list:#}"))?;
        assert!(entry["pid"].as_i64().is_some_and(|pid| pid > 0), "{entry:#}");
    }
    Ok(())
}
