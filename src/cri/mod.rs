//! Everything that talks to *one* engine. It keeps no state between calls.

mod backlog;
mod call;
mod client;
mod convert;
mod discover;
mod endpoint;
mod engine;
mod failure;
mod fields;
mod fingerprint;
mod identity;
mod info;
mod list;
mod meter;
mod methods;
mod pid;
mod proofs;
mod request;
mod spec;
mod status;
mod stream;
mod stream_item;
mod text;
mod traces;
mod weight;
#[cfg(feature = "test-hooks")]
#[doc(hidden)]
pub mod wire;

pub use backlog::{Inlet, Outlet, backlog};
pub use call::{Call, Rpc};
pub use client::{Client, Version};
pub use convert::Unreadable;
pub use discover::{Chooser, Connection, News, Places, Survey, Thoroughness, WELL_KNOWN, WellKnown, connect, survey};
pub use endpoint::{Endpoint, SocketId};
pub use engine::{Capability, QUIRKS, Quirk, capability, streams_lists};
pub use failure::{is_final, is_lost};
pub use identity::{engine_id, engine_of_socket};
pub use info::redact_environment;
pub use list::{Entry, Listing};
pub use meter::{Meter, RpcCost};
pub use pid::{PidResolver, Wanted};
pub use proofs::{Proof, Proofs};
pub use status::Inspection;
pub use stream_item::{EngineEvent, EventKind, StreamEnd, StreamItem};
pub use traces::{Folders, Follow, Hint, Witness};

/// The messages that the watcher reads, with bytes in place of strings: see `build/observed.rs`.
#[allow(missing_docs, dead_code, clippy::all, clippy::pedantic, rustdoc::all)]
mod observed {
    include!(concat!(env!("OUT_DIR"), "/observed.rs"));
    include!(concat!(env!("OUT_DIR"), "/shapes.rs"));
}

/// The CRI v1 messages and clients, generated from `proto/api.proto`. Not part of the stable API.
#[doc(hidden)]
#[allow(missing_docs, clippy::all, clippy::pedantic, rustdoc::all)]
pub mod proto {
    tonic::include_proto!("runtime.v1");
}
