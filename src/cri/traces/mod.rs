//! What an engine leaves on the host's disk: its folders, the pid files in them, and the OCI specifications of
//! containers.
//!
//! The engine reports where its folders are, in its verbose `Status`. What is found there is believed only with the
//! host's own proof (`host::proven`), so a wrong folder costs a look and nothing else.

mod births;
pub(super) mod bundle;
mod cgroups;
mod ends;
pub(super) mod folders;
mod hint;
mod witness;

pub use folders::Folders;
pub use hint::Hint;
pub use witness::{Follow, Witness};
