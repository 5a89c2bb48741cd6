//! What the programmes are asked, and what has to be true of their answers.

use criwatch::model::*;

use crate::node::{Node, Run};
use crate::party::{MS, Party};
use crate::support::c;
use crate::support::wait::{PATIENCE, until};

/// What the library says of itself, and the mistakes that need no engine.
pub fn without_an_engine() -> Result<(), String> {
    let mut all = Party::start()?;
    let version = format!("ok abi=1 number=1000 version={}", env!("CARGO_PKG_VERSION"));
    is(&all.ask("version")?.last, &version)?;
    constants_are_those_of_the_header(&all.ok("constants")?)?;
    let statuses = all.ok("statuses")?;
    has(&statuses, "-13 CRI_E_AMBIGUOUS")?;
    names_are_those_of_the_library(&all.ok("names")?)?;
    has(&all.ok("options")?, "\"schema\":\"criwatch.options/1\"")?;

    for line in ["start", "state", "list -", "snapshot", "queue 0 0 0", "find app", "keep app", "next 0", "drop"] {
        all.expect(line, "CRI_E_INVALID_ARGUMENT grpc=-1 os=0 retriable=0")?;
    }
    all.expect("new unix:///nowhere/cri.sock relist.interval_ms=never", "CRI_E_OPTION")?;
    all.expect("new unix:///nowhere/cri.sock no.such=1", "CRI_E_OPTION")?;
    all.expect("new tcp://127.0.0.1:1", "CRI_E_INVALID_ARGUMENT")?;
    all.ok("new unix:///nowhere/cri.sock reconnect.min_delay_ms=50")?;
    all.expect("state", "ok new")?;
    all.expect("generation", "ok zero")?;
    all.expect("wait-ready 0", "CRI_E_STATE")?;
    all.expect("resync 1000", "CRI_E_CONNECT")?;
    for line in ["list -", "pods -", "get app", "snapshot", "attach app {}"] {
        all.expect(line, "CRI_E_NOT_READY")?;
    }
    all.ok("queue 0 0 0")?;
    all.expect("next 0", "AGAIN")?;
    all.expect("wait-fd 0", "AGAIN")?;
    all.ok("stop")?;
    all.expect("state", "ok stopped")?;
    all.ok("wait-fd 60000")?;
    all.expect("until exited nobody 60000", "CLOSED")?;
    all.expect("start", "CRI_E_STOPPED")?;
    all.expect("queue 0 0 0", "CRI_E_STOPPED")?;
    all.ok("free")?;
    all.expect("state", "CRI_E_INVALID_ARGUMENT")?;
    all.end()
}

/// One line for each enumeration: JSON is made from the same tables.
fn names_are_those_of_the_library(lines: &[String]) -> Result<(), String> {
    macro_rules! lines {
        ($($table:ident)+) => { [$($table.iter().fold(" ".to_owned(), |line, c| line + " " + c.word())),+] };
    }
    let expected = lines![
        EVENT_TYPES EVENT_FLAGS KINDS STATES POD_STATES POD_FLAGS MISSING CHANGED CONTAINER_FLAGS MOUNT_FLAGS
        WATCHER_STATES ENGINE_NEWS LOG_LEVELS NAMESPACE_KINDS
    ];
    if lines == expected { Ok(()) } else { Err(format!("names: {lines:#?}\nof the library: {expected:#?}")) }
}

/// Names and values as the header has them, in its order.
fn constants_are_those_of_the_header(lines: &[String]) -> Result<(), String> {
    let header = std::fs::read_to_string(c::root().join("include/criwatch.h")).map_err(|e| e.to_string())?;
    let defined = header.lines().filter_map(|line| line.strip_prefix("#define ")?.split_once(' '));
    let is_other = |name: &str| name.starts_with("CRI_VERSION_") || name == "CRI_BUFFER_INIT" || name.contains('(');
    let constants = defined.filter(|(name, _)| !is_other(name));
    let expected: Vec<String> =
        constants.map(|(name, value)| format!("  {name}={}", value.trim_matches(['(', ')']))).collect();
    if lines == expected { Ok(()) } else { Err(format!("constants: {lines:#?}\nin the header: {expected:#?}")) }
}

/// A node, from the first snapshot to the last.
pub fn on_a_node(node: &mut impl Node) -> Result<(), String> {
    let pod_id = node.run_pod("web")?;
    let web = node.run("web", pod_id, "app")?;
    let mut all = Party::start()?;
    let endpoint = node.endpoint();
    all.ok(&format!("new {endpoint} poll.interval_ms=50 details=full {}", node.options()))?;
    all.ok("queue 0 0 0")?;
    all.ok("start")?;
    all.ok(&format!("wait-ready {MS}"))?;
    all.expect("generation", "ok nonzero")?;
    let replayed = all.ok(&format!("until replayEnd - {MS}"))?;
    is_shown(&replayed, &web, "running")?;

    memory(&mut all, &web)?;
    engine(&mut all)?;
    let job = changes(&mut all, node)?;
    consumers(&mut all, &web)?;
    the_end(&mut all, node, &web, &job)?;
    all.end()
}

/// Everything that is answered from memory.
fn memory(all: &mut Party, web: &Run) -> Result<(), String> {
    let snapshot = all.agreed("snapshot")?;
    is_shown(&snapshot, web, "running")?;
    has(&snapshot, &format!("pod id=\"{}\" name=\"web\" namespace=\"shop\"", web.pod_id))?;
    has(&snapshot, "\"tier\"=\"front\"")?;
    has(&snapshot, "\"note\"=\"a\\\\b\"")?;
    is_shown(&all.ok("find shop/web/app")?, web, "running")?;
    all.expect("find nobody", "CRI_E_NOT_FOUND")?;
    all.ok("keep app")?;
    is_shown(&all.ok("kept")?, web, "running")?;

    let id = format!("\"id\":\"{}\"", web.id);
    for line in ["list -", "list {\"selector\":\"app=app\"}", "pods -", "pods {\"namespace\":\"shop\"}", "get app"] {
        has(&all.ok(line)?, &id)?;
    }
    lacks(&all.ok("list {\"kind\":\"sandbox\"}")?, &id)?;
    has(&all.ok("list {\"name\":\"nobody\"}")?, "\"containers\":[]")?;
    all.expect("list {\"kind\":\"lamp\"}", "CRI_E_QUERY")?;
    all.expect("list nonsense", "CRI_E_QUERY")?;
    all.expect("get nobody", "CRI_E_NOT_FOUND")?;

    all.ok("attach app {\"team\":\"a \\\"b\\\"\"}")?;
    has(&all.ok("get app")?, "\"team\"")?;
    has(&all.ok(&format!("until updated app {MS}"))?, "changed=rucksack")?;
    all.expect("attach app no json", "CRI_E_INVALID_ARGUMENT")?;
    all.ok("attach app -")?;
    lacks(&all.ok("get app")?, "\"team\"")?;
    all.ok(&format!("until updated app {MS}")).map(drop)
}

/// What the engine is asked.
fn engine(all: &mut Party) -> Result<(), String> {
    has(&all.ok("engine")?, "\"schema\":\"criwatch.engine/1\"")?;
    has(&all.ok("stats")?, "schema")?;
    all.ok(&format!("inspect 0 {MS} app"))?;
    all.ok(&format!("inspect 1 {MS} app"))?;
    all.expect(&format!("inspect 0 {MS} nobody"), "CRI_E_NOT_FOUND")?;
    has(&all.ok(&format!("call RuntimeService/Version {MS} -"))?, "\"runtimeName\"")?;
    all.expect(&format!("call RuntimeService/StopContainer {MS} {{}}"), "CRI_E_PERMISSION")?;
    all.expect(&format!("call RuntimeService/Nothing {MS} -"), "CRI_E_INVALID_ARGUMENT")?;
    let request = "{\"containerId\":\"nobody\"}";
    let error = all.ask(&format!("call RuntimeService/ContainerStatus {MS} {request}"))?.last;
    if error.starts_with("CRI_E_NOT_FOUND grpc=5 os=0 retriable=0 ") { Ok(()) } else { Err(error) }
}

/// A run that begins and ends while all watch.
fn changes(all: &mut Party, node: &mut impl Node) -> Result<Run, String> {
    // One after the other: a list that shows two at once is reported in any order.
    let pod_id = node.run_pod("job")?;
    all.ok(&format!("wait-fd {MS}"))?;
    has(&all.ok(&format!("until started job {MS}"))?, &format!("id=\"{pod_id}\""))?;
    let job = node.run("job", pod_id, "worker")?;
    is_shown(&all.ok(&format!("until started worker {MS}"))?, &job, "running")?;
    // Each has looked at the process before it ends.
    until("all that is reported of a process", PATIENCE, || {
        let snapshot = all.ok("snapshot")?;
        let line = line_of(&snapshot, &job)?;
        let is_known =
            line.contains(" missing=- ") && !line.contains(" namespaces=- ") && !line.contains(" command=[] ");
        if is_known { Ok(()) } else { Err(line.to_owned()) }
    })?;
    let code = node.end(&job)?;
    let reported = all.ok(&format!("until exited worker {MS}"))?;
    is_shown(&reported, &job, "exited")?;
    has(&reported, &format!(" exit={code} "))?;
    all.ok(&format!("resync {MS}"))?;
    all.agreed("snapshot")?;
    is_shown(&all.ok(&format!("find {}", job.id))?, &job, "exited")?;
    all.expect(&format!("inspect 1 {MS} {}", job.id), "CRI_E_PROCESSLESS")?;
    Ok(job)
}

/// More than one consumer, and what they ask for.
fn consumers(all: &mut Party, web: &Run) -> Result<(), String> {
    let replayed = all.expect(&format!("callback 0 0 replayEnd - {MS}"), "ok destroyed=1")?;
    is_shown(&replayed, web, "running")?;
    all.expect("callback 0 1 replayEnd - 0", "AGAIN")?;
    all.ok("queue 0 0 0")?;
    is_shown(&all.ok(&format!("until replayEnd - {MS}"))?, web, "running")?;
    all.expect("next 0", "AGAIN")?;
    all.ok("queue 2 1 1")?;
    all.expect("next 0", "AGAIN")?;
    all.ok("drop").and_then(|_| all.expect("next 0", "CRI_E_INVALID_ARGUMENT")).map(drop)
}

/// What is left when a pod, and then the watcher, is gone.
fn the_end(all: &mut Party, node: &mut impl Node, web: &Run, job: &Run) -> Result<(), String> {
    all.ok("queue 6 1 0")?; // STARTED and EXITED.
    node.stop_pod(job)?; // Not removed yet: a list that comes late would show it gone, not stopped.
    let reported = all.ok(&format!("until exited job {MS}"))?;
    let is_sandbox = |line: &String| line.starts_with("  container kind=sandbox state=exited ");
    has(&reported.into_iter().filter(is_sandbox).collect::<Vec<_>>(), &format!(" attempt=0 id=\"{}\"", job.pod_id))?;
    node.remove(job)?;
    all.ok(&format!("resync {MS}"))?;
    lacks(&all.ok("snapshot")?, &job.pod_id)?;
    all.ok("stop")?;
    all.expect("until exited nobody 60000", "CLOSED")?;
    all.expect("next 60000", "CLOSED")?;
    let snapshot = all.ok("snapshot")?;
    is_shown(&snapshot, web, "running")?;
    all.expect(&format!("inspect 0 {MS} app"), "CRI_E_STOPPED")?;
    all.ok("free")?;
    all.expect("find app", "CRI_E_INVALID_ARGUMENT")?;
    is_shown(&all.ok("kept")?, web, "running")?;
    lazily(all, node, line_of(&snapshot, web)?)
}

/// Watchers that ask for details one at a time know the same in the end.
fn lazily(all: &mut Party, node: &impl Node, expected: &str) -> Result<(), String> {
    all.ok(&format!("new {} poll.interval_ms=50 details=lazy {}", node.endpoint(), node.options()))?;
    all.ok("start")?;
    all.ok(&format!("wait-ready {MS}"))?;
    until("the details", PATIENCE, || has(&all.ok("snapshot")?, expected))?;
    all.ok("free").map(drop)
}

/// The container's line.
fn line_of<'a>(lines: &'a [String], run: &Run) -> Result<&'a str, String> {
    let id = format!(" id=\"{}\" ", run.id);
    let line = lines.iter().find(|line| line.starts_with("  container ") && line.contains(&id));
    line.map(String::as_str).ok_or_else(|| format!("{} is not in {lines:#?}", run.id))
}

/// The container stands in these lines, in this state.
fn is_shown(lines: &[String], run: &Run, state: &str) -> Result<(), String> {
    let Run { pod, pod_id, container, id } = run;
    let start = format!("  container kind=container state={state} ");
    let facts = format!(" id=\"{id}\" name=\"{container}\" pod=\"{pod_id}\" ");
    let is = |line: &String| line.starts_with(&start) && line.contains(&facts);
    if lines.iter().any(is) {
        Ok(())
    } else {
        Err(format!("{pod}/{container} ({id}) is not shown as {state}: {lines:#?}"))
    }
}

fn has(lines: &[String], text: &str) -> Result<(), String> {
    if lines.iter().any(|line| line.contains(text)) { Ok(()) } else { Err(format!("{text:?} is not in {lines:#?}")) }
}

fn lacks(lines: &[String], text: &str) -> Result<(), String> {
    if lines.iter().any(|line| line.contains(text)) { Err(format!("{text:?} is in {lines:#?}")) } else { Ok(()) }
}

fn is(found: &str, expected: &str) -> Result<(), String> {
    if found == expected { Ok(()) } else { Err(format!("{found:?} is not {expected:?}")) }
}
