//! Watchers without an engine: the answers before the start, and after the stop.

use std::time::Duration;

use super::*;
use crate::error::CRI_E_STATE;

fn watcher() -> Watcher {
    let config = Config { reconnect_min: Duration::from_millis(10), ..Config::default() };
    Watcher::new(Some("/nonexistent/criwatch-test.sock"), config).expect("an endpoint")
}

/// There is no timeout: if it were not refused, it would wait for ever.
#[test]
fn waiting_for_a_watcher_that_was_never_started_is_refused_at_once() {
    let watcher = watcher();
    let refusals = [
        watcher.wait_ready(None).unwrap_err(),
        super::waiting::wait(watcher.wait_ready_async(), None).expect("no timeout").unwrap_err(),
        watcher.refuse_unstarted("events").unwrap_err(),
    ];
    for (error, what) in refusals.iter().zip(["wait_ready", "wait_ready", "events"]) {
        assert_eq!(error.status(), CRI_E_STATE, "{error}");
        assert_eq!(error.message(), format!("{what}: the watcher was never started (start it first)"));
    }
    assert_eq!(watcher.state(), WatcherState::New);
}

#[test]
fn a_started_watcher_is_never_new() {
    for _ in 0..50 {
        let watcher = watcher();
        watcher.start().expect("a thread");
        assert_ne!(watcher.state(), WatcherState::New);
        watcher.refuse_unstarted("events").expect("it was started");
        watcher.stop().expect("not forked");
        assert_eq!(watcher.state(), WatcherState::Stopped);
    }
}

/// A thread may wait on a queue that the program has made, while another one starts the watcher.
#[test]
fn a_queue_made_before_the_start_gets_what_comes_after_it() {
    let watcher = watcher();
    let queue = watcher.subscribe(0, 0, 0).expect("an eventfd");
    std::thread::scope(|threads| {
        let waiting = threads.spawn(|| queue.next(None));
        watcher.start().expect("a thread");
        let Next::Event(first) = waiting.join().expect("it does not panic") else { panic!("an event is expected") };
        assert_eq!((first.event_type, first.state), (EventType::State, WatcherState::Connecting));
    });
}

#[test]
fn a_watcher_stopped_before_its_start_answers_that_it_was_stopped() {
    let watcher = watcher();
    let queue = watcher.subscribe(0, 0, 0).expect("an eventfd");
    watcher.stop().expect("not forked");
    assert!(matches!(queue.next(None), Next::Closed));
    assert_eq!(watcher.wait_ready(None).unwrap_err().status(), CRI_E_STOPPED);
    assert_eq!(watcher.resync(None).unwrap_err().status(), CRI_E_STOPPED);
}

/// All names come from the table, so every counter in it is shown, in the table's order.
#[test]
fn every_counter_of_the_table_is_in_the_statistics() {
    let stats: serde_json::Value = serde_json::from_str(watcher().stats().expect("numbers").as_str()).expect("JSON");
    let mut shown: Vec<&str> = stats["stats"].as_object().expect("an object").keys().map(String::as_str).collect();
    let mut table: Vec<&str> = crate::model::metrics::COUNTERS.iter().map(|counter| counter.name).collect();
    shown.sort_unstable();
    table.sort_unstable();
    assert_eq!(shown, table);
}

/// Applying the first list of a large node takes a second, under the writer's lock. Whatever does not need that lock
/// goes on meanwhile.
#[test]
fn nobody_who_reads_waits_for_the_writer() {
    let watcher = Arc::new(watcher());
    let reader = watcher.clone();
    let _writing = watcher.shared.write();
    let (done, is_done) = std::sync::mpsc::channel();
    // The thread is not joined: if it waits, it waits as long as the lock is held.
    std::thread::spawn(move || {
        assert_eq!((reader.state(), reader.generation()), (WatcherState::New, 0));
        reader.stats().expect("numbers");
        reader.metrics().expect("numbers");
        reader.engine_info().expect("what is known of the engine");
        assert_eq!(reader.list(None).unwrap_err().status(), CRI_E_NOT_READY);
        assert_eq!(reader.snapshot().unwrap_err().status(), CRI_E_NOT_READY);
        assert_eq!(reader.wait_ready(Some(Duration::ZERO)).unwrap_err().status(), CRI_E_STATE);
        assert!(matches!(reader.subscribe(0, 0, 0).expect("an eventfd").next(Some(Duration::ZERO)), Next::Again));
        done.send(()).expect("the test waits");
    });
    is_done.recv_timeout(Duration::from_secs(60)).expect("a reader waits for the writer, or has failed");
}
