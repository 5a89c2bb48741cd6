//! Scripts: one command in each line, one answer to each command. `grammar` and `fault_grammar` parse them, `names`
//! finds the pods and containers, `run` carries the commands out.

mod fault_grammar;
mod grammar;
mod names;
mod run;

pub use fault_grammar::HELP as FAULTS;
pub use grammar::{HELP, time};
pub use run::{Flow, Runner};
