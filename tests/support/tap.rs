//! A subscriber of the tests' own: what an engine's event stream delivers, whatever the library makes of it.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use criwatch::cri::proto::runtime_service_client::RuntimeServiceClient;
use criwatch::cri::proto::{ContainerEventResponse, ContainerState, GetEventsRequest};
use tokio::sync::oneshot;
use tonic::transport::{Endpoint, Uri};

use super::containerd::Containerd;

/// A subscription that is made anew when the engine comes back, until it is dropped.
pub struct Tap {
    delivered: Arc<Mutex<Delivered>>,
    end: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// Containers of which an event was delivered that shows ...
#[derive(Debug, Clone, Default)]
pub struct Delivered {
    /// ... that they have run.
    pub ran: BTreeSet<String>,
    /// ... that their runs are over.
    pub exited: BTreeSet<String>,
}

impl Tap {
    /// A tap on our containerd 2. Elsewhere subscribers compete, or there are no events, or we do not know.
    pub fn where_all_get_all(containerd: Option<&Containerd>) -> Result<Option<Tap>, String> {
        let containerd = containerd.filter(|containerd| containerd.sends_all_events_to_each());
        containerd.map(|containerd| Tap::on(&containerd.endpoint())).transpose()
    }

    /// Subscribes to the engine at `unix:///...`.
    fn on(endpoint: &str) -> Result<Tap, String> {
        let address = Endpoint::from_shared(endpoint.to_owned()).map_err(|error| format!("{endpoint}: {error}"))?;
        let address = address.origin(Uri::from_static("http://localhost"));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| format!("a tokio runtime: {error}"))?;
        let delivered = Arc::new(Mutex::new(Delivered::default()));
        let (end, ended) = oneshot::channel();
        let thread = std::thread::spawn({
            let delivered = delivered.clone();
            move || {
                runtime.block_on(async {
                    tokio::select! {
                        () = follow(&address, &delivered) => {}
                        _ = ended => {}
                    }
                });
            }
        });
        Ok(Tap { delivered, end: Some(end), thread: Some(thread) })
    }

    /// What was delivered so far.
    pub fn delivered(&self) -> Delivered {
        self.delivered.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Tap {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(thread) = self.thread.take() {
            // Its panic was printed; whoever counts on the tap sees what it lacks.
            let _ = thread.join();
        }
    }
}

async fn follow(address: &Endpoint, delivered: &Mutex<Delivered>) {
    const PAUSE: Duration = Duration::from_millis(20);
    loop {
        if let Ok(channel) = address.connect().await {
            let mut client = RuntimeServiceClient::new(channel).max_decoding_message_size(80 << 20);
            if let Ok(reply) = client.get_container_events(GetEventsRequest {}).await {
                let mut stream = reply.into_inner();
                while let Ok(Some(event)) = stream.message().await {
                    delivered.lock().unwrap_or_else(PoisonError::into_inner).note(&event);
                }
            }
        }
        // The engine is away.
        tokio::time::sleep(PAUSE).await;
    }
}

impl Delivered {
    fn note(&mut self, event: &ContainerEventResponse) {
        for status in &event.containers_statuses {
            if status.started_at > 0 {
                self.ran.insert(status.id.clone());
                if status.state() == ContainerState::ContainerExited {
                    self.exited.insert(status.id.clone());
                }
            }
        }
    }
}
