//! criwatch inspect: everything about one container or sandbox.

use clap_complete::engine::ArgValueCompleter;
use criwatch::error::CRI_E_NOT_FOUND;
use criwatch::model::{CRI_INSPECT_REQUIRE_PROCESS, CRI_INSPECT_SHOW_ENV};
use criwatch::watcher::Watcher;
use serde_json::Value;

use super::Example;
use crate::args::{Global, containers_and_pods};
use crate::duration::nanoseconds;
use crate::engine::look;
use crate::exit::{Exit, Failure};
use crate::output::{DocumentForm, parsed, print_document};
use crate::select::unknown_name;
use crate::terminal::Out;
use crate::text::{Look, Word, entry};
use crate::{duration, words};

pub const EXAMPLES: &[Example] = &[
    ("in short", "criwatch inspect -o table shop/web-5d9c7b6f4-x2x7q/nginx"),
    ("one value of the engine's own", "criwatch inspect nginx | jq .info.runtimeSpec.linux.cgroupsPath"),
    ("where its log is", "criwatch inspect nginx | jq -r .status.logPath"),
];

/// Show everything about containers and sandboxes
///
/// Shows everything that the engine knows about one or more containers or sandboxes, in any state, also if they have ended:
/// state, pod, image and so on ("container"), the engine's status with log path, mounts, resources, user and stop signal
/// ("status"), and its verbose information ("info"). A name is an id, namespace/pod/container (for a sandbox: namespace/pod), a
/// container's name, a pod's name, or the first hex digits of an id, at least 6. The values of environment variables are
/// redacted.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Container or sandbox: an id, a name, or the beginning of an id
    #[arg(required = true, value_name = "NAME", add = names())]
    names: Vec<String>,
    /// The form
    #[arg(short, long, value_enum, value_name = "FORM", default_value = "json", help_heading = "Output")]
    output: DocumentForm,
    /// Show the values of environment variables
    #[arg(long)]
    show_env: bool,
    /// Fail with exit code 1 if it has no process
    #[arg(long)]
    require_process: bool,
}

fn names() -> ArgValueCompleter {
    containers_and_pods()
}

/// All names are looked up before anything is printed, so that a script gets all or nothing.
pub fn run(args: &Args, global: &Global, out: &mut Out) -> Result<Exit, Failure> {
    let flags = if args.show_env { CRI_INSPECT_SHOW_ENV } else { 0 };
    let flags = flags | if args.require_process { CRI_INSPECT_REQUIRE_PROCESS } else { 0 };
    let watcher = look(global, "inspect")?;
    let documents = args.names.iter().map(|name| document(&watcher, name, flags, global));
    let documents = documents.collect::<Result<Vec<_>, _>>()?;
    for (number, document) in documents.iter().enumerate() {
        if args.output != DocumentForm::Table {
            print_document(out, document, args.output)?;
            continue;
        }
        if number > 0 {
            out.raw("\n")?;
        }
        for (key, value) in summary(&parsed(document)?, duration::now()) {
            let lines = entry(Word::new(format!("{key:<11}"), Look::Bold), &value, out.width);
            lines.iter().try_for_each(|line| out.line(line))?;
        }
    }
    Ok(Exit::Ok)
}

/// The document of one container or sandbox.
pub fn document(watcher: &Watcher, name: &str, flags: u32, global: &Global) -> Result<String, Failure> {
    match watcher.inspect(name, flags, Some(global.timeout)) {
        Ok(document) => Ok(document.as_str().to_owned()),
        Err(error) if error.status() == CRI_E_NOT_FOUND => Err(unknown_name(&*watcher.snapshot()?, name, &error)),
        Err(error) => Err(error.into()),
    }
}

/// The most important facts, in their order. What does not apply is left out.
pub fn summary(document: &Value, now: i64) -> Vec<(&'static str, Word)> {
    let (container, status) = (&document["container"], &document["status"]);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let or_nothing = |value: &Value| words::text_or_nothing(value.as_str().unwrap_or_default()).to_owned();
    let is_container = container["kind"] == "container";
    let pod = &container["pod"];
    let mut all: Vec<(&'static str, Word)> = Vec::new();
    let mut put = |key, value: Word| all.push((key, value));
    let path = format!("{}/{}", text(&pod["namespace"]), text(&pod["name"]));
    put("Name", if is_container { format!("{path}/{}", text(&container["name"])) } else { path }.into());
    put("Id", Word::new(text(&container["id"]), Look::Id));
    put("Kind", text(&container["kind"]).into());
    put("State", state(container));
    for (key, field) in [("Created", "createdAt"), ("Started", "startedAt"), ("Finished", "finishedAt")] {
        if let Some(time) = container[field].as_str().and_then(nanoseconds) {
            put(key, format!("{} ({} ago)", words::moment(time), words::age(Some(time), now)).into());
        }
    }
    let code = container["exitCode"].as_i64().and_then(|code| code.try_into().ok());
    let reason = text(&container["reason"]);
    if container["state"] == "exited" && (code.is_some() || !reason.is_empty()) {
        let end = words::exit_word(code, &reason);
        put("Exit", Word::new(format!("{} {}", end.text, text(&container["message"])).trim_end(), end.look));
    }
    if let Some(pid) = container["pid"].as_i64().filter(|_| container["state"] != "exited") {
        put("Pid", pid.to_string().into());
    }
    if is_container {
        put("Restarts", container["attempt"].to_string().into());
        if let Some(last) = container.get("previous") {
            let code = last["exitCode"].as_i64().and_then(|code| code.try_into().ok());
            let end = words::exit_word(code, &text(&last["reason"]));
            let when =
                last["finishedAt"].as_str().and_then(nanoseconds).map(|time| format!(" {}", words::moment(time)));
            put("Last exit", Word::new(end.text + &when.unwrap_or_default(), end.look));
        }
        put("Image", or_nothing(&container["image"]["name"]).into());
        put("Image ref", or_nothing(&container["image"]["ref"]).into());
    }
    if pod.is_object() {
        put(
            "Pod",
            format!("{}/{} ({})", text(&pod["namespace"]), text(&pod["name"]), text(&pod["state"]).to_lowercase())
                .into(),
        );
        put("Pod uid", or_nothing(&pod["uid"]).into());
        let ips: Vec<String> = pod["ips"].as_array().into_iter().flatten().map(text).collect();
        let addresses = if pod["hostNetwork"] == true { "host".to_owned() } else { ips.join(", ") };
        put("Addresses", words::text_or_nothing(&addresses).into());
    }
    put("Cgroup", or_nothing(&container["cgroupPath"]).into());
    for (key, value) in of_status(status) {
        put(key, value.into());
    }
    // The labels as the engine has them, because the library's view contains annotations, too.
    for (key, value) in container["labels"].as_object().into_iter().flatten() {
        match key.strip_prefix(criwatch::model::CRI_ANNOTATION_KEY_PREFIX) {
            Some(key) => put("Annotation", format!("{key}={}", text(value)).into()),
            None => put("Label", format!("{key}={}", text(value)).into()),
        }
    }
    let missing: Vec<String> = container["missing"].as_array().into_iter().flatten().map(text).collect();
    if !missing.is_empty() {
        put("Not known", missing.join(", ").into());
    }
    all
}

fn state(container: &Value) -> Word {
    let state = container["state"].as_str().unwrap_or_default();
    let is_sandbox = container["kind"] == "sandbox";
    match (state, is_sandbox) {
        ("running", true) => Word::new("ready", Look::Good),
        ("exited", true) => Word::new("notready", Look::Dim),
        ("running", false) => Word::new("running", Look::Good),
        ("exited", false) if container["exitCode"].as_i64().unwrap_or(0) != 0 => Word::new("exited", Look::Bad),
        (other, _) => other.into(),
    }
}

/// The fields that only the engine's status has.
fn of_status(status: &Value) -> Vec<(&'static str, String)> {
    let mut all = Vec::new();
    if let Some(path) = status["logPath"].as_str().filter(|path| !path.is_empty()) {
        all.push(("Log", path.to_owned()));
    }
    let number = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Null => words::NOTHING.into(),
        other => other.to_string(),
    };
    let user = &status["user"]["linux"];
    if user.is_object() {
        all.push(("User", format!("{}:{}", number(&user["uid"]), number(&user["gid"]))));
    }
    let signal = status["stopSignal"].as_str().unwrap_or_default().replace("SIGNAL_", "");
    // Values that every container has are left out.
    if !["", "RUNTIME_DEFAULT", "SIGTERM"].contains(&&*signal) {
        all.push(("Stop signal", signal));
    }
    let is_limit = |value: &Value| {
        let is_empty =
            value.as_array().is_some_and(Vec::is_empty) || value.as_object().is_some_and(serde_json::Map::is_empty);
        !is_empty && !value.is_null() && !["", "0"].contains(&&*number(value))
    };
    let resources = status["resources"]["linux"].as_object().into_iter().flatten();
    let limits = resources.filter(|(_, value)| is_limit(value)).map(|(key, value)| format!("{key}={}", number(value)));
    let limits: Vec<String> = limits.collect();
    if !limits.is_empty() {
        all.push(("Resources", limits.join(" ")));
    }
    for mount in status["mounts"].as_array().into_iter().flatten() {
        let read_only = if mount["readonly"] == true { " (ro)" } else { "" };
        all.push((
            "Mount",
            format!("{} from {}{read_only}", number(&mount["containerPath"]), number(&mount["hostPath"])),
        ));
    }
    all
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::sample::NOW;

    #[test]
    fn in_short() {
        let document = json!({
            "container": {
                "id": "ab", "name": "app", "kind": "container", "state": "exited", "exitCode": 137, "reason": "OOMKilled",
                "message": "too much", "attempt": 2, "createdAt": "2023-11-14T22:12:20Z", "missing": ["cgroupPath"],
                "pod": {"namespace": "shop", "name": "web", "uid": "u", "state": "notReady", "ips": ["10.0.0.1", "::1"]},
                "labels": {"a": "b", "io.kubernetes.annotation/c": "d"}
            },
            "status": {
                "logPath": "/var/log/x.log", "user": {"linux": {"uid": "101", "gid": "102"}}, "stopSignal": "SIGNAL_SIGQUIT",
                "resources": {"linux": {"cpuShares": "2", "cpuQuota": "0", "hugepageLimits": []}},
                "mounts": [{"containerPath": "/data", "hostPath": "/srv", "readonly": true}]
            }
        });
        let shown = summary(&document, NOW);
        let lines: Vec<String> = shown.iter().map(|(key, value)| format!("{key}: {}", value.text)).collect();
        assert_eq!(
            lines,
            [
                "Name: shop/web/app",
                "Id: ab",
                "Kind: container",
                "State: exited",
                "Created: 2023-11-14T22:12:20.000Z (1m ago)",
                "Exit: OOMKilled(137) too much",
                "Restarts: 2",
                "Image: -",
                "Image ref: -",
                "Pod: shop/web (notready)",
                "Pod uid: u",
                "Addresses: 10.0.0.1, ::1",
                "Cgroup: -",
                "Log: /var/log/x.log",
                "User: 101:102",
                "Stop signal: SIGQUIT",
                "Resources: cpuShares=2",
                "Mount: /data from /srv (ro)",
                "Label: a=b",
                "Annotation: c=d",
                "Not known: cgroupPath"
            ]
        );
    }
}
