#![warn(missing_docs)]
#![deny(unsafe_code)]
//! wip

pub mod config;
pub mod cri;
pub mod error;
pub mod host;
pub mod hub;
pub mod model;
pub mod portfolio;
pub mod sync;
mod table;
pub mod watcher;
