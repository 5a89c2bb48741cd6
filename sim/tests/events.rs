//! The event stream as containerd 2.x serves it (engine-facts §2.1, §4).

mod support;

use std::time::Duration;

use support::*;
use tokio::time::timeout;

#[tokio::test]
async fn the_headers_wait_for_the_first_event() {
    let mut sim = Sim::start(&[]).await;
    let mut client = sim.runtime().await;
    let mut other = client.clone();
    let mut call = tokio::spawn(async move { client.get_container_events(pb::GetEventsRequest {}).await });
    // Other calls on the same connection are answered meanwhile.
    let deadline = tokio::time::Instant::now() + DEADLINE;
    while sim.stat("GetContainerEvents").await == 0 {
        assert!(tokio::time::Instant::now() < deadline);
        other.version(pb::VersionRequest::default()).await.unwrap();
    }
    for _ in 0..20 {
        other.version(pb::VersionRequest::default()).await.unwrap();
    }
    assert!(!call.is_finished());
    let pod = sim.id("run-pod web").await;
    let mut stream = timeout(DEADLINE, &mut call).await.unwrap().unwrap().unwrap().into_inner();
    assert_eq!(stream.message().await.unwrap().unwrap().container_id, pod);
    sim.finish().await;
}

#[tokio::test]
async fn events_without_a_subscriber_are_replayed_to_the_next_one_only() {
    let mut sim = Sim::start(&[]).await;
    let pod = sim.id("run-pod web").await;
    let mut first = Events::subscribe(&mut sim).await;
    let old = [(Kind::ContainerCreatedEvent, pod.clone()), (Kind::ContainerStartedEvent, pod)];
    assert_eq!(first.take(2).await, old);
    let mut second = Events::subscribe(&mut sim).await;
    let next = sim.id("run-pod db").await;
    let new = [(Kind::ContainerCreatedEvent, next.clone()), (Kind::ContainerStartedEvent, next)];
    assert_eq!((first.take(2).await, second.take(2).await), (new.clone().into(), new.into()));
    sim.finish().await;
}

/// Fills the stream of a client that does not read, until a command of the engine blocks.
#[tokio::test]
async fn a_stalled_subscriber_freezes_the_node_until_it_leaves() {
    let mut sim = Sim::start(&[]).await;
    // A large pod makes large events, so that few of them fill the client's window.
    let fat = "x".repeat(60_000);
    sim.ok(&format!("run-pod web annotation=fat={fat}")).await;
    let mut stalled = sim.runtime().await;
    let stream = timeout(DEADLINE, stalled.get_container_events(pb::GetEventsRequest {})).await.unwrap().unwrap();

    let mut client = sim.runtime().await;
    let pod = list_sandboxes(&mut client).await.remove(0);
    let config = |attempt| pb::CreateContainerRequest {
        pod_sandbox_id: pod.id.clone(),
        config: Some(pb::ContainerConfig {
            metadata: Some(pb::ContainerMetadata { name: "app".into(), attempt }),
            ..Default::default()
        }),
        sandbox_config: Some(pb::PodSandboxConfig { metadata: pod.metadata.clone(), ..Default::default() }),
    };
    let mut frozen = None;
    for attempt in 0..1000 {
        let mut client = client.clone();
        let request = config(attempt);
        let mut create = tokio::spawn(async move { client.create_container(request).await });
        match timeout(Duration::from_secs(2), &mut create).await {
            Ok(done) => drop(done.unwrap().unwrap()),
            Err(_) => {
                frozen = Some(create);
                break;
            }
        }
    }
    let frozen = frozen.expect("nothing froze");
    // RPCs that only read still answer; another subscriber gets no events.
    assert!(list(&mut client).await.len() > 100);
    let mut starved = Events::call(&sim).await;
    assert!(!frozen.is_finished() && starved.is_silent());
    drop(stream);
    drop(stalled);
    timeout(DEADLINE, frozen).await.unwrap().unwrap().unwrap();
    sim.ok("run-pod db").await;
    starved.event().await;
    sim.finish().await;
}

#[tokio::test]
async fn an_event_too_big_to_send_ends_its_stream() {
    let mut sim = Sim::start(&[]).await;
    let mut events = Events::subscribe(&mut sim).await;
    sim.ok("run-pod web").await;
    events.take(2).await;
    let mut client = sim.runtime().await;
    let pod = list_sandboxes(&mut client).await.remove(0);
    // Each is below 16 MiB; the event of the second carries both.
    for name in ["a", "b"] {
        let request = pb::CreateContainerRequest {
            pod_sandbox_id: pod.id.clone(),
            config: Some(pb::ContainerConfig {
                metadata: Some(pb::ContainerMetadata { name: name.into(), attempt: 0 }),
                annotations: [("fat".to_owned(), "x".repeat(9 << 20))].into(),
                ..Default::default()
            }),
            sandbox_config: Some(pb::PodSandboxConfig { metadata: pod.metadata.clone(), ..Default::default() }),
        };
        client.create_container(request).await.unwrap();
    }
    events.take(1).await;
    assert_eq!(events.next().await.unwrap().unwrap_err().code(), tonic::Code::ResourceExhausted);
    let too_long = client.list_containers(pb::ListContainersRequest::default()).await.unwrap_err();
    assert_eq!(too_long.code(), tonic::Code::ResourceExhausted);
    sim.finish().await;
}
