//! Finding the engines of a node, and choosing among them.

mod chooser;
mod clues;
mod command_line;
mod evidence;
mod files;
mod folders;
mod kubelets;
mod places;
mod processes;
mod rank;
mod settings;
mod survey;
mod suspects;
mod table;

pub use chooser::{Chooser, Connection, News, connect};
pub use places::Places;
pub use survey::{Survey, Thoroughness, survey};
pub use table::{WELL_KNOWN, WellKnown};
