//! How often each RPC was called, and how long that took.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::error::Result;

/// Of one RPC.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RpcCost {
    /// How often it came to an end: an answer, an error, or patience that was over.
    pub count: u64,
    /// How many of these were errors.
    pub failures: u64,
    /// How long all of them took together.
    pub total: Duration,
    /// How long the longest took.
    pub max: Duration,
}

/// The costs of all requests that were made with it, on any connection.
#[derive(Debug, Default)]
pub struct Meter(Mutex<BTreeMap<String, RpcCost>>);

impl Meter {
    /// Awaits a request, and counts it under this name, which may be qualified by its service.
    pub(super) async fn measure<T>(&self, method: &str, request: impl Future<Output = Result<T>>) -> Result<T> {
        let began = Instant::now();
        let outcome = request.await;
        self.add(method.rsplit('/').next().unwrap_or(method), began.elapsed(), outcome.is_err());
        outcome
    }

    fn add(&self, method: &str, took: Duration, failed: bool) {
        let mut costs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let cost = match costs.get_mut(method) {
            Some(cost) => cost,
            None => costs.entry(method.to_owned()).or_default(),
        };
        cost.count += 1;
        cost.failures += u64::from(failed);
        cost.total += took;
        cost.max = cost.max.max(took);
    }

    /// By RPC, what was counted so far.
    pub fn costs(&self) -> BTreeMap<String, RpcCost> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn costs_add_up_by_method() {
        let meter = Meter::default();
        meter.add("Status", Duration::from_millis(3), false);
        meter.add("Status", Duration::from_millis(2), true);
        meter.add("Version", Duration::from_millis(1), false);
        let costs = meter.costs();
        let expected =
            RpcCost { count: 2, failures: 1, total: Duration::from_millis(5), max: Duration::from_millis(3) };
        assert_eq!((costs.len(), costs["Status"]), (2, expected));
    }
}
