//! A host process that is stopped as a whole: by a debugger, or a freezer.

use crate::blocked_callback::Made;
use crate::support::account::Account;
use crate::support::suite::{Outcome, Setup};

pub fn delays_no_start(setup: &mut Setup) -> Outcome {
    let made = Made::new(setup, 60, 140)?;
    let events = setup.follow()?;
    events.freeze()?;
    let started = made.start(setup);
    events.thaw()?;
    started?;
    made.wait_until_told(&events)?;
    let mut account = Account::of(events.finish()?);
    made.is_told_once(&mut account);
    setup.figure(&format!("200 starts while the host was stopped; lives told {}", account.lives()));
    Ok(account.close()?)
}
