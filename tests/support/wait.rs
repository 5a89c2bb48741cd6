//! Waiting for a condition, with a deadline.

use std::thread;
use std::time::{Duration, Instant};

/// How long anything on a slow, busy machine may take before a test gives up on it.
pub const PATIENCE: Duration = Duration::from_secs(60);

const PACE: Duration = Duration::from_millis(10);

/// Tries until `attempt` gives a value; after `patience` the last error, with what was waited for.
pub fn until<T>(what: &str, patience: Duration, mut attempt: impl FnMut() -> Result<T, String>) -> Result<T, String> {
    let deadline = Instant::now() + patience;
    loop {
        match attempt() {
            Ok(value) => return Ok(value),
            Err(error) if Instant::now() >= deadline => {
                return Err(format!("waited {patience:?} for {what}: {error}"));
            }
            Err(_) => thread::sleep(PACE),
        }
    }
}

/// Tries until `condition` holds.
pub fn for_condition(what: &str, patience: Duration, mut condition: impl FnMut() -> bool) -> Result<(), String> {
    until(what, patience, || if condition() { Ok(()) } else { Err("it did not come".into()) })
}
