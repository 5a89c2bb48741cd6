//! The crate as Rust users see it, on the simulated engine: events as a stream, typed clients, calls, the packer.

#[path = "support/sim.rs"]
mod sim;
#[path = "support/wait.rs"]
#[allow(dead_code)] // One of its two functions.
mod wait;

use std::time::Duration;

use criwatch::config::Config;
use criwatch::cri::proto::{ListContainersRequest, ListImagesRequest};
use criwatch::error::{
    CRI_E_CONNECT, CRI_E_NOT_FOUND, CRI_E_NOT_READY, CRI_E_PERMISSION, CRI_E_STATE, CRI_E_STOPPED, CRI_E_TIMEOUT,
    CRI_E_UNSUPPORTED,
};
use criwatch::model::{Event, EventType};
use criwatch::watcher::{Events, Watcher};

const PATIENCE: Duration = Duration::from_secs(60);

fn in_runtime<T>(task: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async { tokio::time::timeout(PATIENCE, task).await.expect("within a minute") })
}

/// Not even tokio.
fn block_on<T>(task: impl Future<Output = T>) -> T {
    struct Unpark(std::thread::Thread);
    impl std::task::Wake for Unpark {
        fn wake(self: std::sync::Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = std::sync::Arc::new(Unpark(std::thread::current())).into();
    let mut task = std::pin::pin!(task);
    let deadline = std::time::Instant::now() + PATIENCE;
    loop {
        if let std::task::Poll::Ready(output) = task.as_mut().poll(&mut std::task::Context::from_waker(&waker)) {
            return output;
        }
        assert!(std::time::Instant::now() < deadline, "within a minute");
        std::thread::park_timeout(PATIENCE);
    }
}

fn watcher(sim: &sim::Sim) -> Watcher {
    Watcher::new(Some(sim.endpoint()), Config::default()).expect("an endpoint")
}

/// The next event of this type about a container of this name.
async fn next_about(events: &mut Events, event_type: EventType, name: &str) -> Event {
    loop {
        let event = events.next().await.expect("the watcher has not stopped");
        if event.event_type == event_type && event.container.as_ref().is_some_and(|c| *c.name == *name) {
            return event;
        }
    }
}

#[test]
fn events_are_awaited_and_end_with_the_watcher() {
    let mut sim = sim::Sim::start(&[]).expect("a simulated engine");
    sim.tell("pod web ns=shop app").expect("a pod");
    let watcher = watcher(&sim);
    in_runtime(async {
        let mut events = watcher.events(0, 0, 0).expect("a consumer");
        watcher.start().expect("a thread");
        let started = next_about(&mut events, EventType::Started, "app").await;
        assert!(started.container.expect("it is about one").pid.is_some());
        // Awaited before it happens, and by a task that is given up and begun anew.
        let waiting = tokio::time::timeout(Duration::ZERO, next_about(&mut events, EventType::Exited, "app"));
        assert!(waiting.await.is_err(), "nothing has exited");
        let (event, ()) = tokio::join!(next_about(&mut events, EventType::Exited, "app"), async {
            tokio::task::yield_now().await;
            sim.tell("kill app KILL").expect("it runs");
        });
        let exit = event.container.expect("it is about one").exit.clone();
        assert_eq!(exit.expect("it has exited").code, Some(137));
        watcher.stop().expect("it runs");
        while let Some(event) = events.next().await {
            assert_ne!(event.event_type, EventType::Started);
        }
    });
}

#[test]
fn what_waits_is_awaited_on_any_runtime() {
    let mut sim = sim::Sim::start(&[]).expect("a simulated engine");
    sim.tell("pod web ns=shop app").expect("a pod");
    let watcher = watcher(&sim);
    let early = block_on(watcher.wait_ready_async()).expect_err("not started");
    assert_eq!(early.status(), CRI_E_STATE);
    block_on(watcher.resync_async()).expect("a cache, without a start");
    let inspected = block_on(watcher.inspect_async("shop/web/app", 0)).expect("it runs");
    assert!(inspected.as_str().contains("criwatch.inspect/1"));
    assert_eq!(&*watcher.engine().expect("it is known").runtime_name, "containerd");
    // spawn wants futures that may be carried from thread to thread.
    in_runtime(async {
        let watcher = std::sync::Arc::new(watcher);
        watcher.start().expect("a thread");
        let tasks: Vec<_> = (0..8)
            .map(|_| {
                let watcher = watcher.clone();
                tokio::spawn(async move {
                    watcher.wait_ready_async().await?;
                    watcher.resync_async().await?;
                    if cfg!(feature = "call") {
                        watcher.call_async("RuntimeService/Version", None).await?;
                    }
                    watcher.inspect_async("web/nothing", 0).await
                })
            })
            .collect();
        for task in tasks {
            assert_eq!(task.await.expect("no panic").expect_err("no such thing").status(), CRI_E_NOT_FOUND);
        }
    });
}

#[test]
fn a_future_that_is_dropped_takes_its_request_along() {
    let mut sim = sim::Sim::start(&[]).expect("a simulated engine");
    let watcher = watcher(&sim);
    watcher.start().expect("a thread");
    watcher.wait_ready(Some(PATIENCE)).expect("it gets ready");
    sim.tell("fault stall on").expect("a fault");
    for _ in 0..3 {
        let nothing = std::time::Duration::ZERO;
        assert_eq!(watcher.resync(Some(nothing)).expect_err("it stalls").status(), CRI_E_TIMEOUT);
        in_runtime(async {
            assert!(tokio::time::timeout(nothing, watcher.resync_async()).await.is_err(), "it stalls");
            assert!(tokio::time::timeout(nothing, watcher.inspect_async("web/app", 0)).await.is_err(), "it stalls");
        });
    }
    // A call that waits when the watcher stops fails.
    let (stopped, ()) = in_runtime(async {
        tokio::join!(watcher.resync_async(), async {
            tokio::task::yield_now().await;
            watcher.stop().expect("it runs");
        })
    });
    assert_eq!(stopped.expect_err("it stalls").status(), CRI_E_STOPPED);
    let late = block_on(watcher.wait_ready_async()).expect_err("it was stopped");
    assert_eq!(late.status(), CRI_E_STOPPED);
    sim.tell("fault stall off").expect("no fault");
}

#[test]
fn typed_clients_have_connections_of_their_own() {
    let mut sim = sim::Sim::start(&[]).expect("a simulated engine");
    sim.tell("pod web ns=shop app").expect("a pod");
    let watcher = watcher(&sim);
    in_runtime(async {
        let mut runtime = watcher.runtime_service().await.expect("a connection");
        let mut images = watcher.image_service().await.expect("a connection");
        drop(watcher);
        let listed = runtime.list_containers(ListContainersRequest::default()).await.expect("a list").into_inner();
        assert_eq!(listed.containers.len(), 1);
        images.list_images(ListImagesRequest::default()).await.expect("a list");
    });
}

#[test]
fn any_rpc_is_called_by_name() {
    let sim = sim::Sim::start(&[]).expect("a simulated engine");
    let watcher = watcher(&sim);
    let reply = watcher.call("RuntimeService/Version", None, Some(PATIENCE));
    if !cfg!(feature = "call") {
        assert_eq!(reply.expect_err("no calls in this build").status(), CRI_E_UNSUPPORTED);
        return;
    }
    let reply: serde_json::Value = serde_json::from_str(reply.expect("a version").as_str()).expect("JSON");
    assert_eq!(reply["runtimeApiVersion"], "v1");
    let refused = watcher.call("RuntimeService/RemovePodSandbox", None, Some(PATIENCE)).expect_err("it changes things");
    assert_eq!(refused.status(), CRI_E_PERMISSION);
    // The simulated engine does not know it: an engine's refusal has the engine's code.
    let unknown =
        watcher.call("RuntimeService/ListMetricDescriptors", None, Some(PATIENCE)).expect_err("not simulated");
    assert_eq!((unknown.status(), unknown.grpc_code()), (CRI_E_UNSUPPORTED, Some(12)));
}

#[test]
fn stats_count_what_the_engine_was_asked() {
    let mut sim = sim::Sim::start(&[]).expect("a simulated engine");
    sim.tell("pod web ns=shop app").expect("a pod");
    let watcher = watcher(&sim);
    watcher.start().expect("a thread");
    watcher.wait_ready(Some(PATIENCE)).expect("it gets ready");
    sim.tell("wait-subscribed 1").expect("it subscribes");
    sim.tell("kill app KILL").expect("it runs");
    watcher.resync(Some(PATIENCE)).expect("a list");
    watcher.inspect("nobody", 0, Some(PATIENCE)).expect_err("there is none");
    watcher.inspect(&"0".repeat(64), 0, Some(PATIENCE)).expect_err("there is no such id");
    let stats =
        || -> serde_json::Value { serde_json::from_str(watcher.stats().expect("numbers").as_str()).expect("JSON") };
    wait::for_condition("an event of the engine", PATIENCE, || !stats()["eventLag"].is_null()).expect("it lags");
    const RPCS: [&str; 5] = ["Version", "ListContainers", "ListPodSandbox", "ContainerStatus", "PodSandboxStatus"];
    let mut served = || -> Vec<u64> {
        let served = sim.tell("stats").expect("what it was asked");
        let of =
            |rpc: &str| served.split(' ').find_map(|word| word.strip_prefix(&format!("{rpc}=")).map(str::to_owned));
        RPCS.map(|rpc| of(rpc).map_or(0, |n| n.parse().expect("a number"))).to_vec()
    };
    let counted = || RPCS.map(|rpc| stats()["requests"][rpc]["count"].as_u64().expect("a count")).to_vec();
    // A request under way is served and not counted yet.
    wait::until("each request to be counted", PATIENCE, || match (counted(), served()) {
        (counted, served) if counted == served => Ok(()),
        (counted, served) => Err(format!("{RPCS:?}: counted {counted:?}, served {served:?}")),
    })
    .expect("they agree");
    watcher.stop().expect("it runs");
    let counted = stats();
    for rpc in RPCS {
        let cost = &counted["requests"][rpc];
        assert_ne!(cost["count"], 0, "{rpc}: {cost}");
        assert!(cost["maxMicros"].as_u64() <= cost["totalMicros"].as_u64() && cost["maxMicros"] != 0, "{rpc}: {cost}");
    }
    assert_eq!(counted["requests"]["Version"]["failures"], 0);
    for rpc in ["ContainerStatus", "PodSandboxStatus"] {
        let cost = &counted["requests"][rpc];
        assert_eq!(
            (&cost["notFound"], &cost["failures"]),
            (&2.into(), &0.into()),
            "{rpc}: {cost}: the verbose status and the plain one are not found: answers, no failures"
        );
    }
    for name in ["resyncs", "overflows", "unresolved", "eventsLost"] {
        assert!(counted["stats"][name].is_u64(), "{name}: {counted}");
    }
    assert_eq!(counted["stats"]["resyncs"], 1);
}

#[test]
fn a_packer_is_any_closure() {
    let mut sim = sim::Sim::start(&[]).expect("a simulated engine");
    sim.tell("pod web ns=shop app -- sleep 1000").expect("a pod");
    let watcher = watcher(&sim);
    let (send, inspected) = std::sync::mpsc::channel();
    let pack = move |container: &str, inspection: &str| {
        send.send((container.to_owned(), inspection.to_owned())).ok()?;
        container.contains("\"app\"").then(|| r#"{"mine":true}"#.to_owned())
    };
    watcher.set_packer(pack).expect("it has none yet");
    assert_eq!(watcher.set_packer(|_, _| None).expect_err("it has one").status(), CRI_E_STATE);
    in_runtime(async {
        let mut events = watcher.events(0, 0, 0).expect("a consumer");
        watcher.start().expect("a thread");
        let mut event = next_about(&mut events, EventType::Started, "app").await;
        if event.container.as_ref().is_some_and(|c| c.rucksack.is_none()) {
            // The machine was too slow for the packer's patience.
            event = next_about(&mut events, EventType::Updated, "app").await;
        }
        let rucksack = event.container.expect("it is about one").rucksack.clone();
        assert_eq!(rucksack.expect("packed").as_str(), r#"{"mine":true}"#);
    });
    watcher.stop().expect("it runs");
    let all: Vec<_> = inspected.iter().collect();
    assert_eq!(all.len(), 2, "a sandbox and a container, each once: {all:?}");
    assert!(all.iter().all(|(_, inspection)| inspection.contains("\"schema\":\"criwatch.inspect/1\"")));
}

#[test]
fn a_stop_ends_a_call_that_waits_for_ever() {
    let mut sim = sim::Sim::start(&[]).expect("a simulated engine");
    let watcher = watcher(&sim);
    watcher.start().expect("a thread");
    watcher.wait_ready(Some(PATIENCE)).expect("it gets ready");
    sim.tell("fault stall on").expect("a fault");
    if cfg!(feature = "call") {
        let late = watcher.call("RuntimeService/Version", None, Some(Duration::from_millis(1))).expect_err("it stalls");
        assert_eq!(late.status(), CRI_E_TIMEOUT);
        std::thread::scope(|scope| {
            let call = scope.spawn(|| watcher.call("RuntimeService/Version", None, None));
            watcher.stop().expect("it runs");
            assert_eq!(call.join().expect("no panic").expect_err("it stalls").status(), CRI_E_STOPPED);
        });
    }
    sim.tell("fault stall off").expect("no fault");
}

/// A server of another kind accepts a connection and then breaks it.
#[test]
fn the_cause_of_a_broken_connection_is_named_once() {
    for answer in [&b""[..], b"HTTP/1.1 400 Bad Request\r\n\r\n"] {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("cri.sock");
        let listener = std::os::unix::net::UnixListener::bind(&path).expect("a socket");
        std::thread::spawn(move || {
            while let Ok((mut connection, _)) = listener.accept() {
                // A client that is gone already gets no answer.
                let _ = std::io::Write::write_all(&mut connection, answer);
            }
        });
        let watcher = Watcher::new(path.to_str(), Config::default()).expect("an endpoint");
        for _ in 0..20 {
            let error = watcher.inspect("nginx", 0, Some(PATIENCE)).expect_err("it is no engine");
            let mut parts: Vec<&str> = error.message().split(": ").collect();
            let all = parts.len();
            parts.sort_unstable();
            parts.dedup();
            assert_eq!(parts.len(), all, "{error}");
            assert!(!error.message().contains("transport error"), "{error}");
            assert_eq!(error.status(), CRI_E_CONNECT, "{error}");
        }
    }
}

/// Whether trying again helps is the same answer, whichever call gives it.
#[test]
fn not_ready_is_retriable_exactly_while_it_may_become_ready_by_itself() {
    let watcher = Watcher::new(Some("unix:///nowhere/cri.sock"), Config::default()).unwrap();
    let list = || watcher.list(None).map(drop).expect_err("there is no engine");
    let wait = || watcher.wait_ready(Some(Duration::from_millis(1))).expect_err("there is no engine");
    let both = || (list().status(), list().is_retriable(), wait().status(), wait().is_retriable());
    assert_eq!(both(), (CRI_E_NOT_READY, false, CRI_E_STATE, false), "never started");
    watcher.start().unwrap();
    assert_eq!(both(), (CRI_E_NOT_READY, true, CRI_E_TIMEOUT, true), "started");
    watcher.stop().unwrap();
    assert_eq!(both(), (CRI_E_NOT_READY, false, CRI_E_STOPPED, false), "stopped");
}
