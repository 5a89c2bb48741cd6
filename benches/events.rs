//! How late a start and an end are reported: by us, and by the bare event stream at the same time.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;

use super::bare;
use super::engine::Engine;
use super::host::{self, Host, number};
use super::machine;
use super::plan::Plan;
use super::pods::{ContainerSpec, Pod, PodSpec};
use super::results::{Results, Row};

/// How many workers start containers at the same time.
const WORKERS: [usize; 3] = [1, 8, 24];

pub fn measure(plan: &Plan, engine: &Engine, results: &mut Results) -> super::Outcome {
    let program = host::build()?;
    for run in 0..plan.runs {
        for workers in WORKERS {
            let pods: Result<Vec<_>, _> = (0..workers)
                .map(|worker| engine.pods.run_pod(&PodSpec::new("bench", &format!("churn-{run}-{workers}-{worker}"))))
                .collect();
            let pods = pods.map_err(|e| e.to_string())?;
            machine::is_quiet();
            let mut host = Host::start(&program, &engine.endpoint, &[])?;
            host.ask("ready")?;
            host.settle()?;
            let stream = bare::start("stream", &engine.endpoint, &[&(2 * plan.events).to_string()])?;
            host.ask("drain")?;
            host.tell(&format!("events {} none", 2 * plan.events))?;
            churn(engine, plan.events, &pods)?;
            let told = host.answer()?;
            let who = format!("criwatch, {workers} at once");
            let row = Row { section: "events", who: &who, size: engine.size() };
            let arrived = stream.answer()?;
            let made = made(&arrived);
            note(&told, &made, row, results);
            results.add(row, "started_share", number(&told, "started")? / plan.events as f64);
            results.add(row, "with_pid_share", number(&told, "with_pid")? / number(&told, "started")?.max(1.0));
            let who = format!("bare stream, {workers} at once");
            note(&arrived, &made, Row { section: "events", who: &who, size: engine.size() }, results);
        }
    }
    Ok(())
}

/// When the engine made each event, by its kind and its container: the bare stream saw it. All lags count from there, because what a
/// status says of starts and ends is earlier than the engine's event by the engine's own work.
fn made(arrived: &Value) -> HashMap<(&str, &str), f64> {
    let all = arrived["events"].as_array().into_iter().flatten();
    all.filter_map(|event| Some(((event[0].as_str()?, event[1].as_str()?), event[3].as_f64()?))).collect()
}

/// The lags of one run: its median, and what is behind all but one in a hundred.
fn note(answer: &Value, made: &HashMap<(&str, &str), f64>, row: Row<'_>, results: &mut Results) {
    for (kind, name) in [("s", "started"), ("e", "exited")] {
        let events = answer["events"].as_array().into_iter().flatten();
        let lag =
            |event: &Value| Some((event[2].as_f64()? - made.get(&(event[0].as_str()?, event[1].as_str()?))?) / 1e6);
        let mut lags: Vec<f64> = events.filter(|event| event[0] == kind).filter_map(lag).collect();
        lags.sort_by(f64::total_cmp);
        if let Some(last) = lags.len().checked_sub(1) {
            results.add(row, &format!("{name}_p50_ms"), lags[last / 2]);
            results.add(row, &format!("{name}_p99_ms"), lags[last * 99 / 100]);
        }
    }
}

/// Starts containers that end at once, as many workers at a time as there are pods, and removes all.
fn churn(engine: &Engine, count: usize, pods: &[Pod]) -> super::Outcome {
    let next = AtomicUsize::new(0);
    let work = |pod: &Pod| -> Result<(), String> {
        loop {
            let n = next.fetch_add(1, Ordering::Relaxed);
            if n >= count {
                return Ok(());
            }
            let id =
                engine.pods.run(pod, &ContainerSpec::new(&format!("true-{n}"), ["true"])).map_err(|e| e.to_string())?;
            super::wait::for_condition("its end", super::wait::PATIENCE, || {
                engine.pods.brief_status(&id).is_ok_and(|status| status.finished_at > 0)
            })?;
            engine.pods.remove(&id).map_err(|e| e.to_string())?;
        }
    };
    let outcomes: Vec<Result<(), String>> = std::thread::scope(|scope| {
        let workers: Vec<_> = pods.iter().map(|pod| scope.spawn(move || work(pod))).collect();
        workers.into_iter().map(|worker| worker.join().unwrap_or_else(|_| Err("a worker panicked".into()))).collect()
    });
    for pod in pods {
        engine.pods.stop_pod(&pod.id).map_err(|e| e.to_string())?;
        engine.pods.remove_pod(&pod.id).map_err(|e| e.to_string())?;
    }
    outcomes.into_iter().collect::<Result<(), String>>().map_err(Into::into)
}
