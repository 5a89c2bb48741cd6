//! criwatch info: which engine this is, how changes are noticed and why, what is missing, and what the requests cost.

use std::collections::BTreeMap;

use criwatch::error::{CRI_E_RPC, CRI_E_UNSUPPORTED};
use criwatch::watcher::Watcher;
use serde_json::{Map, Value, json};

use super::Example;
use crate::args::Global;
use crate::engine::{follow_until_settled, look};
use crate::exit::{Exit, Failure};
use crate::output::{DocumentForm, parsed, print_document};
use crate::table::{Column, Table};
use crate::terminal::Out;
use crate::text::{Look, Word, entry};
use crate::words;

pub const EXAMPLES: &[Example] = &[("does this engine stream events?", "criwatch info -o json | jq -r .engine.events")];

/// Show the engine and what it can do
///
/// Shows which engine this is and whether it is ready, how changes are noticed and why, which facts about its containers are
/// unknown, and how many requests this command has made and how long they took.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The form
    #[arg(short, long, value_enum, value_name = "FORM", default_value = "table", help_heading = "Output")]
    output: DocumentForm,
}

pub fn run(args: &Args, global: &Global, out: &mut Out) -> Result<Exit, Failure> {
    let watcher = look(global, "info")?;
    // How changes are noticed becomes known only by watching.
    follow_until_settled(&watcher, global)?;
    let report = report(&watcher, status(&watcher, global)?)?;
    if args.output == DocumentForm::Table {
        print(&report, out)?;
    } else {
        print_document(out, &report.to_string(), args.output)?;
    }
    Ok(Exit::Ok)
}

/// The engine's own status; `None` if it gives none.
pub fn status(watcher: &Watcher, global: &Global) -> Result<Option<Value>, Failure> {
    match watcher.call("RuntimeService/Status", None, Some(global.timeout)) {
        Ok(status) => Ok(Some(parsed(status.as_str())?)),
        Err(error) if [CRI_E_RPC, CRI_E_UNSUPPORTED].contains(&error.status()) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The library's document criwatch.stats/1 (with the engine), and further facts beside it.
fn report(watcher: &Watcher, status: Option<Value>) -> Result<Value, Failure> {
    let mut report = parsed(watcher.stats()?.as_str())?;
    let listed =
        watcher.list(Some(r#"{"all":true,"fields":["kind","state","missing"]}"#))?.expect("no generation is named");
    let listed = parsed(listed.as_str())?;
    let (mut kinds, mut missing) = (BTreeMap::<String, u64>::new(), BTreeMap::<String, u64>::new());
    for one in listed["containers"].as_array().into_iter().flatten() {
        let word = |key: &str| one[key].as_str().unwrap_or_default();
        *kinds.entry(format!("{}/{}", word("kind"), word("state"))).or_default() += 1;
        for what in one["missing"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            *missing.entry(what.to_owned()).or_default() += 1;
        }
    }
    report["schema"] = "criwatch.info/1".into();
    report["command"] = json!({"version": env!("CARGO_PKG_VERSION")});
    report["counts"] = json!(kinds);
    report["missing"] = json!(missing);
    if let Some(Value::Object(status)) = status {
        report["status"] = status.into_iter().filter(|(key, _)| key != "info").collect::<Map<_, _>>().into();
    }
    Ok(report)
}

fn print(report: &Value, out: &mut Out) -> Result<(), Failure> {
    lines(report, out.width).iter().try_for_each(|line| out.line(line))?;
    out.line(&[Word::new("What this look has asked", Look::Bold)])?;
    out.table(&requests(report), false)?;
    Ok(())
}

/// Everything except the table of requests, for a terminal of this width.
fn lines(report: &Value, width: Option<usize>) -> Vec<Vec<Word>> {
    let mut all = Vec::new();
    for (title, lines) in [
        ("Engine", engine(report)),
        ("How changes are noticed", changes(report)),
        ("What is there", there(report)),
        ("This command", vec![("version".into(), report["command"]["version"].as_str().unwrap_or_default().into())]),
    ] {
        all.push(vec![Word::new(title, Look::Bold)]);
        all.extend(lines.into_iter().flat_map(|(key, value)| entry(format!("  {key:<13}").into(), &value, width)));
    }
    all
}

type Lines = Vec<(String, Word)>;

fn engine(report: &Value) -> Lines {
    let engine = &report["engine"];
    let text = |value: &Value| words::text_or_nothing(value.as_str().unwrap_or_default()).to_owned();
    let mut lines: Lines = vec![
        ("name".into(), Word::new(text(&engine["version"]), Look::Bold)),
        ("endpoint".into(), text(&engine["api"]).into()),
        ("node".into(), text(&engine["id"]).into()),
        ("pid".into(), words::or_nothing(engine["pid"].as_i64()).into()),
    ];
    for condition in report["status"]["status"]["conditions"].as_array().into_iter().flatten() {
        let (is_met, kind) = (condition["status"] == true, condition["type"].as_str().unwrap_or_default());
        let known = match kind {
            "RuntimeReady" => Some("runtime ready"),
            "NetworkReady" => Some("network ready"),
            _ => None,
        };
        // Engines add conditions of their own, which matter only when they are not met.
        if is_met && known.is_none() {
            continue;
        }
        let why = [&condition["reason"], &condition["message"]].map(|text| text.as_str().unwrap_or_default());
        let why = why.into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join(": ");
        let word =
            if is_met { Word::new("yes", Look::Good) } else { Word::new(format!("no {why}").trim_end(), Look::Bad) };
        lines.push((known.unwrap_or(kind).to_owned(), word));
    }
    let handlers = report["status"]["runtimeHandlers"].as_array().into_iter().flatten();
    let handlers: Vec<&str> = handlers.filter_map(|one| one["name"].as_str()).filter(|name| !name.is_empty()).collect();
    if !handlers.is_empty() {
        lines.push(("handlers".into(), handlers.join(", ").into()));
    }
    lines
}

fn changes(report: &Value) -> Lines {
    let engine = &report["engine"];
    let text = |value: &Value| words::text_or_nothing(value.as_str().unwrap_or_default()).to_owned();
    let by = match engine["events"].as_str() {
        Some("stream") => Word::new("the engine's event stream", Look::Good),
        Some("poll") => Word::new("listing again and again", Look::Caution),
        other => words::text_or_nothing(other.unwrap_or_default()).into(),
    };
    vec![
        ("by".into(), by),
        ("because".into(), text(&engine["eventsReason"]).into()),
        ("state".into(), text(&report["state"]).into()),
        ("witness".into(), witness(engine).into()),
    ]
}

/// The means by which the host is a second source.
pub fn witness(engine: &Value) -> String {
    let means: Vec<&str> =
        engine["witness"]["means"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    if means.is_empty() { words::NOTHING.into() } else { means.join(", ") }
}

fn there(report: &Value) -> Lines {
    let counts = report["counts"].as_object();
    let of = |kind: &str, named: &dyn Fn(&str) -> String| {
        let parts = counts.into_iter().flatten().filter_map(|(key, count)| {
            let state = key.strip_prefix(kind)?.strip_prefix('/')?;
            Some(format!("{count} {}", named(state)))
        });
        let parts: Vec<String> = parts.collect();
        if parts.is_empty() { "none".to_owned() } else { parts.join(", ") }
    };
    let of_pods = |state: &str| match state {
        "running" => "ready".to_owned(),
        "exited" => "not ready".to_owned(),
        other => other.to_owned(),
    };
    // For containers that had exited before the watcher came, the library asks later how they ended.
    let later = |what: &str| if what == "exitCode" { " (inspect, ps -a and top ask for it)" } else { "" };
    let missing = report["missing"].as_object().into_iter().flatten();
    let missing: Vec<String> = missing.map(|(what, count)| format!("{what} of {count}{}", later(what))).collect();
    let missing = match missing.is_empty() {
        true => Word::new("nothing is missing", Look::Good),
        false => missing.join(", ").into(),
    };
    vec![
        ("pods".into(), of("sandbox", &of_pods).into()),
        ("containers".into(), of("container", &str::to_owned).into()),
        ("not known".into(), missing),
    ]
}

fn requests(report: &Value) -> Table {
    let number = |name| Column::new(name).number();
    let columns =
        [Column::new("  REQUEST").names(), number("COUNT"), number("FAILED"), number("MEAN"), number("LONGEST")];
    let mut table = Table::new(columns);
    for (name, one) in report["requests"].as_object().into_iter().flatten() {
        let of = |key: &str| one[key].as_u64().unwrap_or_default();
        let milliseconds = |micros: f64| Word::from(format!("{:.1}ms", micros / 1000.0));
        let failed = of("failures");
        table.add([
            format!("  {name}").into(),
            of("count").to_string().into(),
            Word::new(failed.to_string(), if failed > 0 { Look::Bad } else { Look::Plain }),
            milliseconds(of("totalMicros") as f64 / of("count").max(1) as f64),
            milliseconds(of("maxMicros") as f64),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn it_fits_every_terminal() {
        let report = json!({
            "engine": {
                "version": "containerd 2.1.9", "api": "unix:///run/cri.sock", "id": "node-7", "pid": 812, "events": "poll",
                "eventsReason": "the engine's one channel gives each event to one subscriber only, and the kubelet reads it, too",
                "witness": {"means": ["pid files", "the engine's folders", "pidfds", "exit codes of reaped processes"]},
            },
            "state": "ready",
            "status": {
                "status": {"conditions": [
                    {"type": "RuntimeReady", "status": true},
                    {"type": "NetworkReady", "status": false, "reason": "NetworkPluginNotReady",
                     "message": "Network plugin returns error: cni plugin not initialized"},
                ]},
                "runtimeHandlers": [{"name": ""}, {"name": "runc"}, {"name": "kata"}],
            },
            "counts": {"container/exited": 4, "container/running": 31, "sandbox/exited": 1, "sandbox/running": 12},
            "missing": {"exitCode": 4},
            "command": {"version": "1.2.3"},
        });
        sample::golden("info", |width| {
            let lines = lines(&report, Some(width));
            let texts = lines.iter().map(|line| {
                let words: Vec<&str> = line.iter().map(|word| &*word.text).collect();
                words.join(" ").trim_end().to_owned()
            });
            texts.collect::<Vec<_>>().join("\n")
        });
    }
}
