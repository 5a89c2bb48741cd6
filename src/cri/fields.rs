//! The fields of an encoded message, one after the other. Pure.

use prost::encoding::{WireType, decode_key, decode_varint};

/// One field, as it came over the wire.
pub(super) struct Field<'a> {
    /// Its number in the contract.
    pub number: u32,
    /// All its bytes, the key included.
    #[cfg(feature = "call")]
    pub whole: &'a [u8],
    /// The content of a text or of a message; `None` for a number.
    pub content: Option<&'a [u8]>,
}

/// Takes the next field from `rest`, which is not empty; `None` where the bytes are no field.
pub(super) fn next<'a>(rest: &mut &'a [u8]) -> Option<Field<'a>> {
    #[cfg(feature = "call")]
    let start = *rest;
    let (number, wire_type) = decode_key(rest).ok()?;
    let content = match wire_type {
        WireType::LengthDelimited => {
            let length = usize::try_from(decode_varint(rest).ok()?).ok()?;
            Some(take(rest, length)?)
        }
        WireType::Varint => decode_varint(rest).ok().map(|_| None)?,
        WireType::ThirtyTwoBit => take(rest, 4).map(|_| None)?,
        WireType::SixtyFourBit => take(rest, 8).map(|_| None)?,
        // proto3 has no groups.
        WireType::StartGroup | WireType::EndGroup => return None,
    };
    Some(Field {
        number,
        #[cfg(feature = "call")]
        whole: &start[..start.len() - rest.len()],
        content,
    })
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (content, after) = rest.split_at_checked(length)?;
    *rest = after;
    Some(content)
}
