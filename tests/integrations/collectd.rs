//! The plugin for collectd, under Debian 12's collectd with the plugins csv, logfile and write_log.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::agent::Agent;
use super::support::pods::{ContainerSpec, PodSpec};
use super::support::sim::Sim;
use super::support::wait;
use super::{Obstacle, Outcome, build, containerd};

/// A running collectd, whose files are in a folder of its own.
struct Collectd {
    agent: Agent,
    folder: TempDir,
}

impl Collectd {
    fn start(endpoint: &str, more: &str) -> Result<Collectd, Obstacle> {
        let plugin = build::agent("collectd")?.join("criwatch.so");
        let root = build::packages("collectd")?;
        // csv makes no folder whose name begins with a dot, nor below one.
        let folder = tempfile::Builder::new().prefix("collectd").tempdir().map_err(|error| error.to_string())?;
        let plugins = folder.path().join("plugins");
        // It loads no plugin through a link.
        let copy = |name: &str, from: &Path| {
            fs::copy(from, plugins.join(name)).map_err(|error| format!("{}: {error}", from.display()))
        };
        fs::create_dir(&plugins).map_err(|error| error.to_string())?;
        for name in ["csv.so", "logfile.so", "write_log.so"] {
            copy(name, &root.join("usr/lib/collectd").join(name))?;
        }
        copy("criwatch.so", &plugin)?;
        let config = CONFIG.replace("{folder}", &folder.path().display().to_string());
        let config = config.replace("{types}", &root.join("usr/share/collectd/types.db").display().to_string());
        let config = config.replace("{endpoint}", endpoint).replace("{more}", more);
        let path = folder.path().join("collectd.conf");
        fs::write(&path, config).map_err(|error| error.to_string())?;
        let libraries = [build::find(&root, "libcap.so.2")?, build::find(&root, "libyajl.so.2")?];
        let libraries = libraries.iter().filter_map(|library| library.parent());
        let libraries = std::env::join_paths(libraries).map_err(|error| error.to_string())?;
        let mut command = Command::new(root.join("usr/sbin/collectd"));
        command.arg("-f").arg("-C").arg(path);
        command.env("LD_LIBRARY_PATH", libraries);
        Ok(Collectd { agent: Agent::start(&mut command)?, folder })
    }

    /// What it has logged.
    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Waits until a value is read: the newest in the file of csv.
    fn reads(&self, name: &str, value: &str) -> Result<(), String> {
        wait::until(&format!("{name} to be {value}"), wait::PATIENCE, || match self.newest(name) {
            Some(newest) if newest.starts_with(value) => Ok(()),
            newest => Err(format!("it is {newest:?}; {}", self.complaints())),
        })
    }

    fn newest(&self, name: &str) -> Option<String> {
        let folder: PathBuf = self.folder.path().join("csv/node").join(name).parent()?.into();
        let file = Path::new(name).file_name()?.to_string_lossy().into_owned();
        // Each day has a file of its own.
        let mut days: Vec<_> = fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path()).collect();
        days.retain(|path| {
            path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&format!("{file}-20")))
        });
        days.sort();
        let text = fs::read_to_string(days.last()?).ok()?;
        Some(text.lines().last()?.split_once(',')?.1.to_owned())
    }

    fn waits_for_log(&self, what: &str) -> Result<(), String> {
        let is_there = || if self.log().contains(what) { Ok(()) } else { Err(self.complaints()) };
        wait::until(what, wait::PATIENCE, is_there)
    }

    /// The end of what it says is wrong.
    fn complaints(&self) -> String {
        let log = self.log();
        let mut wrong = log.lines().filter(|line| line.contains("[error]") || line.contains("[warning]"));
        format!("{} {:?}", self.agent.last_error(), wrong.next_back())
    }
}

const CONFIG: &str = r#"Hostname "node"
BaseDir "{folder}"
PluginDir "{folder}/plugins"
PIDFile "{folder}/pid"
TypesDB "{types}"
Interval 0.2
LoadPlugin logfile
<Plugin logfile>
    LogLevel info
    File "{folder}/log"
    PrintSeverity true
</Plugin>
LoadPlugin csv
<Plugin csv>
    DataDir "{folder}/csv"
</Plugin>
LoadPlugin write_log
LoadPlugin criwatch
<Plugin criwatch>
    Endpoint "{endpoint}"
    {more}
</Plugin>
"#;

/// Containers by state, of the node and of each pod; restarts; the engine's latencies.
pub fn reads_what_there_is() -> Outcome {
    let mut sim = Sim::start(&[])?;
    sim.tell("pod web ns=shop nginx proxy")?;
    sim.tell("pod db ns=data postgres")?;
    let mut collectd = Collectd::start(sim.endpoint(), "Option \"poll.interval_ms\" \"100\"")?;
    collectd.reads("criwatch/count-running", "3")?;
    collectd.reads("criwatch/count-pods", "2")?;
    collectd.reads("criwatch/gauge-state", "3")?;
    collectd.reads("criwatch-shop.web/count-running", "2")?;
    sim.tell("create shop/web nginx attempt=4")?;
    collectd.reads("criwatch-shop.web/count-created", "1")?;
    sim.tell("start shop/web/nginx")?;
    sim.tell("stop web/proxy")?;
    collectd.reads("criwatch-shop.web/count-restarts", "4")?;
    collectd.reads("criwatch/count-exited", "1")?;
    // Of the lists that began it all.
    collectd.reads("criwatch/latency-ListContainers", "0.")?;
    // write_log has it, too.
    collectd.waits_for_log("node.criwatch-shop_web.count-running")?;
    let status = collectd.agent.end(libc::SIGTERM)?;
    if status.success() { Ok(()) } else { Err(format!("{status}: {}", collectd.log()).into()) }
}

/// Pods beyond the limit are in the sums alone, and their number is reported.
pub fn bounds_the_number_of_values() -> Outcome {
    let mut sim = Sim::start(&[])?;
    for n in 0..3 {
        sim.tell(&format!("pod web-{n} ns=shop app"))?;
    }
    let collectd = Collectd::start(sim.endpoint(), "MaxPods 2")?;
    collectd.reads("criwatch/count-running", "3")?;
    collectd.reads("criwatch/count-pods_not_shown", "1")?;
    collectd.reads("criwatch-shop.web-1/count-running", "1")?;
    match collectd.newest("criwatch-shop.web-2/count-running") {
        None => Ok(()),
        Some(value) => Err(format!("web-2 has a value of its own: {value}").into()),
    }
}

/// Each end is reported once, when its reason is final.
pub fn notifies_of_ends() -> Outcome {
    let mut sim = Sim::start(&[])?;
    sim.tell("run-pod web ns=shop")?;
    sim.tell("create web app")?;
    sim.tell("start app")?;
    let collectd = Collectd::start(sim.endpoint(), "")?;
    collectd.reads("criwatch/count-running", "1")?;
    sim.tell("oom app")?;
    collectd.waits_for_log("container app of shop.web exited: code 137, OOMKilled")?;
    sim.tell("create web job -- sh -c 'exit 0'")?;
    sim.tell("start job")?;
    collectd.waits_for_log("container job of shop.web exited: code 0, Completed")?;
    let log = collectd.log();
    let told: Vec<_> = log.lines().filter(|line| line.contains("container app of shop.web exited")).collect();
    match told[..] {
        [one] if one.contains("Notification: severity = FAILURE") => Ok(()),
        _ => Err(format!("{told:?}").into()),
    }
}

/// A mistake in the configuration is reported with what is allowed.
pub fn refuses_an_unknown_option() -> Outcome {
    let sim = Sim::start(&[])?;
    let collectd = Collectd::start(sim.endpoint(), "Option \"polls\" \"5\"")?;
    Ok(collectd.waits_for_log("option \"polls\" is unknown")?)
}

/// The same on a real engine.
pub fn reads_what_there_is_on_containerd() -> Outcome {
    let engine = containerd()?;
    let pods = engine.pods()?;
    let pod = pods.run_pod(&PodSpec::new("shop", "web")).map_err(|error| error.to_string())?;
    pods.run(&pod, &ContainerSpec::lasting("nginx")).map_err(|error| error.to_string())?;
    let collectd = Collectd::start(&engine.endpoint(), "")?;
    collectd.reads("criwatch-shop.web/count-running", "1")?;
    pods.run(&pod, &ContainerSpec::new("job", ["sh", "-c", "exit 3"])).map_err(|error| error.to_string())?;
    Ok(collectd.waits_for_log("container job of shop.web exited: code 3, Error")?)
}
