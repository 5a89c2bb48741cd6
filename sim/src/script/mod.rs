//! Scripts: one command in each line, one answer to each command. `grammar` (with `fault_grammar` and `values`) parses a
//! line, `names` finds the pods and containers, `run` carries the commands out.

mod fault_grammar;
mod grammar;
mod names;
mod run;
mod values;

pub use fault_grammar::HELP as FAULTS;
pub use grammar::{CLAIMS, HELP};
pub use run::{Flow, Runner};
pub use values::time;
