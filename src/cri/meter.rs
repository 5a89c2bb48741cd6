//! Counts how often each RPC was called, and how long the calls took.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::error::{CRI_E_NOT_FOUND, Error, Result};
use crate::model::metrics::Histogram;

/// The costs of one RPC.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RpcCost {
    /// How long the finished requests took, whether they ended with an answer, an error or a timeout.
    pub durations: Histogram,
    /// How many of these failed, without those in `not_found`.
    pub failures: u64,
    /// How many of these the engine answered with "not found".
    pub not_found: u64,
}

/// The costs of all requests made with this meter, on any connection.
#[derive(Debug, Default)]
pub struct Meter(Mutex<BTreeMap<String, RpcCost>>);

impl Meter {
    /// Awaits a request, and counts it under this name. The name may begin with its service.
    pub(super) async fn measure<T>(&self, method: &str, request: impl Future<Output = Result<T>>) -> Result<T> {
        let began = Instant::now();
        let outcome = request.await;
        self.add(method.rsplit('/').next().unwrap_or(method), began.elapsed(), outcome.as_ref().err());
        outcome
    }

    fn add(&self, method: &str, took: Duration, error: Option<&Error>) {
        let not_found = error.is_some_and(|error| error.status() == CRI_E_NOT_FOUND);
        let mut costs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let cost = match costs.get_mut(method) {
            Some(cost) => cost,
            None => costs.entry(method.to_owned()).or_default(),
        };
        cost.durations.add(took);
        cost.failures += u64::from(error.is_some() && !not_found);
        cost.not_found += u64::from(not_found);
    }

    /// The costs so far, by RPC.
    pub fn costs(&self) -> BTreeMap<String, RpcCost> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::CRI_E_RPC;

    #[test]
    fn costs_add_up_by_method() {
        let meter = Meter::default();
        let (failed, absent) = (Error::new(CRI_E_RPC, "refused"), Error::new(CRI_E_NOT_FOUND, "no such container"));
        meter.add("Status", Duration::from_millis(3), None);
        meter.add("Status", Duration::from_millis(2), Some(&failed));
        meter.add("Status", Duration::from_millis(1), Some(&absent));
        meter.add("Version", Duration::from_millis(1), None);
        let costs = meter.costs();
        let status = costs["Status"];
        assert_eq!((costs.len(), status.durations.count(), status.failures, status.not_found), (2, 3, 1, 1));
        assert_eq!(
            (status.durations.total, status.durations.max),
            (Duration::from_millis(6), Duration::from_millis(3))
        );
    }
}
