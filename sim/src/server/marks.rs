//! Characters that stand for bytes which no Rust string can contain. They are replaced on the wire by equally many
//! bytes, so that the lengths in the messages stay right.

use http_body_util::BodyExt;
use prost::bytes::Bytes;
use tonic::body::Body;

/// U+10FFFD in UTF-8. On the wire it is `BAD_BYTES`.
const BAD: [u8; 4] = [0xf4, 0x8f, 0xbf, 0xbd];
const BAD_BYTES: [u8; 4] = [0xff, 0xfe, 0xff, 0xfe];
/// U+10FFFC in UTF-8. The field that begins with it gets a wire type that does not exist.
const BROKEN: [u8; 4] = [0xf4, 0x8f, 0xbf, 0xbc];
/// A text of less than 128 bytes comes after one byte for its field's key, and one for its length.
const KEY_BEFORE: usize = 2;
const NO_WIRE_TYPE: u8 = 7;

/// The body with its marks replaced. tonic never splits a message between two frames.
pub fn changed(body: Body) -> Body {
    Body::new(body.map_frame(|frame| frame.map_data(change)))
}

fn change(data: Bytes) -> Bytes {
    let is_mark = |at: &usize| data[*at..].starts_with(&BAD) || data[*at..].starts_with(&BROKEN);
    let marks: Vec<usize> = (0..data.len()).filter(|at| data[*at] == BAD[0]).filter(is_mark).collect();
    if marks.is_empty() {
        return data;
    }
    let mut bytes = data.to_vec();
    for at in marks {
        if bytes[at..].starts_with(&BROKEN)
            && let Some(key) = at.checked_sub(KEY_BEFORE)
        {
            bytes[key] |= NO_WIRE_TYPE;
        }
        bytes[at..at + BAD_BYTES.len()].copy_from_slice(&BAD_BYTES);
    }
    bytes.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use prost::Message;

    #[test]
    fn bad_bytes_keep_the_lengths_right() {
        let message = crate::pb::VersionRequest { version: "a\u{10fffd}b".into() }.encode_to_vec();
        let changed = change(message.clone().into());
        assert_eq!(changed.len(), message.len());
        assert!(changed.ends_with(b"a\xff\xfe\xff\xfeb"));
        assert!(crate::pb::VersionRequest::decode(changed).is_err());
    }

    #[test]
    fn other_texts_stay_as_they_are() {
        let message = Bytes::from_static("plain \u{10fffb}".as_bytes());
        assert_eq!(change(message.clone()), message);
    }
}
