//! A host process that is stopped as a whole: by a debugger, or a freezer. Nothing reads its socket then, and only the
//! engine and the kernel have room for events. containerd 2 has room for 100 events, and then waits for the slowest of
//! its subscribers.

use std::thread;

use crate::blocked_callback::{Made, WORKERS};
use crate::support::churn::start_all;
use crate::support::suite::{Outcome, Setup, Skipped};

/// The number of events that every engine surely has room for, in pods of two containers: an event has all statuses of its
/// pod. 184 were the fewest seen: the socket holds fewer events when each comes alone (docs/reliability.md).
const ROOM: usize = 130;
const MORE: usize = 120;

/// A stopped host delays no start as long as the engine has room for events, and after that only until the host goes on.
pub fn delays_no_start(setup: &mut Setup) -> Outcome {
    if setup.engine.containerd.is_none() {
        return Err(Skipped("an engine that others use is not held up").into());
    }
    // Only containerd 2 waits for its subscribers, so that only there the size of an event matters.
    let pods = if is_containerd_2(setup) { (ROOM + MORE) / 2 } else { 10 };
    let made = Made::in_pods(setup, pods, ROOM + MORE, 0)?;
    let driver = &setup.engine.pods;
    let (first, then) = made.lasting.split_at(ROOM);
    let events = setup.follow()?;
    events.freeze()?;
    start_all(driver, first, WORKERS)?;
    thread::scope(|scope| {
        let more = scope.spawn(|| start_all(driver, then, WORKERS));
        events.thaw()?;
        more.join().expect("the starts report their errors")
    })?;
    made.wait_until_reported(&events)?;
    let mut account = setup.account(events.finish()?);
    made.is_reported_once(&mut account);
    setup
        .figure(&format!("{ROOM} starts while the host was stopped; runs reported {}, unobservable 0", account.runs()));
    Ok(account.close()?)
}

fn is_containerd_2(setup: &Setup) -> bool {
    setup.engine.containerd.as_ref().is_some_and(|containerd| containerd.package().line == "2")
}

/// No engine waits for a host that polls.
pub fn delays_no_start_when_it_polls(setup: &mut Setup) -> Outcome {
    if setup.engine.containerd.is_some() && !is_containerd_2(setup) {
        return Err(Skipped("only containerd 2 waits for its subscribers").into());
    }
    let made = Made::new(setup, 60, 140)?;
    let events = setup.probe.clone().option("events", "poll").follow()?;
    events.freeze()?;
    let started = made.start(setup);
    events.thaw()?;
    started?;
    made.wait_until_reported(&events)?;
    let mut account = setup.account(events.finish()?);
    made.is_reported_once(&mut account);
    setup.figure(&format!("200 starts while the polling host was stopped; runs reported {}", account.runs()));
    Ok(account.close()?)
}
