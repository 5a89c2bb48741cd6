//! The command's begin and end: takes the arguments, gives the exit code, and prints a plain message for every failure.

use std::ffi::OsString;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use clap::FromArgMatches;
use clap::error::ErrorKind;
use clap_complete::CompleteEnv;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag::register_conditional_shutdown;

use crate::args::{self, Cli, Command};
use crate::commands::*;
use crate::exit::{Exit, Failure};
use crate::terminal::{Out, complain};

/// The variable with which a shell asks for completions.
pub const COMPLETE: &str = "CRIWATCH_COMPLETE";

/// Runs the command.
pub fn main() -> ExitCode {
    CompleteEnv::with_factory(args::command).var(COMPLETE).complete();
    let words: Vec<OsString> = std::env::args_os().collect();
    let mut out = Out::new();
    let ended = run(words, &mut out);
    let flushed = out.flush();
    let failure = match (ended, flushed) {
        (Ok(exit), Ok(())) => return exit.into(),
        // Failing to print is reported first, because it hides the rest.
        (_, Err(failure)) | (Err(failure), Ok(())) => failure,
    };
    if !failure.message.is_empty() {
        complain(&failure.message);
    }
    failure.exit.into()
}

fn run(mut words: Vec<OsString>, out: &mut Out) -> Result<Exit, Failure> {
    if words.len() <= 1 {
        // Without arguments, show the help.
        words = vec!["criwatch".into(), "--help".into()];
    }
    match args::command().try_get_matches_from(&words).and_then(|matches| Cli::from_arg_matches(&matches)) {
        Ok(cli) => dispatch(&cli, out),
        Err(error) if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) => {
            let words: Vec<String> = words.iter().map(|word| word.to_string_lossy().into_owned()).collect();
            out.raw(&args::help_of(&error, &words))?;
            Ok(Exit::Ok)
        }
        Err(error) => Err(Failure::usage(args::complaint(&error, &words))),
    }
}

fn dispatch(cli: &Cli, out: &mut Out) -> Result<Exit, Failure> {
    let global = &cli.global;
    // `top` handles signals itself, because it has to restore the terminal.
    if !matches!(cli.command, Command::Top(_)) {
        end_by_signals_as_init()?;
    }
    match &cli.command {
        Command::Ps(args) => ps::run(args, global, out),
        Command::Pods(args) => pods::run(args, global, out),
        Command::Inspect(args) => inspect::run(args, global, out),
        Command::Whois(args) => whois::run(args, global, out),
        Command::Tree(args) => tree::run(args, global, out),
        Command::Events(args) => events::run(args, global, out),
        Command::Top(args) => top::run(args, global, out),
        Command::Stats(args) => stats::run(args, global, out),
        Command::Logs(args) => logs::run(args, global, out),
        Command::History(args) => history::run(args, global, out),
        Command::Images(args) => images::run(args, global, out),
        Command::Info(args) => info::run(args, global, out),
        Command::Engines(args) => engines::run(args, global, out),
        Command::Doctor(args) => doctor::run(args, global, out),
        Command::Call(args) => call::run(args, global, out),
        Command::Version(args) => version::run(args, global, out),
        Command::Completion(args) => completion::run(args, out),
        Command::Manual(args) => manual::run(args, out),
    }
}

/// Makes signals end the command where it is a container's first process. The kernel does not end such a process by a
/// signal that it does not handle.
fn end_by_signals_as_init() -> Result<(), Failure> {
    if std::process::id() != 1 {
        return Ok(());
    }
    let always = Arc::new(AtomicBool::new(true));
    for (signal, exit) in [(SIGINT, Exit::Interrupted), (SIGTERM, Exit::Terminated)] {
        register_conditional_shutdown(signal, exit as i32, always.clone())
            .map_err(|error| Failure::system("signals", &error))?;
    }
    Ok(())
}
