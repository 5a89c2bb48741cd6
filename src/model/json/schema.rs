//! JSON Schemas, made from the types of this module.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

use super::super::*;
use super::Numbers;
use super::engines::{EngineNewsJson, EnginesJson};
use super::envelope::*;
use super::event::EventJson;
use crate::committed::schema_of;
use crate::model::metrics::{COUNTERS, Metric, MetricKind};
use crate::table::Constant;

/// One kind of answer: its schema's name, its description and its schema.
pub(super) struct AnswerKind {
    pub name: &'static str,
    pub doc: &'static str,
    pub schema: Value,
}

/// Every kind of answer.
pub(super) fn answer_kinds() -> Vec<AnswerKind> {
    fn kind<T: JsonSchema>(name: &'static str, doc: &'static str) -> AnswerKind {
        AnswerKind { name, doc, schema: schema_of::<T>(name, doc) }
    }
    let mut kinds = vec![
        kind::<Envelope<Containers<'_>>>("containers", "What `cri_watcher_list` gives: containers and sandboxes."),
        kind::<Envelope<Pods>>("pods", "What `cri_watcher_pods` gives: pods with their containers."),
        kind::<Envelope<One<'_>>>("container", "What `cri_watcher_get` gives: one container or sandbox."),
        kind::<EventJson>("event", "What `cri_event_json` gives: something that happened."),
        kind::<Envelope<Inspection>>(
            "inspect",
            "What `cri_watcher_inspect` gives: everything that the engine knows about one container or sandbox.",
        ),
        kind::<Envelope<EngineAnswer>>(
            "engine",
            "What `cri_watcher_engine_info` gives: the engine, and how the watcher follows it.",
        ),
        kind::<EnginesJson>("engines", "What `cri_engines_discover` gives: the node's engines, best first."),
        kind::<EngineNewsJson>(
            "engineNews",
            "What `cri_finder_next` gives: an engine was found, has changed, or was lost.",
        ),
        kind::<Envelope<Numbers>>("stats", "What `cri_watcher_stats` gives: the statistics of the watcher."),
    ];
    // A query's `fields` may leave out everything except the id.
    kinds[..2].iter_mut().for_each(|kind| kind.schema["$defs"]["Container"]["required"] = json!(["id"]));
    kinds
}

/// The schema of one name of this table.
fn word<T>(table: &[Constant<T>]) -> Schema {
    let words: Vec<_> = table.iter().map(Constant::word).collect();
    json_schema!({"type": "string", "enum": words})
}

fn words<T>(table: &[Constant<T>]) -> Schema {
    json_schema!({"type": "array", "items": word(table)})
}

pub(super) fn kinds(_: &mut SchemaGenerator) -> Schema {
    word(KINDS)
}

pub(super) fn states(_: &mut SchemaGenerator) -> Schema {
    word(STATES)
}

pub(super) fn pod_states(_: &mut SchemaGenerator) -> Schema {
    word(POD_STATES)
}

pub(super) fn watcher_states(_: &mut SchemaGenerator) -> Schema {
    word(WATCHER_STATES)
}

/// Types may be added, so the schema does not list them as the only ones.
pub(super) fn event_types(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "string", "examples": word(EVENT_TYPES).get("enum")})
}

pub(super) fn log_levels(_: &mut SchemaGenerator) -> Schema {
    word(LOG_LEVELS)
}

pub(super) fn event_flags(_: &mut SchemaGenerator) -> Schema {
    words(EVENT_FLAGS)
}

pub(super) fn changed(_: &mut SchemaGenerator) -> Schema {
    words(CHANGED)
}

pub(super) fn missing(_: &mut SchemaGenerator) -> Schema {
    words(MISSING)
}

pub(super) fn container_flags(_: &mut SchemaGenerator) -> Schema {
    let words: Vec<_> = super::container_flags().map(Constant::word).collect();
    json_schema!({"type": "array", "items": {"type": "string", "enum": words}})
}

pub(super) fn counters(_: &mut SchemaGenerator) -> Schema {
    let property = |counter: &Metric| {
        let Metric { unit, kind, help, .. } = counter;
        let changes = match kind {
            MetricKind::Gauge => "rises and falls",
            MetricKind::Counter | MetricKind::Histogram => "only grows",
        };
        json!({"type": "integer", "minimum": 0, "description": format!("{help} (Unit: {unit}; {changes}.)")})
    };
    let properties: serde_json::Map<_, _> = COUNTERS.iter().map(|c| (c.name.to_owned(), property(c))).collect();
    let required: Vec<_> = COUNTERS.iter().map(|c| c.name).collect();
    let more = json!({"type": "integer", "minimum": 0});
    json_schema!({"type": "object", "properties": properties, "required": required, "additionalProperties": more})
}

/// Kinds may be added, so the schema does not list them as the only ones.
pub(super) fn evidence(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "string", "examples": Evidence::ALL.map(Evidence::word)})
}

pub(super) fn engine_news(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "string", "examples": word(ENGINE_NEWS).get("enum")})
}

pub(super) fn event_sources(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "string", "enum": ["stream", "poll"]})
}

pub(super) fn texts(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "object", "additionalProperties": {"type": "string"}})
}

pub(super) fn time(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "string", "format": "date-time"})
}
