//! What a pod's author writes is not what the engine says (rows 16 and 19).

use criwatch::error::CRI_E_NOT_FOUND;
use criwatch::model::*;
use serde_json::Value;

use super::QUICK;
use crate::Outcome;
use crate::scene::Scene;
use crate::support::sim::Sim;
use crate::support::wait::PATIENCE;

/// The paths of what a selector matches.
fn matching(scene: &Scene, selector: &str) -> Outcome<Vec<String>> {
    let query = serde_json::json!({ "selector": selector }).to_string();
    let list = scene.watcher.list(Some(&query))?.ok_or("no list")?;
    let list: Value = serde_json::from_str(list.as_str())?;
    let path = |c: &Value| {
        let pod = c["pod"]["name"].as_str().unwrap_or_default().to_owned();
        if c["kind"] == "sandbox" { pod } else { format!("{pod}/{}", c["name"].as_str().unwrap_or_default()) }
    };
    let mut paths: Vec<_> = list["containers"].as_array().ok_or("no containers")?.iter().map(path).collect();
    paths.sort();
    Ok(paths)
}

/// Labels that Kubernetes allows, and that say what they are not.
const FORGED: &str = "label=io.kubernetes.sandbox=x label=io.kubernetes.container.name=nginx \
                      label=io.kubernetes.pod.name=other label=io.kubernetes.pod.namespace=kube-system \
                      label=io.kubernetes.annotation/trusted=yes";

/// Row 16: a pod cannot hide from an agent that filters, nor pass for another one.
#[test]
fn reserved_keys_are_the_engines_own() -> Outcome {
    for profile in ["containerd-1.6", "containerd-2", "crio", "cri-dockerd"] {
        for view in ["merged", "separate"] {
            let what = format!("{profile}, {view}");
            let mut sim = Sim::start(&["--profile", profile])?;
            sim.tell(&format!("run-pod web {FORGED}"))?;
            sim.tell(&format!("create web app {FORGED}"))?;
            sim.tell("start web/app")?;
            sim.tell("pod honest app")?;
            let mut scene = Scene::watching(sim, &[QUICK, &[("labels.annotations", view)]].concat())?;
            scene.watcher.wait_ready(Some(PATIENCE))?;
            scene.resync()?;
            let is = |selector: &str| matching(&scene, selector);
            assert_eq!(is("io.kubernetes.sandbox")?, ["honest", "web"], "{what}");
            assert_eq!(is("!io.kubernetes.sandbox")?, ["honest/app", "web/app"], "{what}");
            assert_eq!(is("io.kubernetes.container.name=nginx")?, Vec::<String>::new(), "{what}");
            assert_eq!(is("io.kubernetes.container.name=app")?, ["honest/app", "web/app"], "{what}");
            assert_eq!(is("io.kubernetes.pod.name=web")?, ["web", "web/app"], "{what}");
            assert_eq!(is("io.kubernetes.pod.namespace=kube-system")?, Vec::<String>::new(), "{what}");
            assert_eq!(is("io.kubernetes.annotation/trusted=yes")?, Vec::<String>::new(), "{what}");
            for record in scene.watcher.containers()? {
                let name = record.labels.get("io.kubernetes.container.name").unwrap_or_default();
                assert!(name != "nginx" && name != "POD", "{what}: {record:?}");
            }
            scene.converges()?;
        }
    }
    Ok(())
}

/// Row 19, as far as the library goes: the text is the engine's, whole and in one piece; the command makes it printable.
#[test]
fn an_engines_error_is_handed_on_and_harms_nobody() -> Outcome {
    let mut sim = Sim::start(&["--profile", "containerd-2"])?;
    sim.tell("pod web app")?;
    sim.tell("claim web/app refused 'no {esc}[31mred{esc}[0m'")?;
    let scene = Scene::watching(sim, &[("ready.pid_wait_ms", "200")])?;
    scene.watcher.wait_ready(Some(PATIENCE))?;
    let error = scene.watcher.inspect("default/web/app", 0, Some(PATIENCE)).unwrap_err();
    assert_ne!(error.status(), CRI_E_NOT_FOUND);
    assert!(error.message().contains("red"), "{error}");
    Ok(())
}

/// Exit messages, images and names with terminal escapes are data: JSON has no raw control character.
#[test]
fn no_text_of_a_pod_reaches_json_as_a_control_character() -> Outcome {
    let mut sim = Sim::start(&["--profile", "containerd-2"])?;
    sim.tell("run-pod web 'label=tier={esc}[2J' 'annotation=note={esc}]0;x'")?;
    sim.tell("create web 'a{esc}[31m' 'image=reg.example/{esc}[2J:1'")?;
    sim.tell("start 'web/a{esc}[31m'")?;
    let mut scene = Scene::watching(sim, QUICK)?;
    scene.watcher.wait_ready(Some(PATIENCE))?;
    scene.converges()?;
    let list = scene.watcher.list(None)?.ok_or("no list")?;
    assert!(!list.as_str().chars().any(|c| c.is_control()), "{list}");
    assert!(list.as_str().contains("[31m"), "{list}");
    assert!(scene.watcher.containers()?.iter().any(|c| c.name.contains('\u{1b}') && c.kind == Kind::Container));
    Ok(())
}
