//! The lines of `top`: pods, and below each its containers, with what they use and how each ended last. Pure: from
//! records to lines.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use criwatch::model::{Container, Kind, PodState, State};

use crate::cgroup_usage::Usage;
use crate::pod_counts::{PodWith, counts, created, newest};
use crate::text::{Look, Word};
use crate::words;

/// One line: a pod, or a container of the pod above it.
#[derive(Debug, Clone)]
pub struct Line {
    /// The id of the sandbox or container.
    pub id: String,
    /// The pod's, as namespace/name.
    pub pod: String,
    pub name: String,
    pub is_pod: bool,
    pub state: Word,
    pub since: Option<i64>,
    pub pid: Option<i32>,
    pub restarts: u32,
    /// How it, or its previous run, ended.
    pub last_exit: Word,
    pub last_exit_at: Option<i64>,
    pub image: String,
    pub usage: Usage,
}

/// How pods are sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Order {
    /// By namespace and name
    Name,
    /// The newest first
    Newest,
    /// Those that were restarted most first
    Restarts,
    /// Those that ended last first
    #[value(alias = "last exit")]
    LastExit,
    /// Those that use most CPU first
    Cpu,
    /// Those that use most memory first
    Memory,
}

impl Order {
    const ALL: [Order; 6] = [Order::Name, Order::Newest, Order::Restarts, Order::LastExit, Order::Cpu, Order::Memory];

    /// The order after this one.
    pub fn next(self) -> Order {
        let at = Self::ALL.iter().position(|one| *one == self).unwrap_or(0);
        Self::ALL[(at + 1) % Self::ALL.len()]
    }

    pub fn word(self) -> &'static str {
        match self {
            Order::Name => "name",
            Order::Newest => "newest",
            Order::Restarts => "restarts",
            Order::LastExit => "last exit",
            Order::Cpu => "cpu",
            Order::Memory => "memory",
        }
    }
}

/// Which lines are shown, and in which order.
#[derive(Debug, Clone)]
pub struct Shape {
    /// Also pods that are not ready.
    pub everything: bool,
    pub order: Order,
    pub reversed: bool,
    /// Shows only lines with this text in their names, image or state; "" shows all.
    pub filter: String,
}

/// The lines of these pods, whose containers include those that have ended.
pub fn lines(entries: &[PodWith], shape: &Shape, usage: &dyn Fn(&str) -> Option<Usage>) -> Vec<Line> {
    let shown = entries.iter().filter(|(pod, _)| shape.everything || pod.state != PodState::NotReady);
    let mut groups: Vec<(&PodWith, Vec<Line>)> = shown.map(|entry| (entry, group(entry, shape, usage))).collect();
    groups.retain(|(_, lines)| !lines.is_empty());
    groups.sort_by_key(|(entry, _)| (entry.0.namespace.clone(), entry.0.name.clone()));
    match shape.order {
        Order::Name => {}
        Order::Newest => groups.sort_by_key(|(entry, _)| Reverse(created(entry))),
        Order::Restarts => groups.sort_by_key(|(entry, _)| Reverse(counts(&entry.1).restarts)),
        Order::LastExit => {
            groups.sort_by_key(|(entry, _)| Reverse(entry.1.iter().filter_map(|one| one.finished_at).max()))
        }
        Order::Cpu => groups.sort_by(|a, b| cpu(b).total_cmp(&cpu(a))),
        Order::Memory => groups.sort_by_key(|(_, lines)| Reverse(lines[0].usage.memory)),
    }
    if shape.reversed {
        groups.reverse();
    }
    groups.into_iter().flat_map(|(_, lines)| lines).collect()
}

fn cpu(group: &(&PodWith, Vec<Line>)) -> f64 {
    group.1[0].usage.cpu.unwrap_or(-1.0)
}

/// The lines of a pod and its containers; empty if the filter leaves none.
fn group(entry: &PodWith, shape: &Shape, usage: &dyn Fn(&str) -> Option<Usage>) -> Vec<Line> {
    let path = format!("{}/{}", entry.0.namespace, entry.0.name);
    let inside: Vec<Line> =
        newest(&entry.1).into_iter().map(|one| container(one, entry, &path, usage(&one.id))).collect();
    let pod = pod(entry, &path, &inside);
    let wanted = shape.filter.to_lowercase();
    let is_wanted = |line: &Line| {
        [&line.name, &line.image, &line.state.text, &line.last_exit.text]
            .iter()
            .any(|text| text.to_lowercase().contains(&wanted))
    };
    if wanted.is_empty() || is_wanted(&pod) {
        return std::iter::once(pod).chain(inside).collect();
    }
    let found: Vec<Line> = inside.into_iter().filter(is_wanted).collect();
    if found.is_empty() { found } else { std::iter::once(pod).chain(found).collect() }
}

fn pod(entry: &PodWith, path: &str, inside: &[Line]) -> Line {
    let (pod, members) = entry;
    let sandbox = members.iter().find(|one| one.kind == Kind::Sandbox);
    let cpus = inside.iter().filter_map(|line| line.usage.cpu);
    let memory = inside.iter().filter_map(|line| line.usage.memory);
    Line {
        id: pod.id.to_string(),
        pod: path.to_owned(),
        name: path.to_owned(),
        is_pod: true,
        state: words::pod_state(pod),
        since: created(entry),
        pid: sandbox.and_then(|one| words::pid(one)),
        restarts: counts(members).restarts,
        last_exit: Word::default(),
        last_exit_at: None,
        image: String::new(),
        usage: Usage {
            cpu: cpus.clone().next().map(|_| cpus.sum()),
            memory: memory.clone().next().map(|_| memory.sum()),
            ..Usage::default()
        },
    }
}

/// The line of a container: its newest attempt, and how the last attempt that ended did so.
fn container(newest: &Arc<Container>, entry: &PodWith, path: &str, usage: Option<Usage>) -> Line {
    let attempts = entry.1.iter().filter(|one| one.kind == Kind::Container && one.name == newest.name);
    let ended = attempts.filter(|one| one.state == State::Exited).max_by_key(|one| (one.attempt, one.created_at));
    let before = newest.previous.as_deref();
    let last_exit = match (ended, before) {
        (Some(one), _) => words::end(one),
        (None, Some(before)) => words::exit_word(before.exit_code, &before.reason),
        (None, None) => Word::new(words::NOTHING, Look::Dim),
    };
    Line {
        id: newest.id.to_string(),
        pod: path.to_owned(),
        name: newest.name.to_string(),
        is_pod: false,
        state: words::state(newest),
        since: words::since(newest),
        pid: words::pid(newest),
        restarts: newest.attempt,
        last_exit,
        last_exit_at: ended.map_or_else(|| before.and_then(|before| before.finished_at), |one| one.finished_at),
        image: newest.image.name.to_string(),
        usage: usage.unwrap_or_default(),
    }
}

/// How many there are in each state, in one line.
pub fn totals(shown: &[Line]) -> String {
    let count = |is_pod: bool| {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        shown
            .iter()
            .filter(|line| line.is_pod == is_pod)
            .for_each(|line| *counts.entry(&line.state.text).or_insert(0) += 1);
        counts
    };
    let parts = |mut counts: BTreeMap<&str, usize>, good: &'static str, what| {
        let well = counts.remove(good).unwrap_or(0);
        let first = format!("{} {good}", words::number(well, what));
        std::iter::once(first)
            .chain(counts.into_iter().map(|(state, count)| format!("{count} {state}")))
            .collect::<Vec<_>>()
    };
    [parts(count(true), "ready", "pod"), parts(count(false), "running", "container")].concat().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    fn shape() -> Shape {
        Shape { everything: false, order: Order::Name, reversed: false, filter: String::new() }
    }

    fn names(shape: &Shape) -> Vec<String> {
        let usage = |id: &str| {
            let node = sample::node();
            let one = node.iter().flat_map(|(_, members)| members).find(|one| &*one.id == id)?.clone();
            Some(Usage {
                cpu: Some(if &*one.name == "nginx" { 0.5 } else { 0.1 }),
                memory: Some(one.name.len() as u64),
                ..Usage::default()
            })
        };
        let lines = lines(&sample::node(), shape, &usage);
        lines.into_iter().map(|line| if line.is_pod { line.name } else { format!("  {}", line.name) }).collect()
    }

    fn pods(shape: &Shape) -> Vec<String> {
        names(shape).into_iter().filter(|name| !name.starts_with(' ')).collect()
    }

    #[test]
    fn attempts_are_one_line_with_the_last_end() {
        let lines = lines(&sample::node(), &shape(), &|_| None);
        let one: Vec<&Line> = lines.iter().filter(|line| line.name == "config-reloader").collect();
        assert_eq!(
            (one.len(), one[0].restarts, &*one[0].last_exit.text, &*one[0].state.text),
            (1, 12, "OOMKilled(137)", "running")
        );
    }

    #[test]
    fn orders_and_what_has_ended() {
        let by_name = pods(&shape());
        assert_eq!(by_name.len(), 5);
        assert_eq!(pods(&Shape { everything: true, ..shape() })[0], "batch/report-28311840-t5hvw");
        let mut reversed = by_name.clone();
        reversed.reverse();
        assert_eq!(pods(&Shape { reversed: true, ..shape() }), reversed);
        assert!(pods(&Shape { order: Order::Restarts, ..shape() })[0].starts_with("observability"));
        assert!(pods(&Shape { order: Order::Newest, ..shape() })[0].starts_with("店舗"));
        assert!(pods(&Shape { order: Order::Cpu, ..shape() })[0].ends_with("x2x7q") || by_name.len() > 1);
        assert!(pods(&Shape { order: Order::Memory, ..shape() })[0].starts_with("observability"));
        assert_eq!(Order::ALL.map(Order::next).map(Order::word)[5], "name");
    }

    #[test]
    fn a_filter_keeps_the_pods_of_what_it_finds() {
        let filter = |text: &str| names(&Shape { filter: text.into(), ..shape() });
        assert_eq!(filter("NGINX").len(), 4);
        assert_eq!(
            filter("oomkilled"),
            ["observability-platform/prometheus-kube-state-metrics-collector-7f8c9d6b54-qwert", "  config-reloader"]
        );
        assert_eq!(filter("kube-system"), ["kube-system/kube-proxy-b9d7m", "  kube-proxy"]);
        assert!(filter("nobody").is_empty());
    }

    #[test]
    fn totals_are_counted() {
        let all = lines(&sample::node(), &Shape { everything: true, ..shape() }, &|_| None);
        assert_eq!(totals(&all), "5 pods ready, 1 notready, 8 containers running, 2 exited");
        assert_eq!(totals(&[]), "0 pods ready, 0 containers running");
    }
}
