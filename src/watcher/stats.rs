//! The watcher's statistics.

use super::Watcher;
use crate::cri::RpcCost;
use crate::error::Result;
use crate::model::json::{Freshness, LagNumbers, Numbers, RequestNumbers, micros};
use crate::model::metrics::{self, BUCKET_MICROS};
use crate::model::open_metrics::open_metrics;
use crate::model::{JsonText, SharedText};
use crate::sync::EventLag;

impl Watcher {
    /// The watcher's counters, and what its requests cost, as `criwatch.stats/1`. docs/json.md says what each one means.
    pub fn stats(&self) -> Result<JsonText> {
        let (freshness, numbers) = self.numbers()?;
        Ok(freshness.stats(&numbers))
    }

    /// The watcher's counters for scrapers, in the text format of OpenMetrics. docs/metrics.md says what each one
    /// means.
    pub fn metrics(&self) -> Result<SharedText> {
        let (freshness, numbers) = self.numbers()?;
        Ok(open_metrics(&freshness, &numbers))
    }

    fn numbers(&self) -> Result<(Freshness, Numbers)> {
        self.check_fork()?;
        let requests = self.shared.meter().costs().into_iter().map(|(rpc, cost)| (rpc, request_numbers(cost)));
        let (requests, hub) = (requests.collect(), self.hub.counts());
        let latest = self.shared.latest();
        let mut stats = latest.status.stats.counters();
        stats.extend([
            (&metrics::EVENTS_PUBLISHED, hub.published),
            (&metrics::EVENTS_LOST, hub.lost),
            (&metrics::OVERFLOWS, hub.overflows),
            (&metrics::CONSUMERS, hub.consumers as u64),
        ]);
        stats.extend(latest.tally.named());
        let event_lag = latest.status.stats.event_lag.map(lag_numbers);
        Ok((latest.freshness(), Numbers { stats, bucket_micros: &BUCKET_MICROS, requests, event_lag }))
    }
}

fn request_numbers(cost: RpcCost) -> RequestNumbers {
    RequestNumbers {
        count: cost.durations.count(),
        failures: cost.failures,
        not_found: cost.not_found,
        total_micros: micros(cost.durations.total),
        max_micros: micros(cost.durations.max),
        buckets: cost.durations.buckets,
    }
}

fn lag_numbers(lag: EventLag) -> LagNumbers {
    LagNumbers {
        last_micros: micros(lag.last),
        max_micros: micros(lag.all.max),
        count: lag.all.count(),
        total_micros: micros(lag.all.total),
        buckets: lag.all.buckets,
    }
}
