//! Every thread of the library has a stack of the promised size, also one that lives for a moment.

use libtest_mimic::Failed;

use super::preloaded;
use super::program::{Argument, Program};

/// All kinds of threads: events, log, packer, and what the library makes for itself.
const WATCHES: Program = Program::new("tests/guest/threads.c", Some(Argument::Simulated(&[])));

/// pthread_create is another one here, which does not bear a small one.
pub fn are_not_small() -> Result<(), Failed> {
    let printed = preloaded::run(&WATCHES, "pthread_create")?;
    if !printed.contains("stacks: looked at ") || printed.contains("looked at 0 threads") {
        return Err(format!("pthread_create was not replaced: {printed}").into());
    }
    Ok(())
}
