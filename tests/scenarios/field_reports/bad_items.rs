//! One bad item spoils nothing else (row 10).

use criwatch::model::*;

use super::QUICK;
use crate::Outcome;
use crate::scene::Scene;
use crate::support::sim::Sim;
use crate::support::wait::PATIENCE;

const BAD: &str = "\u{fffd}\u{fffd}\u{fffd}\u{fffd}";

/// Nine good containers in a pod, and a pod to spoil.
fn nine_good(profile: &str) -> Outcome<Sim> {
    let mut sim = Sim::start(&["--profile", profile])?;
    sim.tell("pod good c1 c2 c3 c4 c5 c6 c7 c8 c9")?;
    Ok(sim)
}

/// Where bad bytes may stand: what makes the container with them, and which records have to be repaired.
const SPOILT: &[(&str, &str, u64)] = &[
    ("", "annotation=note={bad-bytes}", 1),
    ("", "label=tier=a{bad-bytes}b", 1),
    ("", "label=a{bad-bytes}b=tier", 1),
    ("", "mount=/srv/{bad-bytes}:/data", 1),
    ("annotation=note={bad-bytes}", "", 2),
    ("label=tier={bad-bytes}", "", 2),
];

#[test]
fn bad_bytes_in_one_container_spoil_no_other() -> Outcome {
    for profile in ["containerd-1.6", "containerd-2", "crio", "cri-dockerd"] {
        for (of_pod, of_container, repaired) in SPOILT {
            let what = format!("{profile} {of_pod} {of_container}");
            let mut sim = nine_good(profile)?;
            sim.tell(&format!("run-pod bad {of_pod}"))?;
            sim.tell(&format!("create bad app {of_container}"))?;
            sim.tell("start bad/app")?;
            let mut scene = Scene::watching(sim, QUICK)?;
            scene.watcher.wait_ready(Some(PATIENCE))?;
            scene.converges()?;
            scene.falls_silent(12)?;
            let app = scene.record("bad/app")?;
            let pod = app.pod.clone().ok_or("no pod")?;
            let mut texts = vec![&app.labels, &app.annotations, &pod.labels, &pod.annotations]
                .into_iter()
                .flat_map(|labels| labels.iter().flat_map(|(key, value)| [key.to_owned(), value.to_owned()]))
                .collect::<Vec<_>>();
            texts.extend(app.spec.mounts.iter().map(|m| m.host_path.to_string()));
            assert!(texts.iter().any(|text| text.contains(BAD)), "{what}: {texts:?}");
            let counted = scene.counter("repairedTexts")?;
            assert!(counted >= 1 && counted <= *repaired, "{what}: {counted}");
            assert_eq!(scene.warnings("not UTF-8").len() as u64, counted, "{what}");
            assert_eq!(scene.counter("listFailures")?, 0, "{what}");
            scene.sim.tell("stop bad/app")?;
            scene.converges()?;
        }
    }
    Ok(())
}

/// They come with events and statuses, too, and the stream goes on.
#[test]
fn bad_bytes_in_events_do_not_end_the_stream() -> Outcome {
    for profile in ["containerd-1.7", "containerd-2", "crio"] {
        let mut scene = Scene::streaming(profile)?;
        scene.sim.tell("run-pod bad annotation=note={bad-bytes}")?;
        scene.sim.tell("create bad app{bad-bytes} label=tier={bad-bytes} annotation=note={bad-bytes}")?;
        scene.sim.tell("start bad/app{bad-bytes}")?;
        let name = format!("bad/app{BAD}");
        scene.reported.wait_for_events(&name, "STARTED")?;
        scene.sim.tell("pod good app")?;
        scene.reported.wait_for_events("good/app", "STARTED")?;
        scene.sim.tell("stop bad/app{bad-bytes}")?;
        scene.reported.wait_for_events(&name, "STARTED EXITED")?;
        scene.converges()?;
        assert_eq!(scene.counter("subscriptions")?, 1, "{profile}: one stream for all of it");
        assert_eq!(scene.warnings("not UTF-8").len() as u64, scene.counter("repairedTexts")?, "{profile}");
        assert_eq!(*scene.reported.newest(&name).name, *format!("app{BAD}"), "{profile}");
    }
    Ok(())
}

/// A raw client may write more labels than any engine checks.
#[test]
fn long_labels_are_cut_and_said_to_be() -> Outcome {
    let mut sim = nine_good("containerd-2")?;
    let long = "x".repeat(60 << 10);
    sim.tell("run-pod bad")?;
    sim.tell(&format!("create bad app annotation=a=1 annotation=b={long} annotation=c={long}"))?;
    sim.tell("start bad/app")?;
    let mut scene = Scene::watching(sim, &[QUICK, &[("labels.max_bytes", "65536")]].concat())?;
    scene.watcher.wait_ready(Some(PATIENCE))?;
    scene.converges()?;
    scene.falls_silent(12)?;
    let app = scene.record("bad/app")?;
    assert_ne!(app.flags & CRI_CONTAINER_FLAG_LABELS_CUT, 0);
    assert_eq!(app.annotations.get("a"), Some("1"));
    assert!(app.annotations.iter().map(|(k, v)| k.len() + v.len()).sum::<usize>() <= 65536);
    assert_eq!((scene.counter("cutLabels")?, scene.warnings("labels.max_bytes").len()), (1, 1));
    Ok(())
}

/// An entry that is no protocol buffer.
#[test]
fn an_undecodable_entry_is_shown_with_its_id() -> Outcome {
    for profile in ["containerd-2", "crio"] {
        let mut sim = nine_good(profile)?;
        let id = sim.make("create good broken")?;
        sim.tell("start good/broken")?;
        sim.tell("claim good/broken undecodable")?;
        let mut scene = Scene::watching(sim, QUICK)?;
        scene.watcher.wait_ready(Some(PATIENCE))?;
        scene.falls_silent(14)?;
        let there = scene.records()?;
        let found = there.iter().find(|c| *c.id == *id);
        assert!(found.is_some_and(|c| c.flags & CRI_CONTAINER_FLAG_UNREADABLE != 0), "{profile}: {there:?}");
        assert_eq!(scene.counter("unreadableEntries")?, 1, "{profile}");
        assert_eq!(scene.warnings("cannot be decoded").len(), 1, "{profile}");
        scene.sim.tell("claim good/broken off")?;
        scene.converges()?;
        // And while it was shown and running, it may become undecodable.
        scene.sim.tell("claim good/broken undecodable")?;
        scene.falls_silent(16)?;
        scene.converges()?;
    }
    Ok(())
}

/// Whoever it is that cannot be read: nobody is gone for sure.
#[test]
fn an_entry_without_an_id_makes_nobody_vanish() -> Outcome {
    let mut scene = Scene::watching(nine_good("containerd-2")?, QUICK)?;
    scene.watcher.wait_ready(Some(PATIENCE))?;
    scene.converges()?;
    scene.sim.tell("claim good/c5 nameless")?;
    scene.falls_silent(12)?;
    assert_eq!((scene.counter("unreadableEntries")?, scene.warnings("cannot be decoded").len()), (1, 1));
    scene.converges()?;
    scene.sim.tell("lose good/c5")?;
    scene.falls_silent(14)?;
    scene.converges()?;
    assert_eq!(scene.reported.count("good/c5", |e| e.event_type == EventType::Exited), 1, "{:?}", scene.reported);
    Ok(())
}
