//! Full lists of the engine's sandboxes and containers, streamed where the engine can (KEP-5825).

use prost::bytes::Bytes;
use tonic::{Code, Status};

use super::client::Client;
use super::convert::{self, Limits, Unreadable};
use super::observed::{
    ListContainersResponse, ListPodSandboxResponse, StreamContainersResponse, StreamPodSandboxesResponse,
};
use super::proto::{ListContainersRequest, ListPodSandboxRequest, StreamContainersRequest, StreamPodSandboxesRequest};
use super::request::Decoded;
use super::{failure, methods, weight};
use crate::error::Result;
use crate::model::{Kind, Observation};

/// One full list: sandboxes first, so that containers find their pods.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Listing {
    /// All sandboxes, in any state.
    pub sandboxes: Vec<Observation>,
    /// All containers, in any state.
    pub containers: Vec<Observation>,
    /// Entries that could not be decoded. Those with an id are among the others, flagged.
    pub unreadable: Vec<Unreadable>,
    /// Whether the engine can stream lists; `None` when it was not tried.
    pub streamed: Option<bool>,
}

/// How many entries are converted before others on this thread get a turn.
const BATCH: usize = 512;

/// One kind's entries: how each is converted.
type Convert = fn(Bytes, Limits) -> Result<Observation, Unreadable>;

impl Listing {
    /// Whether it shows everything. An entry without an id may be of any container, so that none is surely absent.
    pub fn is_complete(&self) -> bool {
        self.unreadable.iter().all(|entry| entry.id.is_some())
    }

    pub(super) fn add_containers(&mut self, items: impl IntoIterator<Item = Bytes>, limits: Limits) {
        Self::add(
            &mut self.containers,
            &mut self.unreadable,
            items,
            (convert::listed_container, Kind::Container),
            limits,
        );
    }

    pub(super) fn add_sandboxes(&mut self, items: impl IntoIterator<Item = Bytes>, limits: Limits) {
        Self::add(&mut self.sandboxes, &mut self.unreadable, items, (convert::listed_sandbox, Kind::Sandbox), limits);
    }

    /// Converts entries. One that cannot be decoded does not affect the others.
    fn add(
        to: &mut Vec<Observation>,
        unreadable: &mut Vec<Unreadable>,
        items: impl IntoIterator<Item = Bytes>,
        (convert, kind): (Convert, Kind),
        limits: Limits,
    ) {
        for item in items {
            match convert(item, limits) {
                Ok(entry) => to.push(entry),
                Err(entry) => {
                    to.extend(entry.id.clone().map(|id| convert::unreadable(id, kind)));
                    unreadable.push(entry);
                }
            }
        }
    }
}

impl Client {
    /// Lists everything, containers first: one that is made in between then has its sandbox in the second list.
    /// `try_streams` asks for streamed lists, which an engine that cannot do them refuses at once.
    pub async fn list(&self, try_streams: bool) -> Result<Listing> {
        if try_streams && let Some(listing) = self.streamed_list().await? {
            return Ok(listing);
        }
        let containers: ListContainersResponse =
            self.ask(methods::LIST_CONTAINERS, ListContainersRequest::default()).await?;
        let sandboxes: ListPodSandboxResponse =
            self.ask(methods::LIST_SANDBOXES, ListPodSandboxRequest::default()).await?;
        let mut listing = Listing { streamed: try_streams.then_some(false), ..Listing::default() };
        self.convert_sandboxes(&mut listing, sandboxes.items).await;
        self.convert_containers(&mut listing, containers.containers).await;
        Ok(listing)
    }

    /// `None` when the engine does not know these methods. What came before an error is dropped: with half a list, the
    /// other half would look gone.
    async fn streamed_list(&self) -> Result<Option<Listing>> {
        let mut listing = Listing { streamed: Some(true), ..Listing::default() };
        let mut pieces = Pieces { max_bytes: self.message_max_bytes(), ..Pieces::default() };
        let collect = async {
            let stream = self.open(methods::STREAM_CONTAINERS, StreamContainersRequest::default()).await?;
            let mut stream = stream.into_inner();
            while let Some(batch) = stream.message().await? {
                let batch: StreamContainersResponse = pieces.add(batch)?;
                self.convert_containers(&mut listing, batch.containers).await;
            }
            let stream = self.open(methods::STREAM_SANDBOXES, StreamPodSandboxesRequest::default()).await?;
            let mut stream = stream.into_inner();
            while let Some(batch) = stream.message().await? {
                let batch: StreamPodSandboxesResponse = pieces.add(batch)?;
                self.convert_sandboxes(&mut listing, batch.pod_sandboxes).await;
            }
            Ok::<_, Status>(())
        };
        const METHOD: &str = methods::STREAM_CONTAINERS.name;
        let answer = async {
            match tokio::time::timeout(self.request_timeout(), collect).await {
                Ok(Ok(())) => Ok(true),
                Ok(Err(status)) if status.code() == Code::Unimplemented => Ok(false),
                Ok(Err(status)) => Err(failure::rpc(METHOD, &status)),
                Err(_) => Err(failure::timeout(METHOD, self.request_timeout())),
            }
        };
        let is_known = self.meter().measure(METHOD, answer).await?;
        Ok(is_known.then_some(listing))
    }

    async fn convert_containers(&self, listing: &mut Listing, items: Vec<Bytes>) {
        for batch in items.chunks(BATCH) {
            listing.add_containers(batch.iter().cloned(), self.limits());
            tokio::task::yield_now().await;
        }
    }

    async fn convert_sandboxes(&self, listing: &mut Listing, items: Vec<Bytes>) {
        for batch in items.chunks(BATCH) {
            listing.add_sandboxes(batch.iter().cloned(), self.limits());
            tokio::task::yield_now().await;
        }
    }
}

/// The pieces of a list that is streamed. Together they are bounded as one message is.
#[derive(Default)]
struct Pieces {
    max_bytes: usize,
    bytes: usize,
    weight: usize,
}

impl Pieces {
    fn add<T>(&mut self, piece: Decoded<T>) -> Result<T, Status> {
        self.bytes = self.bytes.saturating_add(piece.bytes);
        self.weight = self.weight.saturating_add(piece.weight);
        if self.bytes > self.max_bytes {
            return Err(Status::out_of_range("the list has no end, or is bigger than a message may be"));
        }
        if self.weight > weight::allowed(self.bytes) {
            return Err(Status::data_loss(weight::refusal(self.bytes)));
        }
        Ok(piece.message)
    }
}
