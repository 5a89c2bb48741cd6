//! A node of thousands of containers with fake processes.

mod support;

use support::*;

/// Tens of thousands of small files: in memory, where the machine has a place for that.
fn folder() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

fn path(folder: &tempfile::TempDir, name: &str) -> String {
    folder.path().join(name).to_str().unwrap().to_owned()
}

#[tokio::test]
async fn ten_thousand_containers_are_seen_in_a_fake_proc() {
    let tree = folder();
    let (dir, state) = (path(&tree, "host"), path(&tree, "state"));
    let mut sim = Sim::start(&["--fake-tree", &dir, "--state", &state, "--containers", "10000"]).await;
    let mut client = sim.runtime().await;
    let all = list(&mut client).await;
    assert_eq!((all.len(), list_sandboxes(&mut client).await.len()), (10_000, 5_000));
    assert!(all.iter().all(|c| c.state() == pb::ContainerState::ContainerRunning));

    let proc = tree.path().join("host/proc");
    let read = |pid: u64, file: &str| std::fs::read_to_string(proc.join(pid.to_string()).join(file)).unwrap();
    for container in [&all[0], &all[9_999]] {
        let (_, info) = verbose_container(&mut client, &container.id).await;
        let pid = info["pid"].as_u64().unwrap();
        assert!(read(pid, "cgroup").contains(&container.id));
        assert!(read(pid, "status").contains(&format!("NSpid:\t{pid}\n")));
        let start = read(pid, "stat").rsplit_once(')').unwrap().1.split_whitespace().nth(19).unwrap().parse::<u64>();
        assert!(start.unwrap() > 0);
        let namespace = |pid: &str| std::fs::read_link(proc.join(pid).join("ns/pid")).unwrap();
        assert_eq!(namespace(&pid.to_string()), namespace("self"));
    }

    // The engine itself is there, and through its root the pid files.
    let status = client.status(pb::StatusRequest { verbose: true }).await.unwrap().into_inner();
    let config: serde_json::Value = serde_json::from_str(&status.info["config"]).unwrap();
    let state = std::path::Path::new(config["stateDir"].as_str().unwrap()).parent().unwrap().to_owned();
    let root = proc.join(sim.pid().to_string()).join("root");
    let pid_file = format!("io.containerd.runtime.v2.task/k8s.io/{}/init.pid", all[0].id);
    assert!(root.join(state.strip_prefix("/").unwrap()).join(pid_file).exists());

    // They run and exit like others, and no event of their start is replayed.
    let mut events = Events::subscribe(&mut sim).await;
    let pod = sim.id("pod web app -- sh -c 'sleep 0.05; exit 4'").await;
    assert_eq!(events.take(1).await, [(Kind::ContainerCreatedEvent, pod)]);
    assert!(sim.ok("wait web/app exited").await.contains("exit=4"));
    let (_, info) = verbose_container(&mut client, &all[0].id).await;
    let pid = info["pid"].as_u64().unwrap();
    sim.ok(&format!("kill {} TERM", all[0].id)).await;
    assert!(sim.ok(&format!("wait {} exited", all[0].id)).await.contains("exit=143"));
    assert!(!proc.join(pid.to_string()).exists());
    sim.finish().await;
    assert!(!proc.exists());
}

#[tokio::test]
async fn big_streamed_lists_come_in_batches_of_3000() {
    let tree = folder();
    let (dir, state) = (path(&tree, "host"), path(&tree, "state"));
    let sim = Sim::start(&["--profile", "crio", "--fake-tree", &dir, "--state", &state, "--containers", "7000"]).await;
    let mut client = sim.runtime().await;
    let mut lists = client.stream_containers(pb::StreamContainersRequest::default()).await.unwrap().into_inner();
    let mut sizes = Vec::new();
    while let Some(batch) = lists.message().await.unwrap() {
        sizes.push(batch.containers.len());
    }
    assert_eq!(sizes, [3000, 3000, 1000]);
    sim.finish().await;
}
