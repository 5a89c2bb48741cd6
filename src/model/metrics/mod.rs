//! What a watcher measures: one table, from which the schema of `criwatch.stats/1`, docs/json.md, docs/metrics.md, the lists
//! in the bindings and the OpenMetrics text are made.

#[cfg(test)]
mod documents;
mod histogram;
mod table;

pub use histogram::{BUCKET_MICROS, BUCKETS, Histogram};
pub use table::*;

/// How a metric changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum MetricKind {
    /// How many there were since the watcher was made. It only grows.
    Counter,
    /// How many there are now. It rises and falls.
    Gauge,
    /// How many there were since the watcher was made, by size.
    Histogram,
}

impl MetricKind {
    /// Its name in OpenMetrics and in the documents.
    pub fn word(self) -> &'static str {
        match self {
            MetricKind::Counter => "counter",
            MetricKind::Gauge => "gauge",
            MetricKind::Histogram => "histogram",
        }
    }
}

/// One row of the table.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Metric {
    /// Its key in JSON.
    pub name: &'static str,
    /// The unit: seconds, or the things that are counted.
    pub unit: &'static str,
    /// How it changes.
    pub kind: MetricKind,
    /// The labels that tell its samples apart.
    pub labels: &'static [&'static str],
    /// Its meaning, in whole sentences.
    pub help: &'static str,
}

impl Metric {
    /// The name of its family in OpenMetrics, e.g. `criwatch_event_lag_seconds` for `eventLag`. The samples of a counter
    /// have `_total` behind it.
    pub fn family(&self) -> String {
        let mut name = String::from("criwatch_");
        for letter in self.name.chars() {
            if letter.is_ascii_uppercase() {
                name.push('_');
            }
            name.push(letter.to_ascii_lowercase());
        }
        if let Some(unit) = self.base_unit() {
            name.extend(["_", unit]);
        }
        name
    }

    /// Its unit where OpenMetrics has a word for it. What is merely counted has none there.
    pub fn base_unit(&self) -> Option<&'static str> {
        (self.unit == "seconds").then_some(self.unit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> impl Iterator<Item = &'static Metric> {
        COUNTERS.iter().chain(MEASURES).copied()
    }

    #[test]
    fn each_metric_has_one_name_and_a_sentence() {
        for (i, metric) in all().enumerate() {
            let Metric { name, unit, help, .. } = metric;
            assert!(all().take(i).all(|other| other.family() != metric.family()), "{name} is there twice");
            assert!(name.chars().all(char::is_alphanumeric) && name.starts_with(char::is_lowercase), "{name}");
            assert!(!unit.is_empty() && !unit.contains(' '), "{name}: {unit}");
            assert!(help.starts_with(char::is_uppercase) && help.ends_with('.') && help.len() > 20, "{name}: {help}");
        }
    }

    #[test]
    fn families_are_named_by_key_and_unit() {
        assert_eq!(STATUS_NOT_FOUND.family(), "criwatch_status_not_found");
        assert_eq!(LAST_LIST_TIMESTAMP.family(), "criwatch_last_list_timestamp_seconds");
    }
}
