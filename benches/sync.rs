//! How long it takes until everything is known, what that costs, and what it costs to watch while nothing happens.

use std::path::Path;

use super::bare;
use super::engine::Engine;
use super::host::{self, Host, number};
use super::machine;
use super::plan::Plan;
use super::results::{Results, Row};

/// Whom we measure, and with which options of ours.
const OURS: [(&str, &[&str]); 2] =
    [("criwatch", &[]), ("criwatch, host facts off", &["host.witness=off", "pid.source=engine"])];

/// What an engine allows at best: requests, without anything that is kept or watched.
const BARE: [(&str, &str); 2] = [("bare: two lists", "lists"), ("bare: lists and all verbose statuses", "statuses")];

pub fn measure(plan: &Plan, engine: &Engine, results: &mut Results) -> super::Outcome {
    let program = host::build()?;
    // Interleaved: what disturbs the machine disturbs all of them.
    for _ in 0..plan.runs {
        for (who, options) in OURS {
            let row = Row { section: "sync", who, size: engine.size() };
            ours(&program, engine, options, row, results)?;
        }
        for (who, mode) in BARE {
            let row = Row { section: "sync", who, size: engine.size() };
            let (quiet, before) = (machine::is_quiet(), engine.cpu_ms());
            let answer = bare::ask(mode, &engine.endpoint, &[])?;
            results.add(row, "ready_ms", number(&answer, "wall_ns")? / 1e6);
            results.add(row, "client_cpu_ms", number(&answer, "cpu_ns")? / 1e6);
            results.add(row, "requests", number(&answer, "requests")?);
            engine_cpu(engine, before, "engine_cpu_ms", row, results);
            results.add(row, "begun_quiet", f64::from(u8::from(quiet)));
        }
    }
    Ok(())
}

/// What the engine's process has used since then.
fn engine_cpu(engine: &Engine, before: Option<f64>, metric: &str, row: Row<'_>, results: &mut Results) {
    if let (Some(before), Some(after)) = (before, engine.cpu_ms()) {
        results.add(row, metric, after - before);
    }
}

fn ours(program: &Path, engine: &Engine, options: &[&str], row: Row<'_>, results: &mut Results) -> super::Outcome {
    let options: Vec<String> = options.iter().map(|option| (*option).to_owned()).collect();
    let (quiet, before) = (machine::is_quiet(), engine.cpu_ms());
    let mut host = Host::start(program, &engine.endpoint, &options)?;
    let ready = host.ask("ready")?;
    engine_cpu(engine, before, "engine_cpu_ms", row, results);
    results.add(row, "begun_quiet", f64::from(u8::from(quiet)));
    results.add(row, "ready_ms", number(&ready, "wall_ns")? / 1e6);
    results.add(row, "client_cpu_ms", number(&ready, "cpu_ns")? / 1e6);
    results.add(row, "added_rss_mb", number(&ready, "rss_kb")? / 1024.0);
    results.add(row, "added_anon_mb", number(&ready, "anon_kb")? / 1024.0);
    let stats = host.ask("stats")?;
    let requests = stats["requests"].as_object().ok_or("no requests")?;
    results.add(row, "requests", requests.values().filter_map(|of| of["count"].as_f64()).sum());
    for (what, times) in [("snapshot", 1000), ("list", 20), ("find", 1000)] {
        results.add(row, &format!("{what}_ns"), number(&host.ask(&format!("read {what} {times}"))?, "ns")?);
    }
    // Details that are fetched after READY, one at a time, cost the engine most.
    host.settle()?;
    engine_cpu(engine, before, "engine_cpu_with_details_ms", row, results);
    Ok(())
}

/// A minute or so in which nothing happens. All are idle at the same time: each is a process of its own, and only what is its own is
/// counted.
pub fn idle(plan: &Plan, engine: &Engine, results: &mut Results) -> super::Outcome {
    const POLLING: &str = "bare: two lists each second";
    let program = host::build()?;
    let seconds = plan.idle_seconds;
    let a_minute = |value: f64| value * 60.0 / seconds as f64;
    for _ in 0..plan.runs {
        let mut hosts = Vec::new();
        for (who, options) in OURS {
            let options: Vec<String> = options.iter().map(|option| (*option).to_owned()).collect();
            let mut host = Host::start(&program, &engine.endpoint, &options)?;
            host.ask("ready")?;
            host.settle()?;
            hosts.push((Row { section: "idle", who, size: engine.size() }, host));
        }
        machine::is_quiet();
        let before = engine.cpu_ms();
        for (_, host) in &mut hosts {
            host.tell(&format!("idle {seconds}"))?;
        }
        let polled = bare::ask("poll", &engine.endpoint, &[&seconds.to_string()])?;
        for (row, host) in &mut hosts {
            let idle = host.answer()?;
            results.add(*row, "cpu_ms_a_minute", a_minute(number(&idle, "cpu_ns")? / 1e6));
            results.add(*row, "wake_ups_a_minute", a_minute(number(&idle, "wake_ups")?));
        }
        let row = Row { section: "idle", who: POLLING, size: engine.size() };
        results.add(row, "cpu_ms_a_minute", a_minute(number(&polled, "cpu_ns")? / 1e6));
        if let (Some(before), Some(after)) = (before, engine.cpu_ms()) {
            let row = Row { section: "idle", who: "the engine, for all of these", size: engine.size() };
            results.add(row, "cpu_ms_a_minute", a_minute(after - before));
        }
    }
    Ok(())
}
