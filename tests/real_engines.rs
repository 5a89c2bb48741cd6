//! The library, as a C program sees it, on real engines: what it lists, inspects and reports is compared with what was
//! done to the engine, and with what the engine and the kernel say themselves.

mod support;

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use criwatch::model::{
    CRI_ANNOTATION_KEY_PREFIX, CRI_ENGINE_TYPE, CRI_EVENT_FLAG_INITIAL, CRI_EVENT_FLAG_NEVER_STARTED,
};
use serde_json::{Value, json};

use support::c;
use support::pods::{ContainerSpec, Pod, PodSpec};
use support::probe::{self, Events, Line};
use support::suite::{self, Outcome, Setup, Skipped, Test, unique};
use support::wait::{self, PATIENCE};

const TESTS: &[Test] = &[
    ("lists_a_pod_with_its_processes", lists_a_pod_with_its_processes),
    ("shows_labels_and_annotations_as_given", shows_labels_and_annotations_as_given),
    ("inspects_by_every_name", inspects_by_every_name),
    ("serves_the_examples_in_c", serves_the_examples_in_c),
    ("says_who_the_engine_is", says_who_the_engine_is),
    ("replays_then_reports_each_exit_once", replays_then_reports_each_exit_once),
    ("reports_each_run_once_from_its_start", reports_each_run_once_from_its_start),
    ("reports_runs_that_are_over_at_once", reports_runs_that_are_over_at_once),
    ("reports_a_container_that_never_started", reports_a_container_that_never_started),
    ("follows_through_a_restart_of_the_engine", follows_through_a_restart_of_the_engine),
];

fn main() {
    suite::run_and(TESTS, vec![suite::on_a_simulated_engine("crio")]);
}

impl Setup {
    /// A pod, one container that lasts, and one that exits with code 3 when it is asked to stop. The names are unique.
    fn run_trio(&self) -> Result<Trio, Box<dyn std::error::Error>> {
        let pod = self.engine.pods.run_pod(&PodSpec::new("cri-lab", &unique("web")))?;
        let (one, two) = (ContainerSpec::lasting(&unique("one")), ContainerSpec::stoppable(&unique("two"), 3));
        let (lasting, stoppable) = (self.engine.pods.run(&pod, &one)?, self.engine.pods.run(&pod, &two)?);
        Ok(Trio { pod, one, two, lasting, stoppable })
    }

    /// Ends the three runs, each in its way, waits until each end is reported, and answers everything that was reported.
    fn end_trio(&self, trio: &Trio, events: Events) -> Result<Vec<Line>, Box<dyn std::error::Error>> {
        let pods = &self.engine.pods;
        pods.stop(&trio.stoppable, PATIENCE.as_secs() as i64)?;
        events.wait_for("exit of the container that is asked to stop", PATIENCE, |reported| {
            count_of(reported, &trio.stoppable, "EXITED") > 0
        })?;
        pods.stop(&trio.lasting, 0)?;
        events.wait_for("exit of the lasting container", PATIENCE, |reported| {
            count_of(reported, &trio.lasting, "EXITED") > 0
        })?;
        pods.stop_pod(&trio.pod.id)?;
        events.wait_for("exit of the sandbox", PATIENCE, |reported| count_of(reported, &trio.pod.id, "EXITED") > 0)?;
        pods.remove_pod(&trio.pod.id)?;
        Ok(events.finish()?)
    }
}

struct Trio {
    pod: Pod,
    one: ContainerSpec,
    two: ContainerSpec,
    lasting: String,
    stoppable: String,
}

impl Trio {
    fn ids(&self) -> [&str; 3] {
        [&self.pod.id, &self.lasting, &self.stoppable]
    }
}

// --- lists and inspection -------------------------------------------------------------------------------------------

fn lists_a_pod_with_its_processes(setup: &mut Setup) -> Outcome {
    let trio = setup.run_trio()?;
    let list = setup.probe.list()?;
    assert_eq!(list["schema"], "criwatch.containers/1");
    for (id, kind) in trio.ids().into_iter().zip(["sandbox", "container", "container"]) {
        let entry = entry(&list, id);
        assert_eq!((&entry["kind"], &entry["state"]), (&json!(kind), &json!("running")), "{entry:#}");
        let pod = &trio.pod;
        let expected = (&json!(pod.id), &json!(pod.spec.name), &json!(pod.spec.namespace), &json!(pod.spec.uid));
        let reported = (&entry["pod"]["id"], &entry["pod"]["name"], &entry["pod"]["namespace"], &entry["pod"]["uid"]);
        assert_eq!(reported, expected, "{entry:#}");
        check_process(entry, id, engines_pid(setup, id, kind)?);
    }
    assert_eq!(entry(&list, &trio.lasting)["name"], json!(trio.one.name));
    assert_eq!(entry(&list, &trio.stoppable)["name"], json!(trio.two.name));
    Ok(())
}

/// The pid that the engine's own verbose answer has; some engines have no process for a sandbox.
fn engines_pid(setup: &Setup, id: &str, kind: &str) -> Result<Option<i64>, Box<dyn std::error::Error>> {
    let pods = &setup.engine.pods;
    let info = if kind == "sandbox" { pods.sandbox_status(id)?.info } else { pods.container_status(id)?.info };
    let Some(info) = info.get("info") else {
        return Ok(None);
    };
    Ok(serde_json::from_str::<Value>(info)?["pid"].as_i64().filter(|pid| *pid > 0))
}

/// The pid is the engine's, and the kernel says that this process is in a cgroup that names the container.
fn check_process(entry: &Value, id: &str, engines_pid: Option<i64>) {
    assert_eq!(entry["pid"].as_i64(), engines_pid, "{entry:#}");
    let Some(pid) = engines_pid else { return };
    let cgroups = fs::read_to_string(format!("/proc/{pid}/cgroup")).expect("the process runs");
    let paths: Vec<&str> = cgroups.lines().filter_map(|line| line.splitn(3, ':').nth(2)).collect();
    let naming: Vec<&str> = paths.into_iter().filter(|path| path.contains(id)).collect();
    assert!(!naming.is_empty(), "no cgroup of process {pid} names {id}: {cgroups}");
    let reported = entry["cgroupPath"].as_str().unwrap_or_else(|| panic!("no cgroupPath: {entry:#}"));
    assert!(naming.contains(&reported), "cgroupPath {reported:?} is none of {naming:?}");
    let places: Vec<PathBuf> =
        support::leftovers::cgroup_mounts().iter().map(|mount| mount.join(reported.trim_start_matches('/'))).collect();
    assert!(places.iter().any(|place| place.is_dir()), "none of {places:?} exists");
}

fn shows_labels_and_annotations_as_given(setup: &mut Setup) -> Outcome {
    let note = "example.org/note";
    let pod_spec = PodSpec::new("cri-lab", &unique("labelled")).label("tier", "front").annotation(note, "the pod's");
    let spec = ContainerSpec::new("app", ["sleep", "1000000"]).label("colour", "red").annotation(note, "the app's");
    let pod = setup.engine.pods.run_pod(&pod_spec)?;
    let id = setup.engine.pods.run(&pod, &spec)?;

    let apart = setup.probe.clone().option("labels.annotations", "separate").list()?;
    let (sandbox, container) = (entry(&apart, &pod.id), entry(&apart, &id));
    // CRI-O's own label of sandboxes, `io.kubernetes.container.name: POD`, is not shown: it is none of the pod's.
    assert_eq!(sandbox["labels"], json!(pod_spec.all_labels()));
    assert_eq!(container["labels"], json!(spec.all_labels(&pod_spec)));
    assert_eq!(container["annotations"], json!(spec.annotations));
    for entry in [sandbox, container] {
        assert_eq!(entry["pod"]["labels"], json!(pod_spec.all_labels()), "a record carries its pod's labels");
        assert_eq!(entry["pod"]["annotations"], json!(pod_spec.annotations));
    }

    let merged = setup.probe.list()?;
    let key = format!("{CRI_ANNOTATION_KEY_PREFIX}{note}");
    assert_eq!(entry(&merged, &pod.id)["labels"][&key], "the pod's");
    assert_eq!(entry(&merged, &pod.id)["labels"]["io.kubernetes.sandbox"], "");
    let labels = &entry(&merged, &id)["labels"];
    assert_eq!((&labels[&key], &labels["colour"]), (&json!("the app's"), &json!("red")));
    assert_eq!(labels["io.kubernetes.container.name"], "app");
    assert_eq!(labels["io.kubernetes.pod.uid"], json!(pod_spec.uid));
    Ok(())
}

fn inspects_by_every_name(setup: &mut Setup) -> Outcome {
    let trio = setup.run_trio()?;
    let (id, spec) = (&trio.lasting, &trio.pod.spec);
    let whole_name = format!("{}/{}/{}", spec.namespace, spec.name, trio.one.name);
    for name in [id.as_str(), &whole_name, &trio.one.name, &id[..12]] {
        let answer = setup.probe.inspect(name)?;
        assert_eq!(answer["schema"], "criwatch.inspect/1");
        assert_eq!(answer["container"]["id"], json!(id), "inspect {name}");
        check_process(&answer["container"], id, engines_pid(setup, id, "container")?);
    }
    let sandbox = setup.probe.inspect(&trio.pod.id)?;
    assert_eq!(sandbox["container"]["kind"], "sandbox", "{sandbox:#}");
    assert_eq!(sandbox["container"]["id"], json!(trio.pod.id));

    setup.engine.pods.stop(&trio.stoppable, PATIENCE.as_secs() as i64)?;
    wait::until("the container that exits by itself when asked to's exit", PATIENCE, || {
        let answer = setup.probe.inspect(&trio.stoppable)?["container"].take();
        let over = answer["state"] == "exited" && answer["exitCode"] == 3 && answer.get("pid").is_none();
        if over { Ok(()) } else { Err(answer.to_string()) }
    })?;

    let error = setup.probe.inspect("0123456789abcdef").expect_err("nothing has this id");
    assert!(error.contains("CRI_E_NOT_FOUND"), "{error}");
    Ok(())
}

/// The shortest program lists; the one with epoll keeps a table of pods, until its input ends.
fn serves_the_examples_in_c(setup: &mut Setup) -> Outcome {
    let trio = setup.run_trio()?;
    let library = c::Library::of_this_build();
    let list = c::succeed(Command::new(library.build("examples/c/list.c")?).arg(&setup.engine.endpoint))?;
    for id in trio.ids() {
        assert!(list.contains(id), "{id} is not listed: {list}");
    }
    let mut table = Command::new(library.build("examples/c/table.c")?);
    table.arg(&setup.engine.endpoint).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = table.spawn()?;
    let mut lines = BufReader::new(child.stdout.take().ok_or("no stdout")?).lines().map_while(Result::ok);
    let mut shows = |running: &str| {
        let is = |line: &String| line.contains(&trio.pod.spec.name) && line.ends_with(running);
        lines.find(is).map(drop).ok_or(format!("the table ended without {running} running"))
    };
    shows(" 2")?;
    setup.engine.pods.stop(&trio.lasting, 0)?;
    shows(" 1")?;
    drop(child.stdin.take());
    let status = child.wait()?;
    if status.success() { Ok(()) } else { Err(format!("{table:?}: {status}").into()) }
}

fn says_who_the_engine_is(setup: &mut Setup) -> Outcome {
    let reported = setup.probe.engine()?["engine"].take();
    let version = setup.engine.pods.version()?;
    // Debian's build of containerd 2 does not know its own revision, and says so.
    let number = version.runtime_version.trim_start_matches('v').trim_end_matches("+unknown");
    let line = format!("{} {number} [API {}]", version.runtime_name, version.runtime_api_version);
    assert_eq!(reported["version"], json!(line));
    assert_eq!((&reported["type"], &reported["api"]), (&json!(CRI_ENGINE_TYPE), &json!(setup.engine.endpoint)));
    assert_eq!(reported["id"].as_str(), Some(fs::read_to_string("/proc/sys/kernel/hostname")?.trim()));
    if let Some(containerd) = &setup.engine.containerd {
        assert_eq!(reported["pid"].as_i64(), containerd.pid().map(i64::from));
        let has_events = containerd.package().line != "1.6";
        assert_eq!(reported["events"], if has_events { "stream" } else { "poll" }, "{reported:#}");
    }
    Ok(())
}

/// The one entry with this id.
fn entry<'a>(list: &'a Value, id: &str) -> &'a Value {
    let entries = list["containers"].as_array().unwrap_or_else(|| panic!("no containers: {list:#}"));
    let found: Vec<&Value> = entries.iter().filter(|entry| entry["id"] == id).collect();
    assert_eq!(found.len(), 1, "{id} is listed {} times: {list:#}", found.len());
    found[0]
}

// --- events ---------------------------------------------------------------------------------------------------------

fn replays_then_reports_each_exit_once(setup: &mut Setup) -> Outcome {
    let trio = setup.run_trio()?;
    let reported = setup.end_trio(&trio, setup.follow()?)?;
    let position =
        |event_type: &str| reported.iter().position(|e| e.event_type == event_type).expect("the replay was reported");
    let replay = &reported[position("REPLAY_BEGIN")..position("REPLAY_END")];
    for id in trio.ids() {
        let initial: Vec<&Line> = replay.iter().filter(|e| e.id == id && e.event_type == "STARTED").collect();
        assert_eq!(initial.len(), 1, "{id} in the replay:\n{}", probe::show(replay));
        assert_ne!(initial[0].flags & CRI_EVENT_FLAG_INITIAL, 0, "{:?}", initial[0]);
        assert_eq!(initial[0].pod, format!("{}/{}", trio.pod.spec.namespace, trio.pod.spec.name));
    }
    check_trio(&trio, &reported);
    Ok(())
}

fn reports_each_run_once_from_its_start(setup: &mut Setup) -> Outcome {
    let events = setup.follow()?;
    let trio = setup.run_trio()?;
    for id in trio.ids() {
        events.wait_for("STARTED", PATIENCE, |reported| count_of(reported, id, "STARTED") > 0)?;
    }
    let reported = setup.end_trio(&trio, events)?;
    for id in trio.ids() {
        let started = reported.iter().find(|e| e.id == id && e.event_type == "STARTED").expect("it was waited for");
        assert_eq!(started.flags & CRI_EVENT_FLAG_INITIAL, 0, "it was not there before: {started:?}");
    }
    check_trio(&trio, &reported);
    Ok(())
}

fn check_trio(trio: &Trio, reported: &[Line]) {
    assert!(reported.is_sorted_by(|a, b| a.seq < b.seq), "seq does not grow:\n{}", probe::show(reported));
    check_run(reported, &trio.pod.id);
    // Ended by SIGKILL, and by its own exit.
    assert_eq!(check_run(reported, &trio.lasting).exit_code, Some(137));
    assert_eq!(check_run(reported, &trio.stoppable).exit_code, Some(3));
    for (id, name) in [(&trio.lasting, &trio.one.name), (&trio.stoppable, &trio.two.name)] {
        let of_it = reported.iter().filter(|e| e.id == *id);
        of_it.for_each(|e| assert_eq!((&e.name, e.kind.as_str()), (name, "container"), "{e:?}"));
    }
}

/// Exactly one STARTED, then exactly one EXITED, which is answered.
fn check_run<'a>(reported: &'a [Line], id: &str) -> &'a Line {
    let run: Vec<&Line> =
        reported.iter().filter(|e| e.id == id && (e.event_type == "STARTED" || e.event_type == "EXITED")).collect();
    let types: Vec<&str> = run.iter().map(|e| e.event_type.as_str()).collect();
    assert_eq!(types, ["STARTED", "EXITED"], "the run of {id}; reported:\n{}", probe::show(reported));
    run[1]
}

fn count_of(reported: &[Line], id: &str, event_type: &str) -> usize {
    reported.iter().filter(|e| e.id == id && e.event_type == event_type).count()
}

fn reports_runs_that_are_over_at_once(setup: &mut Setup) -> Outcome {
    if setup.probe.engine()?["engine"]["events"] != "stream" {
        return Err(Skipped("this engine has no events: runs between two polls cannot be seen").into());
    }
    let events = setup.follow()?;
    let pod = setup.engine.pods.run_pod(&PodSpec::new("cri-lab", &unique("brief")))?;
    let mut brief = Vec::new();
    for count in 0..5 {
        brief.push(setup.engine.pods.run(&pod, &ContainerSpec::new(&format!("brief-{count}"), ["true"]))?);
    }
    for id in &brief {
        events.wait_for("EXITED", PATIENCE, |reported| count_of(reported, id, "EXITED") > 0)?;
    }
    let reported = events.finish()?;
    for id in &brief {
        assert_eq!(check_run(&reported, id).exit_code, Some(0));
    }
    assert_eq!((count_of(&reported, &pod.id, "STARTED"), count_of(&reported, &pod.id, "EXITED")), (1, 0));
    Ok(())
}

fn reports_a_container_that_never_started(setup: &mut Setup) -> Outcome {
    if setup.engine.containerd.is_none() {
        return Err(Skipped("only containerd keeps a container that could not be started").into());
    }
    // containerd sends no event for a failed start.
    let events = setup.probe.clone().option("relist.interval_ms", "200").events()?;
    let pod = setup.engine.pods.run_pod(&PodSpec::new("cri-lab", &unique("broken")))?;
    let id = setup.engine.pods.create(&pod, &ContainerSpec::new("broken", ["/nonexistent"]))?;
    setup.engine.pods.start(&id).expect_err("there is no such program in the image");
    events.wait_for("EXITED", PATIENCE, |reported| count_of(reported, &id, "EXITED") > 0)?;
    let reported = events.finish()?;
    assert_eq!(
        (count_of(&reported, &id, "STARTED"), count_of(&reported, &id, "EXITED")),
        (0, 1),
        "{}",
        probe::show(&reported)
    );
    let exited = reported.iter().find(|e| e.id == id && e.event_type == "EXITED").expect("it was counted");
    assert_ne!(exited.flags & CRI_EVENT_FLAG_NEVER_STARTED, 0, "{exited:?}");
    assert_eq!(exited.exit_code, Some(128));
    Ok(())
}

fn follows_through_a_restart_of_the_engine(setup: &mut Setup) -> Outcome {
    if setup.engine.containerd.is_none() {
        return Err(Skipped("an engine that is not ours is not restarted").into());
    }
    let events = setup.follow()?;
    let trio = setup.run_trio()?;
    for id in trio.ids() {
        events.wait_for("STARTED", PATIENCE, |reported| count_of(reported, id, "STARTED") > 0)?;
    }
    let pid = engines_pid(setup, &trio.stoppable, "container")?.ok_or("a running container has a pid")? as i32;
    let containerd = setup.engine.containerd.as_mut().expect("it was looked at above");
    containerd.kill()?;
    // SAFETY: kill takes plain numbers. The process is the container's first one, which nobody waits for meanwhile.
    assert_eq!(unsafe { libc::kill(pid, libc::SIGKILL) }, 0, "{}", std::io::Error::last_os_error());
    containerd.start_again()?;
    events.wait_for("exit while the engine was away", PATIENCE, |reported| {
        count_of(reported, &trio.stoppable, "EXITED") > 0
    })?;

    let pods = &setup.engine.pods;
    // The driver's connection may still be the one to the old process.
    wait::until("the engine to be reached again", PATIENCE, || pods.version().map_err(|error| error.to_string()))?;
    pods.stop(&trio.lasting, 0)?;
    events.wait_for("exit after the restart", PATIENCE, |reported| count_of(reported, &trio.lasting, "EXITED") > 0)?;
    pods.stop_pod(&trio.pod.id)?;
    events.wait_for("exit of the sandbox", PATIENCE, |reported| count_of(reported, &trio.pod.id, "EXITED") > 0)?;
    let reported = events.finish()?;
    for id in trio.ids() {
        check_run(&reported, id);
    }
    Ok(())
}
