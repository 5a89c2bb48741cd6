//! criwatch doctor: what is wrong with this node's engine, as far as it can be seen from here, and what to do.

use std::collections::BTreeMap;
use std::sync::Arc;

use criwatch::model::{Container, Kind};
use criwatch::watcher::{Unproven, Watcher};
use serde_json::{Value, json};

use super::{Example, info};
use crate::args::Global;
use crate::engine::{self, Ends, follow_until_settled};
use crate::exit::{Exit, Failure};
use crate::output::{DocumentForm, parsed, print_document};
use crate::pod_counts::newest;
use crate::select::Picker;
use crate::terminal::Out;
use crate::text::{Look, Word, filled};
use crate::{duration, words};

pub const EXAMPLES: &[Example] = &[(
    "what is wrong, for a script",
    "criwatch doctor -o json | jq -r '.findings[] | select(.grade != \"good\") | .text'",
)];

/// Say what is wrong with this node's engine, and what to do
///
/// Checks the socket and the rights to it, the conditions that the engine reports, how changes are noticed, lost events, what
/// the host shows, the cgroup driver, slow requests, and containers that crash again and again. It prints a line for each
/// finding. The exit code is 1 if something is bad.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The form
    #[arg(short, long, value_enum, value_name = "FORM", default_value = "table", help_heading = "Output")]
    output: DocumentForm,
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Grade {
    Good,
    Caution,
    Bad,
}

impl Grade {
    fn word(self) -> Word {
        match self {
            Grade::Good => Word::new("good   ", Look::Good),
            Grade::Caution => Word::new("caution", Look::Caution),
            Grade::Bad => Word::new("bad    ", Look::Bad),
        }
    }
}

/// What was found about one subject, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Finding {
    grade: Grade,
    subject: &'static str,
    text: String,
    /// What to do; "" if there is nothing.
    advice: String,
}

impl Finding {
    fn good(subject: &'static str, text: impl Into<String>) -> Self {
        Finding { grade: Grade::Good, subject, text: text.into(), advice: String::new() }
    }

    fn caution(subject: &'static str, text: impl Into<String>, advice: impl Into<String>) -> Self {
        Finding { grade: Grade::Caution, subject, text: text.into(), advice: advice.into() }
    }

    fn bad(subject: &'static str, text: impl Into<String>, advice: impl Into<String>) -> Self {
        Finding { grade: Grade::Bad, subject, text: text.into(), advice: advice.into() }
    }
}

impl Finding {
    /// For people: on a terminal, filled to its width except for paths, which are there to be copied; elsewhere, one
    /// line and a second one with the advice.
    fn lines(&self, width: Option<usize>) -> Vec<Vec<Word>> {
        const BEFORE: usize = "caution socket    ".len();
        let room = width.map_or(usize::MAX, |width| width.saturating_sub(BEFORE).max(20));
        let advice = if self.advice.is_empty() { String::new() } else { format!("-> {}", self.advice) };
        let text = filled(&self.text, room).into_iter().map(Word::from);
        let advice = filled(&advice, room).into_iter().filter(|line| !line.is_empty());
        let all = text.chain(advice.map(|line| Word::new(line, Look::Dim)));
        let before = |number: usize| match number {
            0 => vec![self.grade.word(), Word::new(format!("{:<9}", self.subject), Look::Bold)],
            _ => vec![Word::from(" ".repeat(BEFORE - 1))],
        };
        all.enumerate().map(|(number, line)| [before(number), vec![line]].concat()).collect()
    }
}

/// A request that takes longer than this is slow, in milliseconds.
const SLOW: u64 = 1000;
/// A crash loop: at least so many restarts, the last of them at most so long ago.
const LOOP: u32 = 3;
const LOOP_AGE: i64 = 15 * 60 * 1_000_000_000;

pub fn run(args: &Args, global: &Global, out: &mut Out) -> Result<Exit, Failure> {
    let findings = examine(global)?;
    if args.output == DocumentForm::Table {
        let width = out.width;
        findings.iter().flat_map(|one| one.lines(width)).try_for_each(|line| out.line(&line))?;
    } else {
        let all: Vec<Value> = findings.iter().map(document).collect();
        print_document(out, &json!({"schema": "criwatch.doctor/1", "findings": all}).to_string(), args.output)?;
    }
    let is_bad = findings.iter().any(|one| one.grade == Grade::Bad);
    Ok(if is_bad { Exit::NotFound } else { Exit::Ok })
}

fn document(one: &Finding) -> Value {
    let mut document = json!({"grade": one.grade.word().text.trim_end(), "subject": one.subject, "text": one.text});
    if !one.advice.is_empty() {
        document["advice"] = one.advice.clone().into();
    }
    document
}

/// Examines everything. Without an engine there is only one finding.
fn examine(global: &Global) -> Result<Vec<Finding>, Failure> {
    let watcher = engine::connect(global, "doctor")?;
    if let Err(error) = watcher.resync(Some(global.timeout)) {
        let (text, advice) = split_advice(error.message());
        return Ok(vec![Finding::bad("socket", text, advice)]);
    }
    follow_until_settled(&watcher, global)?;
    let stats = parsed(watcher.stats()?.as_str())?;
    let status = info::status(&watcher, global)?.unwrap_or_default();
    let mut findings = vec![socket(&stats["engine"]), rights(&watcher)?];
    findings.extend(conditions(&status));
    findings.extend([events(&stats["engine"]), losses(&stats["stats"]), witness(&stats["engine"])]);
    let driver = watcher.call("RuntimeService/RuntimeConfig", None, Some(global.timeout)).ok();
    let driver = driver.map(|answer| parsed(answer.as_str())).transpose()?;
    let is_systemd = std::path::Path::new(global.host_root()).join("run/systemd/system").is_dir();
    findings.push(cgroup_driver(driver.as_ref(), is_systemd));
    findings.push(requests(&stats["requests"]));
    findings.push(loops(&everything(&watcher, global)?, duration::now()));
    Ok(findings)
}

fn everything(watcher: &Watcher, global: &Global) -> Result<Vec<Arc<Container>>, Failure> {
    let mut ends = Ends::new(watcher, global);
    let picker = Picker { all: true, kind: Some(Kind::Container), ..Picker::default() };
    let snapshot = watcher.snapshot()?;
    Ok(picker.pick(&snapshot)?.into_iter().map(|one| ends.complete(one)).collect())
}

/// The library's messages end with what to do, in parentheses.
fn split_advice(message: &str) -> (String, String) {
    let message = message.trim();
    match message.rsplit_once(" (") {
        Some((text, advice)) if advice.ends_with(')') && !message.contains('\n') => {
            (text.to_owned(), advice.trim_end_matches(')').to_owned())
        }
        // The engines that were tried follow, one in each line.
        _ => (
            message.lines().next().unwrap_or_default().trim_end_matches(':').to_owned(),
            "name its socket: criwatch -r unix:///PATH doctor, or $CRI_RUNTIME_ENDPOINT; criwatch ps shows what was tried"
                .into(),
        ),
    }
}

fn socket(engine: &Value) -> Finding {
    let text = |key: &str| engine[key].as_str().unwrap_or_default();
    Finding::good("socket", format!("{} at {}", text("version"), text("api")))
}

/// The advice if the host's /proc cannot be seen.
const HIDDEN: &str = "run in the host's pid namespace, or give --option host.root=...";

/// Whether processes and cgroups can be read.
fn rights(watcher: &Watcher) -> Result<Finding, Failure> {
    let snapshot = watcher.snapshot()?;
    let pid = snapshot.containers().find_map(|one| one.pid);
    Ok(match pid.map(|pid| snapshot.find_pid(pid, 0)) {
        None if snapshot.containers().next().is_none() => {
            Finding::good("rights", "the socket may be used (nothing runs whose processes could be looked at)")
        }
        None => Finding::caution("rights", "no process of the running containers is in this /proc", HIDDEN),
        Some(Ok(_)) => Finding::good("rights", "the socket may be used, and processes looked at"),
        Some(Err(Unproven::NoProcess)) => {
            Finding::caution("rights", "the containers' processes are not in this /proc", HIDDEN)
        }
        Some(Err(why)) => Finding::caution("rights", format!("processes cannot be looked at: {why}"), "run as root"),
    })
}

/// The conditions that the engine reports about itself.
fn conditions(status: &Value) -> Vec<Finding> {
    let all = status["status"]["conditions"].as_array().cloned().unwrap_or_default();
    let unmet: Vec<&Value> = all.iter().filter(|one| one["status"] != true).collect();
    if all.is_empty() {
        return vec![Finding::caution("engine", "the engine reports no conditions", "")];
    }
    if unmet.is_empty() {
        return vec![Finding::good("engine", "the engine reports that it is ready")];
    }
    let finding = |one: &&Value| {
        let part = |key: &str| one[key].as_str().unwrap_or_default();
        let advice = match part("type") {
            "NetworkReady" => {
                "pods do not start until the network plugin (CNI) has its configuration in /etc/cni/net.d"
            }
            _ => "look at the engine's own log: journalctl -u containerd, or -u crio",
        };
        Finding::bad("engine", format!("{} is not met: {} {}", part("type"), part("reason"), part("message")), advice)
    };
    unmet.iter().map(finding).collect()
}

fn events(engine: &Value) -> Finding {
    let reason = engine["eventsReason"].as_str().unwrap_or_default();
    match engine["events"].as_str() {
        Some("stream") => Finding::good("events", reason),
        _ => Finding::caution(
            "events",
            format!("changes are noticed by listing again and again: {reason}"),
            "docs/reliability.md says what that costs; an engine of a later version may stream events",
        ),
    }
}

fn losses(stats: &Value) -> Finding {
    let keys =
        ["engineEventsLost", "eventsLost", "unresolved", "unreadableEntries", "contradictions", "vanishedProcesses"];
    let lost = keys.iter().filter_map(|key| Some((*key, stats[*key].as_u64().filter(|count| *count > 0)?)));
    let lost: Vec<String> = lost.map(|(key, count)| format!("{key}={count}")).collect();
    match lost.is_empty() {
        true => {
            Finding::good("losses", "during this check, no events were lost, and the engine did not contradict itself")
        }
        false => Finding::caution("losses", lost.join(" "), "docs/json.md says what each one means"),
    }
}

fn witness(engine: &Value) -> Finding {
    let means = info::witness(engine);
    let lacks = engine["witness"]["lacks"].as_object().into_iter().flatten();
    let lacks: Vec<String> =
        lacks.map(|(what, why)| format!("no {what}: {}", why.as_str().unwrap_or_default())).collect();
    match (means.as_str() == words::NOTHING, lacks.is_empty()) {
        (true, _) => Finding::caution(
            "witness",
            "the watcher learns nothing from the host, only from the engine",
            lacks.join("; "),
        ),
        (false, true) => Finding::good("witness", means),
        (false, false) => Finding { advice: lacks.join("; "), ..Finding::good("witness", means) },
    }
}

fn cgroup_driver(config: Option<&Value>, is_systemd: bool) -> Finding {
    let driver = config.and_then(|config| config["linux"]["cgroupDriver"].as_str()).unwrap_or_default();
    match (driver, is_systemd) {
        ("SYSTEMD", true) => Finding::good("cgroups", "the driver is systemd"),
        ("SYSTEMD", false) => Finding::good("cgroups", "the driver is systemd (systemd itself is not seen from here)"),
        ("CGROUPFS", true) => Finding::caution(
            "cgroups",
            "the driver is cgroupfs, but this host runs systemd, so both manage the same cgroup tree",
            "set SystemdCgroup = true (containerd) or cgroup_manager = \"systemd\" (CRI-O), and the kubelet's cgroupDriver",
        ),
        ("CGROUPFS", false) => Finding::good("cgroups", "the driver is cgroupfs"),
        _ => Finding::good("cgroups", "this engine does not say which driver it uses"),
    }
}

fn requests(requests: &Value) -> Finding {
    let all = requests.as_object().into_iter().flatten();
    let milliseconds = |one: &Value| one["maxMicros"].as_u64().unwrap_or_default() / 1000;
    let all: BTreeMap<&String, (u64, u64)> =
        all.map(|(name, one)| (name, (milliseconds(one), one["failures"].as_u64().unwrap_or_default()))).collect();
    let slow: Vec<String> = all
        .iter()
        .filter(|(_, (longest, _))| *longest >= SLOW)
        .map(|(name, (longest, _))| format!("{name} {longest}ms"))
        .collect();
    let failed: Vec<String> = all
        .iter()
        .filter(|(_, (_, failed))| *failed > 0)
        .map(|(name, (_, failed))| format!("{name} {failed}"))
        .collect();
    let longest = all.iter().max_by_key(|(_, (longest, _))| *longest);
    match (slow.is_empty(), failed.is_empty()) {
        (true, true) => {
            let longest = longest.map(|(name, (longest, _))| format!(": the longest was {name} with {longest}ms"));
            Finding::good("requests", format!("none was slow or failed{}", longest.unwrap_or_default()))
        }
        (false, _) => Finding::caution(
            "requests",
            format!("slow: {}", slow.join(", ")),
            "look at the disk and the load of this node; the kubelet waits for the same requests",
        ),
        (true, false) => {
            Finding::caution("requests", format!("failed: {}", failed.join(", ")), "criwatch info shows all of them")
        }
    }
}

/// Containers that exit again and again.
fn loops(containers: &[Arc<Container>], now: i64) -> Finding {
    let mut by_pod: BTreeMap<&str, Vec<Arc<Container>>> = BTreeMap::new();
    for one in containers {
        by_pod.entry(one.pod.as_ref().map_or("", |pod| &*pod.id)).or_default().push(one.clone());
    }
    let last_end = |one: &Container| {
        let code = one.exit.as_ref().and_then(|exit| exit.code);
        let own = one
            .finished_at
            .map(|time| (time, words::exit_word(code, one.exit.as_ref().map_or("", |exit| &exit.reason)).text));
        let before = one.previous.as_deref();
        own.or_else(|| before.and_then(|it| Some((it.finished_at?, words::exit_word(it.exit_code, &it.reason).text))))
    };
    let mut looping = Vec::new();
    for members in by_pod.values() {
        for one in newest(members).into_iter().filter(|one| one.attempt >= LOOP) {
            let is_recent = |time: &i64| now - time <= LOOP_AGE;
            let ends = members.iter().filter(|other| other.name == one.name).filter_map(|other| last_end(other));
            let end = ends.filter(|(time, _)| is_recent(time)).max();
            // Of an earlier run that was removed, only the number is left.
            if end.is_some() || one.started_at.as_ref().is_some_and(is_recent) {
                let how = end.map_or(String::new(), |(_, how)| format!(", last {how}"));
                looping.push(format!("{} ({} restarts{how})", one.path(), one.attempt));
            }
        }
    }
    match looping.first() {
        None => Finding::good("crashes", "no container is restarted again and again"),
        Some(first) => {
            let name = first.split(' ').next().unwrap_or_default();
            Finding::bad(
                "crashes",
                looping.join(", "),
                format!("criwatch logs --previous {name}; criwatch history {name}"),
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{self, NOW};

    #[test]
    fn loops_are_seen() {
        let found = loops(&sample::containers(), NOW);
        assert_eq!(found.grade, Grade::Bad);
        assert!(found.text.contains("/config-reloader (12 restarts, last OOMKilled(137))"), "{found:?}");
        assert!(found.text.contains("-9k4zt/envoy-sidecar-proxy (3 restarts, last Error(1))"), "{found:?}");
        // Restarts that are long ago no longer count.
        assert_eq!(loops(&sample::containers(), NOW + 2 * LOOP_AGE).grade, Grade::Good);
        assert_eq!(loops(&[], NOW).grade, Grade::Good);
        // It runs again, and the engine has removed the runs before.
        let mut again = Container::new("again".into(), Kind::Container);
        (again.attempt, again.started_at) = (LOOP, Some(NOW - LOOP_AGE));
        let again = [Arc::new(again)];
        assert!(loops(&again, NOW).text.ends_with("(3 restarts)"), "{:?}", loops(&again, NOW));
        assert_eq!(loops(&again, NOW + 1).grade, Grade::Good);
    }

    #[test]
    fn conditions_that_are_not_met_are_bad() {
        let condition =
            |kind: &str, is_met: bool| json!({"type": kind, "status": is_met, "reason": "why", "message": ""});
        let status = |all: Vec<Value>| json!({"status": {"conditions": all}});
        assert_eq!(conditions(&status(vec![condition("RuntimeReady", true)]))[0].grade, Grade::Good);
        let found = conditions(&status(vec![condition("RuntimeReady", true), condition("NetworkReady", false)]));
        assert_eq!((found.len(), found[0].grade), (1, Grade::Bad));
        assert!(found[0].advice.contains("CNI"));
        assert_eq!(conditions(&Value::Null)[0].grade, Grade::Caution);
    }

    #[test]
    fn slow_and_failed_requests() {
        let of = |micros: u64, failures: u64| {
            requests(&json!({"ListContainers": {"maxMicros": micros, "failures": failures}}))
        };
        assert_eq!(
            (of(900_000, 0).grade, of(1_000_000, 0).grade, of(1, 1).grade),
            (Grade::Good, Grade::Caution, Grade::Caution)
        );
        assert!(of(1_500_000, 0).text.contains("ListContainers 1500ms"));
    }

    #[test]
    fn screens() {
        let why =
            "NetworkReady is not met: NetworkPluginNotReady Network plugin returns error: cni plugin not initialized";
        let findings = [
            Finding::good("socket", "containerd 2.1.9 [API v1] at unix:///run/c.sock"),
            Finding::bad(
                "engine",
                why,
                "pods do not start until the network plugin (CNI) has its configuration in /etc/cni/net.d",
            ),
            Finding::caution("cgroups", "the driver is cgroupfs", ""),
        ];
        sample::golden("doctor", |width| {
            let lines = findings.iter().flat_map(|one| one.lines(Some(width)));
            let line = |words: Vec<Word>| words.iter().map(|word| word.text.clone()).collect::<Vec<_>>().join(" ");
            lines.map(|words| line(words).trim_end().to_owned()).collect::<Vec<_>>().join("\n")
        });
        assert_eq!(findings[1].lines(None).len(), 2, "a line, and what to do");
    }

    #[test]
    fn drivers() {
        let driver = |name: &str| json!({"linux": {"cgroupDriver": name}});
        assert_eq!(cgroup_driver(Some(&driver("CGROUPFS")), true).grade, Grade::Caution);
        assert_eq!(cgroup_driver(Some(&driver("CGROUPFS")), false).grade, Grade::Good);
        assert_eq!(cgroup_driver(Some(&driver("SYSTEMD")), true).grade, Grade::Good);
        assert_eq!(cgroup_driver(None, true).grade, Grade::Good);
    }

    #[test]
    fn messages_end_with_what_to_do() {
        let (text, advice) =
            split_advice("connect unix:///x: permission denied (run as root or join the socket's group)");
        assert_eq!(
            (&*text, &*advice),
            ("connect unix:///x: permission denied", "run as root or join the socket's group")
        );
        let (text, advice) = split_advice("none answers:\n  b (c)\n  d (e)");
        assert_eq!((&*text, advice.contains("criwatch -r unix:///PATH doctor")), ("none answers", true));
    }
}
