//! Finds out whether an entry of a list is the same as in an earlier list, without decoding it. Pure.

use std::hash::{BuildHasher, Hasher};
use std::sync::LazyLock;

use foldhash::quality::RandomState;

use super::fields;
use super::weight::{Part, Shape};
use crate::model::Fingerprint;

/// Random, and different in each process, so that nobody outside can give two entries the same fingerprint.
static KEY: LazyLock<RandomState> = LazyLock::new(RandomState::default);

/// The fingerprint of an encoded message of this shape; `None` if the bytes are no message. The order of map entries
/// does not count, because engines written in Go write them in a new order each time.
pub(super) fn of(shape: &Shape, message: &[u8]) -> Option<Fingerprint> {
    let is_map = |number| shape.parts.iter().any(|(n, part)| *n == number && matches!(part, Part::Many(_)));
    let (mut in_order, mut in_any_order) = (KEY.build_hasher(), 0u64);
    // Neighbouring fields that are not map entries are hashed together: most are too short to be worth a hash of their
    // own.
    let (mut rest, mut neighbours) = (message, message);
    while !rest.is_empty() {
        let before = rest;
        if is_map(fields::next(&mut rest)?.number) {
            if neighbours.len() > before.len() {
                in_order.write(&neighbours[..neighbours.len() - before.len()]);
            }
            let mut entry = KEY.build_hasher();
            entry.write(&before[..before.len() - rest.len()]);
            in_any_order = in_any_order.wrapping_add(entry.finish());
            neighbours = rest;
        }
    }
    in_order.write(neighbours);
    in_order.write_u64(in_any_order);
    Some(Fingerprint::new(in_order.finish()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use prost::Message;

    use super::super::observed::{Container, Pair};
    use super::super::weight::Shaped;
    use super::*;

    fn container(labels: &[(String, String)], state: i32) -> Container {
        let pair = |(key, value): &(String, String)| Pair { key: key.clone().into(), value: value.clone().into() };
        Container { id: b"c"[..].into(), state, labels: labels.iter().map(pair).collect(), ..Container::default() }
    }

    fn of(container: &Container) -> Option<Fingerprint> {
        super::of(&Container::SHAPE, &container.encode_to_vec())
    }

    proptest! {
        /// The order of labels does not change the fingerprint; everything else does.
        #[test]
        fn it_is_of_what_is_said(
            pairs in proptest::collection::btree_map("[a-c]{1,3}", "[a-c]{0,3}", 0..5),
            others in proptest::collection::btree_map("[a-c]{1,3}", "[a-c]{0,3}", 0..5),
            state in 0..4,
        ) {
            let pairs: Vec<_> = pairs.into_iter().collect();
            let others: Vec<_> = others.into_iter().collect();
            let mut shuffled = pairs.clone();
            shuffled.reverse();
            let it = container(&pairs, state);
            prop_assert_eq!(of(&it), of(&container(&shuffled, state)));
            prop_assert_eq!(of(&it) == of(&container(&others, state)), pairs == others);
            prop_assert_ne!(of(&it), of(&container(&pairs, state + 1)));
            let moved = Container { annotations: it.labels.clone(), labels: Vec::new(), ..it.clone() };
            prop_assert_eq!(of(&it) == of(&moved), pairs.is_empty());
        }
    }

    #[test]
    fn what_is_no_message_has_none() {
        for broken in [&[0x0a, 9, b'a'][..], &[0x0b], &[0xff]] {
            assert_eq!(super::of(&Container::SHAPE, broken), None, "{broken:?}");
        }
        assert!(super::of(&Container::SHAPE, &[]).is_some());
    }
}
