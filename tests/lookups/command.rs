//! `criwatch whois`, as an administrator uses it on a node.

use std::process::Output;

use crate::node;
use crate::support::command::criwatch;
use crate::support::pods::{ContainerSpec, PodSpec};
use crate::support::suite::{Outcome, Setup, unique};
use crate::support::wait::{self, PATIENCE};

/// A process with a child, and what the command says of both, and of a process of the host.
pub fn whois_names_the_container(setup: &mut Setup) -> Outcome {
    let pods = &setup.engine.pods;
    let pod = pods.run_pod(&PodSpec::new("cri-lab", &unique("whois")))?;
    let script = "sleep 1000000 & exec sleep 1000001";
    let id = pods.run(&pod, &ContainerSpec::new(&unique("asked"), ["sh", "-c", script]))?;
    let init = node::watcher(setup)?.find(&id)?.pid.ok_or("no pid")?;
    let child = wait::until("a child", PATIENCE, || {
        let is_child = |pid: &i32| node::parent_of(*pid) == Some(init);
        node::pids().into_iter().find(is_child).ok_or_else(|| format!("of {init}"))
    })?;

    let output = whois(setup, &["-o", "json", &child.to_string()])?;
    assert!(output.status.success(), "{output:?}");
    let said: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    assert_eq!((&said["owner"], &said["by"]), (&"container".into(), &"pid".into()), "{said}");
    assert_eq!((&said["container"]["id"], &said["container"]["pod"]["id"]), (&id.into(), &pod.id.clone().into()));
    let processes = said["processes"].as_array().ok_or("no processes")?;
    let of = |pid: i32| processes.iter().find(|process| process["pid"] == pid).ok_or(format!("{pid} in {said}"));
    assert_eq!((&of(child)?["parent"], &of(child)?["command"]), (&init.into(), &"sleep 1000000".into()));
    assert_eq!(of(init)?["command"], "sleep 1000001");

    let host = std::process::id().to_string();
    let output = whois(setup, &[&host])?;
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{complaint}");
    assert!(complaint.starts_with(&format!("criwatch: {host}: it belongs to the host")), "{complaint}");
    Ok(())
}

fn whois(setup: &Setup, words: &[&str]) -> Result<Output, String> {
    let mut command = criwatch()?;
    command.args(["whois", "-r", &setup.engine.endpoint]).args(words);
    command.output().map_err(|e| format!("{command:?}: {e}"))
}
