//! Scripts: one command per line, one answer per command. `grammar` (with `fault_grammar` and `values`) reads a line,
//! `names` finds what its names stand for, `run` does what it says.

mod fault_grammar;
mod grammar;
mod names;
mod run;
mod values;

pub use fault_grammar::HELP as FAULTS;
pub use grammar::HELP;
pub use run::{Flow, Runner};
pub use values::time;
