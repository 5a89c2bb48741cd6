//! Scripts: one command in each line, one answer to each command. `language` is the table of all commands,
//! `grammar` (with `fault_grammar` and `values`) parses a line, `names` finds the pods and containers, `run` carries the commands out.

mod fault_grammar;
mod grammar;
pub mod language;
mod names;
mod run;
mod values;

pub use run::{Flow, Runner};
pub use values::time;
