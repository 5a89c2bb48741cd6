//! A client that only reads the engine's event stream: what it sees, and when, is the least that anybody can do.

use std::collections::HashMap;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::{SystemTime, UNIX_EPOCH};

use criwatch::cri::proto::runtime_service_client::RuntimeServiceClient;
use criwatch::cri::proto::{ContainerEventType, GetEventsRequest};
use tokio::sync::oneshot;
use tonic::transport::{Endpoint, Uri};

/// A start, as the stream showed it.
#[derive(Debug, Clone, Copy)]
pub struct Start {
    /// When the engine made the event.
    pub made: i64,
    /// When the client had it.
    pub came: i64,
}

/// The stream, read by a thread.
pub struct BareStream {
    stop: oneshot::Sender<()>,
    thread: JoinHandle<Result<HashMap<String, Start>, String>>,
}

impl BareStream {
    /// Subscribes. Events of an engine without them never come.
    pub fn start(endpoint: &str) -> Result<BareStream, String> {
        let (stop, stopped) = oneshot::channel();
        let (subscribes, subscribed) = mpsc::channel();
        let endpoint = endpoint.to_owned();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let mut starts = HashMap::new();
            runtime.map_err(|e| e.to_string())?.block_on(async {
                tokio::select! {
                    ended = read(endpoint, subscribes, &mut starts) => ended.map_err(|e| e.to_string()),
                    _ = stopped => Ok(()),
                }
            })?;
            Ok(starts)
        });
        // Where it could not connect, the thread's result says why.
        let _ = subscribed.recv();
        Ok(BareStream { stop, thread })
    }

    /// Ends it, and takes what it saw, by container.
    pub fn finish(self) -> Result<HashMap<String, Start>, String> {
        // The thread may have ended by itself.
        let _ = self.stop.send(());
        self.thread.join().map_err(|_| "the bare client panicked".to_owned())?
    }
}

async fn read(
    endpoint: String,
    subscribes: mpsc::Sender<()>,
    starts: &mut HashMap<String, Start>,
) -> Result<(), Box<dyn std::error::Error>> {
    let channel = Endpoint::from_shared(endpoint)?.origin(Uri::from_static("http://localhost")).connect().await?;
    subscribes.send(())?;
    let mut client = RuntimeServiceClient::new(channel);
    let mut events = client.get_container_events(GetEventsRequest {}).await?.into_inner();
    while let Some(event) = events.message().await? {
        let came = SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos() as i64;
        if event.container_event_type() == ContainerEventType::ContainerStartedEvent {
            starts.entry(event.container_id).or_insert(Start { made: event.created_at, came });
        }
    }
    Ok(())
}
