//! The plugin for Falco and sysdig, under Debian's sysdig.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::agent::Agent;
use super::support::pods::{ContainerSpec, PodSpec};
use super::support::sim::Sim;
use super::support::wait;
use super::{Obstacle, Outcome, build, c, containerd};

/// What is printed of each event, also where it has not all of these (the star).
const FORMAT: &str = "*%criwatch.type %criwatch.pod.namespace/%criwatch.pod.name/%criwatch.container.name \
                      initial=%criwatch.initial final=%criwatch.final_exit code=%criwatch.exit_code \
                      reason=%criwatch.reason app=%criwatch.label[app] image=%criwatch.image id=%criwatch.container.id";

/// Debian's sysdig with the plugin.
struct Sysdig {
    root: PathBuf,
    plugin: PathBuf,
}

impl Sysdig {
    fn new() -> Result<Sysdig, Obstacle> {
        Ok(Sysdig { plugin: build::agent("sysdig-plugin")?.join("criwatch.so"), root: build::packages("sysdig")? })
    }

    /// It comes with a libc of its own.
    fn command(&self, config: &str) -> Result<Command, String> {
        let libraries = build::find(&self.root, "libc.so.6")?;
        let mut command = Command::new(build::find(&self.root, "ld-linux*.so.*")?);
        command.arg("--library-path").arg(libraries.parent().unwrap_or(Path::new("/")));
        command.arg(self.root.join("usr/bin/sysdig")).arg("--unbuffered");
        let config = if config.is_empty() { String::new() } else { format!(":{config}") };
        command.arg("-H").arg(format!("{}{config}", self.plugin.display()));
        Ok(command)
    }

    /// Follows an engine, and shows what the filter lets through.
    fn follow(&self, endpoint: &str, filter: &str) -> Result<Agent, String> {
        let mut command = self.command("")?;
        command.arg("-I").arg(format!("criwatch:{endpoint}")).args(["-p", FORMAT]);
        if !filter.is_empty() {
            command.arg(filter);
        }
        Agent::start(&mut command)
    }

    /// What the filter lets through of a capture file.
    fn read(&self, file: &Path, filter: &str) -> Result<Vec<String>, String> {
        let mut command = self.command("")?;
        command.arg("-r").arg(file).args(["-p", FORMAT, filter]);
        Ok(c::succeed(&mut command)?.lines().map(str::to_owned).collect())
    }
}

/// A pod with a container that ran before the plugin looked.
fn shop() -> Result<Sim, String> {
    let mut sim = Sim::start(&[])?;
    sim.tell("run-pod web ns=shop label=app=web")?;
    sim.tell("create web nginx image=registry.example/nginx:1.27")?;
    sim.tell("start nginx")?;
    Ok(sim)
}

/// What ran before, what starts, and what ends, each with its fields.
pub fn shows_what_happens() -> Outcome {
    let sysdig = Sysdig::new()?;
    let mut sim = shop()?;
    let mut agent = sysdig.follow(sim.endpoint(), "")?;
    let nginx = agent.wait_for("what ran before", |line| line.starts_with("started shop/web/nginx initial=true "))?;
    contains(&nginx, "app=web image=registry.example/nginx:1.27")?;
    let id = sim.make("create web job -- sh -c 'exit 3'")?;
    sim.tell("start job")?;
    let started = agent.wait_for("a start", |line| line.starts_with("started shop/web/job "))?;
    contains(
        &started,
        &format!("initial=false final=false code=<NA> reason=<NA> app=web image={}", image_of(&started)),
    )?;
    contains(&started, &format!("id={id}"))?;
    agent
        .wait_for("the end", |line| line.contains("shop/web/job") && line.contains("final=true code=3 reason=Error"))?;
    Ok(())
}

fn image_of(line: &str) -> &str {
    line.split(' ').find_map(|word| word.strip_prefix("image=")).unwrap_or_default()
}

/// A capture file has all that a filter may ask for, when the engine is gone.
pub fn filters_a_capture_file() -> Outcome {
    let sysdig = Sysdig::new()?;
    let (file, _folder) = captured(&sysdig, "job", |sim| {
        sim.tell("create web job -- sh -c 'exit 3'")?;
        sim.tell("start job")?;
        sim.tell("run-pod db ns=data label=app=db")?;
        sim.tell("create db postgres")?;
        sim.tell("start postgres").map(drop)
    })?;
    let failed =
        sysdig.read(&file, "criwatch.final_exit = true and criwatch.exit_code != 0 and criwatch.label[app] = web")?;
    match &failed[..] {
        [one] if one.contains("shop/web/job") && one.contains("code=3 reason=Error") => {}
        _ => return Err(format!("failed containers: {failed:?}").into()),
    }
    let data = sysdig.read(&file, "criwatch.type = started and criwatch.pod.namespace = data")?;
    if data.len() != 2 || !data.iter().all(|line| line.contains("data/db/")) {
        return Err(format!("what started in data: {data:?}").into());
    }
    Ok(())
}

/// The conditions of the rules that come with it, as filters.
pub fn rules_match() -> Outcome {
    let sysdig = Sysdig::new()?;
    let rules = std::fs::read_to_string(c::root().join("integrations/sysdig-plugin/criwatch_rules.yaml"));
    let rules = conditions(&rules.map_err(|error| error.to_string())?);
    let (file, _folder) = captured(&sysdig, "nginx", |sim| {
        sim.tell("create web loop attempt=5")?;
        sim.tell("start loop")?;
        sim.tell("oom nginx").map(drop)
    })?;
    let expected = [
        ("Shell in a container of a guarded namespace", None),
        ("Container ended for lack of memory", Some("shop/web/nginx")),
        ("Container restarts again and again", Some("shop/web/loop")),
    ];
    if rules.iter().map(|(rule, _)| rule.as_str()).ne(expected.map(|(rule, _)| rule)) {
        return Err(format!("the rules are {rules:?}").into());
    }
    for ((rule, condition), (_, container)) in rules.iter().zip(expected) {
        let matched = sysdig.read(&file, condition)?;
        // The first one is of system calls, which this file has not: it has to be understood.
        if matched.len() != usize::from(container.is_some())
            || !matched.iter().all(|line| line.contains(container.unwrap_or_default()))
        {
            return Err(format!("{rule}: {matched:?}").into());
        }
    }
    Ok(())
}

/// Each rule's name and condition.
fn conditions(yaml: &str) -> Vec<(String, String)> {
    let rules = yaml.split("\n- rule: ").skip(1);
    let parts = rules
        .filter_map(|rule| Some((rule.lines().next()?, rule.split_once("condition: ")?.1.split_once("  output:")?.0)));
    let words = |text: &str| text.trim_start_matches('>').split_whitespace().collect::<Vec<_>>().join(" ");
    parts.map(|(name, condition)| (name.to_owned(), words(condition))).collect()
}

/// A capture of what the engine is made to do, until all of that was seen, the final end of this container included; the
/// simulated engine is gone then.
fn captured(
    sysdig: &Sysdig,
    ends: &str,
    tell: impl Fn(&mut Sim) -> Result<(), String>,
) -> Result<(PathBuf, tempfile::TempDir), Obstacle> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let file = folder.path().join("criwatch.scap");
    let mut sim = shop()?;
    let mut watch = sysdig.follow(sim.endpoint(), "")?;
    let mut command = sysdig.command("")?;
    let mut writer = Agent::start(command.arg("-I").arg(format!("criwatch:{}", sim.endpoint())).arg("-w").arg(&file))?;
    sim.tell("wait-subscribed 2")?;
    // What is told before the first lists are in would be shown as having run before. The file gets what sysdig has when
    // something new comes, once a second.
    let mut pods = 0;
    wait::until("the capture's beginning", wait::PATIENCE, || {
        pods += 1;
        sim.tell(&format!("run-pod early-{pods} ns=test"))?;
        let seen = sysdig.read(&file, "criwatch.container.name = nginx").unwrap_or_default();
        if seen.is_empty() { Err(format!("{seen:?} {}", writer.last_error())) } else { Ok(()) }
    })?;
    tell(&mut sim)?;
    // Reasons of exits become final a second late, each in its own time: what comes last is made when this one is.
    let is_final = |line: &str, path: &str| line.contains(path) && line.contains("final=true");
    watch.wait_for("the final end", |line| is_final(line, &format!("shop/web/{ends} ")))?;
    sim.tell("pod mark ns=test last -- sh -c 'exit 9'")?;
    watch.wait_for("the last exit", |line| is_final(line, "test/mark/last "))?;
    wait::until("the capture to have all", wait::PATIENCE, || {
        let seen = sysdig.read(&file, "criwatch.container.name = last and criwatch.final_exit = true")?;
        if seen.len() == 1 { Ok(()) } else { Err(format!("{seen:?} {}", writer.last_error())) }
    })?;
    writer.end(libc::SIGINT)?;
    Ok((file, folder))
}

/// As Falco asks for each system call: by the thread that made it.
pub fn names_the_container_of_a_system_call() -> Outcome {
    let plugin = build::agent("sysdig-plugin")?.join("criwatch.so");
    let include = match Path::new("/usr/include/falcosecurity/plugin/plugin_api.h").exists() {
        true => PathBuf::from("/usr/include/falcosecurity"),
        false => build::packages("sysdig")?.join("usr/include/falcosecurity"),
    };
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let program = folder.path().join("framework");
    let mut compiler = Command::new(c::cc());
    compiler.args(["-std=gnu11", "-Wall", "-Wextra", "-Werror", "-isystem"]).arg(include);
    c::succeed(compiler.arg(c::root().join("tests/integrations/framework.c")).args(["-ldl", "-o"]).arg(&program))?;

    let mut sim = shop()?;
    let Some(nginx) = sim.living()?.into_iter().find(|thing| thing.path == "shop/web/nginx") else {
        return Err("the simulated engine has no nginx".into());
    };
    let mut command = Command::new(program);
    command.arg(plugin).arg(format!("syscalls={}", sim.endpoint())).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut falco = command.spawn().map_err(|error| format!("{command:?}: {error}"))?;
    let (mut ask, answers) = (falco.stdin.take().expect("a pipe"), falco.stdout.take().expect("a pipe"));
    let mut answers = BufReader::new(answers).lines();
    let mut answer = |question: String| -> Result<String, String> {
        writeln!(ask, "{question}").map_err(|error| error.to_string())?;
        answers.next().ok_or("it has ended")?.map_err(|error| error.to_string())
    };
    // It is ready when the first lists have come.
    wait::until("the thread's pod", wait::PATIENCE, || {
        let name = answer(format!("{} criwatch.pod.name", nginx.pid))?;
        if name == "web" { Ok(()) } else { Err(name) }
    })?;
    let namespace = answer(format!("{} criwatch.pod.namespace", nginx.pid))?;
    let label = answer(format!("{} criwatch.label app", nginx.pid))?;
    let type_ = answer(format!("{} criwatch.type", nginx.pid))?;
    let host = answer(format!("{} criwatch.pod.name", std::process::id()))?;
    drop(ask);
    let status = falco.wait().map_err(|error| error.to_string())?;
    match (namespace.as_str(), label.as_str(), type_.as_str(), host.as_str()) {
        ("shop", "web", "-", "-") if status.success() => Ok(()),
        told => Err(format!("{told:?}, {status}").into()),
    }
}

pub fn refuses_an_unknown_option() -> Outcome {
    let sysdig = Sysdig::new()?;
    let output = sysdig.command("polls=5")?.args(["-I", "criwatch:unix:///nowhere"]).output();
    let output = output.map_err(|error| error.to_string())?;
    let told = c::text(&output);
    if output.status.success() {
        return Err(format!("it runs: {told}").into());
    }
    Ok(contains(&told, "option \"polls\" is unknown")?)
}

/// The same on a real engine.
pub fn shows_what_happens_on_containerd() -> Outcome {
    let sysdig = Sysdig::new()?;
    let engine = containerd()?;
    let pods = engine.pods()?;
    let pod = pods.run_pod(&PodSpec::new("shop", "web").label("app", "web")).map_err(|error| error.to_string())?;
    let mut agent = sysdig.follow(&engine.endpoint(), "criwatch.pod.namespace = shop")?;
    agent.wait_for("the pod", |line| line.starts_with("started shop/web/web initial=true "))?;
    pods.run(&pod, &ContainerSpec::new("job", ["sh", "-c", "exit 3"])).map_err(|error| error.to_string())?;
    let started = agent.wait_for("the start", |line| line.starts_with("started shop/web/job initial=false "))?;
    contains(&started, "app=web image=localhost/busybox:latest")?;
    agent
        .wait_for("the end", |line| line.contains("shop/web/job") && line.contains("final=true code=3 reason=Error"))?;
    Ok(())
}

fn contains(line: &str, what: &str) -> Result<(), String> {
    if line.contains(what) { Ok(()) } else { Err(format!("{what:?} is not in {line:?}")) }
}
