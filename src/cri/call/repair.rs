//! Makes the strings of a message UTF-8, where an engine has sent other bytes. Pure.

use prost::encoding::{WireType, encode_key, encode_varint};
use prost_reflect::{Kind, MessageDescriptor};

use crate::cri::fields;

/// The deepest nesting of messages, the same as prost's.
const DEPTH: u32 = 100;

/// The message with each bad byte of a string replaced by U+FFFD; `None` if the message has another fault.
pub(super) fn strings(descriptor: &MessageDescriptor, bytes: &[u8]) -> Option<Vec<u8>> {
    message(descriptor, bytes, DEPTH)
}

fn message(descriptor: &MessageDescriptor, mut rest: &[u8], depth: u32) -> Option<Vec<u8>> {
    let depth = depth.checked_sub(1)?;
    let mut repaired = Vec::with_capacity(rest.len());
    while !rest.is_empty() {
        let field = fields::next(&mut rest)?;
        let Some(content) = field.content else {
            repaired.extend_from_slice(field.whole);
            continue;
        };
        let content = repair(descriptor, field.number, content, depth)?;
        encode_key(field.number, WireType::LengthDelimited, &mut repaired);
        encode_varint(content.len() as u64, &mut repaired);
        repaired.extend(content);
    }
    Some(repaired)
}

fn repair(descriptor: &MessageDescriptor, number: u32, content: &[u8], depth: u32) -> Option<Vec<u8>> {
    match descriptor.get_field(number).map(|field| field.kind()) {
        Some(Kind::String) => Some(String::from_utf8_lossy(content).into_owned().into_bytes()),
        Some(Kind::Message(inner)) => message(&inner, content, depth),
        _ => Some(content.to_vec()),
    }
}
