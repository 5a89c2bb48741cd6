//! The command `criwatch`: look at the containers and pods of this node.
//!
//! `args` is the command line, defined once: help, completion and manual page are made from it. Each sub-command is a
//! file in `commands`, with its arguments (`Args`), its action (`run`), and the examples for its help. Each other file
//! has one purpose. How something looks is decided by plain functions over data; the engine, /proc and the terminal are
//! used only at the edges.

mod args;
mod cgroup_usage;
mod closed_stdout;
mod commands;
mod cri_log;
mod duration;
mod engine;
mod exit;
mod log_files;
mod output;
mod pod_counts;
mod processes;
mod program;
#[cfg(test)]
mod sample;
mod select;
mod table;
mod terminal;
mod text;
mod words;

fn main() -> std::process::ExitCode {
    program::main()
}
