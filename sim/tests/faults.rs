//! Each fault, seen by a client.

mod support;

use std::time::Duration;

use support::*;
use tokio::time::timeout;

/// Long enough for an answer that nothing delays, and short enough for a test that expects no answer.
const SILENCE: Duration = Duration::from_millis(300);

async fn version(client: &mut Runtime) -> Result<(), tonic::Status> {
    client.version(pb::VersionRequest::default()).await.map(drop)
}

#[tokio::test]
async fn stalled_calls_hang_until_it_is_off() {
    let mut sim = Sim::start(&[]).await;
    let mut client = sim.runtime().await;
    sim.ok("fault stall on").await;
    let mut call = tokio::spawn(async move { version(&mut client).await });
    assert!(timeout(SILENCE, &mut call).await.is_err());
    sim.ok("fault stall off").await;
    timeout(DEADLINE, call).await.unwrap().unwrap().unwrap();
    sim.finish().await;
}

#[tokio::test]
async fn slow_calls_take_their_time() {
    let mut sim = Sim::start(&[]).await;
    let mut client = sim.runtime().await;
    sim.ok("fault slow 200ms").await;
    let before = std::time::Instant::now();
    version(&mut client).await.unwrap();
    assert!(before.elapsed() >= Duration::from_millis(200));
    sim.ok("fault slow off").await;
    version(&mut client).await.unwrap();
    sim.finish().await;
}

#[tokio::test]
async fn a_mute_engine_accepts_and_never_answers() {
    let mut sim = Sim::start(&[]).await;
    let mut old = sim.runtime().await;
    version(&mut old).await.unwrap();
    sim.ok("fault mute on").await;
    let mut call = tokio::spawn(async move { version(&mut old).await });
    let mut new = sim.runtime().await;
    assert!(timeout(SILENCE, version(&mut new)).await.is_err());
    assert!(!call.is_finished());
    sim.ok("fault mute off").await;
    timeout(DEADLINE, &mut call).await.unwrap().unwrap().unwrap();
    timeout(DEADLINE, version(&mut new)).await.unwrap().unwrap();
    sim.finish().await;
}

#[tokio::test]
async fn a_starting_engine_refuses() {
    let mut sim = Sim::start(&[]).await;
    let mut client = sim.runtime().await;
    for (name, code) in [("unknown", tonic::Code::Unknown), ("unavailable", tonic::Code::Unavailable)] {
        sim.ok(&format!("fault not-initialized {name}")).await;
        let status = version(&mut client).await.unwrap_err();
        assert_eq!((status.code(), status.message()), (code, "server is not initialized yet"));
    }
    sim.ok("fault not-initialized off").await;
    version(&mut client).await.unwrap();
    sim.finish().await;
}

#[tokio::test]
async fn an_engine_without_cri_knows_no_such_service() {
    let mut sim = Sim::start(&[]).await;
    let mut client = sim.runtime().await;
    sim.ok("fault not-served on").await;
    let status = version(&mut client).await.unwrap_err();
    let text = "unknown service runtime.v1.RuntimeService";
    assert_eq!((status.code(), status.message()), (tonic::Code::Unimplemented, text));
    sim.ok("fault not-served off").await;
    version(&mut client).await.unwrap();
    sim.finish().await;
}

#[tokio::test]
async fn an_event_out_of_turn_shows_things_as_they_are() {
    let mut sim = Sim::start(&[]).await;
    let mut events = Events::subscribe(&mut sim).await;
    let pod = sim.id("pod web app").await;
    events.take(4).await;
    let app = sim.id("tell deleted app").await;
    let event = events.event().await;
    assert_eq!((event.container_event_type(), &event.container_id), (Kind::ContainerDeletedEvent, &app));
    assert_eq!(event.containers_statuses[0].state(), pb::ContainerState::ContainerRunning);
    assert_eq!(sim.id("tell stopped web").await, pod);
    assert_eq!(events.take(1).await, [(Kind::ContainerStoppedEvent, pod)]);
    sim.finish().await;
}

#[tokio::test]
async fn an_oom_kill_is_noticed_late_and_without_an_event() {
    let mut sim = Sim::start(&[]).await;
    let mut client = sim.runtime().await;
    let mut events = Events::subscribe(&mut sim).await;
    sim.ok("pod web app").await;
    events.take(4).await;
    let app = sim.id("oom app 300ms").await;
    let event = events.event().await;
    let status = &event.containers_statuses[0];
    assert_eq!((status.exit_code, status.reason.as_str()), (137, "Error"));
    let noticed = async {
        while verbose_container(&mut client, &app).await.0.reason != "OOMKilled" {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(DEADLINE, noticed).await.unwrap();
    assert!(events.is_silent());
    sim.finish().await;
}

#[tokio::test]
async fn events_are_dropped_doubled_swapped_and_replayed() {
    let mut sim = Sim::start(&[]).await;
    let mut events = Events::subscribe(&mut sim).await;
    sim.ok("fault drop-events 3").await;
    let a = sim.id("run-pod a").await;
    let b = sim.id("run-pod b").await;
    assert_eq!(events.take(1).await, [(Kind::ContainerStartedEvent, b.clone())]);
    sim.ok("fault duplicate-events on").await;
    let c = sim.id("run-pod c").await;
    let (created, started) = ((Kind::ContainerCreatedEvent, c.clone()), (Kind::ContainerStartedEvent, c));
    assert_eq!(events.take(4).await, [created.clone(), created, started.clone(), started]);
    sim.ok("fault duplicate-events off").await;
    sim.ok("fault reorder-events on").await;
    let d = sim.id("run-pod d").await;
    let swapped = [(Kind::ContainerStartedEvent, d.clone()), (Kind::ContainerCreatedEvent, d.clone())];
    assert_eq!(events.take(2).await, swapped);
    sim.ok("fault reorder-events off").await;
    assert_eq!(sim.ok("fault replay 2").await, "ok fault events=2");
    assert_eq!(events.take(2).await, swapped);
    assert_ne!(a, d);
    sim.finish().await;
}

#[tokio::test]
async fn replayed_events_are_as_old_as_they_were() {
    let mut sim = Sim::start(&[]).await;
    let mut events = Events::subscribe(&mut sim).await;
    sim.ok("run-pod a").await;
    let first = events.event().await;
    events.event().await;
    sim.ok("fault replay 2").await;
    assert_eq!(events.event().await, first);
    sim.finish().await;
}

#[tokio::test]
async fn events_without_statuses() {
    let mut sim = Sim::start(&[]).await;
    let mut events = Events::subscribe(&mut sim).await;
    sim.ok("fault statusless on").await;
    sim.ok("pod a app").await;
    for _ in 0..4 {
        let event = events.event().await;
        assert!(event.pod_sandbox_status.is_none() && event.containers_statuses.is_empty());
    }
    sim.ok("fault statusless sandbox").await;
    sim.ok("tell started app").await;
    let event = events.event().await;
    assert_eq!((event.pod_sandbox_status, event.containers_statuses.len()), (None, 1));
    sim.ok("fault statusless off").await;
    sim.ok("run-pod b").await;
    assert!(events.event().await.pod_sandbox_status.is_some());
    sim.finish().await;
}

#[tokio::test]
async fn streams_end_with_an_error_or_without() {
    let mut sim = Sim::start(&[]).await;
    let mut events = Events::subscribe(&mut sim).await;
    sim.ok("run-pod a").await;
    events.take(2).await;
    sim.ok("fault break-stream").await;
    assert_eq!(events.next().await.unwrap().unwrap_err().code(), tonic::Code::Unavailable);
    let mut events = Events::subscribe(&mut sim).await;
    // The engine notices a subscriber that left by the event that it loses to it.
    sim.ok("run-pod b").await;
    events.take(1).await;
    sim.ok("fault end-stream").await;
    while let Some(event) = events.next().await {
        event.unwrap();
    }
    // Also where no event came yet.
    let mut idle = Events::subscribe(&mut sim).await;
    sim.ok("fault end-stream").await;
    assert!(idle.next().await.is_none());
    version(&mut sim.runtime().await).await.unwrap();
    sim.finish().await;
}

#[tokio::test]
async fn headers_can_be_withheld_longer() {
    let mut sim = Sim::start(&[]).await;
    sim.ok("fault withhold-headers on").await;
    let mut events = Events::subscribe(&mut sim).await;
    let pod = sim.id("run-pod a").await;
    tokio::time::sleep(SILENCE).await;
    assert!(events.is_silent());
    sim.ok("fault withhold-headers off").await;
    assert_eq!(events.event().await.container_id, pod);
    sim.finish().await;
}

#[tokio::test]
async fn a_streamed_list_fails_after_its_first_batch() {
    let mut sim = Sim::start(&["--profile", "crio"]).await;
    let mut client = sim.runtime().await;
    sim.ok("pod web a b").await;
    sim.ok("fault partial-lists on").await;
    let mut lists = client.stream_containers(pb::StreamContainersRequest::default()).await.unwrap().into_inner();
    assert_eq!(lists.message().await.unwrap().unwrap().containers.len(), 2);
    assert_eq!(lists.message().await.unwrap_err().code(), tonic::Code::Unknown);
    sim.finish().await;
}

#[tokio::test]
async fn the_clock_steps_back() {
    let mut sim = Sim::start(&[]).await;
    let mut events = Events::subscribe(&mut sim).await;
    sim.ok("run-pod a").await;
    let before = events.event().await.created_at;
    events.event().await;
    sim.ok("fault clock-step -1h").await;
    sim.ok("run-pod b").await;
    let after = events.event().await.created_at;
    assert!(before - after > 3_000_000_000_000, "{before} {after}");
    sim.finish().await;
}

#[tokio::test]
async fn a_restart_cuts_all_connections_and_keeps_the_containers() {
    let mut sim = Sim::start(&[]).await;
    let mut events = Events::subscribe(&mut sim).await;
    let pod = sim.id("pod web app").await;
    events.take(4).await;
    let mut client = sim.runtime().await;
    let before = list(&mut client).await;
    let stalled = tokio::spawn(async move { client.get_container_events(pb::GetEventsRequest {}).await });
    sim.ok("restart").await;
    assert!(events.next().await.unwrap().is_err());
    assert!(timeout(DEADLINE, stalled).await.unwrap().unwrap().is_err());
    let mut client = sim.runtime().await;
    assert_eq!(list(&mut client).await, before);
    // Nothing is replayed.
    let mut events = Events::subscribe(&mut sim).await;
    let new = sim.id("run-pod new").await;
    assert_eq!(events.take(1).await[0].1, new);
    assert_eq!(list_sandboxes(&mut client).await.iter().filter(|s| s.id == pod).count(), 1);
    sim.finish().await;
}

#[tokio::test]
async fn what_ends_while_the_engine_is_down_sends_no_event() {
    for (profile, code, reason) in [("containerd-2", 255, "Unknown"), ("crio", 137, "Error")] {
        let mut sim = Sim::start(&["--profile", profile]).await;
        sim.ok("pod web app").await;
        sim.ok("down").await;
        let socket = sim.ready.split(' ').nth(1).unwrap().trim_start_matches("unix://").to_owned();
        assert!(!std::path::Path::new(&socket).exists());
        sim.ok("kill web/app KILL").await;
        sim.ok("wait web/app exited").await;
        sim.ok("up").await;
        let mut client = sim.runtime().await;
        let app = list(&mut client).await.remove(0).id;
        let (status, _) = verbose_container(&mut client, &app).await;
        assert_eq!((status.exit_code, status.reason.as_str()), (code, reason), "{profile}");
        let mut events = Events::subscribe(&mut sim).await;
        let new = sim.id("run-pod new").await;
        assert_eq!(events.take(1).await[0].1, new);
        sim.finish().await;
    }
}

#[tokio::test]
async fn a_reboot_runs_the_same_pods_under_new_ids() {
    let mut sim = Sim::start(&[]).await;
    sim.ok("pod web ns=shop app").await;
    sim.ok("create web idle").await;
    let mut client = sim.runtime().await;
    let before = list(&mut client).await;
    assert_eq!(before.len(), 2);
    assert_eq!(sim.ok("restart new-ids").await, "ok restart pods=1");
    let mut client = sim.runtime().await;
    let after = list(&mut client).await;
    assert_eq!(after.len(), 1, "only what ran is run again");
    assert_eq!(after[0].labels["io.kubernetes.container.name"], "app");
    assert!(before.iter().all(|c| c.id != after[0].id));
    sim.finish().await;
}

#[tokio::test]
async fn lost_ids_vanish_without_an_event_and_come_back() {
    let mut sim = Sim::start(&[]).await;
    let mut client = sim.runtime().await;
    let mut events = Events::subscribe(&mut sim).await;
    sim.ok("pod web app").await;
    events.take(4).await;
    let app = list(&mut client).await.remove(0);
    sim.ok("lose app").await;
    assert!(list(&mut client).await.is_empty());
    let marker = sim.id("run-pod marker").await;
    assert_eq!(events.take(1).await[0].1, marker);
    sim.ok(&format!("find {}", app.id)).await;
    assert_eq!(list(&mut client).await, [app]);
    sim.finish().await;
}
