//! What a container uses, from the files of its cgroup (v2 or v1). The parsers are pure.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use criwatch::model::Container;
use criwatch::watcher::Watcher;
use serde_json::Value;

/// What was used up to one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reading {
    /// CPU time so far, in nanoseconds.
    pub cpu: Option<u64>,
    /// Memory that the kernel cannot take back at once, in bytes: what the kubelet calls the working set.
    pub memory: Option<u64>,
    /// The limit of memory, in bytes.
    pub memory_limit: Option<u64>,
}

impl Reading {
    /// This reading, with what it lacks taken from another.
    fn or_else(self, other: impl FnOnce() -> Reading) -> Reading {
        if self.cpu.is_some() && self.memory.is_some() {
            return self;
        }
        let other = other();
        Reading {
            cpu: self.cpu.or(other.cpu),
            memory: self.memory.or(other.memory),
            memory_limit: self.memory_limit.or(other.memory_limit),
        }
    }
}

/// What is used.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Usage {
    /// CPUs in use; `None` before the second reading.
    pub cpu: Option<f64>,
    pub memory: Option<u64>,
    pub memory_limit: Option<u64>,
    /// The limit of CPUs.
    pub cpu_limit: Option<f64>,
}

impl Usage {
    /// The CPU's share of the limit, from 0 to 1.
    pub fn cpu_share(&self) -> Option<f64> {
        Some(self.cpu? / self.cpu_limit?)
    }

    /// The memory's share of the limit, from 0 to 1.
    pub fn memory_share(&self) -> Option<f64> {
        Some(self.memory? as f64 / self.memory_limit? as f64)
    }
}

/// A value of a file with lines of `key value`.
fn value_of(text: &str, key: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(' ')?.trim().parse().ok())
}

/// The number in a file; `None` for `max` and for v1's greatest values, which mean that there is no limit.
fn number(text: &str) -> Option<u64> {
    // v1 writes the greatest multiple of the page size.
    const NO_LIMIT: u64 = i64::MAX as u64 - 0xffff;
    text.trim().parse().ok().filter(|number| *number < NO_LIMIT)
}

/// Reads cgroup v2: cpu.stat, memory.current, memory.stat, memory.max; "" for a file that does not exist.
fn v2(cpu_stat: &str, current: &str, memory_stat: &str, max: &str) -> Reading {
    let inactive = value_of(memory_stat, "inactive_file").unwrap_or(0);
    Reading {
        cpu: value_of(cpu_stat, "usage_usec").map(|micros| micros.saturating_mul(1000)),
        memory: number(current).map(|current| current.saturating_sub(inactive)),
        memory_limit: number(max),
    }
}

/// Reads cgroup v1: cpuacct.usage, memory.usage_in_bytes, memory.stat, memory.limit_in_bytes.
fn v1(cpuacct: &str, usage: &str, memory_stat: &str, limit: &str) -> Reading {
    let inactive = value_of(memory_stat, "total_inactive_file").unwrap_or(0);
    Reading {
        cpu: number(cpuacct),
        memory: number(usage).map(|usage| usage.saturating_sub(inactive)),
        memory_limit: number(limit),
    }
}

/// Reads the engine's ContainerStats.
fn of_engine(stats: &Value) -> Option<(String, Reading)> {
    let number = |value: &Value| match value {
        Value::String(text) => text.parse().ok(),
        other => other.as_u64(),
    };
    let id = stats["attributes"]["id"].as_str()?.to_owned();
    let cpu = number(&stats["cpu"]["usageCoreNanoSeconds"]["value"]);
    Some((id, Reading { cpu, memory: number(&stats["memory"]["workingSetBytes"]["value"]), memory_limit: None }))
}

/// Where the host's cgroups are.
#[derive(Debug, Clone)]
pub struct Cgroups {
    mount: PathBuf,
}

impl Cgroups {
    /// The cgroups below the host's root.
    pub fn new(host_root: &str) -> Self {
        Cgroups { mount: Path::new(host_root).join("sys/fs/cgroup") }
    }

    /// What the cgroup with this path has used; empty if its files cannot be read.
    pub fn read(&self, cgroup: &str) -> Reading {
        let file = |hierarchy: &str, name: &str| {
            let path = self.mount.join(hierarchy).join(cgroup.trim_start_matches('/')).join(name);
            fs::read_to_string(path).unwrap_or_default()
        };
        // On a host with both versions, v2 has a folder of its own, and mostly no controllers.
        let of_v2 = |hierarchy: &str| {
            let file = |name: &str| file(hierarchy, name);
            v2(&file("cpu.stat"), &file("memory.current"), &file("memory.stat"), &file("memory.max"))
        };
        let of_cpu = ["cpu,cpuacct", "cpuacct", "cpuacct,cpu"].map(|name| file(name, "cpuacct.usage"));
        let cpuacct = of_cpu.into_iter().find(|text| !text.is_empty()).unwrap_or_default();
        let memory = |name: &str| file("memory", name);
        let of_v1 =
            || v1(&cpuacct, &memory("memory.usage_in_bytes"), &memory("memory.stat"), &memory("memory.limit_in_bytes"));
        of_v2("").or_else(of_v1).or_else(|| of_v2("unified"))
    }
}

/// Reads repeatedly, and computes what was used between two readings.
#[derive(Debug)]
pub struct Sampler {
    cgroups: Cgroups,
    before: HashMap<String, (Instant, Reading)>,
    usages: HashMap<String, Usage>,
}

impl Sampler {
    pub fn new(host_root: &str) -> Self {
        Sampler { cgroups: Cgroups::new(host_root), before: HashMap::new(), usages: HashMap::new() }
    }

    /// Reads the usage of all these containers. If no cgroup can be read, the engine is asked.
    pub fn sample(&mut self, containers: &[Arc<Container>], watcher: &Watcher, timeout: Duration) {
        let read = |one: &Arc<Container>| {
            let reading = one.cgroup_path.as_deref().map(|path| self.cgroups.read(path)).unwrap_or_default();
            (reading != Reading::default()).then(|| (one.id.to_string(), reading))
        };
        let mut readings: HashMap<String, Reading> =
            containers.iter().filter(|one| one.is_running()).filter_map(read).collect();
        if readings.is_empty() && containers.iter().any(|one| one.is_running()) {
            readings = asked(watcher, timeout);
        }
        self.take(containers, &readings, Instant::now());
    }

    fn take(&mut self, containers: &[Arc<Container>], readings: &HashMap<String, Reading>, now: Instant) {
        let usage = |one: &Arc<Container>| {
            let reading = readings.get(&*one.id)?;
            let resources = one.spec.resources.as_ref();
            let cpu_limit = resources
                .and_then(|limits| Some(limits.cpu_quota? as f64 / limits.cpu_period.unwrap_or(100_000) as f64));
            let memory_limit = resources.and_then(|limits| limits.memory_limit?.try_into().ok());
            Some((
                one.id.to_string(),
                Usage {
                    cpu: self.before.get(&*one.id).and_then(|(when, before)| rate(*when, before, now, reading)),
                    memory: reading.memory,
                    memory_limit: memory_limit.or(reading.memory_limit),
                    cpu_limit: cpu_limit.filter(|limit| *limit > 0.0),
                },
            ))
        };
        self.usages = containers.iter().filter_map(usage).collect();
        self.before = readings.iter().map(|(id, reading)| (id.clone(), (now, *reading))).collect();
    }

    /// What this container used between the last two readings.
    pub fn usage(&self, id: &str) -> Option<&Usage> {
        self.usages.get(id)
    }
}

/// CPUs between two readings.
fn rate(then: Instant, before: &Reading, now: Instant, reading: &Reading) -> Option<f64> {
    let seconds = now.checked_duration_since(then)?.as_secs_f64();
    let used = reading.cpu?.checked_sub(before.cpu?)?;
    (seconds > 0.0).then(|| used as f64 / 1e9 / seconds)
}

fn asked(watcher: &Watcher, timeout: Duration) -> HashMap<String, Reading> {
    let answer = watcher.call("RuntimeService/ListContainerStats", None, Some(timeout));
    // If the engine gives none, the columns stay empty.
    let answer: Option<Value> = answer.ok().and_then(|answer| serde_json::from_str(answer.as_str()).ok());
    let answer = answer.unwrap_or_default();
    answer["stats"].as_array().into_iter().flatten().filter_map(of_engine).collect()
}

#[cfg(test)]
mod tests {
    use criwatch::model::Resources;
    use serde_json::json;

    use super::*;
    use crate::sample;

    #[test]
    fn files_of_v2() {
        let read = v2("usage_usec 1500\nuser_usec 1\n", "1000\n", "anon 5\ninactive_file 300\n", "max\n");
        assert_eq!(read, Reading { cpu: Some(1_500_000), memory: Some(700), memory_limit: None });
        assert_eq!(v2("usage_usec 1\n", "", "", "2048\n").memory_limit, Some(2048));
        assert_eq!(v2("nr_periods 1\n", "x", "", ""), Reading::default());
        // A key that only begins with the name does not count.
        assert_eq!(value_of("usage_usec_x 7\nusage_usec 8\n", "usage_usec"), Some(8));
    }

    #[test]
    fn files_of_v1() {
        let read = v1("123\n", "1000\n", "inactive_file 1\ntotal_inactive_file 1200\n", "9223372036854771712\n");
        assert_eq!(read, Reading { cpu: Some(123), memory: Some(0), memory_limit: None });
        assert_eq!(v1("", "", "", "4096").memory_limit, Some(4096));
    }

    #[test]
    fn an_engines_statistics() {
        let stats = json!({
            "attributes": {"id": "ab"}, "cpu": {"usageCoreNanoSeconds": {"value": "7"}},
            "memory": {"workingSetBytes": {"value": 9}}
        });
        assert_eq!(
            of_engine(&stats),
            Some(("ab".into(), Reading { cpu: Some(7), memory: Some(9), memory_limit: None }))
        );
        assert_eq!(of_engine(&json!({})), None);
    }

    #[test]
    fn either_hierarchy_is_read() {
        let root = tempfile::tempdir().unwrap();
        let put = |path: &str, text: &str| {
            let path = root.path().join("sys/fs/cgroup").join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        put("kubepods/a/cpu.stat", "usage_usec 2\n");
        put("kubepods/a/memory.current", "10\n");
        put("cpuacct/kubepods/b/cpuacct.usage", "5\n");
        put("memory/kubepods/b/memory.usage_in_bytes", "20\n");
        put("unified/kubepods/b/cpu.stat", "usage_usec 9\n");
        put("unified/kubepods/d/cpu.stat", "usage_usec 9\n");
        let cgroups = Cgroups::new(root.path().to_str().unwrap());
        assert_eq!(cgroups.read("/kubepods/a"), Reading { cpu: Some(2000), memory: Some(10), memory_limit: None });
        assert_eq!(cgroups.read("/kubepods/b"), Reading { cpu: Some(5), memory: Some(20), memory_limit: None });
        assert_eq!(cgroups.read("/kubepods/c"), Reading::default());
        assert_eq!(cgroups.read("/kubepods/d").cpu, Some(9000));
    }

    #[test]
    fn what_is_used_between_two_readings() {
        let mut sampler = Sampler::new("/");
        let pod = Arc::new(sample::pod(1, "shop", "web"));
        let mut one = sample::container(1, &pod, "app", 1);
        let mut limits = Resources::default();
        (limits.cpu_quota, limits.cpu_period, limits.memory_limit) = (Some(50_000), Some(100_000), Some(1000));
        Arc::make_mut(&mut one.spec).resources = Some(limits);
        let containers = [Arc::new(one)];
        let id = containers[0].id.to_string();
        let reading = |cpu, memory| {
            HashMap::from([(id.clone(), Reading { cpu: Some(cpu), memory: Some(memory), memory_limit: None })])
        };
        let begin = Instant::now();
        sampler.take(&containers, &reading(1_000_000_000, 100), begin);
        assert_eq!(sampler.usage(&id).unwrap().cpu, None);
        sampler.take(&containers, &reading(1_500_000_000, 250), begin + Duration::from_secs(2));
        let usage = sampler.usage(&id).unwrap();
        assert_eq!((usage.cpu, usage.cpu_share(), usage.memory_share()), (Some(0.25), Some(0.5), Some(0.25)));
        // A counter that went back belongs to another cgroup.
        sampler.take(&containers, &reading(1, 250), begin + Duration::from_secs(3));
        assert_eq!(sampler.usage(&id).unwrap().cpu, None);
    }
}
