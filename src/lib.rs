//! Which containers and pods run on this node, now, and what changes.
//!
//! `criwatch` watches one container engine through the Kubernetes CRI: containerd, CRI-O or any other. It is made for
//! monitoring agents, and mostly used through its C ABI (`include/criwatch.h`); this crate is the same thing for Rust.
//!
//! Data flows one way: engine → [`cri`] → [`sync`] → [`portfolio`] → [`hub`] → `ffi`; [`watcher`] is the façade over
//! all of it. Every module imports only modules of a lower rank; `docs/architecture.md` draws the picture.

#![deny(unsafe_code, clippy::print_stdout, clippy::print_stderr)]
#![warn(missing_docs)]

#[cfg(test)]
mod committed;
/// Its snippets are doc tests.
#[cfg(doctest)]
#[doc = include_str!("../docs/porting-from-whalewatcher.md")]
mod porting {}
pub mod config;
pub mod cri;
pub mod error;
#[cfg(feature = "capi")]
pub mod ffi;
pub mod host;
pub mod hub;
pub mod model;
pub mod portfolio;
pub mod sync;
mod table;
mod test_hooks;
pub mod watcher;
