//! The records: containers, pods, events, the engine; and their JSON.

pub mod attributes;
mod candidate;
mod constants;
mod container;
mod engine;
mod event;
mod image;
pub mod json;
mod json_text;
mod label_map;
pub(crate) mod labels;
mod log;
mod memo;
pub mod metrics;
mod observation;
pub mod open_metrics;
mod pod;
mod shared_text;
mod spec;
mod time;
mod view;
mod words;

pub use candidate::{Candidate, Engines, Evidence, Reason};
pub use constants::*;
pub use container::{Container, Exit, Kind, State};
pub use engine::{Engine, Events, WatcherState, WitnessMeans};
pub use event::{ALL_MASK, CONTROL_MASK, DEFAULT_MASK, Event, EventType};
pub use image::{Image, ImageFields, is_bare_digest};
pub use json_text::JsonText;
pub use label_map::Labels;
pub use labels::{LabelView, label};
pub use log::LogLevel;
pub use memo::Memo;
pub use observation::{Details, Fingerprint, ImageNames, Observation};
pub use pod::{Pod, PodState};
pub use shared_text::SharedText;
pub(crate) use shared_text::WeakText;
pub use spec::{Mount, Namespaces, Port, Previous, Resources, Spec, User};
pub use time::{Time, known, rfc3339};
pub use view::View;

/// The id of a container or sandbox, as the engine gives it: 64 hex digits.
pub type Id = std::sync::Arc<str>;

/// A map by id. Ids are long, and random where engines make them, so a quick hash that is not secret is good enough.
pub type IdMap<V> = std::collections::HashMap<Id, V, foldhash::fast::RandomState>;

/// A set of ids.
pub type IdSet = std::collections::HashSet<Id, foldhash::fast::RandomState>;
