//! Scripts: one command per line, one answer per command. `grammar` (and `fault_grammar`) reads
//! them, `names` finds what they mean, `run` does it.

mod fault_grammar;
mod grammar;
mod names;
mod run;

pub use fault_grammar::HELP as FAULTS;
pub use grammar::{HELP, time};
pub use run::{Flow, Runner};
