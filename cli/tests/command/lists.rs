//! ps, pods, inspect, tree, info, engines, call, version.

use criwatch::config::Config;
use criwatch::watcher::Watcher;

use crate::sim::Sim;
use crate::support::*;

fn names(sim: &Sim, words: &[&str]) -> Vec<String> {
    let printed = on(sim, &[&["ps", "-o", "name"], words].concat()).well();
    printed.lines().map(str::to_owned).collect()
}

fn library(sim: &Sim) -> Watcher {
    let mut config = Config::default();
    config.set("details", "full").unwrap();
    let watcher = Watcher::new(Some(sim.endpoint()), config).unwrap();
    watcher.resync(Some(PATIENCE)).unwrap();
    watcher
}

/// Two looks differ in when they looked.
fn without_moment(document: &str) -> serde_json::Value {
    let mut value: serde_json::Value = serde_json::from_str(document).unwrap();
    for key in ["generation", "asOf"] {
        value.as_object_mut().unwrap().remove(key);
    }
    value
}

#[test]
fn columns_are_stable() {
    let (sim, _) = node();
    let printed = on(&sim, &["ps", "-a"]).well();
    let lines: Vec<Vec<&str>> = printed.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines[0], ["NAME", "POD", "NAMESPACE", "ID", "STATE", "AGE", "PID", "RESTARTS", "EXIT", "IMAGE"]);
    // No cell is empty or has a space: any tool can cut them.
    assert!(lines.iter().all(|line| line.len() == lines[0].len()), "{printed}");
    let job = lines.iter().find(|line| line[0] == "job").unwrap();
    assert_eq!((&job[1..3], job[4], &job[6..9]), (&["web", "shop"][..], "exited", &["-", "0", "Error(3)"][..]));
    assert_eq!(job[3].len(), 13);
    let app = lines.iter().find(|line| line[0] == "app").unwrap();
    assert!(app[6].parse::<i32>().unwrap() > 1);
}

#[test]
fn selections() {
    let (sim, web) = node();
    assert_eq!(names(&sim, &[]), ["data/db/store", "shop/web/app", "shop/web/proxy"]);
    let everything = ["data/db/store", "data/old/past", "shop/web/app", "shop/web/job", "shop/web/proxy"];
    assert_eq!(names(&sim, &["-a"]), everything);
    assert_eq!(names(&sim, &["--all", "--namespace", "data"]), ["data/db/store", "data/old/past"]);
    assert_eq!(names(&sim, &["-a", "-n", "d*", "-n", "sho?"]), everything);
    assert_eq!(names(&sim, &["-A", "-a"]), everything);
    assert_eq!(names(&sim, &["--pod", "web"]), ["shop/web/app", "shop/web/proxy"]);
    for pod in [&*web, &web[..13], &web[..6], "shop/web"] {
        assert_eq!(names(&sim, &["-p", pod, "--name", "app"]), ["shop/web/app"]);
        assert_eq!(on(&sim, &["pods", "-p", pod, "-o", "name"]).well(), "shop/web\n");
    }
    assert_eq!(names(&sim, &["-l", "tier=front", "-l", "!none"]), ["shop/web/app", "shop/web/proxy"]);
    assert_eq!(names(&sim, &["--state", "Exited"]), ["data/old/past", "shop/web/job"]);
    assert_eq!(names(&sim, &["-s", "exited,running", "-s", "created"]), everything);
    assert_eq!(names(&sim, &["--sandboxes", "--namespace", "data"]), ["data/db", "data/db/store"]);
    assert_eq!(names(&sim, &["--latest"]), ["data/old/past"]);
    assert_eq!(names(&sim, &["--last", "3", "--sort", "oldest"]), ["shop/web/job", "data/db/store", "data/old/past"]);
    assert_eq!(names(&sim, &["-a", "--sort", "newest"])[0], "data/old/past");
}

#[test]
fn images_are_found_by_parts_of_their_names() {
    let mut sim = Sim::start(&[]).unwrap();
    sim.tell("pod web ns=shop").unwrap();
    sim.tell("create web app image=registry.example:5000/team/nginx:1.27").unwrap();
    for image in ["nginx", "nginx:1.27", "team/nginx", "*/nginx*", "registry.example:5000/team/nginx"] {
        assert_eq!(names(&sim, &["-a", "--image", image]), ["shop/web/app"], "{image}");
    }
    assert!(
        on(&sim, &["ps", "-a", "--image", "ginx"])
            .complaint(1)
            .starts_with("nothing matches --image ginx: did you mean")
    );
}

#[test]
fn forms_for_programs() {
    let (sim, web) = node();
    let library = library(&sim);
    let ids = on(&sim, &["ps", "-q"]).well();
    let of_ids: Vec<String> = ids.lines().map(|id| library.find(id).unwrap().path()).collect();
    assert_eq!(of_ids, names(&sim, &[]));
    assert_eq!(on(&sim, &["ps", "-q", "-o", "json"]).well(), ids);
    let whole = on(&sim, &["ps", "--no-trunc"]).well();
    assert!(whole.lines().skip(1).zip(ids.lines()).all(|(line, id)| line.split_whitespace().nth(3) == Some(id)));
    // The library's to the byte.
    for (words, expected) in [
        (vec!["ps", "-a", "-o", "json"], library.list(Some(r#"{"kind":"container","all":true}"#))),
        (vec!["pods", "-a", "-o", "json"], library.pods(Some(r#"{"all":true}"#))),
        (vec!["inspect", "app", "-o", "json"], library.inspect("app", 0, Some(PATIENCE)).map(Some)),
    ] {
        let printed = on(&sim, &words).well();
        assert_eq!(without_moment(&printed), without_moment(expected.unwrap().unwrap().as_str()), "{words:?}");
    }
    let ready = &documents(&on(&sim, &["pods", "-o", "json"]).well())[0];
    let pods: Vec<&str> = ready["pods"].as_array().unwrap().iter().map(|pod| pod["name"].as_str().unwrap()).collect();
    assert_eq!((ready["schema"].as_str(), pods), (Some("criwatch.pods/1"), vec!["db", "web"]));
    let lines = documents(&on(&sim, &["ps", "-o", "jsonl", "-n", "shop"]).well());
    assert_eq!(lines.iter().map(|one| one["name"].as_str().unwrap()).collect::<Vec<_>>(), ["app", "proxy"]);
    let yaml = on(&sim, &["ps", "-o", "yaml", "--name", "app"]).well();
    assert!(yaml.starts_with("---\nschema: criwatch.containers/1\n") && yaml.contains("\n  name: app\n"), "{yaml}");
    let columns = on(&sim, &["ps", "-n", "shop", "-o", "custom-columns=POD:.pod.name,NAME:.name,X:.nothing"]).well();
    assert_eq!(columns, "POD  NAME   X\nweb  app    -\nweb  proxy  -\n");
    let wide = on(&sim, &["ps", "-o", "wide", "-n", "shop"]).well();
    assert!(
        wide.lines().next().unwrap().ends_with("CGROUP") && wide.contains(&ids.lines().nth(1).unwrap().to_owned()),
        "{wide}"
    );
    assert_eq!(on(&sim, &["pods", "-q", "--pod", "web"]).well(), format!("{web}\n"));
    assert!(on(&sim, &["pods", "-o", "wide"]).well().contains("UID"));
}

#[test]
fn pods_count_their_containers() {
    let (sim, _) = node();
    let printed = on(&sim, &["pods"]).well();
    let lines: Vec<Vec<&str>> = printed.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines[0], ["NAME", "NAMESPACE", "ID", "STATE", "AGE", "RUNNING", "RESTARTS", "IP"]);
    assert_eq!((&lines[1][..2], lines[1][3]), (&["db", "data"][..], "ready"));
    assert_eq!((&lines[2][..2], lines[2][5]), (&["web", "shop"][..], "2/3"));
    assert_eq!(on(&sim, &["pods", "--state", "NotReady", "-o", "name"]).well(), "data/old\n");
    assert_eq!(on(&sim, &["pods", "-l", "tier=front", "-o", "name"]).well(), "shop/web\n");
}

#[test]
fn inspections() {
    let (sim, web) = node();
    let both = documents(&on(&sim, &["inspect", "app", "shop/web"]).well());
    assert_eq!(
        both.iter().map(|one| one["container"]["kind"].as_str().unwrap()).collect::<Vec<_>>(),
        ["container", "sandbox"]
    );
    let short = on(&sim, &["inspect", "-o", "table", "job"]).well();
    assert!(short.contains("Name        shop/web/job\n") && short.contains("Exit        Error(3)\n"), "{short}");
    // A pod is found by its name alone.
    assert_eq!(documents(&on(&sim, &["inspect", "web"]).well())[0]["container"]["id"], *web);
    let document = &documents(&on(&sim, &["inspect", "app"]).well())[0];
    // What the engine says is flat, and its status is there.
    assert!(document["info"]["runtimeSpec"].is_object() && document["status"]["logPath"].is_string(), "{document}");
    assert!(on(&sim, &["inspect", "--require-process", "job"]).complaint(1).contains("no process"));
    // All or nothing.
    let ran = on(&sim, &["inspect", "app", "nobody"]);
    assert_eq!(ran.out, "");
    assert!(ran.complaint(1).contains("\"nobody\""));
}

#[test]
fn trees_have_processes() {
    let (sim, _) = node();
    let app = library(&sim).find("app").unwrap();
    let printed = on(&sim, &["tree", "-p", "web"]).well();
    assert!(printed.starts_with("shop/web ready\n├─ sandbox: "), "{printed}");
    assert!(printed.contains("├─ app running ") && printed.contains(&format!("│  {} ", app.pid.unwrap())), "{printed}");
    assert!(!on(&sim, &["tree", "--no-processes"]).well().contains("sandbox"));
    let document = &documents(&on(&sim, &["tree", "-o", "json", "-p", "web"]).well())[0];
    let containers = document["pods"][0]["containers"].as_array().unwrap();
    let of_app = containers.iter().find(|one| one["name"] == "app").unwrap();
    assert_eq!(
        (document["schema"].as_str(), of_app["processes"][0]["pid"].as_i64()),
        (Some("criwatch.tree/1"), app.pid.map(i64::from))
    );
    assert!(on(&sim, &["tree", "-n", "shp"]).complaint(1).contains("did you mean shop?"));
}

#[test]
fn the_engine() {
    let (sim, _) = node();
    let printed = on(&sim, &["info"]).well();
    for line in [
        "name          containerd",
        "by            the engine's event stream",
        "runtime ready yes",
        "pods          2 ready, 1 not ready",
    ] {
        assert!(printed.contains(&format!("  {line}")) || line.starts_with("pods"), "{line}: {printed}");
    }
    assert!(printed.contains("2 ready") && printed.contains("1 not ready"), "{printed}");
    let report = &documents(&on(&sim, &["info", "-o", "json"]).well())[0];
    assert_eq!(
        (report["schema"].as_str(), report["engine"]["events"].as_str()),
        (Some("criwatch.info/1"), Some("stream"))
    );
    assert_eq!(report["missing"].to_string(), r#"{"exitCode":2}"#);
    let version = on(&sim, &["version"]).well();
    assert!(version.starts_with(&format!("criwatch  {}\ncontainerd ", env!("CARGO_PKG_VERSION"))), "{version}");
    assert_eq!(run(&["version", "--client"]).well(), format!("criwatch  {}\n", env!("CARGO_PKG_VERSION")));
    assert_eq!(run(&["--version"]).well(), format!("criwatch {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn any_request_can_be_made() {
    let (sim, web) = node();
    let answer = &documents(&on(&sim, &["call", "Version"]).well())[0];
    assert_eq!(answer["runtimeName"], "containerd");
    let request = format!(r#"{{"podSandboxId":"{web}"}}"#);
    let answer = &documents(&on(&sim, &["call", "RuntimeService/PodSandboxStatus", &request]).well())[0];
    assert_eq!(answer["status"]["metadata"]["name"], "web");
    assert!(
        on(&sim, &["call", "StopContainer", r#"{"containerId":"x"}"#]).complaint(4).contains("call.allow_mutations")
    );
    on(&sim, &["call", "Nothing"]).complaint(2);
    on(&sim, &["call", "Version", "{"]).complaint(2);
    assert!(on(&sim, &["call", "Version", "-o", "yaml"]).well().contains("\nruntimeName: containerd\n"));
}

#[test]
fn engines_are_listed_also_the_one_that_is_named() {
    let (sim, _) = node();
    let root = tempfile::tempdir().unwrap();
    let host = format!("host.root={}", root.path().display());
    let mut by_environment = bare(&["engines", "--option", &host]);
    by_environment.env("CRI_RUNTIME_ENDPOINT", sim.endpoint());
    // That this host has no processes is told.
    let printed = Ran::of(&by_environment.output().unwrap()).out;
    let line = printed.lines().find(|line| line.starts_with(sim.endpoint())).expect("it is listed");
    assert!(line.contains(" containerd ") && line.ends_with("$CRI_RUNTIME_ENDPOINT names it"), "{printed}");
    let named = on(&sim, &["engines", "-o", "name", "--option", &host]).well();
    assert_eq!(named.lines().next(), Some(sim.endpoint()));
    let none = run(&["engines", "-o", "name", "--option", &host]);
    assert_eq!(none.complaint(3), "no engine answers on this node");
}

#[test]
fn the_endpoint_comes_from_before_after_or_the_environment() {
    let (sim, _) = node();
    let folder = sim.socket().parent().unwrap().to_owned();
    let from_root = sim.socket().strip_prefix("/").unwrap().to_str().unwrap().to_owned();
    let below_root = format!("unix://{from_root}");
    for (words, environment, folder) in [
        (vec!["-r", sim.endpoint(), "ps", "-q"], vec![], folder.clone()),
        (vec!["ps", "-q", "--runtime-endpoint", sim.endpoint()], vec![], folder.clone()),
        (vec!["ps", "-q"], vec![("CONTAINER_RUNTIME_ENDPOINT", sim.endpoint())], folder.clone()),
        (
            vec!["ps", "-q"],
            vec![("CRI_RUNTIME_ENDPOINT", sim.endpoint()), ("CONTAINER_RUNTIME_ENDPOINT", "/none")],
            folder.clone(),
        ),
        // As all paths, it may be relative.
        (vec!["ps", "-q", "-r", "cri.sock"], vec![], folder.clone()),
        (vec!["ps", "-q", "-r", "./cri.sock"], vec![], folder.clone()),
        (vec!["ps", "-q", "-r", "unix://cri.sock"], vec![], folder.clone()),
        (vec!["ps", "-q"], vec![("CRI_RUNTIME_ENDPOINT", "cri.sock")], folder.clone()),
        (vec!["ps", "-q", "-r", &from_root], vec![], "/".into()),
        (vec!["ps", "-q", "-r", &below_root], vec![], "/".into()),
    ] {
        let output = bare(&words).envs(environment.clone()).current_dir(&folder).output().unwrap();
        assert_eq!(Ran::of(&output).well().lines().count(), 3, "{words:?} {environment:?}");
    }
    // Several are shown together.
    let mut other = Sim::start(&[]).unwrap();
    other.tell("pod log ns=data writer").unwrap();
    assert_eq!(on(&sim, &["ps", "-q", "-r", other.endpoint()]).well().lines().count(), 4);
    let printed = on(&sim, &["pods", "-o", "json", "-r", other.endpoint()]).well();
    let apis: Vec<_> =
        documents(&printed).iter().map(|one| one["engine"]["api"].as_str().unwrap().to_owned()).collect();
    assert_eq!(apis, [other.endpoint(), sim.endpoint()]);
    assert!(on(&sim, &["info", "-r", other.endpoint()]).complaint(2).contains("give -r once"));
}
