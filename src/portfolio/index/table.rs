//! A hash table from numbers to positions.

/// A position in an index.
pub(in crate::portfolio) type At = u32;

/// Marks an empty slot. It is never a position: there are fewer containers.
const NOBODY: At = At::MAX;

#[derive(Debug, Clone, Copy)]
struct Slot {
    key: u64,
    at: At,
}

/// Numbers to positions: open addressing with linear probing, at most half full. A number may have several.
#[derive(Debug)]
pub(super) struct Table {
    slots: Box<[Slot]>,
    shift: u32,
}

impl Table {
    /// An empty table with room for this many keys.
    pub fn with_room_for(keys: usize) -> Table {
        let size = (2 * keys).next_power_of_two().max(2);
        Table { slots: vec![Slot { key: 0, at: NOBODY }; size].into(), shift: 64 - size.trailing_zeros() }
    }

    /// A table of exactly these pairs. It has no room for more.
    pub fn of(all: impl Iterator<Item = (u64, At)> + Clone) -> Table {
        let mut table = Table::with_room_for(all.clone().count());
        all.for_each(|(key, at)| table.put(key, at));
        table
    }

    /// Adds a position, after those that have the same key.
    pub fn put(&mut self, key: u64, at: At) {
        let free = self.probe(key).find(|i| self.slots[*i].at == NOBODY).expect("half of the slots are free");
        self.slots[free] = Slot { key, at };
    }

    /// The first position that has this key.
    #[inline]
    pub fn first(&self, key: u64) -> Option<At> {
        // Half of the slots are free: the loop ends.
        for i in self.probe(key) {
            let slot = self.slots[i];
            if slot.at == NOBODY {
                break;
            }
            if slot.key == key {
                return Some(slot.at);
            }
        }
        None
    }

    /// All positions that have this key, in the order in which they were added.
    pub fn all(&self, key: u64) -> impl Iterator<Item = At> {
        let slots = self.probe(key).map(|i| self.slots[i]).take_while(|slot| slot.at != NOBODY);
        slots.filter(move |slot| slot.key == key).map(|slot| slot.at)
    }

    /// The slots that may hold a key, the likeliest first.
    #[inline]
    fn probe(&self, key: u64) -> impl Iterator<Item = usize> + use<> {
        // Fibonacci hashing spreads ids of cgroups and pids, which are often consecutive.
        let (first, mask) = ((key.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> self.shift) as usize, self.slots.len() - 1);
        (0..).map(move |step| (first + step) & mask)
    }
}

/// A hash of eight bytes at a time, multiplied and folded. Good enough for the texts that engines and kubelets make.
pub(super) fn hash(bytes: &[u8]) -> u64 {
    const K: u64 = 0x9FB2_1C65_1E98_DF25;
    let mut state = bytes.len() as u64;
    let (words, rest) = bytes.as_chunks::<8>();
    for word in words {
        state = fold(state ^ u64::from_le_bytes(*word), K);
    }
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    fold(state ^ u64::from_le_bytes(last), K)
}

fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a ^ 0x2D35_8DCC_AA6C_78A5) * u128::from(b);
    product as u64 ^ (product >> 64) as u64
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn a_table_gives_what_was_put_into_it() {
        // Consecutive numbers, multiples of large powers of two, and the ends of the range.
        let keys = (0..1000).chain((1..1000).map(|n| n << 40)).chain([u64::MAX, u64::MAX - 1, 1 << 63]);
        let keys: HashMap<u64, At> = keys.enumerate().map(|(at, key)| (key, at as At)).collect();
        let table = Table::of(keys.iter().map(|(key, at)| (*key, *at)));
        for (key, at) in &keys {
            assert_eq!(table.all(*key).collect::<Vec<_>>(), [*at], "{key}");
            assert_eq!(table.first(*key), Some(*at), "{key}");
        }
        assert!((5000..9000).all(|key| table.first(key).is_none()));
        assert!(Table::with_room_for(0).first(7).is_none());
    }

    #[test]
    fn all_that_share_a_key_are_found_in_their_order() {
        let table = Table::of([(7, 3), (8, 1), (7, 4), (7, 0)].into_iter());
        assert_eq!(table.all(7).collect::<Vec<_>>(), [3, 4, 0]);
        assert_eq!(table.first(7), Some(3));
        assert_eq!(table.all(8).collect::<Vec<_>>(), [1]);
    }

    #[test]
    fn texts_that_differ_a_little_hash_differently() {
        let texts: Vec<String> = (0..20_000).map(|n| format!("{n:064x}")).collect();
        let mut hashes: Vec<u64> = texts.iter().map(|text| hash(text.as_bytes())).collect();
        hashes.extend((0..40).map(|length| hash(&vec![0; length])));
        hashes.sort_unstable();
        let all = hashes.len();
        hashes.dedup();
        assert_eq!(hashes.len(), all);
    }
}
