//! Which events consumers get, in which order, and what happens to slow consumers.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::*;

/// A source of replays whose runs the test sets.
#[derive(Default)]
struct Runs(Mutex<Option<Vec<Arc<Container>>>>);

impl SnapshotSource for Runs {
    fn show(&self, with: &mut dyn FnMut(Snapshot)) {
        let runs = self.0.lock().unwrap();
        if let Some(runs) = &*runs {
            with(Snapshot { runs: runs.clone(), generation: 1, state: WatcherState::Watching, now: 5 });
        }
    }
}

fn run(id: &str) -> Arc<Container> {
    Container::new(id.into(), Kind::Container).into()
}

fn pending(event_type: EventType, container: Option<Arc<Container>>) -> PendingEvent {
    PendingEvent {
        event_type,
        flags: 0,
        changed: 0,
        time: 1,
        observed: 2,
        generation: 3,
        container,
        state: WatcherState::Watching,
        message: None,
        log_level: None,
    }
}

fn hub(runs: Option<&[&str]>) -> (Arc<Runs>, Arc<Hub>) {
    let cache = Arc::new(Runs::default());
    *cache.0.lock().unwrap() = runs.map(|ids| ids.iter().map(|id| run(id)).collect());
    (cache.clone(), Arc::new(Hub::new(cache)))
}

fn subscribe(hub: &Arc<Hub>, capacity: usize) -> Arc<EventQueue> {
    hub.subscribe(0, false, capacity, View::default()).unwrap()
}

/// All events in the queue, as words. Checks that `seq` grows.
fn drain(queue: &EventQueue) -> Vec<String> {
    let (mut words, mut seq) = (Vec::new(), 0);
    loop {
        assert_eq!(readable(queue), queue.has_something());
        match queue.next(Some(Duration::ZERO)) {
            Next::Event(event) => {
                assert!(event.seq > seq, "{} after {seq}", event.seq);
                seq = event.seq;
                let about = event.container.as_ref().map_or(String::new(), |c| format!(" {}", c.id));
                let lost = if event.lost > 0 { format!(" {}", event.lost) } else { String::new() };
                words.push(format!("{:?}{about}{lost}", event.event_type));
            }
            Next::Again => return words,
            Next::Closed => {
                words.push("Closed".into());
                return words;
            }
        }
    }
}

fn readable(queue: &EventQueue) -> bool {
    crate::host::is_readable(queue.fd())
}

/// A watcher that becomes ready just after the first look at it.
#[derive(Default)]
struct JustReady(Mutex<usize>);

impl SnapshotSource for JustReady {
    fn show(&self, with: &mut dyn FnMut(Snapshot)) {
        let mut looks = self.0.lock().unwrap();
        *looks += 1;
        if *looks > 1 {
            with(Snapshot { runs: vec![run("a")], generation: 1, state: WatcherState::Watching, now: 5 });
        }
    }
}

/// The other consumers have their first replay by then, and no other one would come.
#[test]
fn a_consumer_that_comes_in_the_moment_of_ready_gets_its_replay() {
    let hub = Arc::new(Hub::new(Arc::new(JustReady::default())));
    let queue = subscribe(&hub, 10);
    hub.publish(pending(EventType::Started, Some(run("b"))));
    assert_eq!(drain(&queue), ["ReplayBegin", "Started a", "ReplayEnd", "Started b"]);
}

#[test]
fn a_consumer_gets_a_replay_and_then_live_events_without_a_gap() {
    let (_, hub) = hub(Some(&["a", "b"]));
    let queue = subscribe(&hub, 10);
    hub.publish(pending(EventType::Started, Some(run("c"))));
    assert_eq!(drain(&queue), ["ReplayBegin", "Started a", "Started b", "ReplayEnd", "Started c"]);
    hub.publish(pending(EventType::Exited, Some(run("a"))));
    assert_eq!(drain(&queue), ["Exited a"]);
}

#[test]
fn before_the_watcher_is_ready_only_events_about_it_are_kept() {
    let (cache, hub) = hub(None);
    let queue = subscribe(&hub, 2);
    assert!(drain(&queue).is_empty());
    for _ in 0..3 {
        hub.publish(pending(EventType::State, None));
    }
    hub.publish(pending(EventType::Started, Some(run("x"))));
    *cache.0.lock().unwrap() = Some(vec![run("a")]);
    hub.initial_snapshot(&[run("a")], 1, WatcherState::Watching, 9);
    assert_eq!(drain(&queue), ["State", "State", "ReplayBegin", "Started a", "ReplayEnd"]);
}

#[test]
fn a_slow_consumer_gets_the_number_of_lost_events_and_a_new_replay() {
    let (cache, hub) = hub(Some(&["a"]));
    let (slow, quick) = (subscribe(&hub, 2), subscribe(&hub, 100));
    drain(&slow);
    drain(&quick);
    for id in ["b", "c", "d", "e"] {
        hub.publish(pending(EventType::Started, Some(run(id))));
    }
    *cache.0.lock().unwrap() = Some(vec![run("e")]);
    assert_eq!(drain(&slow), ["Overflow 4", "ReplayBegin", "Started e", "ReplayEnd"]);
    assert_eq!(drain(&quick), ["Started b", "Started c", "Started d", "Started e"]);
    hub.publish(pending(EventType::Exited, Some(run("e"))));
    assert_eq!(drain(&slow), ["Exited e"]);
    assert_eq!(hub.counts(), Counts { consumers: 2, published: 5, lost: 4, overflows: 1 });
}

fn next(queue: &EventQueue) -> Event {
    match queue.next(Some(Duration::ZERO)) {
        Next::Event(event) => event,
        other => panic!("an event is expected, not {other:?}"),
    }
}

#[test]
fn a_replay_that_has_begun_is_completed_before_the_loss_is_reported() {
    let (cache, hub) = hub(Some(&["a", "b"]));
    let queue = subscribe(&hub, 1);
    next(&queue);
    next(&queue);
    for id in ["c", "d", "e"] {
        hub.publish(pending(EventType::Started, Some(run(id))));
    }
    *cache.0.lock().unwrap() = Some(vec![run("e")]);
    let expected = ["Started b", "ReplayEnd", "Overflow 3", "ReplayBegin", "Started e", "ReplayEnd"];
    assert_eq!(drain(&queue), expected);
    hub.publish(pending(EventType::Exited, Some(run("e"))));
    assert_eq!(drain(&queue), ["Exited e"]);
    assert_eq!(hub.counts(), Counts { consumers: 1, published: 4, lost: 3, overflows: 1 });
}

/// However many events come between two reads, and however small the queue is, each replay ends.
#[test]
fn a_consumer_of_any_speed_sees_the_end_of_every_replay() {
    const RUNS: [&str; 5] = ["a", "b", "c", "d", "e"];
    for (capacity, events_per_read) in [(1, 1), (1, 2), (1, 7), (2, 3), (2, 50), (4, 5)] {
        let (_, hub) = hub(Some(&RUNS));
        let queue = subscribe(&hub, capacity);
        let (mut reads_since_begin, mut replays) = (None, 0);
        for _ in 0..200 {
            for _ in 0..events_per_read {
                hub.publish(pending(EventType::Updated, Some(run("a"))));
            }
            let event = next(&queue);
            reads_since_begin = match (event.event_type, reads_since_begin) {
                (EventType::ReplayBegin, None) => Some(0),
                (EventType::ReplayEnd, Some(reads)) => {
                    assert_eq!(reads, RUNS.len(), "capacity {capacity}, {events_per_read} events for each read");
                    replays += 1;
                    None
                }
                (EventType::Started, Some(reads)) => Some(reads + 1),
                (EventType::Overflow | EventType::Updated, None) => None,
                (other, at) => panic!("{other:?} at {at:?}"),
            };
        }
        // So many replays fit into 200 reads, with an OVERFLOW before each and at most a full queue in between.
        let most_reads_of_one = RUNS.len() + 3 + capacity;
        assert!(events_per_read == 1 || replays >= 200 / most_reads_of_one, "{replays} replays");
        // When the events stop, the consumer catches up.
        let rest = drain(&queue);
        assert!(rest.len() <= 2 * (RUNS.len() + 3) + capacity, "{rest:?}");
        assert!(drain(&queue).is_empty());
    }
}

#[test]
fn a_closed_hub_gives_the_rest_of_a_replay_and_the_replay_after_it() {
    let (_, hub) = hub(Some(&["a"]));
    let queue = subscribe(&hub, 1);
    next(&queue);
    for _ in 0..2 {
        hub.publish(pending(EventType::Updated, Some(run("a"))));
    }
    hub.close();
    let expected = ["Started a", "ReplayEnd", "Overflow 2", "ReplayBegin", "Started a", "ReplayEnd", "Closed"];
    assert_eq!(drain(&queue), expected);
}

#[test]
fn masks_hide_what_is_not_asked_for_but_never_the_control_events() {
    let (_, hub) = hub(Some(&["a"]));
    let queue = hub.subscribe(EventType::Exited.mask(), false, 1, View::default()).unwrap();
    assert_eq!(drain(&queue), ["ReplayBegin", "Started a", "ReplayEnd"]);
    hub.publish(pending(EventType::Started, Some(run("b"))));
    hub.publish(pending(EventType::State, None));
    hub.publish(pending(EventType::Exited, Some(run("b"))));
    assert_eq!(drain(&queue), ["Exited b"]);
}

#[test]
fn a_live_only_consumer_gets_no_replay_not_even_after_an_overflow() {
    let (_, hub) = hub(Some(&["a"]));
    let queue = hub.subscribe(0, true, 1, View::default()).unwrap();
    assert!(drain(&queue).is_empty());
    hub.publish(pending(EventType::Started, Some(run("b"))));
    hub.publish(pending(EventType::Started, Some(run("c"))));
    assert_eq!(drain(&queue), ["Overflow 2"]);
    hub.publish(pending(EventType::Exited, Some(run("c"))));
    assert_eq!(drain(&queue), ["Exited c"]);
}

#[test]
fn a_closed_hub_leaves_its_events_and_a_closed_queue_drops_them() {
    let (_, hub) = hub(Some(&[]));
    let (rest, nothing) = (subscribe(&hub, 10), subscribe(&hub, 10));
    nothing.close();
    assert_eq!(drain(&nothing), ["Closed"]);
    hub.publish(pending(EventType::Started, Some(run("b"))));
    hub.close();
    assert_eq!(drain(&rest), ["ReplayBegin", "ReplayEnd", "Started b", "Closed"]);
    assert_eq!(drain(&subscribe(&hub, 10)), ["ReplayBegin", "ReplayEnd", "Closed"], "subscribed too late");
}

#[test]
fn a_waiting_thread_is_woken_by_an_event_and_by_the_close() {
    let (_, hub) = hub(Some(&[]));
    let queue = subscribe(&hub, 10);
    drain(&queue);
    let waiting = std::thread::spawn({
        let queue = queue.clone();
        move || {
            let first = queue.next(None);
            (matches!(first, Next::Event(_)), matches!(queue.next(None), Next::Closed))
        }
    });
    hub.publish(pending(EventType::Started, Some(run("b"))));
    hub.close();
    assert_eq!(waiting.join().unwrap(), (true, true));
    assert!(
        matches!(subscribe(&hub, 1).next(Some(Duration::MAX)), Next::Event(_)),
        "a timeout beyond what the clock can say"
    );
}

/// Counts how often it is woken.
#[derive(Default)]
struct Alarm(std::sync::atomic::AtomicUsize);

impl std::task::Wake for Alarm {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
    }
}

#[test]
fn a_waiting_task_is_woken_by_an_event_and_by_the_close() {
    use std::task::{Context, Poll};
    let (_, hub) = hub(Some(&[]));
    let queue = subscribe(&hub, 1);
    drain(&queue);
    let alarm = Arc::new(Alarm::default());
    let waker = alarm.clone().into();
    let mut context = Context::from_waker(&waker);
    let woken = || alarm.0.load(std::sync::atomic::Ordering::SeqCst);
    assert!(queue.poll_next(&mut context).is_pending() && queue.poll_next(&mut context).is_pending());
    hub.publish(pending(EventType::Started, Some(run("b"))));
    assert_eq!(woken(), 1, "once for both polls");
    hub.publish(pending(EventType::Started, Some(run("c"))));
    let mut seen = Vec::new();
    while let Poll::Ready(Some(event)) = queue.poll_next(&mut context) {
        seen.push(event.event_type);
    }
    assert_eq!(seen, [EventType::Overflow, EventType::ReplayBegin, EventType::ReplayEnd]);
    hub.close();
    assert_eq!(woken(), 2);
    assert!(matches!(queue.poll_next(&mut context), Poll::Ready(None)));
}
