//! The machine: what it is, whether it is quiet, and how much CPU time its processes have had.

use std::fs;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// A run begins when the machine was idle for so long, or as it is after `PATIENCE`.
const QUIET: Duration = Duration::from_millis(200);
const PATIENCE: Duration = Duration::from_secs(10);

/// What it is, for readers of the results.
pub fn described() -> Value {
    let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpuinfo.lines().find(|line| line.starts_with("model name")).and_then(|line| line.split(": ").nth(1));
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let cpus = std::thread::available_parallelism().map_or(0, usize::from);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |since| since.as_secs());
    json!({"cpu": model.unwrap_or("unknown"), "cpus": cpus, "kernel": kernel.trim(), "unix_time": now})
}

/// Idle and all ticks of all CPUs.
fn ticks() -> (u64, u64) {
    let stat = fs::read_to_string("/proc/stat").unwrap_or_default();
    let numbers: Vec<u64> =
        stat.lines().next().into_iter().flat_map(str::split_whitespace).filter_map(|word| word.parse().ok()).collect();
    (numbers.get(3).copied().unwrap_or_default(), numbers.iter().take(8).sum())
}

/// Waits until the machine is quiet; false if it does not become quiet in time.
pub fn is_quiet() -> bool {
    let until = Instant::now() + PATIENCE;
    while Instant::now() < until {
        let before = ticks();
        std::thread::sleep(QUIET);
        let after = ticks();
        if (after.0 - before.0) * 100 >= (after.1 - before.1) * 95 {
            return true;
        }
    }
    false
}

/// The CPU time that a process has had, with all its threads, in nanoseconds.
pub fn cpu_of(pid: u32) -> f64 {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let times = tasks.filter_map(|task| fs::read_to_string(task.path().join("schedstat")).ok());
    times.filter_map(|text| text.split(' ').next()?.parse::<f64>().ok()).sum()
}
