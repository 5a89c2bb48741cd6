//! An engine that is dead for half a minute, in which a hundred containers exit.

use std::collections::HashMap;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use criwatch::host::Proc;
use criwatch::host::pidfd::{Abilities, Expected, Process, ProcessState};
use criwatch::model::{CRI_CHANGED_EXIT, CRI_EVENT_FLAG_WITNESSED, Event, EventType, Time, WatcherState};

use crate::exits::{end, pid_of};
use crate::seen::Seen;
use crate::support::dice::Dice;
use crate::support::pods::{ContainerSpec, PodSpec};
use crate::support::suite::{Outcome, Setup, Skipped, unique};
use crate::support::wait::{self, PATIENCE};

const COUNT: usize = 100;
/// So many exit at the same time.
const AT_ONCE: usize = 5;
/// How long the engine is dead.
const OUTAGE: Duration = Duration::from_secs(30);

fn wall() -> Time {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_nanos() as Time)
}

/// When these processes have ended, by the wall clock. Looked at every tenth of a millisecond.
fn ends(processes: Vec<(String, Process)>) -> thread::JoinHandle<HashMap<String, Time>> {
    thread::spawn(move || {
        let (mut left, mut ended, deadline) = (processes, HashMap::new(), Instant::now() + PATIENCE);
        while !left.is_empty() && Instant::now() < deadline {
            left.retain(|(id, process)| {
                let is_alive = process.state().is_ok_and(|state| state == ProcessState::Alive);
                if !is_alive {
                    ended.insert(id.clone(), wall());
                }
                is_alive
            });
            thread::sleep(Duration::from_micros(100));
        }
        ended
    })
}

/// Containers exit with random codes all the time that the engine is dead: each is reported as the host shows it, with its code,
/// and the engine's return reports none of them again, nor takes a code away.
pub fn a_hundred_exits(setup: &mut Setup) -> Outcome {
    if setup.engine.containerd.is_none() {
        return Err(Skipped("only an engine of our own may be killed").into());
    }
    let mut dice = Dice::new(wall() as u64);
    let pod = setup.engine.pods.run_pod(&PodSpec::new("cri-lab", &unique("storm")))?;
    let mut codes = Vec::new();
    for n in 0..COUNT {
        let code = dice.below(256) as i32;
        let id = setup.engine.pods.run(&pod, &ContainerSpec::stoppable(&format!("c{n}"), code))?;
        codes.push((id, code));
    }
    let mut seen = Seen::of(&setup.engine.endpoint, &[])?;
    seen.wait_for_means("pidfds")?;
    let mut pids = HashMap::new();
    for (id, _) in &codes {
        pids.insert(id.clone(), pid_of(&seen, id)?);
    }
    setup.engine.containerd.as_mut().ok_or("no engine of our own")?.kill()?;
    wait::until("the watcher to notice", PATIENCE, || match seen.watcher.state() {
        WatcherState::Backoff => Ok(()),
        state => Err(format!("{state:?}")),
    })?;
    let (began, mut waits) = (Instant::now(), Vec::new());
    for (n, batch) in codes.chunks(AT_ONCE).enumerate() {
        // They exit all through the outage.
        let at = OUTAGE * (n * AT_ONCE) as u32 / COUNT as u32;
        thread::sleep(at.saturating_sub(began.elapsed()));
        let open = |id: &String| Process::open(&Proc::new("/".as_ref()), pids[id], Expected::default());
        let processes = batch.iter().map(|(id, _)| Ok((id.clone(), open(id)?))).collect::<Result<Vec<_>, _>>();
        let ended = ends(processes.map_err(|refusal: criwatch::host::Refusal| refusal.to_string())?);
        batch.iter().for_each(|(id, _)| end(pids[id]));
        let ended = ended.join().map_err(|_| "the thread that looks at processes panicked")?;
        for (id, code) in batch {
            let exited = seen.event(EventType::Exited, id)?;
            assert_ne!(exited.flags & CRI_EVENT_FLAG_WITNESSED, 0, "{exited:?}");
            if Abilities::get().exit.is_yes() {
                assert_eq!(code_of(&exited), Some(*code), "{id}");
            }
            waits.push(Duration::from_nanos((exited.observed - ended[id]).max(0) as u64));
        }
    }
    waits.sort();
    setup.figure(&format!(
        "{COUNT} exits in {:?} without the engine: reported after {:?} (p50), {:?} (slowest) from the process's end",
        began.elapsed(),
        waits[COUNT / 2],
        waits[COUNT - 1]
    ));
    is_reported_once(setup, &mut seen, &codes)
}

fn code_of(event: &Event) -> Option<i32> {
    event.container.as_ref().and_then(|c| c.exit.as_ref()).and_then(|exit| exit.code)
}

fn is_reported_once(setup: &mut Setup, seen: &mut Seen, codes: &[(String, i32)]) -> Outcome {
    seen.engine_returns(setup)?;
    for (id, code) in codes {
        let about = |e: &&Event| e.container.as_ref().is_some_and(|c| *c.id == **id);
        let reported: Vec<_> = seen.events.iter().filter(about).collect();
        let count = |kind| reported.iter().filter(|e| e.event_type == kind).count();
        assert_eq!((count(EventType::Started), count(EventType::Exited)), (1, 1), "{reported:?}");
        if Abilities::get().exit.is_yes() {
            let is_exit = |e: &&&Event| e.event_type == EventType::Updated && e.changed & CRI_CHANGED_EXIT != 0;
            let spoiled = reported.iter().filter(is_exit).filter(|e| code_of(e) != Some(*code)).count();
            assert_eq!(spoiled, 0, "containerd's 255 is worth less: {reported:?}");
        }
    }
    Ok(())
}
