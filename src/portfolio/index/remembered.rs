//! A small cache of lookups of v2 cgroups that are not a container's own.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use super::table::At;

/// Remembers to whom a cgroup belongs. Valid as long as the snapshot, because neither the path of an id nor the
/// snapshot changes.
#[derive(Debug, Default)]
pub(in crate::portfolio) struct Remembered(OnceLock<Box<[AtomicU64]>>);

/// The value of a slot's low bits for a cgroup of the host. Otherwise these bits are the position; the high bits are
/// the cgroup's id.
const HOSTS: u64 = (1 << AT_BITS) - 1;
const AT_BITS: u32 = 20;

impl Remembered {
    const SLOTS: usize = 512;

    fn slot(&self, id: u64) -> &AtomicU64 {
        let slots = self.0.get_or_init(|| (0..Self::SLOTS).map(|_| AtomicU64::new(0)).collect());
        &slots[(id.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 55) as usize]
    }

    /// What is remembered about this cgroup: a position, or `Some(None)` for a cgroup of the host.
    pub fn get(&self, id: u64) -> Option<Option<At>> {
        let slot = self.slot(id).load(Ordering::Relaxed);
        let at = slot & HOSTS;
        (slot != 0 && slot >> AT_BITS == id).then_some((at != HOSTS).then_some(at as At))
    }

    /// Remembers an answer, perhaps in the place of another one. What does not fit into a slot is not remembered.
    pub fn put(&self, id: u64, at: Option<At>) {
        let fits = id != 0 && id >> (64 - AT_BITS) == 0 && at.is_none_or(|at| u64::from(at) < HOSTS);
        let at = at.map_or(HOSTS, u64::from);
        if fits {
            self.slot(id).store(id << AT_BITS | at, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_remembered_is_of_this_id_and_no_other() {
        let it = Remembered::default();
        assert_eq!(it.get(0), None);
        for id in [1, 77, 9_000_001, (1 << 44) - 1] {
            assert_eq!(it.get(id), None);
            it.put(id, Some(5));
            assert_eq!((it.get(id), it.get(id + 1)), (Some(Some(5)), None));
            it.put(id, None);
            assert_eq!(it.get(id), Some(None));
        }
        // These fit into no slot, or have the host's mark as a position.
        it.put(1 << 44, Some(5));
        it.put(u64::MAX, None);
        it.put(500, Some(HOSTS as At + 1));
        assert_eq!((it.get(1 << 44), it.get(u64::MAX), it.get(500)), (None, None, None));
        for id in 1..5000 {
            it.put(id, Some(id as At));
        }
        assert!((1..5000).all(|id| it.get(id).is_none_or(|at| at == Some(id as At))));
    }
}
