//! What a reply takes in memory on its way to JSON, found before it is decoded. Pure.
//!
//! Here the types are known at run time only, and a message takes far more than where they are compiled.

use prost_reflect::{Kind, MessageDescriptor};

use crate::cri::fields;

/// A message with its fields: as prost-reflect keeps it, and as JSON.
const MESSAGE: usize = 4096;
/// An entry of a map.
const ENTRY: usize = 512;
/// Any other field.
const FIELD: usize = 128;
/// How many times its size a text takes: decoded, in the JSON, and in a copy of it.
const TEXT: usize = 3;

/// What any reply may take, and how many times its size beyond that. Lists of real engines take less than 20 times.
const FREE: usize = 64 << 20;
const TIMES: usize = 32;

/// Why this reply is refused; `None` where it may be decoded.
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

/// Nothing is nested deeper than the contract's types are: what is not of the contract is not looked into.
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
