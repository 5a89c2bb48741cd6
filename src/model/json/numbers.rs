//! The JSON of the watcher's counters.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use crate::model::metrics::{BUCKETS, Metric};

/// `criwatch.stats/1`
#[derive(Debug, Clone, Default, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Numbers {
    /// The counters, by name. Names are only added.
    #[cfg_attr(test, schemars(schema_with = "super::schema::counters"))]
    #[serde(serialize_with = "as_object")]
    pub stats: Vec<(&'static Metric, u64)>,
    /// The upper bounds of all `buckets`, in microseconds. The last bucket has no bound: it counts whatever took longer.
    pub bucket_micros: &'static [u64],
    /// The requests to the engine that have ended since the watcher was made, by RPC. Requests for the event stream are
    /// not here but in `subscriptions`. A list that the engine streams is one `StreamContainers`.
    pub requests: BTreeMap<String, RequestNumbers>,
    /// How late the engine's events come; absent before the first event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_lag: Option<LagNumbers>,
}

fn as_object<S: serde::Serializer>(counts: &[(&'static Metric, u64)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(counts.iter().map(|(counter, count)| (counter.name, count)))
}

/// The costs of one RPC.
#[derive(Debug, Clone, Copy, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "Requests"))]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct RequestNumbers {
    /// The number of requests.
    pub count: u64,
    /// How many of them ended with an error, without those in `notFound`.
    pub failures: u64,
    /// How many of them the engine answered with "not found".
    pub not_found: u64,
    /// The duration of all requests together, in microseconds.
    pub total_micros: u64,
    /// The duration of the longest request, in microseconds.
    pub max_micros: u64,
    /// The number of requests in each bucket of `bucketMicros`, by duration. A request counts in one bucket: the first
    /// one whose bound it does not exceed.
    pub buckets: [u64; BUCKETS],
}

/// The delay from the time in an engine's event, by the engine's clock, until the watcher noticed it. Events from before
/// the subscription are left out, because engines repeat events that no subscriber got.
#[derive(Debug, Clone, Copy, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "EventLag"))]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct LagNumbers {
    /// The delay of the last event, in microseconds.
    pub last_micros: u64,
    /// The longest delay so far, in microseconds.
    pub max_micros: u64,
    /// How many delays were measured.
    pub count: u64,
    /// All delays together, in microseconds.
    pub total_micros: u64,
    /// The number of delays in each bucket of `bucketMicros`. A delay counts in one bucket: the first one whose bound it
    /// does not exceed.
    pub buckets: [u64; BUCKETS],
}

/// Whole microseconds.
pub fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
