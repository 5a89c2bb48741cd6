//! The command line, defined once: help, completion and the manual page are made from it. Options have the names that
//! crictl and kubectl give them.

mod complete;
mod help;
mod shared;

use std::time::Duration;

use clap::{CommandFactory, Parser, Subcommand};
use clap_complete::engine::ArgValueCompleter;

use crate::commands::*;
use crate::duration;

pub use help::{complaint, help_of, manual};
pub use shared::{Listing, PodListing, Selection};

const ABOUT: &str = "Look at the containers and pods of this node";
const LONG_ABOUT: &str = "Shows which containers and pods run on this node, and what changes. It asks containerd, CRI-O or any \
                          other engine that speaks CRI, and only reads. Options have the names that crictl and kubectl give \
                          them.";

/// The whole command line.
#[derive(Debug, Parser)]
#[command(name = "criwatch", version, about = ABOUT, long_about = LONG_ABOUT, disable_help_subcommand = true)]
#[command(max_term_width = 100)]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

/// Options that may come before or after the sub-command.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Engine")]
pub struct Global {
    /// The engine's socket, e.g. unix:///run/containerd/containerd.sock; may be repeated for ps and pods [default:
    /// $CRI_RUNTIME_ENDPOINT, $CONTAINER_RUNTIME_ENDPOINT; otherwise the best engine of the node, see criwatch engines]
    #[arg(short, long, global = true, value_name = "ENDPOINT", value_hint = clap::ValueHint::FilePath)]
    pub runtime_endpoint: Vec<String>,
    /// How long to wait for the engine's answer: 10 (seconds), 500ms, 2s, 1m
    #[arg(long, global = true, value_name = "TIME", default_value = "10s", value_parser = duration::limit)]
    pub timeout: Duration,
    /// An option of the library, e.g. host.root=/host; may be repeated
    #[arg(long, global = true, value_name = "KEY=VALUE", value_parser = pair)]
    pub option: Vec<(String, String)>,
}

impl Global {
    /// Where the host's files are.
    pub fn host_root(&self) -> &str {
        self.option.iter().rev().find(|(key, _)| key == "host.root").map_or("/", |(_, value)| value)
    }

    /// The host's /proc.
    pub fn proc(&self) -> std::path::PathBuf {
        std::path::Path::new(self.host_root()).join("proc")
    }
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("it is not KEY=VALUE (the keys: docs/options.md)")?;
    Ok((key.to_owned(), value.to_owned()))
}

/// The sub-commands, in the order of the help.
#[derive(Debug, Subcommand)]
pub enum Command {
    Ps(ps::Args),
    Pods(pods::Args),
    Inspect(inspect::Args),
    Whois(whois::Args),
    Tree(tree::Args),
    Events(events::Args),
    Top(top::Args),
    Stats(stats::Args),
    Logs(logs::Args),
    History(history::Args),
    Images(images::Args),
    Info(info::Args),
    Engines(engines::Args),
    Doctor(doctor::Args),
    Call(call::Args),
    Version(version::Args),
    Completion(completion::Args),
    #[command(hide = true)]
    Manual(manual::Args),
}

/// The definition, with completion of values by asking the engine.
pub fn command() -> clap::Command {
    Cli::command().term_width(crate::terminal::help_width())
}

/// Completes names of containers and pods.
pub fn containers_and_pods() -> ArgValueCompleter {
    completes(complete::What::ContainersAndPods)
}

/// Completes names of containers.
pub fn containers() -> ArgValueCompleter {
    completes(complete::What::Containers)
}

/// Completes names of containers, pods and so on.
fn completes(what: complete::What) -> ArgValueCompleter {
    ArgValueCompleter::new(move |begin: &std::ffi::OsStr| complete::candidates(what, begin))
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_definition_is_sound() {
        super::command().debug_assert();
    }
}
