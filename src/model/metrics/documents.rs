//! The committed documents: the generated part of docs/metrics.md, and the lists in the bindings.

use super::*;
use crate::committed::assert_committed;

const MARK: &str = "<!-- From here on made from the source: CRI_BLESS=1 cargo test rewrites it. -->\n";
const ORIGIN: &str = "from src/model/metrics: CRI_BLESS=1 cargo test --lib metrics rewrites it.";

fn all() -> impl Iterator<Item = &'static Metric> {
    COUNTERS.iter().chain(MEASURES).copied()
}

/// The names of its samples.
fn samples(metric: &Metric) -> String {
    let family = metric.family();
    match metric.kind {
        MetricKind::Counter => format!("`{family}_total`"),
        MetricKind::Gauge => format!("`{family}`"),
        MetricKind::Histogram => ["_bucket", "_count", "_sum"].map(|suffix| format!("`{family}{suffix}`")).join(", "),
    }
}

#[test]
fn metrics_md_shows_the_table() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/metrics.md");
    let committed = std::fs::read_to_string(path).expect("docs/metrics.md");
    let (intro, _) = committed.split_once(MARK).expect("docs/metrics.md says where its generated part begins");
    let mut text = intro.to_owned() + MARK;
    text += "\n| metric | kind | unit | labels | meaning |\n|---|---|---|---|---|\n";
    for metric in all() {
        let labels: Vec<_> = metric.labels.iter().map(|label| format!("`{label}`")).collect();
        let (names, kind, labels) = (samples(metric), metric.kind.word(), labels.join(", "));
        text += &format!("| {names} | {kind} | {} | {labels} | {} |\n", metric.unit, metric.help);
    }
    let bounds: Vec<_> = BUCKET_MICROS.iter().map(|micros| (*micros as f64 / 1e6).to_string()).collect();
    text += &format!("\nThe upper bounds of the buckets (label `le`), in seconds: {}, +Inf.\n", bounds.join(", "));
    assert_committed("docs/metrics.md", &text);
}

#[test]
fn go_has_the_table() {
    let mut text = format!("// Code generated {ORIGIN} DO NOT EDIT.\n\npackage criwatch\n\nvar metrics = []Metric{{\n");
    for metric in all() {
        let labels: Vec<_> = metric.labels.iter().map(|label| format!("{label:?}")).collect();
        let labels =
            if labels.is_empty() { String::new() } else { format!(", Labels: []string{{{}}}", labels.join(", ")) };
        let Metric { name, unit, help, .. } = metric;
        let (family, kind) = (metric.family(), metric.kind.word());
        text += &format!(
            "\t{{Key: {name:?}, Family: {family:?}, Kind: {kind:?}, Unit: {unit:?}{labels},\n\t\tHelp: {help:?}}},\n"
        );
    }
    assert_committed("bindings/go/metrics_table.go", &(text + "}\n"));
}

#[test]
fn python_has_the_table() {
    let mut text = format!("# Generated {ORIGIN}\n\"\"\"The table of what a watcher measures.\"\"\"\n\n");
    text += "from typing import Tuple\n\nfrom criwatch.stats import Metric\n\nMETRICS: Tuple[Metric, ...] = (\n";
    for metric in all() {
        let labels: String = metric.labels.iter().map(|label| format!("{label:?}, ")).collect();
        let Metric { name, unit, help, .. } = metric;
        let (family, kind) = (metric.family(), metric.kind.word());
        text += &format!("    Metric(\n        {name:?},\n        {family:?},\n        {kind:?},\n        {unit:?},\n");
        text += &format!("        ({}),\n        {help:?},\n    ),\n", labels.trim_end());
    }
    assert_committed("bindings/python/criwatch/_metrics_table.py", &(text + ")\n"));
}
