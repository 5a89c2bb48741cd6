//! Makes the strings of a message UTF-8, where an engine has sent other bytes. Pure.

use prost::encoding::{WireType, decode_key, decode_varint, encode_varint};
use prost_reflect::{Kind, MessageDescriptor};

/// Messages in messages, at most so deep: as prost has it.
const DEPTH: u32 = 100;

/// The message with each bad byte of a string replaced by U+FFFD; `None` where it is broken otherwise.
pub(super) fn strings(descriptor: &MessageDescriptor, bytes: &[u8]) -> Option<Vec<u8>> {
    message(descriptor, bytes, DEPTH)
}

fn message(descriptor: &MessageDescriptor, mut rest: &[u8], depth: u32) -> Option<Vec<u8>> {
    let depth = depth.checked_sub(1)?;
    let mut repaired = Vec::with_capacity(rest.len());
    while !rest.is_empty() {
        let start = rest;
        let (number, wire_type) = decode_key(&mut rest).ok()?;
        let key = &start[..start.len() - rest.len()];
        let value = match wire_type {
            WireType::LengthDelimited => {
                let length = usize::try_from(decode_varint(&mut rest).ok()?).ok()?;
                let (value, after) = rest.split_at_checked(length)?;
                rest = after;
                let value = field(descriptor, number, value, depth)?;
                repaired.extend_from_slice(key);
                encode_varint(value.len() as u64, &mut repaired);
                repaired.extend(value);
                continue;
            }
            WireType::Varint => {
                let before = rest;
                decode_varint(&mut rest).ok()?;
                &before[..before.len() - rest.len()]
            }
            WireType::ThirtyTwoBit => take(&mut rest, 4)?,
            WireType::SixtyFourBit => take(&mut rest, 8)?,
            // proto3 has no groups.
            WireType::StartGroup | WireType::EndGroup => return None,
        };
        repaired.extend_from_slice(key);
        repaired.extend_from_slice(value);
    }
    Some(repaired)
}

fn field(descriptor: &MessageDescriptor, number: u32, value: &[u8], depth: u32) -> Option<Vec<u8>> {
    match descriptor.get_field(number).map(|field| field.kind()) {
        Some(Kind::String) => Some(String::from_utf8_lossy(value).into_owned().into_bytes()),
        Some(Kind::Message(inner)) => message(&inner, value, depth),
        _ => Some(value.to_vec()),
    }
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (value, after) = rest.split_at_checked(length)?;
    *rest = after;
    Some(value)
}
