//! `criwatch.event/1`.

use serde::Serialize;

use super::super::*;
use super::Shape;
#[cfg(test)]
use super::{ContainerJson, schema};
use crate::table::Constant;

/// `criwatch.event/1`.
pub fn event(event: &Event, view: View) -> JsonText {
    let flags = EVENT_FLAGS.iter().filter(|flag| event.flags & flag.value != 0);
    let changed = CHANGED.iter().filter(|bit| event.changed & bit.value != 0);
    JsonText::of(&EventJson {
        schema: "criwatch.event/1",
        event_type: event.event_type.word(),
        flags: flags.map(Constant::word).collect(),
        seq: event.seq,
        generation: event.generation,
        time: rfc3339(event.time),
        observed: rfc3339(event.observed),
        state: event.state.word(),
        lost: (event.event_type == EventType::Overflow).then_some(event.lost),
        changed: changed.map(Constant::word).collect(),
        level: event.log_level.map(LogLevel::word),
        message: event.message.as_deref(),
        container: event.container.as_deref().map(|c| Shape::whole(c, view)),
    })
}

/// An event.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "Event"))]
#[serde(rename_all = "camelCase")]
pub(super) struct EventJson<'a> {
    /// The kind of document: `criwatch.event/1`.
    schema: &'static str,
    /// The type of the event. Ignore types that you do not know.
    #[serde(rename = "type")]
    #[cfg_attr(test, schemars(schema_with = "schema::event_types"))]
    event_type: &'static str,
    /// The flags: how the event is known, and what is special about it.
    #[cfg_attr(test, schemars(schema_with = "schema::event_flags"))]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    flags: Vec<&'static str>,
    /// Grows from event to event; gaps mean nothing.
    seq: u64,
    /// The generation of the cache that shows this.
    generation: u64,
    /// When it happened, if the engine says so; otherwise when it was noticed.
    #[cfg_attr(test, schemars(schema_with = "schema::time"))]
    time: String,
    /// When the watcher noticed.
    #[cfg_attr(test, schemars(schema_with = "schema::time"))]
    observed: String,
    /// The watcher's state when it made this event.
    #[cfg_attr(test, schemars(schema_with = "schema::watcher_states"))]
    state: &'static str,
    /// How many events this consumer lost, of an overflow.
    #[serde(skip_serializing_if = "Option::is_none")]
    lost: Option<u64>,
    /// What has changed, of an update.
    #[cfg_attr(test, schemars(schema_with = "schema::changed"))]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    changed: Vec<&'static str>,
    /// The level of a log message.
    #[cfg_attr(test, schemars(schema_with = "schema::log_levels"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    level: Option<&'static str>,
    /// The reason of a change of the watcher's state, or the text of a log message.
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'a str>,
    /// The container or sandbox, where the event is about one.
    #[cfg_attr(test, schemars(with = "Option<ContainerJson>"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    container: Option<Shape<'a>>,
}
