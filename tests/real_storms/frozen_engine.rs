//! An engine that is stopped in its tracks for a while: its socket accepts, nothing answers.

use std::thread;
use std::time::{Duration, Instant};

use crate::barrier::{listed, running};
use crate::churn::{all_ids, fail_on, outlast_two_polls, wait_for_exits};
use crate::support::churn::{Churn, Span};
use crate::support::probe::Events;
use crate::support::suite::{Outcome, Setup, Skipped};
use crate::support::tap::Tap;
use crate::support::wait::{self, PATIENCE};

const FROZEN: Duration = Duration::from_secs(10);

pub fn survives_a_frozen_engine(setup: &mut Setup) -> Outcome {
    let Some(containerd) = setup.engine.containerd.as_ref() else {
        return Err(Skipped("an engine that is not ours is not stopped").into());
    };
    let tap = Tap::where_all_get_all(Some(containerd))?;
    let events = setup.follow()?;
    // It asks often and waits little, so that it notices, and connects anew. Where subscribers compete it has to poll.
    let nervous = setup.probe.clone().option("request.timeout_ms", "500").option("relist.interval_ms", "200");
    let nervous = nervous.option("events", if tap.is_some() { "stream" } else { "poll" }).follow()?;
    let driver = &setup.engine.pods;
    let churn = Churn::new(driver, 2)?;
    let lasts = || outlast_two_polls(&events, || false);
    let span = if events.list()?["engine"]["events"] == "stream" { Span::Brief } else { Span::While(&lasts) };
    thread::scope(|scope| -> Outcome {
        let workers = scope.spawn(|| churn.run(4, usize::MAX, span));
        let freeze = || -> Outcome {
            wait::for_condition("some runs", PATIENCE, || churn.runs().len() >= 8)?;
            containerd.freeze()?;
            let looked = look_at_the_caches(&events, &nervous);
            containerd.thaw()?;
            looked?;
            let before = churn.runs().len();
            wait::for_condition("runs afterwards", PATIENCE, || churn.runs().len() >= before + 8)?;
            Ok(())
        };
        let outcome = freeze();
        churn.stop();
        let errors = workers.join().expect("the churn reports its errors");
        outcome?;
        Ok(fail_on(errors)?)
    })?;
    let runs = churn.runs();
    wait_for_exits(&events, &runs)?;
    let truth = running(driver)?;
    assert_eq!(listed(&events.resync()?), truth, "it converges");
    assert_eq!(listed(&nervous.resync()?), truth, "the nervous one converges");
    let mut account = setup.account(events.finish()?);
    let reported_by_engine = tap.map(|tap| tap.delivered().exited);
    account.are_reported_with_their_facts(&runs, reported_by_engine.as_ref());
    let fallen = churn.pods_are_reported(&mut account)?;
    account.invents_nothing(&all_ids(&churn));
    let mut nervous = setup.account(nervous.finish()?);
    nervous.invents_nothing(&all_ids(&churn));
    setup.figure(&format!(
        "frozen for {FROZEN:?}: runs reported {}, unobservable 0, sandboxes that fell {fallen}",
        account.runs()
    ));
    account.close()?;
    Ok(nervous.close()?)
}

/// While the engine is frozen: the caches can be read, and say how old they are.
fn look_at_the_caches(events: &Events, nervous: &Events) -> Result<(), String> {
    let end = Instant::now() + FROZEN;
    wait::until(
        "the nervous one to say that the engine does not answer",
        PATIENCE,
        || match nervous.list()?["state"] {
            ref state if state == "backoff" => Ok(()),
            ref state => Err(format!("it says {state}")),
        },
    )?;
    let before = [events.list()?, nervous.list()?];
    // How long the fault lasts.
    thread::sleep(end.saturating_duration_since(Instant::now()));
    for (before, after) in before.into_iter().zip([events.list()?, nervous.list()?]) {
        if after["asOf"] != before["asOf"] || listed(&after).is_empty() {
            return Err(format!("the list of a frozen engine was\n{before:#}\nand became\n{after:#}"));
        }
    }
    match nervous.list()?["state"] {
        ref state if state == "backoff" => Ok(()),
        ref state => Err(format!("the state of a frozen engine became {state}")),
    }
}
