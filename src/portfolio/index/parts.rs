//! The parts of an index, each built from the same entries when it is first needed.

use std::sync::OnceLock;
use std::sync::atomic::AtomicPtr;

use super::entries::Entry;
use super::table::{At, Table, hash};
use crate::host::cgroup_name::CgroupName;
use crate::model::{Container, Kind};

/// The lookup tables of some entries.
#[derive(Debug, Default)]
pub(super) struct Parts {
    pub entries: Box<[Entry]>,
    /// The position of the first entry.
    first: At,
    ids: OnceLock<Ids>,
    numbers: OnceLock<Numbers>,
    names: OnceLock<Box<[(u64, At)]>>,
    pods: OnceLock<Table>,
    parents: OnceLock<Parents>,
    kept: OnceLock<Box<[AtomicPtr<()>]>>,
}

#[derive(Debug)]
struct Ids {
    table: Table,
    /// The positions of entries whose ids are not 64 hexadecimal digits: such an id cannot be recognized in a path.
    unusual: Vec<At>,
}

/// Tables that find a container by a number.
#[derive(Debug)]
pub(in crate::portfolio) struct Numbers {
    cgroups: Table,
    pids: Table,
}

impl Numbers {
    /// A container whose own v2 cgroup has this id, preferably a running one.
    #[inline]
    pub fn cgroup(&self, id: u64) -> Option<At> {
        self.cgroups.first(id)
    }

    /// A running container whose first process has this pid and start time.
    #[inline]
    pub fn process(&self, pid: i32, start_ticks: u64) -> Option<At> {
        self.pids.first(process_key(pid, start_ticks))
    }
}

impl Parts {
    /// The parts of these entries; `first` is the position of the first one.
    pub fn of(entries: Box<[Entry]>, first: At) -> Parts {
        Parts { entries, first, ..Parts::default() }
    }

    /// The entry at a position, which has to be in these parts.
    #[inline]
    pub fn entry(&self, at: At) -> &Entry {
        &self.entries[(at - self.first) as usize]
    }

    /// Where callers keep what they derive from the entry at a position; null until then.
    #[cfg_attr(not(feature = "capi"), allow(dead_code, reason = "only C keeps a record for each"))]
    #[inline]
    pub fn kept(&self, at: At) -> &AtomicPtr<()> {
        let kept = self.kept.get_or_init(|| self.entries.iter().map(|_| AtomicPtr::default()).collect());
        &kept[(at - self.first) as usize]
    }

    /// As `kept`, but `None` if nothing has made a place for it yet.
    #[cfg_attr(not(feature = "capi"), allow(dead_code, reason = "only C keeps a record for each"))]
    #[inline]
    pub fn known_kept(&self, at: At) -> Option<&AtomicPtr<()>> {
        self.kept.get()?.get((at - self.first) as usize)
    }

    /// The positions of entries with this id, or with an id of the same hash.
    pub fn with_id(&self, id: &str) -> impl Iterator<Item = At> {
        self.ids().table.all(hash(id.as_bytes()))
    }

    /// The positions of entries whose ids are not of the usual form.
    pub fn with_unusual_ids(&self) -> impl Iterator<Item = At> {
        self.ids().unusual.iter().copied()
    }

    /// The positions of entries whose own v2 cgroup has this id, running ones first.
    pub fn with_cgroup(&self, id: u64) -> impl Iterator<Item = At> {
        self.numbers().cgroups.all(id)
    }

    /// The positions of running entries whose first process has this pid and start time.
    pub fn with_process(&self, pid: i32, start_ticks: u64) -> impl Iterator<Item = At> {
        self.numbers().pids.all(process_key(pid, start_ticks))
    }

    /// The positions of entries that may have this name or path: all that have it, and others with the same hash.
    pub fn with_name(&self, text: &str) -> impl Iterator<Item = At> + Clone {
        let names = self.names.get_or_init(|| {
            let of = |(at, it): (At, &Entry)| {
                [(hash(it.container.name.as_bytes()), at), (hash(it.container.path().as_bytes()), at)]
            };
            let mut names: Vec<(u64, At)> = self.all().flat_map(of).collect();
            names.sort_unstable();
            names.dedup();
            names.into()
        });
        let key = hash(text.as_bytes());
        let first = names.partition_point(|(other, _)| *other < key);
        names[first..].iter().take_while(move |(other, _)| *other == key).map(|(_, at)| *at)
    }

    /// The positions of sandboxes of the pod with this uid, or with a uid of the same hash.
    pub fn sandboxes(&self, uid: &str) -> impl Iterator<Item = At> {
        let pods = self.pods.get_or_init(|| {
            let is_sandbox = |(_, it): &(At, &Entry)| it.container.kind == Kind::Sandbox;
            Table::of(self.all().filter(is_sandbox).filter_map(|(at, it)| Some((hash(uid_of(it)?.as_bytes()), at))))
        });
        pods.all(hash(uid.as_bytes()))
    }

    /// The tables of numbers, if they are built already.
    #[inline]
    pub fn known_numbers(&self) -> Option<&Numbers> {
        self.numbers.get()
    }

    /// The cgroups in which these containers are made.
    pub fn parents(&self) -> &Parents {
        self.parents.get_or_init(|| Parents::of(self.entries.iter()))
    }

    fn ids(&self) -> &Ids {
        let is_usual = |id: &str| id.len() == 64 && id.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        self.ids.get_or_init(|| Ids {
            table: Table::of(self.all().map(|(at, it)| (hash(it.container.id.as_bytes()), at))),
            unusual: self.all().filter(|(_, it)| !is_usual(&it.container.id)).map(|(at, _)| at).collect(),
        })
    }

    fn numbers(&self) -> &Numbers {
        let alive = || self.all().filter(|(_, it)| it.is_alive());
        let dead = self.all().filter(|(_, it)| !it.is_alive());
        let cgroup = |(at, it): (At, &Entry)| Some((it.container.cgroup_id?, at));
        let process =
            |(at, it): (At, &Entry)| Some((process_key(it.container.pid?, it.container.pid_start_ticks?), at));
        self.numbers.get_or_init(|| Numbers {
            // The kernel never reuses a cgroup's id, so that containers that have ended are found by it, too.
            cgroups: Table::of(alive().chain(dead).filter_map(cgroup)),
            pids: Table::of(alive().filter_map(process)),
        })
    }

    fn all(&self) -> impl Iterator<Item = (At, &Entry)> + Clone {
        (self.first..).zip(self.entries.iter())
    }
}

/// The uid of the pod of an entry.
pub(super) fn uid_of(entry: &Entry) -> Option<&str> {
    entry.container.pod.as_deref().map(|pod| &*pod.uid).filter(|uid| !uid.is_empty())
}

/// Pids have 22 bits at most (PID_MAX_LIMIT), and 42 bits of ticks last for 1,394 years.
fn process_key(pid: i32, start_ticks: u64) -> u64 {
    start_ticks << 22 | pid as u64 & 0x3f_ffff
}

/// How many containers there are right below each cgroup. Those in a pod's cgroup also count for the cgroup above it.
#[derive(Debug, Default)]
pub(super) struct Parents(Vec<(u64, usize)>);

impl Parents {
    /// Counts these containers.
    pub fn of<'a>(entries: impl Iterator<Item = &'a Entry>) -> Parents {
        let mut all: Vec<u64> = entries.flat_map(|it| parents_of(&it.container)).collect();
        all.sort_unstable();
        Parents(all.chunk_by(u64::eq).map(|same| (same[0], same.len())).collect())
    }

    /// How many containers there are below the cgroup with this path.
    pub fn count(&self, path: &str) -> usize {
        let found = self.0.binary_search_by_key(&hash(path.as_bytes()), |(key, _)| *key);
        found.map_or(0, |at| self.0[at].1)
    }
}

fn parents_of(container: &Container) -> impl Iterator<Item = u64> {
    let mut parts = container.cgroup_path.as_deref().map(|path| CgroupName::new(path).parts().skip(1));
    let mut next = || parts.as_mut().and_then(Iterator::next);
    let parent = next();
    // Each pod has a cgroup of its own. The cgroup above it is the one that pods share.
    let above = next().filter(|_| parent.as_ref().is_some_and(|parent| parent.pod_uid().is_some()));
    [parent, above].into_iter().flatten().map(|part| hash(part.path.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_its_pid_and_its_start() {
        let max = (1 << 22) - 1;
        let all = [(1, 1), (max, 1), (max, 2), (1, 2), (1, 1 << 41), (0, 1)];
        let mut keys: Vec<u64> = all.into_iter().map(|(pid, start)| process_key(pid, start)).collect();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), all.len());
    }
}
