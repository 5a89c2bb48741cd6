//! What finds a container of a snapshot by a number or by its id, without a search.
//!
//! Each part is built when it is first asked for, whole: a snapshot sorts its containers anew anyway, and every position in
//! an index moves with that. To take over the part that has not changed would need the positions to stay, for which the
//! snapshot itself would have to be built from the one before (docs/lookups.md has what a build costs).

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::host::cgroup_name::CgroupName;
use crate::host::namespace::NamespaceKind;
use crate::model::{Container, Kind};

/// The position of a container in its snapshot.
pub(crate) type At = u32;

/// An empty slot, and no position: a snapshot has fewer containers.
const NOBODY: At = At::MAX;

#[derive(Debug, Clone, Copy)]
struct Slot {
    key: u64,
    at: At,
    /// How many have this key; the top bit: they are of several pods.
    many: u32,
}

const SEVERAL_PODS: u32 = 1 << 31;

/// Numbers to positions: open addressing with linear probing, at most half full.
#[derive(Debug, Default)]
struct Table {
    slots: Box<[Slot]>,
    shift: u32,
}

impl Table {
    fn with_room_for(keys: usize) -> Table {
        let size = (2 * keys).next_power_of_two().max(2);
        let empty = Slot { key: 0, at: NOBODY, many: 0 };
        Table { slots: vec![empty; size].into(), shift: 64 - size.trailing_zeros() }
    }

    /// The slots that a key may be in, beginning with the likeliest.
    fn probe(&self, key: u64) -> impl Iterator<Item = usize> + use<> {
        // Fibonacci hashing: ids of cgroups and pids come in runs.
        let (first, mask) = ((key.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> self.shift) as usize, self.slots.len() - 1);
        (0..).map(move |step| (first + step) & mask)
    }

    /// The slot of this key that is `meant`, or the free one where it belongs.
    fn slot(&mut self, key: u64, meant: impl Fn(At) -> bool) -> &mut Slot {
        let fits = |slot: &Slot| slot.at == NOBODY || slot.key == key && meant(slot.at);
        let at = self.probe(key).find(|i| fits(&self.slots[*i])).expect("half of the slots are free");
        &mut self.slots[at]
    }

    fn get(&self, key: u64, meant: impl Fn(At) -> bool) -> Option<&Slot> {
        if self.slots.is_empty() {
            return None;
        }
        for i in self.probe(key) {
            let slot = &self.slots[i];
            if slot.at == NOBODY {
                return None;
            }
            if slot.key == key && meant(slot.at) {
                return Some(slot);
            }
        }
        None
    }
}

/// What was found out of v2 cgroups that are no container's own: whose they are. Good as long as the snapshot: neither the
/// path of an id nor what the snapshot knows changes.
#[derive(Debug, Default)]
pub(super) struct Remembered(OnceLock<Box<[AtomicU64]>>);

/// A slot's lowest bits are the position, or this for the host's; the rest is the id.
const HOSTS: u64 = (1 << AT_BITS) - 1;
const AT_BITS: u32 = 20;

impl Remembered {
    const SLOTS: usize = 512;

    fn slot(&self, id: u64) -> &AtomicU64 {
        let slots = self.0.get_or_init(|| (0..Self::SLOTS).map(|_| AtomicU64::new(0)).collect());
        &slots[(id.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 55) as usize]
    }

    /// What is remembered: a position, or `None` for the host's.
    pub fn get(&self, id: u64) -> Option<Option<At>> {
        let slot = self.slot(id).load(Ordering::Relaxed);
        let at = slot & HOSTS;
        (slot != 0 && slot >> AT_BITS == id).then_some((at != HOSTS).then_some(at as At))
    }

    /// Remembers it, in the place of another; what does not fit into a slot is found out again.
    pub fn put(&self, id: u64, at: Option<At>) {
        let fits = id != 0 && id >> (64 - AT_BITS) == 0 && at.is_none_or(|at| u64::from(at) < HOSTS);
        let at = at.map_or(HOSTS, u64::from);
        if fits {
            self.slot(id).store(id << AT_BITS | at, Ordering::Relaxed);
        }
    }
}

/// Where an indexed container stands, and whether the engine has it and it runs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Indexed<'a> {
    pub container: &'a Container,
    pub is_alive: bool,
}

/// What is indexed: containers by their positions.
pub(super) trait Containers {
    /// How many there are.
    fn count(&self) -> usize;
    /// The one at a position below that.
    fn at(&self, at: At) -> Indexed<'_>;

    /// All, with their positions.
    fn all(&self) -> impl Iterator<Item = (At, Indexed<'_>)> {
        (0..self.count() as At).map(|at| (at, self.at(at)))
    }

    /// The container at a position.
    fn container(&self, at: At) -> &Container {
        self.at(at).container
    }
}

/// What a snapshot is asked through. All of it is built from the same containers, in the same order.
#[derive(Debug, Default)]
pub(super) struct Index {
    ids: OnceLock<Ids>,
    names: OnceLock<Box<[(u64, At)]>>,
    numbers: OnceLock<Numbers>,
    namespaces: OnceLock<Table>,
    pods: OnceLock<Pods>,
    pub remembered: Remembered,
}

/// By the engine's id.
#[derive(Debug, Default)]
pub(super) struct Ids {
    table: Table,
    /// Those whose ids have not 64 hexadecimal digits, so that a path does not show by itself that it has one.
    unusual: Vec<At>,
}

/// By the numbers that the kernel gives.
#[derive(Debug, Default)]
pub(super) struct Numbers {
    cgroups: Table,
    pids: Table,
}

/// By the uid of the pod; and the cgroups in which containers of this engine are made.
#[derive(Debug, Default)]
pub(super) struct Pods {
    uids: Table,
    parents: Vec<u64>,
}

impl Index {
    /// By id.
    pub fn ids(&self, all: &impl Containers) -> &Ids {
        self.ids.get_or_init(|| Ids::of(all))
    }

    /// By cgroup and pid.
    pub fn numbers(&self, all: &impl Containers) -> &Numbers {
        self.numbers.get_or_init(|| Numbers::of(all))
    }

    /// By pod.
    pub fn pods(&self, all: &impl Containers) -> &Pods {
        self.pods.get_or_init(|| Pods::of(all))
    }

    /// The positions of those that may have this name or this path: all that have, and others by chance.
    pub fn named(&self, text: &str, all: &impl Containers) -> impl Iterator<Item = At> + Clone {
        let names = self.names.get_or_init(|| {
            let of = |(at, it): (At, Indexed<'_>)| {
                [(hash(it.container.name.as_bytes()), at), (hash(it.container.path().as_bytes()), at)]
            };
            let mut names: Vec<(u64, At)> = all.all().flat_map(of).collect();
            names.sort_unstable();
            names.dedup();
            names.into()
        });
        let key = hash(text.as_bytes());
        let first = names.partition_point(|(other, _)| *other < key);
        names[first..].iter().take_while(move |(other, _)| *other == key).map(|(_, at)| *at)
    }

    /// Of those that run: who is in this namespace, how many are, and whether they are of several pods.
    pub fn namespace(&self, kind: NamespaceKind, inode: u64, all: &impl Containers) -> Option<(At, usize, bool)> {
        let table = self.namespaces.get_or_init(|| namespaces_of(all));
        let slot = table.get(namespace_key(kind, inode), |_| true)?;
        Some((slot.at, (slot.many & !SEVERAL_PODS) as usize, slot.many & SEVERAL_PODS != 0))
    }
}

impl Ids {
    fn of(all: &impl Containers) -> Ids {
        let mut ids = Ids { table: Table::with_room_for(all.count()), unusual: Vec::new() };
        for (at, it) in all.all() {
            let id = &it.container.id;
            // Ids are unique: whoever has the same hash is another one.
            *ids.table.slot(hash(id.as_bytes()), |_| false) = Slot { key: hash(id.as_bytes()), at, many: 1 };
            if id.len() != 64 || !id.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
                ids.unusual.push(at);
            }
        }
        ids
    }

    /// The position whose id `is_it`: of those with the hash of this id.
    pub fn get(&self, id: &str, is_it: impl Fn(At) -> bool) -> Option<At> {
        self.table.get(hash(id.as_bytes()), is_it).map(|slot| slot.at)
    }

    /// Those whose ids are not of the usual form.
    pub fn unusual(&self) -> &[At] {
        &self.unusual
    }
}

impl Numbers {
    fn of(all: &impl Containers) -> Numbers {
        let count = all.count();
        let mut numbers = Numbers { cgroups: Table::with_room_for(count), pids: Table::with_room_for(count) };
        for (at, it) in all.all() {
            // The kernel gives the id of a cgroup once: the dead are found by it, too.
            if let Some(id) = it.container.cgroup_id {
                put(&mut numbers.cgroups, id, at, it.is_alive);
            }
            if let (Some(pid), Some(start), true) = (it.container.pid, it.container.pid_start_ticks, it.is_alive) {
                put(&mut numbers.pids, process_key(pid, start), at, true);
            }
        }
        numbers
    }

    /// By the id of the container's own v2 cgroup.
    pub fn cgroup(&self, id: u64) -> Option<At> {
        self.cgroups.get(id, |_| true).map(|slot| slot.at)
    }

    /// By the pid of the first process and its start, of those that run.
    pub fn process(&self, pid: i32, start_ticks: u64) -> Option<At> {
        self.pids.get(process_key(pid, start_ticks), |_| true).map(|slot| slot.at)
    }
}

/// Pids have 22 bits at most (PID_MAX_LIMIT), and 42 bits of ticks last for 1,394 years.
fn process_key(pid: i32, start_ticks: u64) -> u64 {
    start_ticks << 22 | pid as u64 & 0x3f_ffff
}

/// Of two with one number, the one that runs counts.
fn put(table: &mut Table, key: u64, at: At, is_alive: bool) {
    let slot = table.slot(key, |_| true);
    if slot.at == NOBODY || is_alive {
        *slot = Slot { key, at, many: 1 };
    }
}

fn namespaces_of(all: &impl Containers) -> Table {
    let alive = || all.all().filter(|(_, it)| it.is_alive);
    let mut table = Table::with_room_for(7 * alive().count());
    let pod = |at: At| all.container(at).pod.as_deref().map(|pod| &pod.id);
    for (at, it) in alive() {
        for (kind, inode) in namespaces(it.container) {
            let slot = table.slot(namespace_key(kind, inode), |_| true);
            if slot.at == NOBODY {
                *slot = Slot { key: namespace_key(kind, inode), at, many: 1 };
                continue;
            }
            slot.many += 1;
            if pod(at) != pod(slot.at) {
                slot.many |= SEVERAL_PODS;
            }
            // What the containers of a pod share is the pod's.
            if it.container.kind == Kind::Sandbox && all.container(slot.at).kind != Kind::Sandbox {
                slot.at = at;
            }
        }
    }
    table
}

fn namespaces(container: &Container) -> impl Iterator<Item = (NamespaceKind, u64)> {
    let of = &container.namespaces;
    let all = [
        (NamespaceKind::Cgroup, of.cgroup),
        (NamespaceKind::Ipc, of.ipc),
        (NamespaceKind::Mount, of.mnt),
        (NamespaceKind::Net, of.net),
        (NamespaceKind::Pid, of.pid),
        (NamespaceKind::User, of.user),
        (NamespaceKind::Uts, of.uts),
    ];
    all.into_iter().filter(|(_, inode)| *inode != 0)
}

fn namespace_key(kind: NamespaceKind, inode: u64) -> u64 {
    inode.wrapping_mul(8).wrapping_add(kind as u64)
}

impl Pods {
    fn of(all: &impl Containers) -> Pods {
        let sandboxes = || all.all().filter(|(_, it)| it.container.kind == Kind::Sandbox);
        let mut pods = Pods { uids: Table::with_room_for(sandboxes().count()), parents: Vec::new() };
        let uid = |at: At| all.container(at).pod.as_deref().map(|pod| &*pod.uid);
        for (at, it) in sandboxes() {
            let Some(pod) = it.container.pod.as_deref().filter(|pod| !pod.uid.is_empty()) else {
                continue;
            };
            let slot = pods.uids.slot(hash(pod.uid.as_bytes()), |other| uid(other) == Some(&*pod.uid));
            let is_newer = |other: At| it.container.created_at >= all.container(other).created_at;
            if slot.at == NOBODY || it.is_alive || is_newer(slot.at) {
                *slot = Slot { key: hash(pod.uid.as_bytes()), at, many: 1 };
            }
        }
        for path in all.all().filter_map(|(_, it)| it.container.cgroup_path.as_deref()) {
            let mut parts = CgroupName::new(path).parts().skip(1);
            let parent = parts.next();
            // Each pod has a cgroup of its own: what the pods have in common is above it.
            let above = parts.next().filter(|_| parent.is_some_and(|parent| parent.pod_uid().is_some()));
            pods.parents.extend([parent, above].into_iter().flatten().map(|part| hash(part.path.as_bytes())));
        }
        pods.parents.sort_unstable();
        pods.parents.dedup();
        pods
    }

    /// The sandbox of the pod with this uid: the one that runs, else the newest.
    pub fn sandbox(&self, uid: &str, is_it: impl Fn(At) -> bool) -> Option<At> {
        self.uids.get(hash(uid.as_bytes()), is_it).map(|slot| slot.at)
    }

    /// Whether containers of this engine were seen right below this cgroup.
    pub fn is_parent(&self, path: &str) -> bool {
        self.parents.binary_search(&hash(path.as_bytes())).is_ok()
    }
}

/// Good enough for what engines and kubelets make: eight bytes at a time, multiplied and folded.
fn hash(bytes: &[u8]) -> u64 {
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
        // Runs, multiples of large powers of two, and the ends of the range.
        let keys = (0..1000).chain((0..1000).map(|n| n << 40)).chain([u64::MAX, u64::MAX - 1, 1 << 63]);
        let keys: HashMap<u64, At> = keys.enumerate().map(|(at, key)| (key, at as At)).collect();
        let mut table = Table::with_room_for(keys.len());
        for (key, at) in &keys {
            put(&mut table, *key, *at, true);
        }
        for (key, at) in &keys {
            assert_eq!(table.get(*key, |_| true).map(|slot| slot.at), Some(*at), "{key}");
        }
        assert!((5000..9000).all(|key| table.get(key, |_| true).is_none()));
        assert!(Table::default().get(7, |_| true).is_none());
        assert!(Table::with_room_for(0).get(7, |_| true).is_none());
    }

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
        // What fits into no slot, and the host's mark as a position.
        it.put(1 << 44, Some(5));
        it.put(u64::MAX, None);
        it.put(500, Some(HOSTS as At + 1));
        assert_eq!((it.get(1 << 44), it.get(u64::MAX), it.get(500)), (None, None, None));
        for id in 1..5000 {
            it.put(id, Some(id as At));
        }
        assert!((1..5000).all(|id| it.get(id).is_none_or(|at| at == Some(id as At))));
    }

    #[test]
    fn a_process_is_its_pid_and_its_start() {
        let max = (1 << 22) - 1;
        let all = [(1, 1), (max, 1), (max, 2), (1, 2), (1, 1 << 41), (0, 1)];
        let mut keys: Vec<u64> = all.into_iter().map(|(pid, start)| process_key(pid, start)).collect();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), all.len());
    }

    #[test]
    fn two_keys_with_one_hash_are_told_apart() {
        let mut table = Table::with_room_for(2);
        for at in [3, 4] {
            *table.slot(7, |_| false) = Slot { key: 7, at, many: 1 };
        }
        assert_eq!(table.get(7, |at| at == 4).map(|slot| slot.at), Some(4));
        assert_eq!(table.get(7, |at| at == 3).map(|slot| slot.at), Some(3));
        assert!(table.get(7, |_| false).is_none());
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
