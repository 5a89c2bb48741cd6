//! Feeds bytes into the machine, as an engine might send them, in any order. For fuzz tests; only with the feature
//! `test-hooks`.

use std::collections::HashSet;
use std::sync::Arc;

use super::machine::{Action, Input, Machine};
use super::publisher::Publisher;
use super::shared_state::SharedState;
use crate::config::Config;
use crate::cri::{StreamEnd, StreamItem, Version, wire};
use crate::error::{CRI_E_RPC, Error};
use crate::hub::{EventQueue, Hub, Next};
use crate::model::*;
use crate::portfolio::{Now, StatusRequest};

const EPOCH: Time = 1_700_000_000_000_000_000;

/// Feeds these bytes into a machine. The first byte of each piece says what it is, and the second one its length.
pub fn replay(mut bytes: &[u8]) {
    let mut replay = Replay::new();
    replay.feed(Input::Watch { packs: false });
    while let [what, len, rest @ ..] = bytes {
        let (piece, rest) = rest.split_at(usize::from(*len).min(rest.len()));
        replay.take(*what, piece);
        bytes = rest;
    }
    replay.check();
}

struct Replay {
    publisher: Publisher,
    shared: Arc<SharedState>,
    queue: Arc<EventQueue>,
    now: Now,
    requests: Vec<StatusRequest>,
    /// Ids with a STARTED and no EXITED yet.
    running: HashSet<Id>,
    seq: u64,
}

impl Replay {
    fn new() -> Self {
        let config = Config::default();
        let shared = Arc::new(SharedState::new(&config));
        let hub = Arc::new(Hub::new(shared.clone()));
        let queue = hub.subscribe(0, false, 1 << 20, View::default()).expect("an eventfd");
        let publisher = Publisher::new(Machine::new(&config, 1), shared.clone(), hub);
        let now = Now { mono: 0, wall: EPOCH };
        Replay { publisher, shared, queue, now, requests: Vec::new(), running: HashSet::new(), seq: 0 }
    }

    fn take(&mut self, what: u8, piece: &[u8]) {
        match what % 8 {
            0 => self.feed(Input::Connected { version: Version::default(), can_stream_lists: false, pid_files: false }),
            1 | 2 => {
                if let Some(event) = wire::event(piece) {
                    self.feed(Input::Stream(StreamItem::Event(Box::new(event))));
                }
            }
            3 => {
                let (containers, sandboxes) = piece.split_at(piece.len() / 2);
                if let Some(listing) = wire::listing(containers, sandboxes).or_else(|| wire::listing(piece, &[])) {
                    self.feed(Input::Listed(Ok(listing)));
                }
            }
            4 | 5 => {
                let observation =
                    if what % 8 == 4 { wire::container_status(piece) } else { wire::sandbox_status(piece) };
                if let Some(request) = self.requests.pop() {
                    self.feed(Input::Answered(request, Ok(observation)));
                }
            }
            6 => self.pass(u64::from(piece.first().copied().unwrap_or(1)) * 37),
            _ => match piece.first().map(|n| n % 3) {
                Some(0) => self.feed(Input::Listed(Err(Error::new(CRI_E_RPC, "refused")))),
                Some(1) => self.feed(Input::Stream(StreamItem::Lost(1))),
                _ => self.feed(Input::Stream(StreamItem::End(StreamEnd::Finished))),
            },
        }
    }

    fn pass(&mut self, millis: u64) {
        self.now.mono += millis;
        self.now.wall += millis as Time * 1_000_000;
        self.feed(Input::Tick);
    }

    fn feed(&mut self, input: Input) {
        let (actions, _) = self.publisher.handle(input, self.now);
        for action in actions {
            match action {
                Action::Ask(request) => self.requests.push(request),
                Action::Disconnect => self.requests.clear(),
                _ => {}
            }
        }
        self.listen();
    }

    /// Checks what has to be true whatever an engine sends: `seq` grows, and each run has one STARTED, then one EXITED.
    fn listen(&mut self) {
        while let Next::Event(event) = self.queue.next(Some(std::time::Duration::ZERO)) {
            assert!(event.seq > self.seq || self.seq == 0, "seq {} after {}", event.seq, self.seq);
            self.seq = event.seq;
            let Some(container) = &event.container else { continue };
            let id = container.id.clone();
            match event.event_type {
                EventType::Started => assert!(self.running.insert(id), "STARTED twice: {container:?}"),
                EventType::Exited if event.flags & CRI_EVENT_FLAG_NEVER_STARTED != 0 => {
                    assert!(!self.running.contains(&id), "it did start: {container:?}");
                }
                EventType::Exited => assert!(self.running.remove(&id), "EXITED without STARTED: {container:?}"),
                _ => {}
            }
        }
    }

    fn check(&self) {
        let cached = self.shared.read();
        for container in cached.portfolio.containers() {
            let found = cached.portfolio.get(&container.id).expect("every listed container can be looked up");
            assert_eq!(found.id, container.id);
        }
    }
}
