//! The watcher's numbers in the text format of OpenMetrics 1.0.

use std::fmt::Write;

use super::json::{Freshness, Numbers};
use super::metrics::*;
use super::{SharedText, WATCHER_STATES, WatcherState};

/// The numbers of one moment, ready to be served to a scraper.
pub fn open_metrics(freshness: &Freshness, numbers: &Numbers) -> SharedText {
    let mut text = Exposition::default();
    for (metric, count) in &numbers.stats {
        text.family(metric).sample(&[], count);
    }
    requests(&mut text, numbers);
    events(&mut text, numbers);
    state(&mut text, freshness);
    engine(&mut text, freshness);
    text.end()
}

fn requests(text: &mut Exposition, numbers: &Numbers) {
    let mut family = text.family(&REQUESTS);
    for (rpc, of) in &numbers.requests {
        let ok = of.count - of.failures - of.not_found;
        for (outcome, count) in [("ok", ok), ("not_found", of.not_found), ("failed", of.failures)] {
            family.sample(&[rpc, outcome], count);
        }
    }
    let mut family = text.family(&REQUEST_DURATION);
    for (rpc, of) in &numbers.requests {
        family.histogram(&[rpc], &of.buckets, of.total_micros);
    }
}

fn events(text: &mut Exposition, numbers: &Numbers) {
    let (buckets, total) = numbers.event_lag.map_or(([0; BUCKETS], 0), |lag| (lag.buckets, lag.total_micros));
    text.family(&EVENT_LAG).histogram(&[], &buckets, total);
}

fn state(text: &mut Exposition, freshness: &Freshness) {
    let mut family = text.family(&WATCHER_STATE);
    for one in WATCHER_STATES {
        family.sample(&[one.word()], u64::from(freshness.state.number() == one.value));
    }
    text.family(&GENERATION).sample(&[], freshness.generation);
    let mut family = text.family(&LAST_LIST_TIMESTAMP);
    if let Some(nanos) = freshness.as_of {
        family.sample(&[], Micros(u64::try_from(nanos / 1_000).unwrap_or_default()));
    }
}

fn engine(text: &mut Exposition, freshness: &Freshness) {
    let engine = &*freshness.engine;
    let mut family = text.family(&ENGINE_INFO);
    if !engine.runtime_name.is_empty() {
        let events = if freshness.state == WatcherState::New { "" } else { engine.events.word() };
        let labels = [&*engine.runtime_name, &engine.runtime_version, &engine.runtime_api_version, &engine.api, events];
        family.sample(&labels, 1);
    }
}

/// The text that was written so far.
#[derive(Default)]
struct Exposition {
    text: String,
}

/// The family whose samples are being written.
struct Family<'a> {
    text: &'a mut String,
    name: String,
    metric: &'static Metric,
}

impl Exposition {
    fn family(&mut self, metric: &'static Metric) -> Family<'_> {
        let name = metric.family();
        let mut line = |keyword: &str, value: &str| write(&mut self.text, format_args!("# {keyword} {name} {value}\n"));
        line("TYPE", metric.kind.word());
        if let Some(unit) = metric.base_unit() {
            line("UNIT", unit);
        }
        line("HELP", &escaped(metric.help));
        Family { text: &mut self.text, name, metric }
    }

    fn end(mut self) -> SharedText {
        self.text.push_str("# EOF\n");
        self.text.into()
    }
}

impl Family<'_> {
    /// One sample; `values` are those of the metric's labels.
    fn sample(&mut self, values: &[&str], value: impl std::fmt::Display) {
        let suffix = if self.metric.kind == MetricKind::Counter { "_total" } else { "" };
        self.line(suffix, values, None, value);
    }

    fn histogram(&mut self, values: &[&str], buckets: &[u64; BUCKETS], total_micros: u64) {
        let mut up_to = 0;
        for (i, count) in buckets.iter().enumerate() {
            up_to += count;
            let bound = BUCKET_MICROS.get(i).map_or_else(|| "+Inf".to_owned(), |bound| Micros(*bound).to_string());
            self.line("_bucket", values, Some(&bound), up_to);
        }
        self.line("_count", values, None, up_to);
        self.line("_sum", values, None, Micros(total_micros));
    }

    fn line(&mut self, suffix: &str, values: &[&str], bound: Option<&str>, value: impl std::fmt::Display) {
        let labels = self.metric.labels.iter().copied().zip(values.iter().copied());
        let labels = labels.chain(bound.map(|bound| ("le", bound)));
        let labels: Vec<_> = labels.map(|(label, value)| format!("{label}=\"{}\"", escaped(value))).collect();
        let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        write(self.text, format_args!("{}{suffix}{labels} {value}\n", self.name));
    }
}

fn write(text: &mut String, line: std::fmt::Arguments<'_>) {
    text.write_fmt(line).expect("a string takes everything");
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

/// Microseconds, written as seconds: exact, and with a decimal point, as the format requires for bounds.
struct Micros(u64);

impl std::fmt::Display for Micros {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let fraction = format!("{:06}", self.0 % 1_000_000);
        let digits = fraction.trim_end_matches('0');
        write!(f, "{}.{}", self.0 / 1_000_000, if digits.is_empty() { "0" } else { digits })
    }
}

#[cfg(test)]
mod tests {
    use super::super::json::{LagNumbers, RequestNumbers};
    use super::*;

    #[test]
    fn seconds_are_exact() {
        let written = [0, 1, 100, 2_500, 1_000_000, 12_345_678].map(|micros| Micros(micros).to_string());
        assert_eq!(written, ["0.0", "0.000001", "0.0001", "0.0025", "1.0", "12.345678"]);
    }

    #[test]
    fn a_text_shows_outcomes_and_cumulated_buckets() {
        let mut buckets = [0; BUCKETS];
        (buckets[0], buckets[2], buckets[16]) = (2, 3, 1);
        let of =
            RequestNumbers { count: 6, failures: 1, not_found: 2, total_micros: 1_500_000, max_micros: 9, buckets };
        let lag = LagNumbers { last_micros: 1, max_micros: 2, count: 6, total_micros: 3, buckets };
        let numbers = Numbers {
            stats: vec![(&CONNECTS, 4), (&CONSUMERS, 1)],
            requests: [("Sta\"tus".to_owned(), of)].into(),
            event_lag: Some(lag),
            ..Numbers::default()
        };
        let freshness = Freshness {
            generation: 7,
            state: WatcherState::Watching,
            as_of: Some(1_500_000_000),
            engine: Default::default(),
        };
        let text = open_metrics(&freshness, &numbers);
        for line in [
            "# TYPE criwatch_connects counter\n# HELP criwatch_connects Connections that the watcher made to the engine.",
            "criwatch_connects_total 4",
            "criwatch_consumers 1",
            "criwatch_requests_total{rpc=\"Sta\\\"tus\",outcome=\"ok\"} 3",
            "criwatch_requests_total{rpc=\"Sta\\\"tus\",outcome=\"not_found\"} 2",
            "# UNIT criwatch_request_duration_seconds seconds",
            "criwatch_request_duration_seconds_bucket{rpc=\"Sta\\\"tus\",le=\"0.00025\"} 2",
            "criwatch_request_duration_seconds_bucket{rpc=\"Sta\\\"tus\",le=\"0.0005\"} 5",
            "criwatch_request_duration_seconds_bucket{rpc=\"Sta\\\"tus\",le=\"+Inf\"} 6",
            "criwatch_request_duration_seconds_sum{rpc=\"Sta\\\"tus\"} 1.5",
            "criwatch_event_lag_seconds_count 6",
            "criwatch_watcher_state{state=\"watching\"} 1",
            "criwatch_watcher_state{state=\"polling\"} 0",
            "criwatch_last_list_timestamp_seconds 1.5",
        ] {
            assert!(text.as_str().contains(&format!("{line}\n")), "{line}\n{text}");
        }
        assert!(text.as_str().ends_with("\n# EOF\n"));
    }
}
