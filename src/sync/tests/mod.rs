//! Model tests with random schedules of changes and faults. After each, the reports must be exactly what the engine
//! showed. Tests of single rules, by hand, are beside them.

#![allow(clippy::print_stdout, reason = "a test's figures")]

mod change;
mod engine;
mod hints;
mod messages;
mod ready;
mod silence;
mod talk;
mod truth;
mod world;

use std::sync::atomic::{AtomicU64, Ordering};

use proptest::prelude::*;
use proptest::test_runner::{Config as Runs, RngAlgorithm, TestRng, TestRunner};

use engine::{Flavour, Lie};
use world::World;

use crate::model::Time;

/// One step: what happens, and a number that selects the thing to which it happens.
type Step = (u8, u8);

const STEPS: u8 = 42;
/// The number of steps that make the engine lie.
const LIES: u8 = 3;

fn take(world: &mut World, (what, which): Step) -> Result<(), String> {
    use crate::model::{Kind, State};
    let up = world.is_up();
    let pick = |world: &World, is_so: &dyn Fn(&engine::Thing) -> bool| world.engine.pick(which, is_so);
    let container = |state: State| move |t: &engine::Thing| t.kind == Kind::Container && t.state() == state;
    match what {
        0 | 1 if up => world.act(|e, now| e.run_pod(now)),
        2 | 3 if up => {
            if let Some(pod) = pick(world, &|t| t.kind == Kind::Sandbox && t.runs()) {
                world.act(|e, now| e.create(&pod, now));
            }
        }
        4 | 5 if up => {
            if let Some(id) = pick(world, &container(State::Created)) {
                world.act(|e, now| e.start(&id, now));
            }
        }
        // Processes also end while the engine is away.
        6 | 7 => {
            if let Some(id) = pick(world, &container(State::Running)) {
                world.act(|e, now| e.exit(&id, i32::from(which % 2), now));
            }
        }
        8 if up => {
            if let Some(id) = pick(world, &container(State::Exited)) {
                world.act(|e, now| e.remove(&id, now));
            }
        }
        9 if up => {
            if let Some(id) = pick(world, &|t| t.kind == Kind::Sandbox) {
                world.act(|e, now| e.remove_pod(&id, now));
            }
        }
        10 if up => {
            if let Some(id) = pick(world, &container(State::Created)) {
                world.act(|e, now| {
                    e.fail_to_start(&id, now);
                    Vec::new()
                });
            }
        }
        11 => {
            if let Some(id) = pick(world, &|t| t.kind == Kind::Sandbox && t.runs()) {
                world.act(|e, now| e.exit(&id, 0, now));
            }
        }
        12 | 13 => (0..=which % 4).try_for_each(|_| world.deliver())?,
        14 => world.compose_list(),
        15 | 16 => world.reply_list()?,
        17 | 18 => world.answer(which, false)?,
        // Sometimes the wait is so long that the run log forgets. No request takes that long; an event that does counts
        // as history.
        19 if which == 255 => {
            world.settle()?;
            world.pass(20 * 60 * 1000)?;
        }
        19 => world.pass(u64::from(which) * 10)?,
        20 => world.tamper(|pipe| drop(pipe.pop_front())),
        21 => world.tamper(|pipe| pipe.extend(pipe.front().cloned())),
        22 => world.tamper(|pipe| {
            if pipe.len() > 1 {
                pipe.swap(0, 1);
            }
        }),
        23 => world.tamper(|pipe| {
            if let Some(event) = pipe.front_mut() {
                event.sandbox = event.sandbox.take().filter(|_| which % 2 == 0);
                event.containers.clear();
            }
        }),
        24 => world.break_stream()?,
        25 if which % 4 == 0 => world.engine_goes()?,
        26 => world.engine_comes(),
        27 => world.connect()?,
        28 => match which % 4 {
            0 => world.fail_list()?,
            1 => world.answer(which, true)?,
            2 => drop(world.ask_for_resync()?),
            _ => world.headers()?,
        },
        29 => world.slow_listens(usize::from(which % 8) + 1)?,
        30 if which % 8 == 0 => world.set_clock_back(i64::from(which) * 10_000_000_000)?,
        31 => world.pack(which)?,
        32 => world.lose()?,
        33 => world.look()?,
        34 | 35 => world.find(which)?,
        36 | 37 => world.hint(which)?,
        38 => world.garble_hints(which),
        39 => world.mislead(which)?,
        40 => world.answer_at_the_end(which)?,
        41 => world.hint_early(which)?,
        42 | 43 => {
            if let Some(id) = pick(world, &|t| t.started.is_some()) {
                world.lie(&id, Lie::numbered(which / 8), which % 8 == 0);
            }
        }
        44 => drop(world.engine.lies.pop_first()),
        _ => {}
    }
    Ok(())
}

/// What a schedule is about.
#[derive(Debug, Clone, Copy)]
struct Setting {
    flavour: Flavour,
    packs: bool,
    /// Whether the engine has pid files.
    files: bool,
    /// Whether the host has hints.
    hints: bool,
}

fn run(setting: Setting, before: &[Step], steps: &[Step]) -> Result<u64, String> {
    run_to(World::verify, 0, setting, before, steps)
}

/// Takes these steps, and then the last one. The engine's clock is so far behind the node's.
fn run_to(
    last: fn(&mut World) -> Result<(), String>,
    behind: Time,
    Setting { flavour, packs, files, hints }: Setting,
    before: &[Step],
    steps: &[Step],
) -> Result<u64, String> {
    let mut world = World::new(flavour, |_| {});
    (world.has_pid_files, world.has_hints, world.behind) = (files, hints, behind);
    for step in before {
        // Before the watcher starts, only the engine acts.
        take(&mut world, (step.0 % 12, step.1))?;
    }
    world.watch(packs)?;
    world.connect()?;
    for step in steps {
        take(&mut world, *step)?;
        world.neglects_nothing()?;
    }
    last(&mut world)?;
    Ok(world.events_given)
}

fn schedules(steps: u8) -> impl Strategy<Value = (Setting, Vec<Step>, Vec<Step>)> {
    let flavour =
        prop_oneof![Just(Flavour::Containerd), Just(Flavour::Crio), Just(Flavour::Bare), Just(Flavour::Silent)];
    let step = || (0..steps, any::<u8>());
    let setting = (flavour, any::<bool>(), any::<bool>(), any::<bool>());
    let setting = setting.prop_map(|(flavour, packs, files, hints)| Setting { flavour, packs, files, hints });
    (setting, prop::collection::vec(step(), 0..12), prop::collection::vec(step(), 0..120))
}

/// How many schedules: `CRI_MODEL_SCHEDULES`, or as many as fit into a normal test run.
fn count() -> u32 {
    std::env::var("CRI_MODEL_SCHEDULES").ok().and_then(|n| n.parse().ok()).unwrap_or(10_000)
}

/// `CRI_MODEL_SEED`, or a new one each time.
fn seed() -> u64 {
    let given = std::env::var("CRI_MODEL_SEED").ok().and_then(|n| n.parse().ok());
    given.unwrap_or_else(|| crate::sync::shared_state::wall_clock() as u64)
}

#[test]
fn reports_are_what_was_there_to_be_seen() {
    explore(STEPS);
}

/// Lists and statuses that contradict each other for a while or for good, statuses that are not found or never come,
/// entries that cannot be decoded.
#[test]
fn reports_of_an_engine_that_contradicts_itself_are_what_its_lists_show() {
    explore(STEPS + LIES);
}

/// Where no event is lost, no list is needed: within seconds the cache is right, also where the engine's clock is behind, so
/// that each event looks like one of the past.
#[test]
fn events_alone_bring_the_cache_up_to_date() {
    let clock = prop_oneof![Just(0), Just(3_600_000_000_000)];
    explore_with((clock, schedules(STEPS)), |(behind, (setting, before, steps))| {
        // The others' events say less.
        let setting = Setting { flavour: Flavour::Containerd, ..*setting };
        let steps: Vec<Step> = steps.iter().copied().filter(|step| loses_nothing(*step)).collect();
        run_to(World::comes_to_rest_by_events, *behind, setting, before, &steps)
    });
}

/// Whether a step is no fault, and does not make a list old before it comes: it may show again what was removed meanwhile.
fn loses_nothing((what, which): Step) -> bool {
    matches!(what, 0..=13 | 15..=18 | 31 | 33 | 36 | 37 | 40 | 41) || what == 19 && which != 255
}

fn explore(steps: u8) {
    explore_with(schedules(steps), |(setting, before, steps)| run(*setting, before, steps));
}

/// Tries many of these schedules; `run` returns how many events it gave.
fn explore_with<S: Strategy>(schedules: S, run: impl Fn(&S::Value) -> Result<u64, String>) {
    let (seed, cases) = (seed(), count());
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let config = Runs { cases, failure_persistence: None, max_shrink_iters: 100_000, ..Runs::default() };
    let events = AtomicU64::new(0);
    let outcome = TestRunner::new_with_rng(config, rng).run(&schedules, |schedule| {
        let given = run(&schedule).map_err(TestCaseError::fail)?;
        events.fetch_add(given, Ordering::Relaxed);
        Ok(())
    });
    match outcome {
        Ok(()) => println!("{cases} schedules, {} events, seed {seed}", events.load(Ordering::Relaxed)),
        Err(failure) => panic!("{failure}\nCRI_MODEL_SEED={seed} CRI_MODEL_SCHEDULES={cases} repeats this"),
    }
}

/// Schedules that found a defect before.
#[test]
fn what_was_wrong_once_stays_right() {
    for (n, (flavour, before, steps)) in FOUND.iter().enumerate() {
        for (files, hints) in [(false, false), (true, false), (true, true), (false, true)] {
            let setting = Setting { flavour: *flavour, packs: false, files, hints };
            run(setting, before, steps).unwrap_or_else(|e| panic!("{n}: {setting:?}: {e}"));
        }
    }
}

type Schedule = (Flavour, &'static [Step], &'static [Step]);

#[rustfmt::skip]
const FOUND: &[Schedule] = &[
    (Flavour::Containerd, &[(0, 0)], &[(0, 0), (9, 158), (12, 106), (0, 0), (11, 6), (0, 0), (24, 0)]),
    (Flavour::Crio, &[(0, 0), (0, 0)], &[(0, 0), (11, 9), (20, 0), (23, 49), (0, 0), (0, 0)]),
    (Flavour::Containerd, &[(12, 0)], &[(0, 0), (0, 0), (0, 0), (2, 0), (9, 57), (2, 0), (2, 0), (2, 0), (15, 0), (2, 21), (2, 0), (2, 0), (2, 0), (10, 0), (19, 100), (0, 0), (0, 0), (14, 0), (24, 0), (9, 25), (0, 0)]),
    (Flavour::Bare, &[], &[(0, 0), (12, 0), (2, 0), (14, 0), (4, 0), (14, 0), (6, 0), (15, 0), (15, 0), (8, 0)]),
    (Flavour::Containerd, &[], &[(0, 0), (0, 0), (15, 0), (24, 0), (19, 10), (17, 0), (2, 0), (11, 0), (2, 0), (0, 0), (4, 0), (12, 12), (17, 0), (15, 0), (19, 20), (29, 0)]),
    (Flavour::Bare, &[], &[(0, 0), (0, 0), (2, 0), (15, 0), (4, 0), (12, 0), (14, 0), (6, 0), (24, 0), (8, 0), (19, 10)]),
    (Flavour::Bare, &[], &[(14, 0), (0, 0)]),
    (Flavour::Crio, &[], &[(15, 0), (0, 0), (23, 29), (21, 0), (0, 0), (0, 0), (0, 0)]),
    (Flavour::Crio, &[(12, 0)], &[(4, 0), (4, 0), (17, 0), (2, 0), (17, 0), (23, 0), (12, 0), (0, 0), (9, 13), (0, 0), (15, 0), (17, 0), (4, 0), (19, 3), (12, 12), (24, 0), (14, 0), (9, 30), (17, 235)]),
    (Flavour::Bare, &[(12, 0), (26, 0)], &[(15, 0), (20, 0), (19, 100), (4, 0), (14, 0), (17, 0), (12, 61), (24, 0), (0, 0), (19, 10), (12, 5), (9, 50), (17, 120), (15, 0), (28, 161), (24, 0)]),
    (Flavour::Bare, &[(0, 0), (12, 0), (12, 0), (26, 0)], &[(0, 0), (24, 0), (2, 0), (4, 91), (0, 0), (8, 0), (0, 0), (0, 0), (0, 0), (0, 0), (0, 0), (0, 0), (0, 0), (19, 10), (15, 0), (22, 0), (12, 180), (0, 0), (28, 117)]),
    // Engines that contradict themselves.
    (Flavour::Silent, &[(0, 0)], &[(15, 0), (2, 0), (2, 0), (4, 0), (4, 0), (33, 42), (28, 58), (14, 0)]),
    (Flavour::Containerd, &[(12, 0), (12, 0)], &[(15, 0), (12, 0), (33, 56), (17, 48), (33, 122), (15, 0), (0, 0), (19, 50), (17, 5), (24, 0), (0, 0), (14, 0)]),
    (Flavour::Containerd, &[], &[(0, 0), (9, 0), (2, 0), (2, 0), (0, 0), (9, 0), (14, 0), (2, 0), (2, 0), (0, 0), (2, 0), (12, 0), (4, 0), (15, 0), (33, 40), (12, 0), (15, 0), (10, 0), (33, 92)]),
    (Flavour::Crio, &[], &[(0, 0), (33, 120), (14, 0), (33, 128)]),
    (Flavour::Containerd, &[], &[(0, 0), (14, 0), (11, 0), (0, 0), (33, 128), (15, 0), (17, 0), (0, 0), (0, 0), (0, 0), (33, 120)]),
    (Flavour::Containerd, &[], &[(0, 0), (2, 0), (2, 0), (4, 0), (0, 0), (0, 0), (2, 0), (24, 0), (0, 0), (4, 0), (15, 0), (2, 0), (2, 0), (9, 4), (33, 40), (33, 131), (11, 137), (0, 0), (0, 0), (17, 0), (17, 239)]),
    (Flavour::Containerd, &[(12, 0), (12, 0), (14, 0), (2, 0)], &[(4, 0), (33, 32), (11, 0), (4, 0), (6, 0), (4, 0), (8, 0), (0, 0), (10, 0), (4, 0), (15, 0), (10, 0), (8, 0), (2, 0), (0, 0), (8, 0), (24, 0), (33, 255), (8, 0), (2, 0), (12, 0), (0, 0), (0, 0), (0, 0), (17, 20), (0, 0), (33, 0), (15, 0)]),
    (Flavour::Containerd, &[(12, 0)], &[(33, 24), (0, 0), (24, 0), (15, 0), (33, 164), (11, 29), (2, 0), (0, 0), (0, 0), (0, 0), (0, 0), (11, 7), (15, 0), (9, 52), (0, 0), (11, 56), (25, 12), (0, 0), (30, 24)]),
    (Flavour::Containerd, &[(36, 0), (0, 0)], &[(0, 0), (4, 0), (0, 0), (4, 0), (4, 0), (15, 0), (11, 0), (36, 73), (11, 0), (36, 154), (38, 69), (25, 4), (0, 0), (36, 18), (0, 0), (19, 10), (36, 109), (15, 0), (40, 0)]),
    (Flavour::Silent, &[(12, 0), (38, 0)], &[(0, 0), (4, 0), (0, 0), (40, 107), (15, 0), (0, 0), (19, 200), (6, 0), (28, 1), (40, 178), (2, 0), (9, 4), (4, 0), (0, 0), (0, 0), (40, 24), (0, 0), (40, 104), (17, 45), (2, 0), (17, 72), (0, 0), (15, 0), (0, 0), (17, 84), (17, 123)]),
    (Flavour::Silent, &[(0, 0)], &[(0, 0), (0, 0), (40, 154), (2, 0), (6, 0), (14, 0), (0, 0), (15, 0), (36, 101), (2, 0), (17, 0), (0, 0), (36, 50), (17, 0), (40, 186), (0, 0), (19, 1), (29, 2), (29, 1), (0, 0), (0, 0), (0, 0), (29, 0), (40, 121), (17, 103), (19, 99), (15, 0), (17, 105), (29, 0)]),
    // A status that is newer than the list that came after it.
    (Flavour::Containerd, &[], &[(24, 0), (15, 0), (41, 1), (28, 108), (25, 92), (19, 10), (26, 0), (14, 0), (0, 0), (17, 0)]),
    // A list shows an exit too early, and then a status shows the end of the process.
    (Flavour::Containerd, &[], &[(2, 0), (0, 0), (2, 0), (4, 0), (12, 0), (12, 0), (15, 0), (2, 0), (42, 125), (4, 0), (17, 20), (42, 165), (14, 0), (44, 0), (15, 0), (40, 0)]),
];
