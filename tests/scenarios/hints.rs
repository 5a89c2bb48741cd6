//! What the host shows is late, lost, doubled or wrong: nothing is lost by it, reported twice, or invented.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use criwatch::model::*;

use crate::Outcome;
use crate::reported::Reported;
use crate::scene::Scene;
use crate::support::sim::Sim;
use crate::support::wait::{self, PATIENCE};

/// A watcher that has heard from the host, on an engine with these pods.
fn hearing(profile: &str, script: &[&str], options: &[(&str, &str)]) -> Outcome<Scene> {
    let mut sim = Sim::start(&["--profile", profile])?;
    for line in script {
        sim.tell(line)?;
    }
    let scene = Scene::watching(sim, &[options, &[("host.witness", "auto")]].concat())?;
    scene.watcher.wait_ready(Some(PATIENCE))?;
    let means = ["folders", "fanotify"];
    wait::until("hints", PATIENCE, || {
        let engine = scene.engine().map_err(|error| error.to_string())?;
        let used =
            |means: &&str| engine["witness"]["means"].as_array().is_some_and(|all| all.iter().any(|it| it == means));
        if means.iter().any(used) { Ok(()) } else { Err(engine["witness"].to_string()) }
    })?;
    Ok(scene)
}

/// The folder in which the engine makes one for each container.
fn folder(scene: &Scene, profile: &str) -> PathBuf {
    let state = PathBuf::from(format!("{}.state", scene.sim.socket().display()));
    if profile.starts_with("crio") { state } else { state.join("io.containerd.runtime.v2.task/k8s.io") }
}

fn stranger(n: usize) -> String {
    format!("{n:064x}")
}

fn counts(told: &Reported, name: &str) -> [usize; 2] {
    [EventType::Started, EventType::Exited].map(|kind| told.count(name, |e| e.event_type == kind))
}

/// With default options: what runs for a moment between two polls is reported, with its exit code.
#[test]
fn short_runs_between_two_polls_are_reported() -> Outcome {
    for (profile, needs) in [("containerd-1.6", "folders"), ("cri-dockerd", "fanotify")] {
        let mut scene = match hearing(profile, &["run-pod web"], &[]) {
            // Without folders of the engine it takes the right to mark cgroups, and cgroups.
            Err(error) if needs == "fanotify" => {
                println!("{profile}: not run: {error}");
                continue;
            }
            scene => scene?,
        };
        assert!(!scene.engine()?["witness"]["means"].as_array().is_none_or(|means| means.iter().all(|it| it != needs)));
        let mut made = BTreeMap::new();
        let mut runs = |scene: &mut Scene, at_once: usize, round: usize| -> Outcome {
            let name = |n: usize| format!("web/c{round}-{n}");
            for n in 0..at_once {
                let code = (round * 7 + n) % 100;
                // A real engine takes longer to start it and to report its end than this one does. The next poll is later.
                scene.sim.tell(&format!("create web c{round}-{n} -- sh -c 'sleep 0.25; exit {code}'"))?;
                made.insert(name(n), code as i32);
            }
            (0..at_once).try_for_each(|n| scene.sim.tell(&format!("start {}", name(n))).map(drop))?;
            (0..at_once).try_for_each(|n| scene.sim.tell(&format!("wait {} exited", name(n))).map(drop))?;
            // A client of a real engine needs at least this long from an exit to the removal.
            std::thread::sleep(std::time::Duration::from_millis(30));
            (0..at_once).try_for_each(|n| scene.sim.tell(&format!("rm {}", name(n))).map(drop))?;
            Ok(())
        };
        (0..28).try_for_each(|round| runs(&mut scene, 1, round))?;
        (28..31).try_for_each(|round| runs(&mut scene, 24, round))?;
        scene.converges()?;
        let code = |name: &str| {
            let exits = scene.reported.events.iter().filter(|e| e.event_type == EventType::Exited);
            let of = |e: &&Event| e.container.as_ref().is_some_and(|c| c.path().ends_with(name));
            exits.filter(of).find_map(|e| e.container.as_ref()?.exit.as_ref()?.code)
        };
        let whole = made.keys().filter(|name| counts(&scene.reported, name) == [1, 1]).count();
        let coded = made.iter().filter(|(name, right)| code(name) == Some(**right)).count();
        println!("{profile}: {whole} of {} runs reported, {coded} with the right code", made.len());
        assert!(whole * 100 >= made.len() * 99, "{profile}: {whole} of {}:\n{:?}", made.len(), scene.reported);
        assert!(coded * 100 >= made.len() * 95, "{profile}: {coded} of {} codes:\n{:?}", made.len(), scene.reported);
    }
    Ok(())
}

/// Folders of containers that this engine does not have, by the thousand: of another engine, or of nobody.
#[test]
fn a_storm_of_strangers_is_a_few_lists() -> Outcome {
    for profile in ["containerd-1.6", "containerd-2", "crio"] {
        let options = [("relist.interval_ms", "600000"), ("request.timeout_ms", "3600000")];
        let mut scene = hearing(profile, &["pod web app"], &options)?;
        let (lists, questions) = (scene.counter("lists")?, scene.questions()?);
        let folder = folder(&scene, profile);
        // No answer comes before the storm is over, so all of its hints are open together, however slow the machine is.
        scene.sim.tell("fault stall on")?;
        for n in 0..2000 {
            fs::create_dir(folder.join(stranger(n)))?;
        }
        for n in 0..2000 {
            fs::remove_dir(folder.join(stranger(n)))?;
        }
        scene.sim.tell("create web job -- sh -c 'exit 3'")?;
        scene.sim.tell("start web/job")?;
        scene.sim.tell("fault stall off")?;
        scene.reported.wait_for("the job's end", |told| counts(told, "web/job") == [1, 1])?;
        scene.converges()?;
        assert_eq!(scene.stories().len(), 3, "{profile}: {:?}", scene.reported);
        let (lists, questions) = (scene.counter("lists")? - lists, scene.questions()? - questions);
        println!("{profile}: 4000 hints of strangers made {lists} lists and {questions} status requests");
        // Each hint alone would be up to six status requests.
        assert!(lists + questions < 400, "{profile}: {lists} lists and {questions} status requests");
    }
    Ok(())
}

/// The kernel's queue overflows: what was lost is found by one list.
#[test]
fn an_overflow_of_the_kernels_queue_loses_nothing() -> Outcome {
    const QUEUE: usize = 16_384;
    let limit: usize = fs::read_to_string("/proc/sys/fs/inotify/max_queued_events")?.trim().parse()?;
    for profile in ["containerd-1.6", "containerd-2"] {
        let mut scene =
            hearing(profile, &["pod web app"], &[("relist.interval_ms", "600000"), ("poll.interval_ms", "600000")])?;
        let folder = folder(&scene, profile);
        // Faster than anybody reads; a kernel with a longer queue loses nothing, which is as well.
        for n in 0..2 * limit.min(QUEUE) {
            let dir = folder.join(stranger(n % 64));
            fs::create_dir(&dir)?;
            fs::remove_dir(&dir)?;
        }
        scene.sim.tell("create web job -- sh -c 'exit 3'")?;
        scene.sim.tell("start web/job")?;
        scene.reported.wait_for("the job's end", |told| counts(told, "web/job") == [1, 1])?;
        scene.converges()?;
        assert_eq!(scene.stories().len(), 3, "{profile}: {:?}", scene.reported);
    }
    Ok(())
}

/// A pid file that was left behind, or names a process of somebody else.
#[test]
fn a_stale_pid_file_is_disproved_and_the_engine_asked() -> Outcome {
    for profile in ["containerd-1.6", "containerd-2", "crio"] {
        let scene = hearing(profile, &["pod web app"], &[])?;
        let right = scene.record("web/app")?;
        let file = if profile == "crio" { "pidfile" } else { "init.pid" };
        let dir = folder(&scene, profile).join(&*right.id);
        if right.cgroup_path.is_none() {
            println!("{profile}: not run: no cgroup proves a pid on this machine");
            continue;
        }
        for wrong in [std::process::id().to_string(), i32::MAX.to_string(), "x".into()] {
            fs::write(dir.join(file), &wrong)?;
            let again = crate::scene::watcher(scene.sim.endpoint(), &[])?;
            again.start()?;
            again.wait_ready(Some(PATIENCE))?;
            let known = again.containers()?.into_iter().find(|c| c.id == right.id).ok_or("it is not listed")?;
            assert_eq!((known.pid, known.pid_start_ticks), (right.pid, right.pid_start_ticks), "{profile}: {wrong}");
            let stats: serde_json::Value = serde_json::from_str(again.stats()?.as_str())?;
            assert_eq!(stats["stats"]["proofsRefused"], 1, "{profile}: {wrong}: {stats:#}");
        }
    }
    Ok(())
}

/// A folder beside the socket belongs to another engine. The watcher uses it until READY; then the engine names its own.
#[test]
fn a_folder_beside_the_socket_gives_way_to_the_one_that_the_engine_names() -> Outcome {
    let mut sim = Sim::start(&["--profile", "containerd-2"])?;
    sim.tell("pod web app")?;
    let beside = sim.socket().parent().ok_or("no folder")?.join("io.containerd.runtime.v2.task/k8s.io");
    fs::create_dir_all(beside.join(stranger(1)))?;
    fs::write(beside.join(stranger(1)).join("init.pid"), std::process::id().to_string())?;
    let mut scene = Scene::watching(sim, &[("host.witness", "auto")])?;
    scene.watcher.wait_ready(Some(PATIENCE))?;
    let app = scene.record("web/app")?;
    assert!(app.pid.is_some(), "the engine was asked: {app:?}");
    if app.cgroup_path.is_none() {
        println!("not run: no cgroup proves a pid on this machine");
        return Ok(());
    }
    let from_files = |scene: &Scene| -> Outcome<u64> {
        let stats: serde_json::Value = serde_json::from_str(scene.watcher.stats()?.as_str())?;
        Ok(stats["stats"]["pidsFromFiles"].as_u64().unwrap_or_default())
    };
    assert_eq!(from_files(&scene)?, 0, "no file beside the socket is one of these containers'");
    let mut n = 0;
    wait::until("a pid from the folder that the engine names", PATIENCE, || {
        n += 1;
        scene.sim.tell(&format!("pod next{n} app"))?;
        let is_known = || scene.record(&format!("next{n}/app")).is_ok_and(|app| app.pid.is_some());
        wait::for_condition("its pid", PATIENCE, is_known)?;
        match from_files(&scene) {
            Ok(0) => Err("no pid came from a file".to_owned()),
            Ok(_) => Ok(()),
            Err(error) => Err(error.to_string()),
        }
    })?;
    scene.converges()?;
    Ok(())
}

/// The folder of what runs goes and comes again, several times; its hints come anew each time.
#[test]
fn hints_that_come_again_report_nothing() -> Outcome {
    for profile in ["containerd-1.6", "containerd-2", "crio"] {
        let mut scene = hearing(profile, &["pod web app"], &[])?;
        let app = scene.record("web/app")?;
        let (dir, away) = (folder(&scene, profile).join(&*app.id), folder(&scene, profile).join("away"));
        for _ in 0..20 {
            fs::rename(&dir, &away)?;
            fs::rename(&away, &dir)?;
        }
        scene.converges()?;
        let told = scene.stories();
        let is_initial = |(name, _): &(String, String)| name == "web" || name == "web/app";
        assert!(told.len() == 2 && told.iter().all(is_initial), "{profile}: {told:?}");
        assert_eq!(scene.record("web/app")?.pid, app.pid, "{profile}");
    }
    Ok(())
}

/// CRI-O's monitor leaves a file for what has exited. One for what runs is a lie, or of another time.
#[test]
fn an_exit_file_ends_nothing_that_runs() -> Outcome {
    let mut scene = hearing("crio", &["pod web app"], &[])?;
    let app = scene.record("web/app")?;
    let exits = folder(&scene, "crio").join("exits");
    for name in [&*app.id, &stranger(7)] {
        fs::write(exits.join(".new"), "9")?;
        fs::rename(exits.join(".new"), exits.join(name))?;
    }
    scene.sim.tell("create web job -- sh -c 'exit 3'")?;
    scene.sim.tell("start web/job")?;
    scene.reported.wait_for("the job's end", |told| counts(told, "web/job") == [1, 1])?;
    scene.converges()?;
    assert_eq!((counts(&scene.reported, "web/app"), scene.record("web/app")?.state), ([1, 0], State::Running));
    // When it does exit, its own code counts.
    scene.sim.tell("kill web/app 9")?;
    scene.reported.wait_for("its end", |told| counts(told, "web/app") == [1, 1])?;
    scene.converges()?;
    let code = scene.record("web/app")?.exit.as_ref().and_then(|exit| exit.code);
    assert_eq!(code, Some(137), "{:?}", scene.reported);
    Ok(())
}
