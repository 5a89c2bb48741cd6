//! Full lists of the engine's sandboxes and containers, streamed where the engine can (KEP-5825).

use prost::bytes::Bytes;
use tonic::{Code, Status};

use super::client::Client;
use super::convert::{self, Limits, Unreadable};
use super::observed::{
    Container, ListContainersResponse, ListPodSandboxResponse, PodSandbox, StreamContainersResponse,
    StreamPodSandboxesResponse,
};
use super::proto::{ListContainersRequest, ListPodSandboxRequest, StreamContainersRequest, StreamPodSandboxesRequest};
use super::request::Decoded;
use super::weight::Shaped;
use super::{failure, fingerprint, methods, weight};
use crate::error::Result;
use crate::model::{Fingerprint, Kind, Observation};

/// One full list: sandboxes first, so that containers find their pods.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Listing {
    /// All decoded sandboxes, in any state.
    pub sandboxes: Vec<Observation>,
    /// All decoded containers, in any state.
    pub containers: Vec<Observation>,
    /// Entries that could not be decoded. Those with an id are also among the others, with a flag.
    pub unreadable: Vec<Unreadable>,
    /// The entries that are not decoded yet, sandboxes first.
    pub undecoded: Vec<Entry>,
    /// Whether the engine can stream lists; `None` when it was not tried.
    pub streamed: Option<bool>,
}

/// An entry of a list, as it came over the wire.
#[derive(Debug, Clone)]
pub struct Entry {
    kind: Kind,
    /// These share the memory of the whole reply.
    bytes: Bytes,
    fingerprint: Option<Fingerprint>,
    limits: Limits,
}

impl Entry {
    fn new(kind: Kind, bytes: Bytes, limits: Limits) -> Entry {
        let shape = match kind {
            Kind::Container => &Container::SHAPE,
            Kind::Sandbox => &PodSandbox::SHAPE,
        };
        Entry { kind, fingerprint: fingerprint::of(shape, &bytes), bytes, limits }
    }

    /// The id, where the entry begins with one, as every engine writes it.
    pub fn id(&self) -> Option<&str> {
        convert::leading_id(&self.bytes)
    }

    /// The fingerprint. It equals that of an earlier entry with the same content.
    pub fn fingerprint(&self) -> Option<Fingerprint> {
        self.fingerprint
    }

    /// Decodes the entry.
    pub fn decode(self) -> Result<Observation, Unreadable> {
        let decoded = match self.kind {
            Kind::Container => convert::listed_container(self.bytes, self.limits),
            Kind::Sandbox => convert::listed_sandbox(self.bytes, self.limits),
        };
        decoded.map(|observation| Observation { fingerprint: self.fingerprint, ..observation })
    }

    /// Whether it is a container or a sandbox.
    pub fn kind(&self) -> Kind {
        self.kind
    }
}

/// How many entries are handled before other tasks on this thread get a turn.
const BATCH: usize = 512;

impl Listing {
    /// Whether the list shows everything. An entry without an id may be any container's, so that none can be called
    /// absent.
    pub fn is_complete(&self) -> bool {
        self.unreadable.iter().all(|entry| entry.id.is_some())
    }

    /// Decodes all entries. One that cannot be decoded does not affect the others.
    pub fn decoded(mut self) -> Listing {
        for entry in std::mem::take(&mut self.undecoded) {
            let kind = entry.kind;
            let observation = match entry.decode() {
                Ok(observation) => Some(observation),
                Err(entry) => {
                    let flagged = entry.observation(kind);
                    self.unreadable.push(entry);
                    flagged
                }
            };
            match kind {
                Kind::Sandbox => self.sandboxes.extend(observation),
                Kind::Container => self.containers.extend(observation),
            }
        }
        self
    }

    /// A listing of two replies, one of each kind.
    #[cfg(feature = "test-hooks")]
    pub(super) fn of(sandboxes: Vec<Bytes>, containers: Vec<Bytes>, limits: Limits) -> Listing {
        let of = |kind, items: Vec<Bytes>| items.into_iter().map(move |item| Entry::new(kind, item, limits));
        let undecoded = of(Kind::Sandbox, sandboxes).chain(of(Kind::Container, containers)).collect();
        Listing { undecoded, ..Listing::default() }
    }
}

impl Client {
    /// Lists everything, containers first, so that the sandbox of a container made in between is in the second list.
    /// `try_streams` asks for streamed lists, which an engine that does not know them refuses at once.
    pub async fn list(&self, try_streams: bool) -> Result<Listing> {
        if try_streams && let Some(listing) = self.streamed_list().await? {
            return Ok(listing);
        }
        let containers: ListContainersResponse =
            self.ask(methods::LIST_CONTAINERS, ListContainersRequest::default()).await?;
        let sandboxes: ListPodSandboxResponse =
            self.ask(methods::LIST_SANDBOXES, ListPodSandboxRequest::default()).await?;
        let mut listing = Listing { streamed: try_streams.then_some(false), ..Listing::default() };
        self.add(&mut listing.undecoded, Kind::Sandbox, sandboxes.items).await;
        self.add(&mut listing.undecoded, Kind::Container, containers.containers).await;
        Ok(listing)
    }

    /// Streams both lists; `None` if the engine does not know these methods. After an error, everything is dropped:
    /// with half a list, the other half would look gone.
    async fn streamed_list(&self) -> Result<Option<Listing>> {
        let mut listing = Listing { streamed: Some(true), ..Listing::default() };
        let mut pieces = Pieces { max_bytes: self.message_max_bytes(), ..Pieces::default() };
        let collect = async {
            let mut containers = Vec::new();
            let stream = self.open(methods::STREAM_CONTAINERS, StreamContainersRequest::default()).await?;
            let mut stream = stream.into_inner();
            while let Some(batch) = stream.message().await? {
                let batch: StreamContainersResponse = pieces.add(batch)?;
                self.add(&mut containers, Kind::Container, batch.containers).await;
            }
            let stream = self.open(methods::STREAM_SANDBOXES, StreamPodSandboxesRequest::default()).await?;
            let mut stream = stream.into_inner();
            while let Some(batch) = stream.message().await? {
                let batch: StreamPodSandboxesResponse = pieces.add(batch)?;
                self.add(&mut listing.undecoded, Kind::Sandbox, batch.pod_sandboxes).await;
            }
            listing.undecoded.append(&mut containers);
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

    async fn add(&self, to: &mut Vec<Entry>, kind: Kind, items: Vec<Bytes>) {
        to.reserve(items.len());
        for batch in items.chunks(BATCH) {
            to.extend(batch.iter().map(|item| Entry::new(kind, item.clone(), self.limits())));
            tokio::task::yield_now().await;
        }
    }
}

/// The pieces of a streamed list. Their total size has the same limit as one message.
#[derive(Default)]
struct Pieces {
    max_bytes: usize,
    bytes: usize,
    weight: usize,
}

impl Pieces {
    fn add<T: Shaped>(&mut self, piece: Decoded<T>) -> Result<T, Status> {
        self.bytes = self.bytes.saturating_add(piece.encoded.len());
        self.weight = self.weight.saturating_add(piece.weight());
        if self.bytes > self.max_bytes {
            return Err(Status::out_of_range("the list has no end, or is bigger than a message may be"));
        }
        if self.weight > weight::allowed(self.bytes) {
            return Err(Status::data_loss(weight::refusal(self.bytes)));
        }
        Ok(piece.message)
    }
}
