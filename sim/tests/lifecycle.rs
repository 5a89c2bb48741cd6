//! Containers from their creation to their removal, seen by a CRI client over the socket.

mod support;

use std::path::Path;

use support::*;

fn created(id: &str) -> (Kind, String) {
    (Kind::ContainerCreatedEvent, id.into())
}

fn started(id: &str) -> (Kind, String) {
    (Kind::ContainerStartedEvent, id.into())
}

fn stopped(id: &str) -> (Kind, String) {
    (Kind::ContainerStoppedEvent, id.into())
}

fn deleted(id: &str) -> (Kind, String) {
    (Kind::ContainerDeletedEvent, id.into())
}

#[tokio::test]
async fn a_client_runs_a_pod_and_hears_containerds_order_of_events() {
    let mut sim = Sim::start(&[]).await;
    let mut client = sim.runtime().await;
    let mut events = Events::subscribe(&mut sim).await;

    let metadata = pb::PodSandboxMetadata { name: "web".into(), uid: "u".into(), namespace: "shop".into(), attempt: 0 };
    let pod = pb::PodSandboxConfig { metadata: Some(metadata), ..Default::default() };
    let request = pb::RunPodSandboxRequest { config: Some(pod.clone()), ..Default::default() };
    let pod_id = client.run_pod_sandbox(request).await.unwrap().into_inner().pod_sandbox_id;
    let container = pb::ContainerConfig {
        metadata: Some(pb::ContainerMetadata { name: "app".into(), attempt: 0 }),
        image: Some(pb::ImageSpec { image: "example/app".into(), ..Default::default() }),
        ..Default::default()
    };
    let request = pb::CreateContainerRequest {
        pod_sandbox_id: pod_id.clone(),
        config: Some(container),
        sandbox_config: Some(pod),
    };
    let id = client.create_container(request).await.unwrap().into_inner().container_id;
    client.start_container(pb::StartContainerRequest { container_id: id.clone() }).await.unwrap();
    assert_eq!(events.take(4).await, [created(&pod_id), started(&pod_id), created(&id), started(&id)]);

    let stop = pb::StopPodSandboxRequest { pod_sandbox_id: pod_id.clone() };
    client.stop_pod_sandbox(stop.clone()).await.unwrap();
    client.stop_pod_sandbox(stop).await.unwrap();
    let remove = pb::RemovePodSandboxRequest { pod_sandbox_id: pod_id.clone() };
    client.remove_pod_sandbox(remove.clone()).await.unwrap();
    client.remove_pod_sandbox(remove).await.unwrap();
    // STOPPED of the sandbox comes from its monitor: it may be overtaken (engine-facts §1.1), but not lost.
    let mut rest = events.take(4).await;
    rest.sort();
    let mut expected = [stopped(&id), stopped(&pod_id), deleted(&id), deleted(&pod_id)];
    expected.sort();
    assert_eq!(rest, expected);
    sim.finish().await;
}

#[tokio::test]
async fn events_carry_the_statuses_of_their_pod() {
    let mut sim = Sim::start(&[]).await;
    let mut events = Events::subscribe(&mut sim).await;
    let pod = sim.id("pod web app -- sh -c 'sleep 0.1; exit 7'").await;
    events.take(3).await;
    let start = events.event().await;
    assert_eq!(start.container_event_type(), Kind::ContainerStartedEvent);
    assert_eq!(start.pod_sandbox_status.unwrap().id, pod);
    assert_eq!(start.containers_statuses.len(), 1);
    let stop = events.event().await;
    assert_eq!(stop.container_event_type(), Kind::ContainerStoppedEvent);
    let status = &stop.containers_statuses[0];
    assert_eq!(
        (status.exit_code, status.reason.as_str(), status.state()),
        (7, "Error", pb::ContainerState::ContainerExited)
    );
    assert!(status.finished_at >= status.started_at && stop.created_at >= status.finished_at);

    sim.ok("rm-pod web").await;
    let mut last = events.event().await;
    while last.container_event_type() != Kind::ContainerDeletedEvent || last.container_id != pod {
        last = events.event().await;
    }
    let sandbox = last.pod_sandbox_status.expect("2.x sends DELETED while the sandbox is there");
    assert_eq!(
        (sandbox.state(), sandbox.created_at),
        (pb::PodSandboxState::SandboxNotready, -6_795_364_578_871_345_152)
    );
    sim.finish().await;
}

#[tokio::test]
async fn exit_codes_are_those_of_the_processes() {
    let mut sim = Sim::start(&[]).await;
    let mut client = sim.runtime().await;
    sim.ok("pod web killed stopped ended").await;
    sim.ok("create web job -- true").await;
    sim.ok("start job").await;
    sim.ok("kill killed KILL").await;
    sim.ok("kill ended USR1").await;
    sim.ok("stop stopped").await;
    for name in ["killed", "ended", "stopped", "job"] {
        sim.ok(&format!("wait {name} exited")).await;
    }
    let mut ends = Vec::new();
    for container in list(&mut client).await {
        let (status, _) = verbose_container(&mut client, &container.id).await;
        ends.push((container.metadata.unwrap().name, status.exit_code, status.reason));
    }
    ends.sort();
    let expected =
        [("ended", 138, "Error"), ("job", 0, "Completed"), ("killed", 137, "Error"), ("stopped", 143, "Error")];
    assert_eq!(ends, expected.map(|(name, code, reason)| (name.to_owned(), code, reason.to_owned())));
    sim.finish().await;
}

#[tokio::test]
async fn a_failed_start_is_only_in_the_lists() {
    let mut sim = Sim::start(&[]).await;
    let mut client = sim.runtime().await;
    let mut events = Events::subscribe(&mut sim).await;
    let pod = sim.id("run-pod web").await;
    let bad = sim.id("create web bad -- no-such-program").await;
    assert!(sim.ask("start bad").await.contains("executable file not found in $PATH"));
    let (status, info) = verbose_container(&mut client, &bad).await;
    assert_eq!((status.exit_code, status.reason.as_str(), status.started_at), (128, "StartError", 0));
    assert_eq!(info["pid"], 0);
    let good = sim.id("create web good").await;
    let events = events.take(4).await;
    assert_eq!(events, [created(&pod), started(&pod), created(&bad), created(&good)], "no event for the failure");
    sim.finish().await;
}

#[tokio::test]
async fn verbose_info_names_the_real_process() {
    let mut sim = Sim::start(&[]).await;
    let mut client = sim.runtime().await;
    let answer = sim.ok("pod web ns=shop app").await;
    let pod = field(&answer, "id").unwrap();
    let id = list(&mut client).await[0].id.clone();

    let (status, info) = verbose_container(&mut client, &id).await;
    assert_eq!(status.state(), pb::ContainerState::ContainerRunning);
    assert_eq!(info["sandboxID"], pod.as_str());
    let pid = info["pid"].as_u64().unwrap();
    let command = std::fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap();
    assert!(command.contains("--child"), "{command:?}");
    let spec = &info["runtimeSpec"];
    let cgroups_path = spec["linux"]["cgroupsPath"].as_str().unwrap();
    assert!(cgroups_path.ends_with(&format!("/{id}")), "{cgroups_path}");
    assert_eq!(spec["annotations"]["io.kubernetes.cri.container-name"], "app");
    assert_eq!(spec["annotations"]["io.kubernetes.cri.sandbox-namespace"], "shop");
    let network = spec["linux"]["namespaces"].as_array().unwrap().iter().find(|n| n["type"] == "network").unwrap();

    let (_, info) = verbose_sandbox(&mut client, &pod).await;
    let sandbox_pid = info["pid"].as_u64().unwrap();
    assert_eq!(network["path"], format!("/proc/{sandbox_pid}/ns/net"));
    assert_eq!((info["processStatus"].as_str(), info["netNamespaceClosed"].as_bool()), (Some("running"), Some(false)));

    // The pid file, found as a client would: beside the stateDir of a verbose Status.
    let status = client.status(pb::StatusRequest { verbose: true }).await.unwrap().into_inner();
    let config: serde_json::Value = serde_json::from_str(&status.info["config"]).unwrap();
    let state = Path::new(config["stateDir"].as_str().unwrap()).parent().unwrap();
    let file = state.join("io.containerd.runtime.v2.task/k8s.io").join(&id).join("init.pid");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), pid.to_string());

    if sim.ready.contains("cgroups=none") {
        println!("skipped 1 check: no cgroup hierarchy is writable here, so /proc/PID/cgroup cannot name the id");
    } else {
        let cgroups = std::fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap();
        assert!(cgroups.contains(&id), "{cgroups}");
    }

    sim.ok("stop app").await;
    let (_, info) = verbose_container(&mut client, &id).await;
    assert_eq!(info["pid"], 0, "containerd shows no pid unless running");
    sim.finish().await;
    assert!(!Path::new(&format!("/proc/{sandbox_pid}")).exists());
}

#[tokio::test]
async fn refusals_have_the_engines_codes_and_texts() {
    let mut sim = Sim::start(&[]).await;
    let mut client = sim.runtime().await;
    let pod = sim.id("run-pod web").await;
    let status = |id: &str| pb::ContainerStatusRequest { container_id: id.into(), verbose: false };
    assert_eq!(client.container_status(status(&pod)).await.unwrap_err().code(), tonic::Code::NotFound);
    let empty = client.container_status(status("")).await.unwrap_err();
    assert_eq!(empty.code(), tonic::Code::Unknown);
    assert!(empty.message().contains("prefix can't be empty"), "{}", empty.message());
    let stream = client.stream_containers(pb::StreamContainersRequest::default()).await.unwrap_err();
    assert_eq!(stream.code(), tonic::Code::Unimplemented);
    assert_eq!(stream.message(), "unknown method StreamContainers for service runtime.v1.RuntimeService");
    let exec = client.exec_sync(pb::ExecSyncRequest::default()).await.unwrap_err();
    assert_eq!((exec.code(), exec.message()), (tonic::Code::Unimplemented, "method ExecSync not implemented"));
    sim.finish().await;
}

#[tokio::test]
async fn images_are_those_of_the_containers_and_the_pulled_ones() {
    let mut sim = Sim::start(&[]).await;
    let mut images = Images::new(sim.channel().await);
    sim.ok("run-pod web").await;
    sim.ok("create web app image=example/app:1").await;
    let spec = |image: &str| Some(pb::ImageSpec { image: image.into(), ..Default::default() });
    let pull = pb::PullImageRequest { image: spec("example/db:2"), ..Default::default() };
    let pulled = images.pull_image(pull).await.unwrap().into_inner().image_ref;
    let all = images.list_images(pb::ListImagesRequest::default()).await.unwrap().into_inner().images;
    assert_eq!(all.len(), 2);
    let ask = |image: &str| pb::ImageStatusRequest { image: spec(image), ..Default::default() };
    assert_eq!(
        images.image_status(ask(&pulled)).await.unwrap().into_inner().image.unwrap().repo_tags,
        ["example/db:2"]
    );
    assert_eq!(images.image_status(ask("nope")).await.unwrap().into_inner().image, None);
    assert_eq!(images.image_fs_info(pb::ImageFsInfoRequest {}).await.unwrap().into_inner().image_filesystems.len(), 1);
    sim.finish().await;
}

#[tokio::test]
async fn sigterm_ends_everything_with_0() {
    let mut sim = Sim::start(&["--workload", "--pods", "6", "--pace", "10ms"]).await;
    let mut client = sim.runtime().await;
    let deadline = tokio::time::Instant::now() + DEADLINE;
    while sim.stat("events").await < 40 {
        assert!(tokio::time::Instant::now() < deadline, "the workload does nothing");
    }
    let mut pids = Vec::new();
    for sandbox in list_sandboxes(&mut client).await {
        // It may be removed meanwhile; then it has no process to check.
        let request = pb::PodSandboxStatusRequest { pod_sandbox_id: sandbox.id, verbose: true };
        if let Ok(reply) = client.pod_sandbox_status(request).await {
            let info: serde_json::Value = serde_json::from_str(&reply.into_inner().info["info"]).unwrap();
            pids.extend(info["pid"].as_u64().filter(|pid| *pid != 0));
        }
    }
    assert!(!pids.is_empty());
    // SAFETY: kill(2) of a child that was not waited for.
    assert_eq!(unsafe { libc::kill(sim.pid() as i32, libc::SIGTERM) }, 0);
    assert_eq!(sim.ended().await.code(), Some(0));
    for pid in pids {
        assert!(!Path::new(&format!("/proc/{pid}")).exists(), "{pid} is left over");
    }
    assert_eq!(std::fs::read_dir(sim.folder()).unwrap().count(), 0, "the socket or the state folder is left over");
}

#[tokio::test]
async fn a_second_engine_leaves_the_first_alone() {
    let mut sim = Sim::start(&[]).await;
    sim.ok("pod web app").await;
    let socket = sim.folder().join("cri.sock");
    let run = |args: &[&std::ffi::OsStr]| {
        std::process::Command::new(env!("CARGO_BIN_EXE_cri-sim")).args(args).output().unwrap()
    };
    let second = run(&["--socket".as_ref(), socket.as_ref()]);
    assert_eq!(second.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&second.stderr).contains("another program listens there"));
    assert!(sim.folder().join("cri.sock.state").exists());
    let missing = run(&["--script".as_ref(), sim.folder().join("nope").as_ref()]);
    assert_eq!(missing.status.code(), Some(1));
    assert_eq!(list(&mut sim.runtime().await).await.len(), 1);
    sim.finish().await;
}
