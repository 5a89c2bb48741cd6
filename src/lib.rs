//! Reports which containers and pods run on this node, and what changes.
//!
//! `criwatch` watches one container engine through the Kubernetes CRI: containerd, CRI-O or any other. It is made for
//! monitoring agents, and mostly used through its C ABI (`include/criwatch.h`); this crate is the same thing for Rust.
//!
//! Data flows one way: engine → `cri` → `sync` → `portfolio` → `hub` → `ffi`; [`watcher`] is the façade over
//! all of it. Every module imports only modules of a lower rank; `docs/architecture.md` has a diagram.
//!
//! A program needs [`watcher`] with its [`Watcher`](watcher::Watcher), [`config`], [`error`], and the records of [`model`]. The
//! other modules are internal: they are public only for tests and tools, and may change in any version.
//!
//! ```no_run
//! # fn main() -> criwatch::error::Result<()> {
//! use criwatch::{config::Config, watcher::Watcher};
//!
//! let watcher = Watcher::new(None, Config::default())?;
//! watcher.resync(Some(std::time::Duration::from_secs(5)))?;
//! for container in watcher.containers()? {
//!     println!("{} {:?}", container.path(), container.pid);
//! }
//! # Ok(())
//! # }
//! ```

#![deny(unsafe_code, clippy::print_stdout, clippy::print_stderr)]
#![warn(missing_docs)]

#[cfg(test)]
mod committed;
/// The document's code snippets are doc tests.
#[cfg(doctest)]
#[doc = include_str!("../docs/porting-from-whalewatcher.md")]
mod porting {}
pub mod config;
pub mod cri;
pub mod error;
#[cfg(feature = "capi")]
pub mod ffi;
#[doc(hidden)]
pub mod host;
#[doc(hidden)]
pub mod hub;
pub mod model;
#[doc(hidden)]
pub mod portfolio;
#[doc(hidden)]
pub mod sync;
mod table;
mod test_hooks;
pub mod watcher;
