//! How the engines differ, one test for each profile (sections are those of engine-facts).

mod support;

use support::*;

async fn sim(profile: &str) -> Sim {
    Sim::start(&["--profile", profile]).await
}

async fn runtime_name(client: &mut Runtime) -> (String, String) {
    let version = client.version(pb::VersionRequest::default()).await.unwrap().into_inner();
    (version.runtime_name, version.runtime_version)
}

fn kinds(events: &[(Kind, String)], id: &str) -> Vec<Kind> {
    events.iter().filter(|(_, of)| of == id).map(|(kind, _)| *kind).collect()
}

#[tokio::test]
async fn containerd_1_6_has_no_events() {
    let mut sim = sim("containerd-1.6").await;
    let mut client = sim.runtime().await;
    assert_eq!(runtime_name(&mut client).await, ("containerd".into(), "1.6.20".into()));
    let status = client.get_container_events(pb::GetEventsRequest {}).await.unwrap_err();
    assert_eq!(status.code(), tonic::Code::Unimplemented);
    assert_eq!(status.message(), "method GetContainerEvents not implemented");
    sim.ok("pod web app").await;
    sim.finish().await;
}

#[tokio::test]
async fn containerd_1_7_subscribers_compete_and_a_deleted_sandbox_has_no_status() {
    let mut sim = sim("containerd-1.7").await;
    let (mut a, mut b) = (Events::subscribe(&mut sim).await, Events::subscribe(&mut sim).await);
    let pod = sim.id("pod web").await;
    sim.ok("rm-pod web").await;
    // CREATED, STARTED, STOPPED, DELETED: each is heard by one of them only.
    let mut heard = Vec::new();
    for _ in 0..4 {
        heard.push(tokio::select! {
            event = a.event() => event,
            event = b.event() => event,
        });
    }
    let mut kinds: Vec<Kind> = heard.iter().map(|e| e.container_event_type()).collect();
    kinds.sort();
    let all = [
        Kind::ContainerCreatedEvent,
        Kind::ContainerStartedEvent,
        Kind::ContainerStoppedEvent,
        Kind::ContainerDeletedEvent,
    ];
    assert_eq!(kinds, all);
    assert!(heard.iter().all(|e| e.container_id == pod));
    let deleted = heard.iter().find(|e| e.container_event_type() == Kind::ContainerDeletedEvent).unwrap();
    assert_eq!(deleted.pod_sandbox_status, None);
    sim.finish().await;
}

#[tokio::test]
async fn containerd_1_7_keeps_the_oldest_thousand() {
    let mut sim = sim("containerd-1.7").await;
    // Two events each.
    let mut pods = Vec::new();
    for n in 0..510 {
        pods.push(sim.id(&format!("run-pod p{n}")).await);
        sim.ok(&format!("lose {}", pods[n])).await;
    }
    let mut events = Events::subscribe(&mut sim).await;
    let oldest = events.take(1000).await;
    assert_eq!((&oldest[0].1, &oldest[999].1), (&pods[0], &pods[499]));
    let new = sim.id("run-pod new").await;
    assert_eq!(events.take(1).await[0].1, new, "what was generated in between is lost");
    sim.finish().await;
}

#[tokio::test]
async fn containerd_2_3_sends_an_empty_info_unasked() {
    let mut sim = sim("containerd-2.3").await;
    let mut client = sim.runtime().await;
    let pod = sim.id("run-pod web").await;
    let request = pb::PodSandboxStatusRequest { pod_sandbox_id: pod.clone(), verbose: false };
    let reply = client.pod_sandbox_status(request).await.unwrap().into_inner();
    let info: serde_json::Value = serde_json::from_str(&reply.info["info"]).unwrap();
    assert_eq!((info["pid"].as_u64(), info["runtimeSpec"].is_null()), (Some(0), true));
    assert_ne!(verbose_sandbox(&mut client, &pod).await.1["pid"], 0);
    let stream = client.stream_containers(pb::StreamContainersRequest::default()).await.unwrap_err();
    assert_eq!(stream.message(), "method StreamContainers not implemented");
    sim.finish().await;
}

#[tokio::test]
async fn crio_leaves_out_events() {
    let mut sim = sim("crio").await;
    let mut events = Events::subscribe(&mut sim).await;
    let answer = sim.ok("pod web app job -- sh -c 'sleep 60'").await;
    let pod = field(&answer, "id").unwrap();
    let ids: Vec<String> = answer.split(' ').filter_map(|w| w.strip_prefix("id=")).map(str::to_owned).collect();
    sim.ok("kill job KILL").await;
    sim.ok("wait job exited").await;
    let before = events.take(6).await;
    assert_eq!(kinds(&before, &pod), [Kind::ContainerStartedEvent], "no CREATED of the sandbox");
    let job = [Kind::ContainerCreatedEvent, Kind::ContainerStartedEvent, Kind::ContainerStoppedEvent];
    assert_eq!(kinds(&before, &ids[2]), job);
    sim.ok("stop app").await;
    assert_eq!(events.take(1).await, [(Kind::ContainerStoppedEvent, ids[1].clone())]);
    sim.ok("rm job").await;
    assert_eq!(events.take(1).await, [(Kind::ContainerDeletedEvent, ids[2].clone())]);
    sim.ok("rm-pod web").await;
    let marker = sim.id("run-pod marker").await;
    let last = events.take(2).await;
    let expected = [(Kind::ContainerStoppedEvent, pod), (Kind::ContainerStartedEvent, marker)];
    assert_eq!(last, expected, "no DELETED of app or of the sandbox");
    sim.finish().await;
}

#[tokio::test]
async fn crio_shows_pids_in_every_state_and_none_of_pods() {
    let mut sim = sim("crio").await;
    let mut client = sim.runtime().await;
    let pod = sim.id("run-pod web").await;
    let app = sim.id("create web app").await;
    let (status, info) = verbose_container(&mut client, &app).await;
    let pid = info["pid"].as_u64().unwrap();
    assert_eq!(status.state(), pb::ContainerState::ContainerCreated);
    assert!(std::path::Path::new(&format!("/proc/{pid}")).exists(), "runc init waits");
    sim.ok("start app").await;
    sim.ok("stop app").await;
    let (status, info) = verbose_container(&mut client, &app).await;
    assert_eq!((status.state(), info["pid"].as_u64()), (pb::ContainerState::ContainerExited, Some(pid)));
    assert!(info["runtimeSpec"]["linux"]["cgroupsPath"].as_str().unwrap().ends_with(&format!("/crio-{app}")));
    let (_, info) = verbose_sandbox(&mut client, &pod).await;
    assert_eq!(info.as_object().unwrap().keys().collect::<Vec<_>>(), ["runtimeSpec"]);
    // A program that is not there fails at create, and nothing remains.
    assert!(sim.ask("create web bad -- no-such-program").await.starts_with("error create"));
    assert_eq!(list(&mut client).await.len(), 1);
    // The pid file of a created container that is removed goes with it.
    let idle = sim.id("create web idle").await;
    let status = client.status(pb::StatusRequest { verbose: true }).await.unwrap().into_inner();
    let config: serde_json::Value = serde_json::from_str(&status.info["config"]).unwrap();
    let dir = std::path::PathBuf::from(config["crio"]["ContainerAttachSocketDir"].as_str().unwrap());
    assert!(dir.join(&idle).join("pidfile").exists());
    sim.ok("rm idle").await;
    assert!(!dir.join(&idle).exists());
    sim.finish().await;
}

#[tokio::test]
async fn crio_selects_statuses_by_the_label_of_the_pods_uid() {
    let mut sim = sim("crio").await;
    let mut client = sim.runtime().await;
    let mut events = Events::subscribe(&mut sim).await;
    sim.ok("run-pod web").await;
    sim.ok("create web labelled").await;
    events.take(1).await;
    assert_eq!(events.event().await.containers_statuses.len(), 1);
    // As crictl makes it: without the kubelet's labels.
    let pod = list_sandboxes(&mut client).await.remove(0);
    let options = pb::NamespaceOption { pid: pb::NamespaceMode::Container.into(), ..Default::default() };
    let security = pb::LinuxContainerSecurityContext { namespace_options: Some(options), ..Default::default() };
    let image = pb::ImageSpec { image: "bare".into(), user_specified_image: "bare".into(), ..Default::default() };
    let request = pb::CreateContainerRequest {
        pod_sandbox_id: pod.id,
        config: Some(pb::ContainerConfig {
            metadata: Some(pb::ContainerMetadata { name: "bare".into(), attempt: 0 }),
            image: Some(image),
            linux: Some(pb::LinuxContainerConfig { security_context: Some(security), ..Default::default() }),
            ..Default::default()
        }),
        sandbox_config: Some(pb::PodSandboxConfig { metadata: pod.metadata, ..Default::default() }),
    };
    let bare = client.create_container(request).await.unwrap().into_inner().container_id;
    let event = events.event().await;
    assert_eq!(event.container_id, bare);
    assert!(event.containers_statuses.iter().all(|s| s.id != bare));
    sim.finish().await;
}

#[tokio::test]
async fn crio_streams_its_lists_in_batches() {
    let mut sim = sim("crio").await;
    let mut client = sim.runtime().await;
    let mut empty = client.stream_containers(pb::StreamContainersRequest::default()).await.unwrap().into_inner();
    assert_eq!(empty.message().await.unwrap(), None);
    sim.ok("pod web a b").await;
    let mut lists = client.stream_containers(pb::StreamContainersRequest::default()).await.unwrap().into_inner();
    assert_eq!(lists.message().await.unwrap().unwrap().containers.len(), 2);
    assert_eq!(lists.message().await.unwrap(), None);
    let mut lists = client.stream_pod_sandboxes(pb::StreamPodSandboxesRequest::default()).await.unwrap().into_inner();
    assert_eq!(lists.message().await.unwrap().unwrap().pod_sandboxes.len(), 1);
    sim.finish().await;
}

#[tokio::test]
async fn crio_events_off_ends_the_stream_at_once_with_ok() {
    let sim = sim("crio-events-off").await;
    let mut client = sim.runtime().await;
    let reply = client.get_container_events(pb::GetEventsRequest {}).await.unwrap();
    assert_eq!(reply.metadata().get("grpc-status").unwrap(), "0");
    assert_eq!(reply.into_inner().message().await.unwrap(), None);
    sim.finish().await;
}

#[tokio::test]
async fn crio_with_events_stamps_its_sandbox_statuses() {
    for (profile, stamped) in [("crio", true), ("crio-events-off", false), ("containerd-2", false)] {
        let mut sim = sim(profile).await;
        let pod = sim.id("run-pod web").await;
        let request = pb::PodSandboxStatusRequest { pod_sandbox_id: pod, verbose: false };
        let reply = sim.runtime().await.pod_sandbox_status(request).await.unwrap().into_inner();
        assert_eq!(reply.timestamp != 0, stamped, "{profile}");
        sim.finish().await;
    }
}

#[tokio::test]
async fn crio_1_30_is_crio_by_another_version() {
    let mut sim = sim("crio-1.30").await;
    let mut client = sim.runtime().await;
    assert_eq!(runtime_name(&mut client).await, ("cri-o".into(), "1.30.14".into()));
    let mut events = Events::subscribe(&mut sim).await;
    let pod = sim.id("run-pod web").await;
    assert_eq!(events.take(1).await, [(Kind::ContainerStartedEvent, pod)]);
    sim.finish().await;
}

#[tokio::test]
async fn cri_dockerd_shows_little() {
    let mut sim = sim("cri-dockerd").await;
    let mut client = sim.runtime().await;
    let status = client.get_container_events(pb::GetEventsRequest {}).await.unwrap_err();
    assert_eq!(status.code(), tonic::Code::Unimplemented);
    let pod = sim.id("pod web app").await;
    assert!(verbose_sandbox(&mut client, &pod).await.1.is_null());
    let app = list(&mut client).await.remove(0);
    assert_eq!(app.created_at % 1_000_000_000, 0);
    let (status, info) = verbose_container(&mut client, &app.id).await;
    assert_eq!(info.as_object().unwrap().keys().collect::<Vec<_>>(), ["pid", "sandboxID"]);
    assert_eq!(status.finished_at, -6_795_364_578_871_345_152);
    sim.finish().await;
}

#[tokio::test]
async fn unknown_and_empty_ids_have_each_engines_code() {
    use tonic::Code::{NotFound, Unknown};
    for (profile, unknown, empty) in
        [("containerd-2", NotFound, Unknown), ("crio", NotFound, NotFound), ("cri-dockerd", Unknown, Unknown)]
    {
        let sim = sim(profile).await;
        let mut client = sim.runtime().await;
        for (id, code) in [("abc", unknown), ("", empty)] {
            let request = pb::ContainerStatusRequest { container_id: id.into(), verbose: false };
            assert_eq!(client.container_status(request).await.unwrap_err().code(), code, "{profile} {id:?}");
        }
        sim.finish().await;
    }
}
