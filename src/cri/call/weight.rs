//! Estimates how much memory a reply takes on its way to JSON, before it is decoded. Pure.
//!
//! Here, types are known only at run time, and messages take far more memory than with compiled types.

use prost_reflect::{Kind, MessageDescriptor};

use crate::cri::fields;

/// A message, both as prost-reflect keeps it and as JSON.
const MESSAGE: usize = 4096;
/// An entry of a map.
const ENTRY: usize = 512;
/// Any other field.
const FIELD: usize = 128;
/// How many times its size a text takes: decoded, in the JSON, and in a copy of the JSON.
const TEXT: usize = 3;

/// What any reply may take; beyond that, a reply may take `TIMES` its size. Lists of real engines take less than 20
/// times.
const FREE: usize = 64 << 20;
const TIMES: usize = 32;

/// Why this reply is refused; `None` if it may be decoded.
pub(super) fn refusal(descriptor: &MessageDescriptor, bytes: &[u8]) -> Option<String> {
    let (weight, allowed) = (of(descriptor, bytes), FREE.saturating_add(bytes.len().saturating_mul(TIMES)));
    let text = || {
        format!(
            "its {} bytes would take {weight} bytes of memory as JSON; {allowed} are allowed. Almost all entries are empty: \
             no engine sends this by itself (find out who answers at the engine's socket)",
            bytes.len()
        )
    };
    (weight > allowed).then(text)
}

/// The memory that a message takes. The nesting is limited by the contract's types, because unknown fields are skipped.
fn of(descriptor: &MessageDescriptor, mut rest: &[u8]) -> usize {
    let mut weight = if descriptor.is_map_entry() { ENTRY } else { MESSAGE };
    while !rest.is_empty() {
        // Decoding stops here, too.
        let Some(field) = fields::next(&mut rest) else { break };
        let content = field.content.unwrap_or_default();
        weight = weight.saturating_add(match descriptor.get_field(field.number).map(|field| field.kind()) {
            Some(Kind::Message(inner)) => of(&inner, content),
            // Each number of a packed list has at least one byte, and is then a value.
            Some(Kind::String | Kind::Bytes) | None => FIELD + TEXT * content.len(),
            Some(_) => FIELD * content.len().max(1),
        });
    }
    weight
}
