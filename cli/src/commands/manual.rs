//! criwatch manual: the manual page criwatch(1), for those who package it.

use crate::args;
use crate::exit::{Exit, Failure};
use crate::terminal::Out;

/// Print the manual page criwatch(1)
#[derive(Debug, clap::Args)]
pub struct Args {}

pub fn run(_: &Args, out: &mut Out) -> Result<Exit, Failure> {
    out.bytes(&args::manual())?;
    Ok(Exit::Ok)
}
