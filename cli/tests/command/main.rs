//! The command on a simulated engine, as a script sees it: what it prints into a pipe, and how it exits.
//!
//! The engine is sim/, which the variable CRI_SIM may name; otherwise it is built.

mod completion;
mod events;
mod examples;
mod failures;
mod lists;
mod logs;
mod lookups;
#[allow(unsafe_code, reason = "shared with the library's tests")]
#[path = "../../../tests/support/sim.rs"]
mod sim;
mod support;
mod terminal;
mod usage;
