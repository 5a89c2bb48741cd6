//! What real nodes did and the library once got wrong, one scenario for each row of the reports: see docs/reliability.md.
//! A row's number stands in the name of its scenario's module or comment.

mod bad_items;
mod contradictions;
mod facts;
mod names;
mod requests;
mod trust;

use crate::scene::Options;

/// Lists follow each other quickly, so that twenty of them take two seconds.
const QUICK: Options = &[("relist.interval_ms", "100"), ("poll.interval_ms", "100")];
