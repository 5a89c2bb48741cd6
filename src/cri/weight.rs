//! Estimates how much memory a decoded message takes, before it is decoded. Pure.
//!
//! An empty entry takes two bytes on the wire, and hundreds in memory. Without a limit, a hostile engine could fill the
//! memory with one message that is far below `message.max_bytes`.

use std::num::Saturating;

use prost::bytes::Bytes;

use super::fields;

/// The memory that a message of this type takes. `build/observed.rs` generates one for each type.
pub(super) struct Shape {
    /// The size of the decoded message.
    pub size: usize,
    /// The fields whose content takes additional memory, by their numbers.
    pub parts: &'static [(u32, Part)],
}

/// The memory that one occurrence of a field takes.
pub(super) enum Part {
    /// A text, or bytes.
    Text,
    /// A text in a list.
    Texts,
    /// A number in a list of numbers of this size.
    Numbers(usize),
    /// A message inside the one it belongs to.
    One(&'static Shape),
    /// A message in a list.
    Many(&'static Shape),
    /// An entry of a map, which becomes a table.
    Map(&'static Shape),
    /// An item that becomes an observation. Items are decoded one after the other, and only the observation stays.
    Item(&'static Shape),
}

/// A message with a shape.
pub(super) trait Shaped {
    const SHAPE: Shape;
    /// The most memory that it takes for each of its bytes, beside its items.
    const PER_BYTE: usize = per_byte(&Self::SHAPE);
}

/// How many times its size an entry takes in a hash table that grows, because the old table exists until the new one is
/// filled.
const TABLE: usize = 4;
/// What an observation and its record take, beside their texts.
const OBSERVATION: usize = 2048;
/// The smallest block of the C library's allocator; below, what it adds to a bigger one.
const SMALLEST_BLOCK: usize = 32;
const BLOCK_HEADER: usize = 16;
/// What a text takes in a list, beside its bytes.
const TEXT: usize = size_of::<Bytes>();

/// What any message may take, however small it is. Enough that no honest list of small entries is refused.
const FREE: usize = 16 << 20;
/// How many times its size a message may take beyond that. The shortest labels that Kubernetes allows take just that
/// much, so no pod's author can make a message too heavy.
const TIMES: usize = 16;
/// A list that grows has room for twice as many elements, at most.
const GROWTH: usize = 2;

/// What a message of so many bytes may take in memory.
pub(super) fn allowed(bytes: usize) -> usize {
    FREE.saturating_add(bytes.saturating_mul(TIMES))
}

/// Why a message that takes too much is refused.
pub(super) fn refusal(bytes: usize) -> String {
    format!(
        "{bytes} bytes would take more than {} bytes of memory: almost all entries are empty. No engine sends this by itself \
         (find out who answers at the engine's socket)",
        allowed(bytes)
    )
}

/// Whether a message is so small that it cannot be too heavy, whatever is in it, and need not be weighed. Only its
/// items are counted.
pub(super) fn is_light<T: Shaped>(message: &[u8]) -> bool {
    let mut most = Saturating(T::PER_BYTE) * Saturating(message.len()) + Saturating(T::SHAPE.size);
    let mut rest = message;
    while most.0 <= FREE && !rest.is_empty() {
        let Some(field) = fields::next(&mut rest) else { break };
        let part = T::SHAPE.parts.iter().find(|(number, _)| *number == field.number);
        if let Some((_, Part::Item(_))) = part {
            most += OBSERVATION;
        }
    }
    most.0 <= FREE
}

/// The most memory for each byte of such a message: that of the field that takes the most for the fewest bytes.
const fn per_byte(shape: &Shape) -> usize {
    /// The length of an empty field: a key and a length.
    const EMPTY: usize = 2;
    let (mut most, mut at) = (0, 0);
    while at < shape.parts.len() {
        let (beside, inside) = match &shape.parts[at].1 {
            Part::Text => (0, SMALLEST_BLOCK / EMPTY),
            Part::Texts => (GROWTH * TEXT / EMPTY, SMALLEST_BLOCK / EMPTY),
            Part::Numbers(size) => (GROWTH * *size, 0),
            Part::One(shape) | Part::Item(shape) => (0, per_byte(shape)),
            Part::Many(shape) => (GROWTH * shape.size / EMPTY, per_byte(shape)),
            Part::Map(shape) => ((GROWTH + TABLE) * shape.size / EMPTY, per_byte(shape)),
        };
        if beside + inside > most {
            most = beside + inside;
        }
        at += 1;
    }
    most
}

/// The memory that the decoded message takes, counted up to the limit. Of a broken message only the part before the
/// fault counts, because decoding stops there, too.
pub(super) fn of(shape: &Shape, message: &[u8]) -> usize {
    (inside(shape, message, allowed(message.len())) + Saturating(shape.size)).0
}

fn inside(shape: &Shape, mut rest: &[u8], most: usize) -> Saturating<usize> {
    let mut weight = Saturating(0);
    while !rest.is_empty() && weight.0 <= most {
        let Some(field) = fields::next(&mut rest) else { break };
        let Some((_, part)) = shape.parts.iter().find(|(number, _)| *number == field.number) else { continue };
        let inside = |shape: &Shape, message: &[u8], beside: usize| inside(shape, message, most) + Saturating(beside);
        weight += match (part, field.content) {
            (Part::Text, Some(text)) => Saturating(block(text.len())),
            (Part::Texts, Some(text)) => Saturating(GROWTH * TEXT + block(text.len())),
            // Each number of a packed list has at least one byte.
            (Part::Numbers(size), Some(packed)) => Saturating(GROWTH * size) * Saturating(packed.len()),
            (Part::Numbers(size), None) => Saturating(GROWTH * size),
            (Part::One(shape), Some(message)) => inside(shape, message, 0),
            (Part::Many(shape), Some(message)) => inside(shape, message, GROWTH * shape.size),
            (Part::Map(shape), Some(entry)) => inside(shape, entry, (GROWTH + TABLE) * shape.size),
            (Part::Item(shape), Some(item)) => inside(shape, item, OBSERVATION),
            // Decoding refuses a number in place of a text.
            (_, None) => break,
        };
    }
    weight
}

/// The block of memory for so many bytes.
fn block(bytes: usize) -> usize {
    if bytes == 0 { 0 } else { (bytes + BLOCK_HEADER).max(SMALLEST_BLOCK) }
}

/// The memory of a parsed JSON value; below, that of an object with its first table of keys.
const JSON_VALUE: usize = 96;
const JSON_OBJECT: usize = 704;

/// The deepest JSON that is read.
const JSON_DEPTH: usize = 128;

/// The text to show in place of a JSON text that would take more memory than a message of its size may; `None` if it
/// may be read. The text itself is not shown, because it may contain values of environment variables.
pub(super) fn heavy_json(text: &str) -> Option<String> {
    // Such a text is never too heavy, whatever its bytes are.
    if text.len() <= FREE / (JSON_OBJECT + 1) {
        return None;
    }
    let weight = json(text.as_bytes());
    let why = || format!("<{} bytes of JSON, not read: they would take {weight} bytes of memory>", text.len());
    (weight > allowed(text.len())).then(why)
}

fn json(text: &[u8]) -> usize {
    let (mut weight, mut depth) = (Saturating(text.len()), 0_usize);
    let mut bytes = text.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'{' => weight += JSON_OBJECT,
            b'[' | b',' => weight += JSON_VALUE,
            b'"' => skip_string(&mut bytes),
            _ => {}
        }
        match byte {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > JSON_DEPTH {
            break;
        }
    }
    weight.0
}

fn skip_string(bytes: &mut std::slice::Iter<'_, u8>) {
    while let Some(byte) = bytes.next().filter(|byte| **byte != b'"') {
        if *byte == b'\\' {
            bytes.next();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAIR: Shape = Shape { size: 48, parts: &[(1, Part::Text), (2, Part::Text)] };
    const LIST: Shape = Shape { size: 24, parts: &[(1, Part::Item(&ENTRY))] };
    const ENTRY: Shape = Shape { size: 100, parts: &[(1, Part::Text), (8, Part::Many(&PAIR)), (9, Part::Numbers(8))] };

    #[test]
    fn each_thing_has_its_weight() {
        assert_eq!(of(&LIST, &[]), 24);
        assert_eq!(of(&LIST, &[0x0a, 0]), 24 + OBSERVATION);
        assert_eq!(of(&ENTRY, &[0x0a, 1, b'a']), 100 + SMALLEST_BLOCK);
        assert_eq!(of(&ENTRY, &[0x42, 0, 0x42, 0]), 100 + 2 * GROWTH * 48);
        assert_eq!(of(&ENTRY, &[0x4a, 3, 1, 2, 3]), of(&ENTRY, &[0x48, 1, 0x48, 2, 0x48, 3]));
        assert_eq!(of(&ENTRY, &[0x7a, 3, 1, 2, 3]), 100, "a field of a newer contract is skipped");
    }

    #[test]
    fn of_a_broken_message_counts_what_is_decoded() {
        for broken in [&[0x42, 0, 0xff][..], &[0x42, 0, 0x42, 9], &[0x42, 0, 0x40, 1, 0x42, 0]] {
            assert_eq!(of(&ENTRY, broken), 100 + GROWTH * 48, "{broken:?}");
        }
    }

    #[test]
    fn only_what_is_no_text_makes_json_heavy() {
        assert!(heavy_json(&format!("[{}0]", "{\"\":0},".repeat(100_000))).is_some());
        assert!(heavy_json(&"[],".repeat(1_000_000)).is_some());
        assert_eq!(heavy_json(&"[".repeat(1_000_000)), None, "reading stops before it takes much");
        assert_eq!(heavy_json(&format!("{{\"a\":\"{}\"}}", "[{\\\"".repeat(1_000_000))), None);
        assert_eq!(heavy_json(r#"{"pid":7}"#), None);
        let most = "{".repeat(FREE / (JSON_OBJECT + 1));
        assert!(heavy_json(&most).is_none() && json(most.as_bytes()) <= allowed(most.len()));
    }

    /// The same as `LIST`.
    struct List;

    impl Shaped for List {
        const SHAPE: Shape = LIST;
    }

    /// A list of so many items, each of which consists of this.
    fn list(items: usize, item: &[u8]) -> Vec<u8> {
        let mut one = vec![0x0a];
        prost::encoding::encode_varint(item.len() as u64, &mut one);
        one.extend_from_slice(item);
        one.repeat(items)
    }

    #[test]
    fn what_is_light_is_never_too_heavy() {
        let (mut light, mut heavy) = (0, 0);
        for item in [
            &[][..],
            &[0x42, 0],
            &[0x42, 0].repeat(300),
            &[0x42, 3, 0x0a, 1, b'a'].repeat(9),
            &[0x48, 1],
            &[0x0a, 1, 0],
        ] {
            for items in [0, 1, 10, 300, 2_000, 10_000, 100_000] {
                let message = list(items, item);
                match is_light::<List>(&message) {
                    true => light += 1,
                    false => heavy += 1,
                }
                let is_allowed = of(&LIST, &message) <= allowed(message.len());
                assert!(is_allowed || !is_light::<List>(&message), "{items} times {item:?}");
            }
        }
        assert!(light > 9 && heavy > 9, "{light} {heavy}");
        assert!(
            is_light::<List>(&list(300, &[0x42, 10, 0x0a, 3, 1, 2, 3, 0x12, 3, 1, 2, 3].repeat(30))),
            "200 containers"
        );
    }
}
