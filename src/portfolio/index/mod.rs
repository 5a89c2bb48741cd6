//! Finds a container of a snapshot by a number, by its id or by its name, without a search through all of them.
//!
//! The first lookup in a snapshot makes its index. The index takes over that of an older generation, the base, and adds
//! a patch: which containers of the base are gone, and which are new. So it costs little where little has changed.
//! Where much has changed, there is a new base, whose parts are built when they are first needed.

mod entries;
mod namespaces;
mod parts;
mod patch;
mod remembered;
mod table;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::atomic::AtomicPtr;

pub(super) use entries::{Entries, Entry};
pub(super) use namespaces::{Sharing, inode_of};
pub(super) use table::At;

use crate::host::namespace::NamespaceKind;
use crate::model::Container;
use parts::Numbers;
use patch::{Base, Patch};
use remembered::Remembered;

/// A new base is made when more than an eighth of the base's containers have changed, and more than this number.
const FEW: usize = 32;

/// A base is dropped after so many snapshots without a lookup, because it keeps old containers in memory.
const UNUSED: u32 = 16;

/// The base that the next generation may take over.
#[derive(Debug, Clone)]
pub(super) struct Basis {
    base: Arc<Base>,
    unused: u32,
}

impl Basis {
    /// The basis after one more snapshot without a lookup; `None` once there were too many of them.
    pub fn after_idle_snapshot(self) -> Option<Basis> {
        (self.unused < UNUSED).then(|| Basis { unused: self.unused + 1, ..self })
    }
}

/// The index of one snapshot.
#[derive(Debug)]
pub(super) struct Index {
    base: Arc<Base>,
    patch: Option<Patch>,
    pub remembered: Remembered,
}

impl Index {
    /// Makes the index of these entries, which are sorted.
    pub fn new(entries: &Entries, basis: Option<&Basis>) -> Index {
        let patched = basis.and_then(|basis| {
            let limit = FEW.max(basis.base.parts.entries.len() / 8);
            Some((basis.base.clone(), Patch::between(&basis.base, entries, limit)?))
        });
        let (base, patch) = match patched {
            Some((base, patch)) => (base, Some(patch).filter(|patch| !patch.is_empty())),
            None => (Base::of(entries.clone()), None),
        };
        Index { base, patch, remembered: Remembered::default() }
    }

    /// The basis for the next generation's index.
    pub fn basis(&self) -> Basis {
        Basis { base: self.base.clone(), unused: 0 }
    }

    /// The container at a position.
    pub fn container(&self, at: At) -> &Arc<Container> {
        &self.entry(at).container
    }

    /// Where callers keep what they derive from the container at a position; null until then.
    #[cfg_attr(not(feature = "capi"), allow(dead_code, reason = "only C keeps a record for each"))]
    #[inline]
    pub fn kept(&self, at: At) -> &AtomicPtr<()> {
        match &self.patch {
            Some(patch) if at >= self.base.len() => patch.parts.kept(at),
            _ => self.base.parts.kept(at),
        }
    }

    /// What callers keep of the container that `find` finds by a number. Looks only at what is built already, so it
    /// cannot fail; `None` means "look it up in full".
    #[cfg_attr(not(feature = "capi"), allow(dead_code, reason = "only C keeps a record for each"))]
    #[inline]
    pub fn known(&self, find: impl Fn(&Numbers) -> Option<At>) -> Option<&AtomicPtr<()>> {
        let Some(patch) = &self.patch else {
            return self.base.parts.known_kept(find(self.base.parts.known_numbers()?)?);
        };
        match find(patch.parts.known_numbers()?) {
            // If this one does not run, another container may.
            Some(at) if patch.parts.entry(at).is_alive() => patch.parts.known_kept(at),
            Some(_) => None,
            None => {
                let at = find(self.base.parts.known_numbers()?)?;
                if patch.is_gone(at) { None } else { self.base.parts.known_kept(at) }
            }
        }
    }

    /// Finds a container by the engine's id.
    pub fn id(&self, id: &str) -> Option<At> {
        let is_it = |at: &At| *self.container(*at).id == *id;
        let new = self.patch.as_ref().and_then(|patch| patch.parts.with_id(id).find(is_it));
        new.or_else(|| self.base.parts.with_id(id).find(|at| is_it(at) && !self.is_gone(*at)))
    }

    /// The containers whose ids are not of the usual form.
    pub fn unusual_ids(&self) -> impl Iterator<Item = At> {
        let new = self.patch.iter().flat_map(|patch| patch.parts.with_unusual_ids());
        self.base.parts.with_unusual_ids().filter(|at| !self.is_gone(*at)).chain(new)
    }

    /// Finds a container by the id of its own v2 cgroup. Of two, the running one is preferred.
    pub fn cgroup(&self, id: u64) -> Option<At> {
        let new = self.patch.as_ref().and_then(|patch| patch.parts.with_cgroup(id).next());
        if new.is_some_and(|at| self.entry(at).is_alive()) {
            return new;
        }
        let old = self.base.parts.with_cgroup(id).find(|at| !self.is_gone(*at));
        if new.is_some() && !old.is_some_and(|at| self.entry(at).is_alive()) { new } else { old }
    }

    /// Finds a running container by the pid and start time of its first process.
    pub fn process(&self, pid: i32, start_ticks: u64) -> Option<At> {
        let new = self.patch.as_ref().and_then(|patch| patch.parts.with_process(pid, start_ticks).next());
        new.or_else(|| self.base.parts.with_process(pid, start_ticks).find(|at| !self.is_gone(*at)))
    }

    /// The containers that may have this name or path: all that have it, and others with the same hash.
    pub fn named(&self, text: &str) -> impl Iterator<Item = &Entry> + Clone {
        let new = self.patch.iter().flat_map(move |patch| patch.parts.with_name(text));
        let old = self.base.parts.with_name(text).filter(|at| !self.is_gone(*at));
        old.chain(new).map(|at| self.entry(at))
    }

    /// The sandbox of the pod with this uid: the running one, otherwise the newest.
    pub fn sandbox(&self, uid: &str) -> Option<At> {
        let new = self.patch.iter().flat_map(|patch| patch.parts.sandboxes(uid));
        let old = self.base.parts.sandboxes(uid).filter(|at| !self.is_gone(*at));
        let its = old.chain(new).filter(|at| parts::uid_of(self.entry(*at)) == Some(uid));
        its.max_by_key(|at| (self.entry(*at).is_alive(), self.container(*at).created_at))
    }

    /// Whether this engine has containers right below this cgroup, or below a pod's cgroup in it.
    pub fn is_parent(&self, path: &str) -> bool {
        let (new, gone) = self.patch.as_ref().map_or((0, 0), |patch| patch.below(path, &self.base));
        self.base.parts.parents().count(path) + new > gone
    }

    /// The containers that run in this namespace.
    pub fn namespace(&self, kind: NamespaceKind, inode: u64) -> Option<Sharing> {
        let changed = self.patch.as_ref().and_then(|patch| patch.namespaces(&self.base).get(kind, inode));
        changed.or_else(|| self.base.namespaces().get(kind, inode)).flatten()
    }

    fn is_gone(&self, at: At) -> bool {
        self.patch.as_ref().is_some_and(|patch| patch.is_gone(at))
    }

    fn entry(&self, at: At) -> &Entry {
        match &self.patch {
            Some(patch) => patch.entry(&self.base, at),
            None => self.base.parts.entry(at),
        }
    }
}
