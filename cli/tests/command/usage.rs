//! stats, images, doctor, top --once.

use std::path::Path;

use crate::sim::Sim;
use crate::support::*;

#[test]
fn what_containers_use() {
    let (sim, _) = node();
    let printed = on(&sim, &["stats", "--interval", "50ms", "--sort", "name"]).well();
    let lines: Vec<Vec<&str>> = printed.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines[0], ["NAME", "POD", "NAMESPACE", "CPU", "CPU%", "MEMORY", "MEM%", "LIMIT"]);
    assert_eq!(lines[1..].iter().map(|line| line[0]).collect::<Vec<_>>(), ["store", "app", "proxy"]);
    assert!(lines.iter().all(|line| line.len() == lines[0].len()), "{printed}");
    let document = &documents(&on(&sim, &["stats", "--interval", "50ms", "-o", "json", "-n", "shop"]).well())[0];
    assert_eq!(
        (document["schema"].as_str(), document["containers"].as_array().unwrap().len()),
        (Some("criwatch.usage/1"), 2)
    );
    assert!(on(&sim, &["stats", "--name", "ap"]).complaint(1).contains("did you mean app?"));
}

#[test]
fn numbers_come_from_the_files_of_cgroups() {
    let mut sim = Sim::start(&[]).unwrap();
    sim.tell("pod web ns=shop app").unwrap();
    let document = &documents(&on(&sim, &["inspect", "app"]).well())[0];
    let Some(path) = document["container"]["cgroupPath"].as_str() else {
        println!("the simulated engine has no cgroups here");
        return;
    };
    let below = |hierarchy: &str| Path::new("/sys/fs/cgroup").join(hierarchy).join(path.trim_start_matches('/'));
    let has = |hierarchy: &str, file: &str| below(hierarchy).join(file).exists();
    let document = &documents(&on(&sim, &["stats", "--interval", "50ms", "-o", "json"]).well())[0];
    let app = &document["containers"][0];
    let has_cpu = has("", "cpu.stat") || has("cpuacct", "cpuacct.usage") || has("unified", "cpu.stat");
    // The process sleeps.
    assert_eq!(app["cpus"].as_f64().is_some_and(|cpus| (0.0..0.9).contains(&cpus)), has_cpu, "{app}");
    let has_memory =
        has("", "memory.current") || has("memory", "memory.usage_in_bytes") || has("unified", "memory.current");
    assert_eq!(app["memoryBytes"].is_u64(), has_memory, "{app}");
}

#[test]
fn images_and_who_uses_them() {
    let mut sim = Sim::start(&[]).unwrap();
    sim.tell("pod web ns=shop").unwrap();
    sim.tell("create web one image=registry.example/used:1.0").unwrap();
    sim.tell("create web two image=registry.example/used:1.0").unwrap();
    let printed = on(&sim, &["images"]).well();
    let line = printed.lines().find(|line| line.starts_with("registry.example/used:1.0 ")).expect("it is listed");
    assert!(line.ends_with(" 2"), "{printed}");
    assert!(on(&sim, &["images", "-o", "name"]).well().contains("registry.example/used:1.0\n"));
    assert!(!on(&sim, &["images", "--unused"]).well().contains("registry.example/used"));
    let document = &documents(&on(&sim, &["images", "-o", "json"]).well())[0];
    assert!(document["images"].as_array().is_some_and(|all| !all.is_empty()));
}

#[test]
fn a_doctor_has_a_line_for_each_subject() {
    let mut sim = Sim::start(&[]).unwrap();
    sim.tell("pod web ns=shop app").unwrap();
    let printed = on(&sim, &["doctor"]).well();
    for subject in ["socket", "rights", "engine", "events", "losses", "witness", "cgroups", "requests", "crashes"] {
        assert!(printed.lines().any(|line| line.split_whitespace().nth(1) == Some(subject)), "{subject}: {printed}");
    }
    let document = &documents(&on(&sim, &["doctor", "-o", "json"]).well())[0];
    assert!(document["findings"].as_array().unwrap().iter().all(|one| one["grade"] != "bad"), "{document}");
    // A container that crashes again and again.
    for attempt in 1..4 {
        sim.tell("kill app KILL").unwrap();
        sim.tell("wait app exited").unwrap();
        sim.tell(&format!("create web app attempt={attempt}")).unwrap();
        sim.tell("start app").unwrap();
    }
    let ran = on(&sim, &["doctor"]);
    assert_eq!((ran.code, &*ran.err), (1, ""));
    assert!(
        ran.out.contains("shop/web/app (3 restarts, last Error(137))") && ran.out.contains("criwatch logs --previous"),
        "{}",
        ran.out
    );
    // No engine: what to do.
    let ran = run(&["doctor", "-r", "/nowhere/cri.sock"]);
    assert_eq!(ran.code, 1);
    assert!(ran.out.starts_with("bad     socket ") && ran.out.contains("-> "), "{}", ran.out);
}

#[test]
fn top_once() {
    let (sim, _) = node();
    let printed = on(&sim, &["top", "--once"]).well();
    assert!(printed.lines().any(|line| line.starts_with("shop/web ") && line.contains(" ready ")), "{printed}");
    assert!(
        printed
            .lines()
            .any(|line| line.starts_with("  job ") && line.contains(" exited ") && line.contains("Error(3) "))
    );
    assert!(!printed.contains("data/old") && on(&sim, &["top", "--once", "-a"]).well().contains("data/old"));
    assert!(on(&sim, &["top", "--once", "--namespace", "shp"]).complaint(1).contains("did you mean shop?"));
    assert!(on(&sim, &["top"]).complaint(2).contains("top needs a terminal"));
    let empty = Sim::start(&[]).unwrap();
    on(&empty, &["top", "--once"]).well();
}
