//! What finds a container of a snapshot by a number, by its id or by its name, without a search.
//!
//! The first lookup in a snapshot makes its index. It takes over the index of an older generation, the base, and adds a
//! patch: which of the base's containers are gone, and which there are instead. So it costs little where little has changed
//! since. Where much has changed, there is a new base, whose parts are built when they are first asked for.

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

/// A base is given up when more than one in eight of its containers has changed, and more than these.
const FEW: usize = 32;

/// For how many snapshots a base is kept in which nobody looks anything up. It keeps old containers in memory.
const UNUSED: u32 = 16;

/// The base that the next generation may take over.
#[derive(Debug, Clone)]
pub(super) struct Basis {
    base: Arc<Base>,
    unused: u32,
}

impl Basis {
    /// After one more snapshot in which nobody has looked anything up.
    pub fn after_idle_snapshot(self) -> Option<Basis> {
        (self.unused < UNUSED).then(|| Basis { unused: self.unused + 1, ..self })
    }
}

/// What a snapshot is asked through.
#[derive(Debug)]
pub(super) struct Index {
    base: Arc<Base>,
    patch: Option<Patch>,
    pub remembered: Remembered,
}

impl Index {
    /// Of these, which are sorted.
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

    /// For the next generation.
    pub fn basis(&self) -> Basis {
        Basis { base: self.base.clone(), unused: 0 }
    }

    /// The container at a position.
    pub fn container(&self, at: At) -> &Arc<Container> {
        &self.entry(at).container
    }

    /// Where callers keep what they have made of the container at a position; null: nothing yet.
    #[cfg_attr(not(feature = "capi"), allow(dead_code, reason = "only C keeps a record for each"))]
    #[inline]
    pub fn kept(&self, at: At) -> &AtomicPtr<()> {
        match &self.patch {
            Some(patch) if at >= self.base.len() => patch.parts.kept(at),
            _ => self.base.parts.kept(at),
        }
    }

    /// What callers keep of the container that `find` finds by a number: in the index as it is. Nothing is built, and nothing can
    /// fail; `None` says nothing.
    #[cfg_attr(not(feature = "capi"), allow(dead_code, reason = "only C keeps a record for each"))]
    #[inline]
    pub fn known(&self, find: impl Fn(&Numbers) -> Option<At>) -> Option<&AtomicPtr<()>> {
        let Some(patch) = &self.patch else {
            return self.base.parts.known_kept(find(self.base.parts.known_numbers()?)?);
        };
        match find(patch.parts.known_numbers()?) {
            // Of one that does not run, another may.
            Some(at) if patch.parts.entry(at).is_alive() => patch.parts.known_kept(at),
            Some(_) => None,
            None => {
                let at = find(self.base.parts.known_numbers()?)?;
                if patch.is_gone(at) { None } else { self.base.parts.known_kept(at) }
            }
        }
    }

    /// By the engine's id.
    pub fn id(&self, id: &str) -> Option<At> {
        let is_it = |at: &At| *self.container(*at).id == *id;
        let new = self.patch.as_ref().and_then(|patch| patch.parts.with_id(id).find(is_it));
        new.or_else(|| self.base.parts.with_id(id).find(|at| is_it(at) && !self.is_gone(*at)))
    }

    /// Those whose ids are not of the usual form.
    pub fn unusual_ids(&self) -> impl Iterator<Item = At> {
        let new = self.patch.iter().flat_map(|patch| patch.parts.with_unusual_ids());
        self.base.parts.with_unusual_ids().filter(|at| !self.is_gone(*at)).chain(new)
    }

    /// By the id of the container's own v2 cgroup. Of two, the one that runs counts.
    pub fn cgroup(&self, id: u64) -> Option<At> {
        let new = self.patch.as_ref().and_then(|patch| patch.parts.with_cgroup(id).next());
        if new.is_some_and(|at| self.entry(at).is_alive()) {
            return new;
        }
        let old = self.base.parts.with_cgroup(id).find(|at| !self.is_gone(*at));
        if new.is_some() && !old.is_some_and(|at| self.entry(at).is_alive()) { new } else { old }
    }

    /// By the pid of the first process and its start, of those that run.
    pub fn process(&self, pid: i32, start_ticks: u64) -> Option<At> {
        let new = self.patch.as_ref().and_then(|patch| patch.parts.with_process(pid, start_ticks).next());
        new.or_else(|| self.base.parts.with_process(pid, start_ticks).find(|at| !self.is_gone(*at)))
    }

    /// Those that may have this name or this path: all that have, and others by chance.
    pub fn named(&self, text: &str) -> impl Iterator<Item = &Entry> + Clone {
        let new = self.patch.iter().flat_map(move |patch| patch.parts.with_name(text));
        let old = self.base.parts.with_name(text).filter(|at| !self.is_gone(*at));
        old.chain(new).map(|at| self.entry(at))
    }

    /// The sandbox of the pod with this uid: the one that runs, else the newest.
    pub fn sandbox(&self, uid: &str) -> Option<At> {
        let new = self.patch.iter().flat_map(|patch| patch.parts.sandboxes(uid));
        let old = self.base.parts.sandboxes(uid).filter(|at| !self.is_gone(*at));
        let its = old.chain(new).filter(|at| parts::uid_of(self.entry(*at)) == Some(uid));
        its.max_by_key(|at| (self.entry(*at).is_alive(), self.container(*at).created_at))
    }

    /// Whether containers of this engine are right below this cgroup, or below pods' cgroups there.
    pub fn is_parent(&self, path: &str) -> bool {
        let (new, gone) = self.patch.as_ref().map_or((0, 0), |patch| patch.below(path, &self.base));
        self.base.parts.parents().count(path) + new > gone
    }

    /// Who runs in this namespace.
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
