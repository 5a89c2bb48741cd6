//! Which running containers share which namespace.

use super::entries::Entry;
use super::table::{At, Table};
use crate::host::namespace::NamespaceKind;
use crate::model::{self, Container, Kind};

/// The running containers that share a namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::portfolio) struct Sharing {
    /// The container that stands for all of them: the sandbox, because what a pod's containers share is the pod's;
    /// without a sandbox, the oldest container.
    pub at: At,
    /// How many containers share it.
    pub count: u32,
    /// Whether the containers belong to several pods.
    pub of_several_pods: bool,
}

impl Sharing {
    /// Adds one container.
    fn with<'a>(known: Option<Sharing>, at: At, entry: &impl Fn(At) -> &'a Entry) -> Sharing {
        let Some(mut known) = known else {
            return Sharing { at, count: 1, of_several_pods: false };
        };
        let (first, other) = (&entry(known.at).container, &entry(at).container);
        let pod = |c: &'a Container| c.pod.as_deref().map(|pod| &pod.id);
        let rank = |c: &'a Container| (c.kind != Kind::Sandbox, c.created_at, &c.id);
        known.count += 1;
        known.of_several_pods |= pod(first) != pod(other);
        if rank(other) < rank(first) {
            known.at = at;
        }
        known
    }
}

/// The namespaces of some entries.
#[derive(Debug)]
pub(super) struct Namespaces {
    /// Finds the position of a group by the namespace's kind and inode.
    table: Table,
    groups: Vec<Group>,
    members: Vec<Member>,
}

#[derive(Debug)]
struct Group {
    key: u64,
    sharing: Option<Sharing>,
    last: Option<u32>,
}

/// One member of a group, with a link to the member before it.
#[derive(Debug)]
struct Member {
    at: At,
    before: Option<u32>,
}

impl Namespaces {
    fn with_room_for(namespaces: usize) -> Namespaces {
        Namespaces { table: Table::with_room_for(namespaces), groups: Vec::new(), members: Vec::new() }
    }

    /// The namespaces of these entries.
    pub fn of(entries: &[Entry]) -> Namespaces {
        let alive = || entries.iter().enumerate().filter(|(_, entry)| entry.is_alive());
        let mut namespaces = Namespaces::with_room_for(NamespaceKind::ALL.len() * alive().count());
        for (at, entry) in alive() {
            namespaces.join(at as At, &entry.container, &|at| &entries[at as usize]);
        }
        namespaces
    }

    /// The namespaces that an entry joined or left. Each has the members that it had `before` and that are not gone,
    /// and the new ones.
    pub fn changed<'a>(
        before: &Namespaces,
        gone: &[At],
        new: impl Iterator<Item = At> + Clone,
        is_gone: impl Fn(At) -> bool,
        entry: impl Fn(At) -> &'a Entry,
    ) -> Namespaces {
        let touched = gone.iter().copied().chain(new.clone()).filter(|at| entry(*at).is_alive());
        let mut changed = Namespaces::with_room_for(NamespaceKind::ALL.len() * touched.clone().count());
        for key in touched.flat_map(|at| keys(&entry(at).container)) {
            if changed.group(key).is_none() {
                let left = before.members_of(key).filter(|at| !is_gone(*at));
                let sharing = left.fold(None, |known, at| Some(Sharing::with(known, at, &entry)));
                changed.push(Group { key, sharing, last: None });
            }
        }
        for at in new.filter(|at| entry(*at).is_alive()) {
            changed.join(at, &entry(at).container, &entry);
        }
        changed
    }

    /// Who shares this namespace. `None`: this table does not know it. `Some(None)`: nobody runs in it.
    pub fn get(&self, kind: NamespaceKind, inode: u64) -> Option<Option<Sharing>> {
        self.group(key(kind, inode)).map(|group| self.groups[group].sharing)
    }

    fn members_of(&self, key: u64) -> impl Iterator<Item = At> {
        let last = self.group(key).and_then(|group| self.groups[group].last);
        let members = std::iter::successors(last, |member| self.members[*member as usize].before);
        members.map(|member| self.members[member as usize].at)
    }

    fn group(&self, key: u64) -> Option<usize> {
        self.table.first(key).map(|group| group as usize)
    }

    fn push(&mut self, group: Group) -> usize {
        self.table.put(group.key, self.groups.len() as u32);
        self.groups.push(group);
        self.groups.len() - 1
    }

    fn join<'a>(&mut self, at: At, container: &Container, entry: &impl Fn(At) -> &'a Entry) {
        for key in keys(container) {
            let group = self.group(key).unwrap_or_else(|| self.push(Group { key, sharing: None, last: None }));
            let group = &mut self.groups[group];
            group.sharing = Some(Sharing::with(group.sharing, at, entry));
            self.members.push(Member { at, before: group.last.replace(self.members.len() as u32) });
        }
    }
}

/// The inode of one kind of namespace; 0 if it is not known.
pub(in crate::portfolio) fn inode_of(all: &model::Namespaces, kind: NamespaceKind) -> u64 {
    match kind {
        NamespaceKind::Cgroup => all.cgroup,
        NamespaceKind::Ipc => all.ipc,
        NamespaceKind::Mount => all.mnt,
        NamespaceKind::Net => all.net,
        NamespaceKind::Pid => all.pid,
        NamespaceKind::User => all.user,
        NamespaceKind::Uts => all.uts,
    }
}

fn keys(container: &Container) -> impl Iterator<Item = u64> + use<> {
    let all = container.namespaces;
    let numbered = NamespaceKind::ALL.into_iter().map(move |kind| (kind, inode_of(&all, kind)));
    numbered.filter(|(_, inode)| *inode != 0).map(|(kind, inode)| key(kind, inode))
}

fn key(kind: NamespaceKind, inode: u64) -> u64 {
    inode.wrapping_mul(8).wrapping_add(kind as u64)
}
