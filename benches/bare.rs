//! Bare clients: what an engine gives to somebody who keeps nothing. They bound what a product can reach, and are none.
//!
//! They run in processes of their own, so that their costs are theirs alone.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use criwatch::cri::proto::runtime_service_client::RuntimeServiceClient;
use criwatch::cri::proto::{
    ContainerEventType, ContainerStatusRequest, GetEventsRequest, ListContainersRequest, ListPodSandboxRequest,
    PodSandboxStatusRequest,
};
use serde_json::{Value, json};
use tonic::transport::Channel;

/// How many status requests are under way at once. More bring nothing: the engine is the limit.
const AT_ONCE: usize = 16;

/// After so long without an event no more are expected.
const SILENCE: Duration = Duration::from_secs(10);

/// One that runs.
pub struct Bare(Child);

/// Starts one, and waits until it is connected.
pub fn start(mode: &str, endpoint: &str, arguments: &[&str]) -> Result<Bare, String> {
    let program = std::env::current_exe().map_err(|e| e.to_string())?;
    let mut command = Command::new(program);
    command.args(["bare", mode, endpoint]).args(arguments).stdout(Stdio::piped());
    let child = command.spawn().map_err(|e| format!("{command:?}: {e}"))?;
    Ok(Bare(child))
}

impl Bare {
    /// What it says when it ends.
    pub fn answer(self) -> Result<Value, String> {
        let output = self.0.wait_with_output().map_err(|e| e.to_string())?;
        let told = String::from_utf8_lossy(&output.stdout);
        serde_json::from_str(&told).map_err(|e| format!("a bare client said {told:?}: {e}"))
    }
}

pub fn ask(mode: &str, endpoint: &str, arguments: &[&str]) -> Result<Value, String> {
    start(mode, endpoint, arguments)?.answer()
}

type Client = RuntimeServiceClient<Channel>;

/// The program of such a process.
pub fn run(arguments: &[String]) -> super::Outcome {
    let [mode, endpoint, rest @ ..] = arguments else {
        return Err("bare MODE ENDPOINT".into());
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let answer = runtime.block_on(async {
        let (began, cpu) = (Instant::now(), cpu_ns());
        let client = connect(endpoint).await?;
        let count = rest.first().and_then(|word| word.parse().ok()).unwrap_or_default();
        let mut answer = match mode.as_str() {
            "lists" => json!({"requests": lists(client).await?.2}),
            "statuses" => json!({"requests": statuses(client).await?}),
            "poll" => json!({"requests": poll(client, count).await?}),
            "stream" => json!({"events": stream(client, count as usize).await?}),
            other => return Err(format!("{other} is no mode").into()),
        };
        answer["wall_ns"] = (began.elapsed().as_nanos() as u64).into();
        answer["cpu_ns"] = (cpu_ns() - cpu).into();
        Ok::<_, Box<dyn std::error::Error>>(answer)
    })?;
    println!("{answer}");
    Ok(())
}

/// The CPU time of this process.
fn cpu_ns() -> u64 {
    super::machine::cpu_of(std::process::id()) as u64
}

async fn connect(endpoint: &str) -> Result<Client, Box<dyn std::error::Error>> {
    let path = endpoint.trim_start_matches("unix://").to_owned();
    let connector = tower::service_fn(move |_| {
        let path = path.clone();
        async move { tokio::net::UnixStream::connect(path).await.map(hyper_util::rt::TokioIo::new) }
    });
    let channel = tonic::transport::Endpoint::from_static("http://localhost").connect_with_connector(connector).await?;
    Ok(Client::new(channel).max_decoding_message_size(usize::MAX))
}

async fn lists(mut client: Client) -> Result<(Vec<String>, Vec<String>, u64), tonic::Status> {
    let containers = client.list_containers(ListContainersRequest::default()).await?.into_inner().containers;
    let sandboxes = client.list_pod_sandbox(ListPodSandboxRequest::default()).await?.into_inner().items;
    Ok((containers.into_iter().map(|c| c.id).collect(), sandboxes.into_iter().map(|s| s.id).collect(), 2))
}

async fn statuses(client: Client) -> Result<u64, Box<dyn std::error::Error>> {
    let (containers, sandboxes, lists) = lists(client.clone()).await?;
    let all = containers.into_iter().map(|id| (id, true)).chain(sandboxes.into_iter().map(|id| (id, false)));
    let (mut tasks, mut asked) = (tokio::task::JoinSet::new(), lists);
    for (id, is_container) in all {
        if tasks.len() >= AT_ONCE {
            tasks.join_next().await.transpose()?.transpose()?;
        }
        asked += 1;
        let mut client = client.clone();
        tasks.spawn(async move {
            if is_container {
                let request = ContainerStatusRequest { container_id: id, verbose: true };
                client.container_status(request).await.map(drop)
            } else {
                let request = PodSandboxStatusRequest { pod_sandbox_id: id, verbose: true };
                client.pod_sandbox_status(request).await.map(drop)
            }
        });
    }
    while let Some(outcome) = tasks.join_next().await {
        outcome??;
    }
    Ok(asked)
}

/// As a script around `crictl` would: both lists each second.
async fn poll(client: Client, seconds: u64) -> Result<u64, Box<dyn std::error::Error>> {
    let mut ticks = tokio::time::interval(Duration::from_secs(1));
    let mut asked = 0;
    for _ in 0..seconds {
        ticks.tick().await;
        asked += lists(client.clone()).await?.2;
    }
    Ok(asked)
}

/// So many events that begin or end something: of what, when the engine made the event, and when it came.
async fn stream(mut client: Client, count: usize) -> Result<Vec<Value>, Box<dyn std::error::Error>> {
    let mut events = client.get_container_events(GetEventsRequest::default()).await?.into_inner();
    let mut seen = Vec::with_capacity(count);
    while seen.len() < count {
        let Ok(next) = tokio::time::timeout(SILENCE, events.message()).await else {
            break;
        };
        let Some(event) = next? else {
            break;
        };
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos() as i64;
        match event.container_event_type() {
            ContainerEventType::ContainerStartedEvent => {
                seen.push(json!(["s", event.container_id, now, event.created_at]));
            }
            ContainerEventType::ContainerStoppedEvent => {
                seen.push(json!(["e", event.container_id, now, event.created_at]));
            }
            _ => {}
        }
    }
    Ok(seen)
}
