//! What the watcher did so far, in numbers.

use super::Watcher;
use crate::cri::RpcCost;
use crate::error::Result;
use crate::model::JsonText;
use crate::model::json::{LagNumbers, Numbers, RequestNumbers, micros};
use crate::sync::EventLag;

impl Watcher {
    /// What the watcher did so far, in numbers, as `criwatch.stats/1`.
    pub fn stats(&self) -> Result<JsonText> {
        self.check_fork()?;
        let requests = self.book.meter().costs().into_iter().map(|(rpc, cost)| (rpc, request_numbers(cost)));
        let (requests, hub) = (requests.collect(), self.hub.counts());
        let page = self.book.read();
        let mut stats = page.situation.stats.counters();
        stats.extend([
            ("eventsPublished", hub.published),
            ("eventsLost", hub.lost),
            ("overflows", hub.overflows),
            ("consumers", hub.consumers as u64),
            ("unresolved", page.portfolio.unresolved()),
            ("openQuestions", page.portfolio.open_questions() as u64),
            ("rememberedLives", page.portfolio.remembered() as u64),
        ]);
        let event_lag = page.situation.stats.event_lag.map(lag_numbers);
        Ok(page.standing().stats(&Numbers { stats, requests, event_lag }))
    }
}

fn request_numbers(cost: RpcCost) -> RequestNumbers {
    RequestNumbers {
        count: cost.count,
        failures: cost.failures,
        total_micros: micros(cost.total),
        max_micros: micros(cost.max),
    }
}

fn lag_numbers(lag: EventLag) -> LagNumbers {
    LagNumbers { last_micros: micros(lag.last), max_micros: micros(lag.max) }
}
