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
    /// The kind and version: `criwatch.event/1`. Within one version, keys are only added.
    schema: &'static str,
    /// The type of the event. Ignore types that you do not know.
    #[serde(rename = "type")]
    #[cfg_attr(test, schemars(schema_with = "schema::event_types"))]
    event_type: &'static str,
    /// The flags: how the event is known, and what is special about it.
    #[cfg_attr(test, schemars(schema_with = "schema::event_flags"))]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    flags: Vec<&'static str>,
    /// A number that grows from event to event. A consumer may see gaps, which have no meaning.
    seq: u64,
    /// The cache includes this event from this generation on.
    generation: u64,
    /// When it happened according to the engine. If the engine gives no time: when the watcher noticed it.
    #[cfg_attr(test, schemars(schema_with = "schema::time"))]
    time: String,
    /// When the watcher noticed it.
    #[cfg_attr(test, schemars(schema_with = "schema::time"))]
    observed: String,
    /// The watcher's state when it made this event.
    #[cfg_attr(test, schemars(schema_with = "schema::watcher_states"))]
    state: &'static str,
    /// How many events this consumer lost; present only in an `overflow`.
    #[serde(skip_serializing_if = "Option::is_none")]
    lost: Option<u64>,
    /// What has changed; present only in an `updated`.
    #[cfg_attr(test, schemars(schema_with = "schema::changed"))]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    changed: Vec<&'static str>,
    /// The level of the message; present only in a `log`.
    #[cfg_attr(test, schemars(schema_with = "schema::log_levels"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    level: Option<&'static str>,
    /// In a `state`: the cause, if there is one. In a `log`: the message.
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'a str>,
    /// The container or sandbox, if the event is about one.
    #[cfg_attr(test, schemars(with = "Option<ContainerJson>"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    container: Option<Shape<'a>>,
}
