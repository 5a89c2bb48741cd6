//! What a scraper gets of a watcher: a text that a strict reader takes, with the names of the table, whose counts never fall.

#[path = "support/open_metrics.rs"]
mod open_metrics;
#[path = "support/sim.rs"]
mod sim;
#[path = "support/wait.rs"]
#[allow(dead_code)] // One of its two functions.
mod wait;

use std::time::Duration;

use criwatch::config::Config;
use criwatch::model::metrics::{BUCKETS, COUNTERS, MEASURES, Metric};
use criwatch::watcher::Watcher;
use open_metrics::{Families, read};

const PATIENCE: Duration = Duration::from_secs(60);

fn table() -> impl Iterator<Item = &'static Metric> {
    COUNTERS.iter().chain(MEASURES).copied()
}

fn scrape(watcher: &Watcher) -> Families {
    let text = watcher.metrics().expect("not forked");
    read(text.as_str()).unwrap_or_else(|e| panic!("{e}\n{text}"))
}

/// The value of the one sample with this name and this first label.
fn value(families: &Families, name: &str, label: &str) -> f64 {
    let mut samples = families.values().flat_map(|family| &family.samples);
    let sample =
        samples.find(|(n, labels, _)| n == name && labels.iter().any(|(_, value)| value == label) != label.is_empty());
    sample.unwrap_or_else(|| panic!("no {name} of {label:?} in {families:?}")).2
}

/// The table says everything that is shown, before the start, too.
fn obeys_the_table(families: &Families) {
    assert_eq!(families.len(), table().count());
    for metric in table() {
        let family = families.get(&metric.family()).unwrap_or_else(|| panic!("no {}", metric.family()));
        assert_eq!((&*family.kind, &*family.help), (metric.kind.word(), metric.help), "{}", metric.name);
        for (name, labels, _) in &family.samples {
            let shown: Vec<_> = labels.iter().map(|(label, _)| &**label).filter(|label| *label != "le").collect();
            assert_eq!(shown, metric.labels, "{name}");
        }
    }
}

fn never_falls(before: &Families, after: &Families) {
    for (name, family) in before.iter().filter(|(_, family)| family.kind != "gauge") {
        for (sample, labels, value) in &family.samples {
            let now = after[name].samples.iter().find(|(n, l, _)| n == sample && l == labels);
            assert!(now.is_some_and(|now| now.2 >= *value), "{sample} {labels:?} was {value}, and is {now:?}");
        }
    }
}

#[test]
fn a_scraper_reads_what_a_watcher_measures() {
    let mut sim = sim::Sim::start(&[]).expect("a simulated engine");
    sim.tell("pod web ns=shop app").expect("a pod");
    let watcher = Watcher::new(Some(sim.endpoint()), Config::default()).expect("an endpoint");
    let new = scrape(&watcher);
    obeys_the_table(&new);
    assert_eq!(value(&new, "criwatch_watcher_state", "new"), 1.0);

    watcher.start().expect("a thread");
    watcher.wait_ready(Some(PATIENCE)).expect("it gets ready");
    watcher.inspect(&"0".repeat(64), 0, Some(PATIENCE)).expect_err("there is no such id");
    let ready = scrape(&watcher);
    obeys_the_table(&ready);
    never_falls(&new, &ready);
    assert_eq!(value(&ready, "criwatch_connects_total", ""), 1.0);
    assert_eq!(value(&ready, "criwatch_engine_info", "containerd"), 1.0);
    let requests = &ready["criwatch_requests"].samples;
    let outcome = |of: &str| -> f64 {
        let with = requests.iter().filter(|(_, labels, _)| labels[1].1 == of && labels[0].1 == "PodSandboxStatus");
        with.map(|sample| sample.2).sum()
    };
    assert!(outcome("not_found") > 0.0 && outcome("failed") == 0.0, "an answer, no failure: {requests:?}");
    let durations = &ready["criwatch_request_duration_seconds"].samples;
    let lists = durations.iter().filter(|(_, labels, _)| labels[0].1 == "ListContainers");
    assert_eq!(lists.count(), BUCKETS + 2);

    sim.tell("wait-subscribed 1").expect("it subscribes");
    sim.tell("kill app KILL").expect("it runs");
    let lag = || value(&scrape(&watcher), "criwatch_event_lag_seconds_count", "");
    wait::for_condition("an event of the engine", PATIENCE, || lag() > 0.0).expect("it sends one");
    let later = scrape(&watcher);
    obeys_the_table(&later);
    never_falls(&ready, &later);
    watcher.stop().expect("it runs");
    let stopped = scrape(&watcher);
    obeys_the_table(&stopped);
    never_falls(&later, &stopped);
    assert_eq!(value(&stopped, "criwatch_watcher_state", "stopped"), 1.0);
}

#[test]
fn the_reader_is_strict() {
    let good = "# TYPE a counter\n# HELP a b\na_total{x=\"1\\\"\"} 1\n# EOF\n";
    assert_eq!(read(good).expect("it is good")["a"].samples[0].1, [("x".to_owned(), "1\"".to_owned())]);
    for (from, to) in [
        ("# EOF\n", ""),
        ("a_total", "a"),
        ("a_total", "b_total"),
        (" 1\n", " x\n"),
        (" 1\n", " -1\n"),
        ("\\\"\"}", "\"\"}"),
        ("counter", "thing"),
        ("# HELP a b\n", ""),
        ("# HELP a b\n", "# HELP a b\n# UNIT a seconds\n"),
        ("# EOF\n", "a_total{x=\"1\\\"\"} 2\n# EOF\n"),
        ("# EOF\n", "# TYPE b gauge\n# HELP b b\nb 1\n# TYPE a counter\n# EOF\n"),
    ] {
        assert!(read(&good.replace(from, to)).is_err(), "{from:?} -> {to:?}");
    }
    let bucket = |le: &str, count| format!("h_bucket{{le=\"{le}\"}} {count}\n");
    let ends = "h_count 2\nh_sum 0.5\n# EOF\n";
    let all = [bucket("0.1", 1), bucket("+Inf", 2), ends.to_owned()].concat();
    let all = format!("# TYPE h histogram\n# HELP h b\n{all}");
    read(&all).expect("it is good");
    for (from, to) in [("0.1", "1"), ("0.1", "+Inf"), (" 1\n", " 3\n"), ("count 2", "count 1"), ("h_sum 0.5\n", "")] {
        assert!(read(&all.replace(from, to)).is_err(), "{from:?} -> {to:?}");
    }
}
