//! A running cri-sim driven through its stdin, and a CRI client connected to its socket.
#![allow(dead_code, reason = "each test file uses its own part")]

use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;
use tonic::transport::{Channel, Endpoint};

#[allow(clippy::all, dead_code)]
pub mod pb {
    include!(concat!(env!("OUT_DIR"), "/client/runtime.v1.rs"));
}

pub type Runtime = pb::runtime_service_client::RuntimeServiceClient<Channel>;
pub type Images = pb::image_service_client::ImageServiceClient<Channel>;
pub use pb::ContainerEventType as Kind;

/// Nothing here takes that long, on a busy machine either; a longer wait means that something hangs.
pub const DEADLINE: Duration = Duration::from_secs(60);
/// The same of a start with many thousand containers.
const FILLING: Duration = Duration::from_secs(300);

pub struct Sim {
    pub ready: String,
    child: Child,
    stdin: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
    folder: tempfile::TempDir,
}

impl Sim {
    pub async fn start(args: &[&str]) -> Sim {
        let folder = tempfile::tempdir().unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_cri-sim"))
            .args(["--script", "-", "--seed", "1", "--socket"])
            .arg(folder.path().join("cri.sock"))
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let stdin = child.stdin.take().unwrap();
        let answers = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut sim = Sim { ready: String::new(), child, stdin, answers, folder };
        sim.ready = sim.next_line_within(FILLING).await;
        assert!(sim.ready.starts_with("ready unix:///"), "{}", sim.ready);
        sim
    }

    async fn next_line(&mut self) -> String {
        self.next_line_within(DEADLINE).await
    }

    async fn next_line_within(&mut self, limit: Duration) -> String {
        let line = timeout(limit, self.answers.next_line()).await.expect("cri-sim says nothing").unwrap();
        line.expect("cri-sim ended")
    }

    /// Sends a command and returns its answer, without the detail lines of `list`.
    pub async fn ask(&mut self, line: &str) -> String {
        self.send(line).await;
        loop {
            let answer = self.next_line().await;
            if !answer.starts_with("- ") {
                return answer;
            }
        }
    }

    pub async fn send(&mut self, line: &str) {
        self.stdin.write_all(format!("{line}\n").as_bytes()).await.unwrap();
    }

    /// Sends a command that must succeed, and returns the first `id=` of its answer.
    pub async fn id(&mut self, line: &str) -> String {
        let answer = self.ok(line).await;
        field(&answer, "id").unwrap_or_else(|| panic!("no id in {answer:?}"))
    }

    pub async fn ok(&mut self, line: &str) -> String {
        let answer = self.ask(line).await;
        assert!(answer.starts_with("ok "), "{line}: {answer}");
        answer
    }

    /// The number of a key in the answer to `stats`; 0 if the key is absent.
    pub async fn stat(&mut self, key: &str) -> u64 {
        field(&self.ok("stats").await, key).map_or(0, |n| n.parse().unwrap())
    }

    pub async fn channel(&self) -> Channel {
        let socket = self.ready.split(' ').nth(1).unwrap().to_owned();
        Endpoint::from_shared(socket).unwrap().connect().await.unwrap()
    }

    pub async fn runtime(&self) -> Runtime {
        Runtime::new(self.channel().await).max_decoding_message_size(80 << 20)
    }

    pub fn pid(&self) -> u32 {
        self.child.id().unwrap()
    }

    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// Waits until the program has ended.
    pub async fn ended(&mut self) -> std::process::ExitStatus {
        timeout(DEADLINE, self.child.wait()).await.expect("cri-sim does not end").unwrap()
    }

    /// Closes stdin, which ends the program.
    pub async fn finish(mut self) {
        drop(self.stdin);
        let status = timeout(DEADLINE, self.child.wait()).await.expect("cri-sim does not end").unwrap();
        assert!(status.success(), "{status}");
    }
}

pub fn field(answer: &str, key: &str) -> Option<String> {
    answer.split(' ').find_map(|word| word.strip_prefix(key)?.strip_prefix('=')).map(str::to_owned)
}

/// Events of one subscription, read by a task, because the call returns with the first event only.
pub struct Events(tokio::sync::mpsc::UnboundedReceiver<Result<pb::ContainerEventResponse, tonic::Status>>);

impl Events {
    /// Returns when the engine has the subscription.
    pub async fn subscribe(sim: &mut Sim) -> Events {
        let before = sim.stat("subscriptions").await;
        let events = Events::call(sim).await;
        sim.ok(&format!("wait-subscribed {}", before + 1)).await;
        events
    }

    /// Calls without waiting, for an engine that does not accept subscribers now.
    pub async fn call(sim: &Sim) -> Events {
        let mut client = sim.runtime().await;
        let (to, events) = tokio::sync::mpsc::unbounded_channel();
        tokio::spawn(async move {
            let mut stream = match client.get_container_events(pb::GetEventsRequest {}).await {
                Ok(response) => response.into_inner(),
                Err(status) => return drop(to.send(Err(status))),
            };
            while let Some(event) = stream.message().await.transpose() {
                let failed = event.is_err();
                if to.send(event).is_err() || failed {
                    return;
                }
            }
        });
        Events(events)
    }

    /// `None`: the stream ended without an error.
    pub async fn next(&mut self) -> Option<Result<pb::ContainerEventResponse, tonic::Status>> {
        timeout(DEADLINE, self.0.recv()).await.expect("no event comes")
    }

    pub async fn event(&mut self) -> pb::ContainerEventResponse {
        self.next().await.expect("the stream ended").unwrap()
    }

    /// The next `n` events, as (kind, id).
    pub async fn take(&mut self, n: usize) -> Vec<(Kind, String)> {
        let mut events = Vec::new();
        for _ in 0..n {
            let event = self.event().await;
            events.push((event.container_event_type(), event.container_id));
        }
        events
    }

    pub fn is_silent(&mut self) -> bool {
        matches!(self.0.try_recv(), Err(tokio::sync::mpsc::error::TryRecvError::Empty))
    }
}

pub async fn verbose_container(client: &mut Runtime, id: &str) -> (pb::ContainerStatus, serde_json::Value) {
    let request = pb::ContainerStatusRequest { container_id: id.into(), verbose: true };
    let reply = client.container_status(request).await.unwrap().into_inner();
    (reply.status.unwrap(), serde_json::from_str(&reply.info["info"]).unwrap())
}

pub async fn verbose_sandbox(client: &mut Runtime, id: &str) -> (pb::PodSandboxStatus, serde_json::Value) {
    let request = pb::PodSandboxStatusRequest { pod_sandbox_id: id.into(), verbose: true };
    let reply = client.pod_sandbox_status(request).await.unwrap().into_inner();
    (
        reply.status.unwrap(),
        reply.info.get("info").map_or(serde_json::Value::Null, |i| serde_json::from_str(i).unwrap()),
    )
}

pub async fn list(client: &mut Runtime) -> Vec<pb::Container> {
    client.list_containers(pb::ListContainersRequest::default()).await.unwrap().into_inner().containers
}

pub async fn list_sandboxes(client: &mut Runtime) -> Vec<pb::PodSandbox> {
    client.list_pod_sandbox(pb::ListPodSandboxRequest::default()).await.unwrap().into_inner().items
}
