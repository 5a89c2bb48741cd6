//! Names find the right thing (row 2).

use criwatch::error::CRI_E_AMBIGUOUS;
use serde_json::Value;

use super::QUICK;
use crate::Outcome;
use crate::scene::Scene;
use crate::support::sim::Sim;
use crate::support::wait::PATIENCE;

/// A StatefulSet's pod comes again under its name; the first one has had more attempts.
#[test]
fn of_two_pods_with_one_name_the_newest_is_meant() -> Outcome {
    for profile in ["containerd-1.6", "containerd-2", "crio", "cri-dockerd"] {
        let mut sim = Sim::start(&["--profile", profile])?;
        let mut ids = Vec::new();
        for (uid, attempt) in [("aaaaaaaa-0000", 5), ("bbbbbbbb-0000", 0)] {
            // cri-dockerd gives whole seconds.
            if profile == "cri-dockerd" && attempt == 0 {
                sim.tell("fault clock-step 2s")?;
            }
            sim.tell(&format!("run-pod web-0 ns=shop uid={uid}"))?;
            ids.push(sim.make(&format!("create shop/web-0 app attempt={attempt} -- true"))?);
            sim.tell("start shop/web-0/app")?;
            sim.tell("wait shop/web-0/app exited")?;
            sim.tell("stop-pod shop/web-0")?;
        }
        let mut scene = Scene::watching(sim, QUICK)?;
        scene.watcher.wait_ready(Some(PATIENCE))?;
        scene.resync()?;
        let id = |json: &str| -> Outcome<String> {
            let json: Value = serde_json::from_str(json)?;
            Ok(json["container"]["id"].as_str().ok_or("no id")?.to_owned())
        };
        for name in ["shop/web-0/app", "app"] {
            assert_eq!(id(scene.watcher.get(name)?.as_str())?, ids[1], "{profile}: get {name}");
            let inspected = scene.watcher.inspect(name, 0, Some(PATIENCE))?;
            assert_eq!(id(inspected.as_str())?, ids[1], "{profile}: inspect {name}");
        }
        scene.watcher.attach("shop/web-0/app", Some("7"))?;
        let attached = scene.watcher.get(&ids[1])?;
        assert!(attached.as_str().contains(r#""rucksack":7"#), "{profile}: {attached}");
        for form in [format!("containerd://{}", ids[0]), format!("cri-o://{}", &ids[0][..13]), ids[0][..12].to_owned()]
        {
            assert_eq!(id(scene.watcher.get(&form)?.as_str())?, ids[0], "{profile}: {form}");
        }
    }
    Ok(())
}

#[test]
fn ambiguity_names_all_that_is_needed_to_choose() -> Outcome {
    let mut sim = Sim::start(&[])?;
    sim.tell("pod web ns=shop uid=uid-of-shop app")?;
    sim.tell("pod web ns=test uid=uid-of-test app")?;
    let scene = Scene::watching(sim, QUICK)?;
    scene.watcher.wait_ready(Some(PATIENCE))?;
    let error = scene.watcher.get("app").unwrap_err();
    assert_eq!(error.status(), CRI_E_AMBIGUOUS);
    for part in ["shop/web/app", "test/web/app", "uid-of-shop", "uid-of-test", "running", "created 2"] {
        assert!(error.message().contains(part), "{part}: {error}");
    }
    Ok(())
}
