//! The part of an index that generations share, and what has changed since.

use std::sync::{Arc, OnceLock};

use super::entries::{Changes, Entries, Entry};
use super::namespaces::Namespaces;
use super::parts::{Parents, Parts};
use super::table::At;

/// The index of one generation, which later generations take over.
#[derive(Debug)]
pub(super) struct Base {
    entries: Entries,
    /// The same entries, by position.
    pub parts: Parts,
    namespaces: OnceLock<Namespaces>,
}

impl Base {
    /// The base of these entries.
    pub fn of(entries: Entries) -> Arc<Base> {
        let parts = Parts::of(entries.iter().cloned().collect(), 0);
        Arc::new(Base { entries, parts, namespaces: OnceLock::new() })
    }

    /// The first position after the base.
    pub fn len(&self) -> At {
        self.parts.entries.len() as At
    }

    /// Who shares which namespace.
    pub fn namespaces(&self) -> &Namespaces {
        self.namespaces.get_or_init(|| Namespaces::of(&self.parts.entries))
    }
}

/// What has changed since the base was made. The positions of new entries follow those of the base.
#[derive(Debug)]
pub(super) struct Patch {
    pub parts: Parts,
    gone: Vec<At>,
    /// The same positions as a bit set.
    is_gone: Box<[u64]>,
    parents_of_gone: OnceLock<Parents>,
    namespaces: OnceLock<Namespaces>,
}

impl Patch {
    /// The patch that turns the base into `now`; `None` if it has more than `limit` changes.
    pub fn between(base: &Base, now: &Entries, limit: usize) -> Option<Patch> {
        let changes = Changes::between(&base.entries, now, limit)?;
        let mut is_gone = vec![0; base.parts.entries.len().div_ceil(64)].into_boxed_slice();
        for at in &changes.gone {
            is_gone[*at as usize / 64] |= 1 << (at % 64);
        }
        Some(Patch {
            parts: Parts::of(changes.new.into(), base.len()),
            gone: changes.gone,
            is_gone,
            parents_of_gone: OnceLock::new(),
            namespaces: OnceLock::new(),
        })
    }

    /// Whether nothing has changed.
    pub fn is_empty(&self) -> bool {
        self.gone.is_empty() && self.parts.entries.is_empty()
    }

    /// Whether the base's container at this position is gone or has a newer version.
    #[inline]
    pub fn is_gone(&self, at: At) -> bool {
        self.is_gone.get(at as usize / 64).is_some_and(|word| word >> (at % 64) & 1 == 1)
    }

    /// The entry at a position of the base or of the patch.
    pub fn entry<'a>(&'a self, base: &'a Base, at: At) -> &'a Entry {
        if at < base.len() { base.parts.entry(at) } else { self.parts.entry(at) }
    }

    /// How many new containers are below this cgroup, and how many containers that are gone were.
    pub fn below(&self, path: &str, base: &Base) -> (usize, usize) {
        let gone = || Parents::of(self.gone.iter().map(|at| base.parts.entry(*at)));
        (self.parts.parents().count(path), self.parents_of_gone.get_or_init(gone).count(path))
    }

    /// The namespaces in which something has changed.
    pub fn namespaces(&self, base: &Base) -> &Namespaces {
        self.namespaces.get_or_init(|| {
            let new = base.len()..base.len() + self.parts.entries.len() as At;
            let entry = |at| self.entry(base, at);
            Namespaces::changed(base.namespaces(), &self.gone, new, |at| self.is_gone(at), entry)
        })
    }
}
