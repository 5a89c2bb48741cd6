//! A later, weaker statement does not overwrite a better one.

use criwatch::model::*;

use super::QUICK;
use crate::Outcome;
use crate::scene::Scene;

const PROFILES: &[&str] =
    &["containerd-1.6", "containerd-1.7", "containerd-2", "containerd-2.3", "crio", "cri-dockerd"];

fn image(scene: &Scene, path: &str) -> Outcome<String> {
    Ok(scene.record(path)?.image.name.to_string())
}

/// Row 1. The kubelet names the image by its id, and by what the pod's author wrote.
#[test]
fn each_container_has_the_tag_that_its_author_wrote() -> Outcome {
    for profile in PROFILES {
        let mut scene = Scene::ready(profile, QUICK)?;
        scene.sim.tell("run-pod web")?;
        let image_id = scene.sim.make("tag reg.example/app:a reg.example/app:a")?;
        for tag in ["b", "c"] {
            scene.sim.tell(&format!("tag reg.example/app:{tag} reg.example/app:a"))?;
        }
        for tag in ["a", "b", "c"] {
            scene.sim.tell(&format!("create web {tag} image={image_id} user-image=reg.example/app:{tag}"))?;
            scene.sim.tell(&format!("start web/{tag}"))?;
        }
        scene.converges()?;
        scene.relists(3)?;
        for tag in ["a", "b", "c"] {
            let record = scene.record(&format!("web/{tag}"))?;
            assert_eq!(*record.image.name, *format!("reg.example/app:{tag}"), "{profile}: {:?}", scene.reported);
            assert_eq!((record.image.repository(), record.image.tag()), ("reg.example/app", tag), "{profile}");
            assert_eq!(*record.image.id, *image_id, "{profile}");
            let others = |e: &Event| e.container.as_ref().is_some_and(|c| !c.image.name.ends_with(tag));
            // CRI-O's statuses have the first tag alone: until a list has shown more, its events show that.
            let reported = if *profile == "crio" { 0 } else { scene.reported.count(&format!("web/{tag}"), others) };
            assert_eq!(reported, 0, "{profile}: {:?}", scene.reported);
        }
    }
    Ok(())
}

/// Row 1, as a kubelet of 1.6 and 1.7 does it: by name.
#[test]
fn the_lists_name_stands_above_the_first_tag_of_the_status() -> Outcome {
    for profile in ["containerd-1.6", "containerd-1.7", "containerd-2"] {
        let mut scene = Scene::ready(profile, QUICK)?;
        scene.sim.tell("run-pod web")?;
        for tag in ["a", "b", "c"] {
            scene.sim.tell(&format!("tag reg.example/app:{tag} reg.example/app:a"))?;
            scene.sim.tell(&format!("create web {tag} image=reg.example/app:{tag}"))?;
            scene.sim.tell(&format!("start web/{tag}"))?;
        }
        scene.converges()?;
        scene.falls_silent(8)?;
        for tag in ["a", "b", "c"] {
            assert_eq!(image(&scene, &format!("web/{tag}"))?, format!("reg.example/app:{tag}"), "{profile}");
        }
    }
    Ok(())
}

/// Row 8.
#[test]
fn a_tag_that_is_removed_stays_the_runs_name() -> Outcome {
    for profile in PROFILES {
        let mut scene = Scene::ready(profile, QUICK)?;
        scene.sim.tell("run-pod web")?;
        scene.sim.tell("create web app image=reg.example/app:1")?;
        scene.sim.tell("start web/app")?;
        scene.converges()?;
        scene.sim.tell("untag reg.example/app:1")?;
        scene.relists(3)?;
        assert_eq!(image(&scene, "web/app")?, "reg.example/app:1", "{profile}");
        scene.sim.tell("stop web/app")?;
        let exited = |t: &crate::reported::Reported| t.count("web/app", |e| e.event_type == EventType::Exited) == 1;
        scene.reported.wait_for("the exit", exited)?;
        scene.falls_silent(6)?;
        assert_eq!(
            *scene.reported.newest("web/app").image.name,
            *"reg.example/app:1",
            "{profile}: {:?}",
            scene.reported
        );
        let changed = |e: &Event| e.event_type == EventType::Updated && e.changed & CRI_CHANGED_IMAGE != 0;
        // Before the first status, a reference may be missing.
        assert!(scene.reported.count("web/app", changed) <= 1, "{profile}: {:?}", scene.reported);
    }
    Ok(())
}

/// Row 9. Lists have the id, and statuses the reference: both stay, whatever comes last.
#[test]
fn image_id_and_reference_mean_the_same_on_every_engine() -> Outcome {
    for profile in PROFILES {
        let mut scene = Scene::ready(profile, QUICK)?;
        let image_id = scene.sim.make("tag reg.example/app:1 reg.example/app:1")?;
        scene.sim.tell("run-pod web")?;
        scene.sim.tell("create web app image=reg.example/app:1")?;
        scene.sim.tell("start web/app")?;
        scene.converges()?;
        scene.relists(3)?;
        let image = scene.record("web/app")?.image.clone();
        assert_eq!((&*image.name, &*image.id), ("reg.example/app:1", &*image_id), "{profile}");
        assert!(image.reference.starts_with("reg.example/app@sha256:"), "{profile}: {image:?}");
        assert!(image.digest().starts_with("sha256:"), "{profile}: {image:?}");
    }
    Ok(())
}

/// Row 9. Nobody says what the author wrote: a tag is better than a digest, and stays.
#[test]
fn an_image_named_by_its_digest_keeps_the_name_that_the_engine_has_for_it() -> Outcome {
    for profile in ["containerd-1.7", "containerd-2", "crio"] {
        let mut scene = Scene::ready(profile, QUICK)?;
        let image_id = scene.sim.make("tag reg.example/app:1 reg.example/app:1")?;
        scene.sim.tell("run-pod web")?;
        scene.sim.tell(&format!("create web app image={image_id}"))?;
        scene.sim.tell("start web/app")?;
        scene.converges()?;
        scene.relists(3)?;
        assert_eq!(image(&scene, "web/app")?, "reg.example/app:1", "{profile}");
    }
    Ok(())
}

/// What a record has beyond its state comes with the status that is asked for anyway.
#[test]
fn mounts_command_and_user_are_shown() -> Outcome {
    let mut scene = Scene::ready("containerd-2", QUICK)?;
    scene.sim.tell("run-pod web")?;
    scene.sim.tell("create web app mount=/srv/data:/data -- sleep 1000")?;
    scene.sim.tell("start web/app")?;
    scene.converges()?;
    let record = scene.record("web/app")?;
    let mounts: Vec<_> = record.spec.mounts.iter().map(|m| (&*m.host_path, &*m.container_path)).collect();
    assert_eq!(mounts, [("/srv/data", "/data")]);
    assert_eq!(record.spec.command.iter().map(|word| &**word).collect::<Vec<_>>(), ["sleep", "1000"]);
    assert_eq!(record.spec.user.as_ref().map(|user| user.uid), Some(0));
    scene.falls_silent(2)
}
