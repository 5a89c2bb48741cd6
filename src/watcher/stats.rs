//! The watcher's statistics.

use super::Watcher;
use crate::cri::RpcCost;
use crate::error::Result;
use crate::model::JsonText;
use crate::model::counters;
use crate::model::json::{LagNumbers, Numbers, RequestNumbers, micros};
use crate::sync::EventLag;

impl Watcher {
    /// The watcher's counters, and what its requests cost, as `criwatch.stats/1`. docs/json.md says what each one means.
    pub fn stats(&self) -> Result<JsonText> {
        self.check_fork()?;
        let requests = self.shared.meter().costs().into_iter().map(|(rpc, cost)| (rpc, request_numbers(cost)));
        let (requests, hub) = (requests.collect(), self.hub.counts());
        let cached = self.shared.read();
        let mut stats = cached.status.stats.counters();
        stats.extend([
            (&counters::EVENTS_PUBLISHED, hub.published),
            (&counters::EVENTS_LOST, hub.lost),
            (&counters::OVERFLOWS, hub.overflows),
            (&counters::CONSUMERS, hub.consumers as u64),
            (&counters::OPEN_STATUS_REQUESTS, cached.portfolio.open_status_requests() as u64),
            (&counters::REMEMBERED_RUNS, cached.portfolio.remembered() as u64),
        ]);
        stats.extend(cached.portfolio.counts().named());
        stats.extend(cached.portfolio.status_requests_made().map(|(reason, made)| (reason.counter(), made)));
        let event_lag = cached.status.stats.event_lag.map(lag_numbers);
        Ok(cached.freshness().stats(&Numbers { stats, requests, event_lag }))
    }
}

fn request_numbers(cost: RpcCost) -> RequestNumbers {
    RequestNumbers {
        count: cost.count,
        failures: cost.failures,
        not_found: cost.not_found,
        total_micros: micros(cost.total),
        max_micros: micros(cost.max),
    }
}

fn lag_numbers(lag: EventLag) -> LagNumbers {
    LagNumbers { last_micros: micros(lag.last), max_micros: micros(lag.max) }
}
