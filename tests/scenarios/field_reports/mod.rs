//! What users of such agents report from real nodes, and the library once got wrong: each report is a row with a number,
//! which the comments of its scenarios name. real_engines_field_reports.rs has those that a real containerd can show.

mod bad_items;
mod contradictions;
mod facts;
mod names;
mod requests;
mod trust;

use crate::scene::Options;

/// Lists follow each other quickly, so that twenty of them take two seconds.
const QUICK: Options = &[("relist.interval_ms", "100"), ("poll.interval_ms", "100")];
