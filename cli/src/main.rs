//! The command `criwatch`: look at the containers and pods of this node.
//!
//! `args` is the command line, defined once: help, completion and manual page are made from it. Each sub-command is a file in
//! `commands`, which says what it takes (`Args`), does it (`run`), and has the examples of its help. The others hold one idea
//! each. What decides how something looks is plain functions over data; the engine, /proc and the terminal are at the edges.

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
