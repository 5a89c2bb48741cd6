//! Everything that the engine has: the two lists, streamed where the engine can (KEP-5825).

use prost::Message;
use tonic::{Code, Status};

use super::client::Client;
use super::proto::{ListContainersRequest, ListPodSandboxRequest, StreamContainersRequest, StreamPodSandboxesRequest};
use super::{convert, failure};
use crate::error::Result;
use crate::model::Observation;

/// One full list: sandboxes first, so that containers find their pods.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Listing {
    /// All sandboxes, in any state.
    pub sandboxes: Vec<Observation>,
    /// All containers, in any state.
    pub containers: Vec<Observation>,
    /// Whether the engine can stream lists; `None` when it was not tried.
    pub streamed: Option<bool>,
}

/// How many entries are converted before others on this thread get a turn.
const BATCH: usize = 512;

impl Client {
    /// Lists everything, containers first: one that is made in between then has its sandbox in the second list.
    /// `try_streams` asks for streamed lists, which an engine that cannot do them refuses at once.
    pub async fn list(&self, try_streams: bool) -> Result<Listing> {
        if try_streams && let Some(listing) = self.streamed_list().await? {
            return Ok(listing);
        }
        let mut runtime = self.runtime();
        let containers =
            self.unary("ListContainers", runtime.list_containers(ListContainersRequest::default())).await?;
        let sandboxes =
            self.unary("ListPodSandbox", runtime.list_pod_sandbox(ListPodSandboxRequest::default())).await?;
        Ok(Listing {
            sandboxes: in_batches(sandboxes.items, convert::listed_sandbox).await,
            containers: in_batches(containers.containers, convert::listed_container).await,
            streamed: try_streams.then_some(false),
        })
    }

    /// `None` when the engine does not know these methods. What came before an error is dropped: half a list would
    /// say of the other half that it is gone.
    async fn streamed_list(&self) -> Result<Option<Listing>> {
        let (mut sandboxes, mut containers, mut room) = (Vec::new(), Vec::new(), self.message_max_bytes());
        let collect = async {
            let mut stream = self.runtime().stream_containers(StreamContainersRequest::default()).await?.into_inner();
            while let Some(batch) = stream.message().await? {
                room = fits(&batch, room)?;
                containers.extend(in_batches(batch.containers, convert::listed_container).await);
            }
            let mut stream =
                self.runtime().stream_pod_sandboxes(StreamPodSandboxesRequest::default()).await?.into_inner();
            while let Some(batch) = stream.message().await? {
                room = fits(&batch, room)?;
                sandboxes.extend(in_batches(batch.pod_sandboxes, convert::listed_sandbox).await);
            }
            Ok::<_, Status>(())
        };
        const METHOD: &str = "StreamContainers";
        let answer = async {
            match tokio::time::timeout(self.request_timeout(), collect).await {
                Ok(Ok(())) => Ok(true),
                Ok(Err(status)) if status.code() == Code::Unimplemented => Ok(false),
                Ok(Err(status)) => Err(failure::rpc(METHOD, &status)),
                Err(_) => Err(failure::timeout(METHOD, self.request_timeout())),
            }
        };
        let is_known = self.meter().measure(METHOD, answer).await?;
        Ok(is_known.then_some(Listing { sandboxes, containers, streamed: Some(true) }))
    }
}

/// What room is left after this batch.
fn fits(batch: &impl Message, room: usize) -> Result<usize, Status> {
    let full = || Status::out_of_range("the list has no end, or is bigger than a message may be");
    room.checked_sub(batch.encoded_len()).ok_or_else(full)
}

async fn in_batches<T, U>(items: Vec<T>, convert: impl Fn(T) -> U) -> Vec<U> {
    let mut converted = Vec::with_capacity(items.len());
    for (n, item) in items.into_iter().enumerate() {
        if n % BATCH == BATCH - 1 {
            tokio::task::yield_now().await;
        }
        converted.push(convert(item));
    }
    converted
}
