//! Scripts: one command per line, one answer per command. `grammar` reads them, `names` finds what they mean,
//! `run` does it.

mod grammar;
mod names;
mod run;

pub use grammar::{HELP, time};
pub use run::{Flow, Runner};
