//! criwatch completion: a script for the shell that completes the command line.

use clap_complete::env::{Bash, EnvCompleter, Fish, Zsh};

use super::Example;
use crate::exit::{Exit, Failure};
use crate::program::COMPLETE;
use crate::terminal::Out;

pub const EXAMPLES: &[Example] = &[
    ("bash, for this session, or in ~/.bashrc", "source <(criwatch completion bash)"),
    ("zsh, in ~/.zshrc after compinit", "source <(criwatch completion zsh)"),
    ("fish", "criwatch completion fish > ~/.config/fish/completions/criwatch.fish"),
];

/// Print a script that makes the shell complete the command line
///
/// Prints a script for bash, zsh or fish that completes sub-commands, options and their values. It asks the engine for the
/// names of containers, pods and namespaces.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The shell to complete for
    #[arg(value_enum)]
    shell: Shell,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Shell {
    Bash,
    Zsh,
    Fish,
}

pub fn run(args: &Args, out: &mut Out) -> Result<Exit, Failure> {
    let shell: &dyn EnvCompleter = match args.shell {
        Shell::Bash => &Bash,
        Shell::Zsh => &Zsh,
        Shell::Fish => &Fish,
    };
    let mut script = Vec::new();
    let name = "criwatch";
    shell.write_registration(COMPLETE, name, name, name, &mut script).expect("a vector can be written");
    out.bytes(&script)?;
    Ok(Exit::Ok)
}
