//! Everything that engines are known to do to a watcher, and everything that goes wrong on nodes, on the simulated
//! engine: what is reported then, exactly, and what it costs the engine.

#[path = "../support/mod.rs"]
mod support;

mod consumers;
mod events;
mod field_reports;
mod garbled;
mod hints;
mod lists;
mod profiles;
mod relay;
mod reported;
mod restarts;
mod scale;
mod scene;
mod silence;
mod starting;
mod stream;

/// A test fails with an error, too.
type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;
