//! Any unary RPC of the engine, as JSON in and JSON out.
//!
//! `json` knows the messages and `rpcs` what may be called; both work on the caller's thread. `wire` carries bytes:
//! the `cri-io` thread decodes no reply, however long it is.

#[cfg(not(feature = "call"))]
mod absent;
#[cfg(feature = "call")]
mod json;
#[cfg(feature = "call")]
mod repair;
#[cfg(feature = "call")]
mod rpcs;
#[cfg(feature = "call")]
mod weight;
mod wire;

#[cfg(not(feature = "call"))]
pub use absent::Call;
#[cfg(not(feature = "call"))]
pub(super) use absent::as_json;
#[cfg(feature = "call")]
pub use json::Call;
#[cfg(feature = "call")]
pub(super) use json::as_json;
pub use wire::Rpc;
