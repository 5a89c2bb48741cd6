#![warn(missing_docs)]
#![deny(unsafe_code)]
//! wip

mod table;
pub mod error;
pub mod model;
pub mod config;
pub mod host;
pub mod cri;
#[cfg(feature = "capi")]
pub mod ffi;
