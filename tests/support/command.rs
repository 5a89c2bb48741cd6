//! The command (cli/): builds it, for a node of the tests' own.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use super::sim;

/// `criwatch`, which looks for engines where its options say, and not where this machine's environment does.
pub fn criwatch() -> Result<Command, String> {
    static BUILT: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let program = BUILT.get_or_init(|| sim::program_of("cli", "criwatch")).as_deref().map_err(Clone::clone)?;
    let mut command = Command::new(program);
    command.env_remove("CRI_RUNTIME_ENDPOINT").env_remove("CONTAINER_RUNTIME_ENDPOINT");
    Ok(command)
}
