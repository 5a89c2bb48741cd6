//! What a container's record points to beyond strings and labels: arrays and structs. Most records of sandboxes have none.

use std::ptr::null;
use std::sync::Arc;

use safer_ffi::c_char;

use super::strings::{Place, Strings};
use crate::ffi::{cri_mount, cri_namespaces, cri_port, cri_previous, cri_resources, cri_user};
use crate::model::{CRI_MOUNT_FLAG_READ_ONLY, Container, Namespaces, Port, Resources, Spec, User};

/// Owns these arrays and structs, in allocations of their own. So the record's pointers stay valid when the view moves.
#[derive(Default)]
pub(super) struct Details {
    pub command: Box<[*const c_char]>,
    pub args: Box<[*const c_char]>,
    pub mounts: Box<[cri_mount]>,
    pub user: Option<cri_user>,
    pub resources: Option<cri_resources>,
    /// Boxed, because few containers have one.
    pub previous: Option<Box<cri_previous>>,
    pub namespaces: Option<cri_namespaces>,
    _groups: Arc<[i64]>,
}

// SAFETY: the pointers point into the view's strings and this struct's own allocations, which nobody changes.
unsafe impl Send for Details {}
// SAFETY: as above: shared access only reads.
unsafe impl Sync for Details {}

/// The places of the strings. Pointers to them are taken after the last string was added.
pub(super) struct DetailPlaces {
    command: Vec<Place>,
    args: Vec<Place>,
    mounts: Vec<[Place; 2]>,
    cpusets: [Place; 2],
    reason: Place,
}

impl DetailPlaces {
    /// `None` if there is nothing to show.
    pub fn of(c: &Container, strings: &mut Strings) -> Option<DetailPlaces> {
        let Spec { command, args, mounts, user, resources, .. } = &*c.spec;
        let no_words = command.is_empty() && args.is_empty() && mounts.is_empty();
        let nothing = no_words && user.is_none() && resources.is_none();
        if nothing && c.previous.is_none() && c.namespaces == Namespaces::default() {
            return None;
        }
        let cpusets = resources.as_ref().map_or(["", ""], |r| [&r.cpuset_cpus, &r.cpuset_mems]);
        Some(DetailPlaces {
            command: command.iter().map(|word| strings.add(word)).collect(),
            args: args.iter().map(|word| strings.add(word)).collect(),
            mounts: mounts.iter().map(|m| [&m.container_path, &m.host_path].map(|path| strings.add(path))).collect(),
            cpusets: cpusets.map(|set| strings.add(set)),
            reason: strings.add(c.previous.as_ref().map_or("", |previous| &previous.reason)),
        })
    }

    pub fn resolve(self, c: &Container, strings: &Strings) -> Arc<Details> {
        let words = |places: Vec<Place>| places.into_iter().map(|word| strings.at(word)).collect();
        let mounts = self.mounts.into_iter().zip(&*c.spec.mounts).map(|([container, host], mount)| cri_mount {
            container_path: strings.at(container),
            host_path: strings.at(host),
            flags: if mount.read_only { CRI_MOUNT_FLAG_READ_ONLY } else { 0 },
        });
        let previous = c.previous.as_deref().map(|previous| {
            Box::new(cri_previous {
                struct_size: size_of::<cri_previous>(),
                finished_unix_nano: previous.finished_at.unwrap_or(0),
                reason: strings.at(self.reason),
                exit_code: previous.exit_code.unwrap_or(-1),
            })
        });
        let cpusets = self.cpusets.map(|set| strings.at(set));
        let groups = c.spec.user.as_ref().map(|user| user.groups.clone()).unwrap_or_default();
        Arc::new(Details {
            command: words(self.command),
            args: words(self.args),
            mounts: mounts.collect(),
            user: c.spec.user.as_ref().map(|user| show_user(user, &groups)),
            resources: c.spec.resources.as_ref().map(|limits| show_limits(limits, cpusets)),
            previous,
            namespaces: (c.namespaces != Namespaces::default()).then(|| show_namespaces(&c.namespaces)),
            _groups: groups,
        })
    }
}

fn show_user(user: &User, groups: &Arc<[i64]>) -> cri_user {
    let size = size_of::<cri_user>();
    cri_user { struct_size: size, uid: user.uid, gid: user.gid, groups_len: groups.len(), groups: groups.as_ptr() }
}

fn show_limits(limits: &Resources, [cpuset_cpus, cpuset_mems]: [*const c_char; 2]) -> cri_resources {
    cri_resources {
        struct_size: size_of::<cri_resources>(),
        cpu_shares: limits.cpu_shares.unwrap_or(0),
        cpu_quota: limits.cpu_quota.unwrap_or(0),
        cpu_period: limits.cpu_period.unwrap_or(0),
        cpuset_cpus,
        cpuset_mems,
        memory_limit: limits.memory_limit.unwrap_or(0),
        swap_limit: limits.swap_limit.unwrap_or(0),
        // 0 and its neighbours are valid scores, so none of them can mean "unknown".
        oom_score_adj: limits.oom_score_adj.and_then(|score| score.try_into().ok()).unwrap_or(i32::MIN),
    }
}

fn show_namespaces(inodes: &Namespaces) -> cri_namespaces {
    let Namespaces { net, mnt, pid, ipc, uts, user, cgroup } = *inodes;
    cri_namespaces { struct_size: size_of::<cri_namespaces>(), net, mnt, pid, ipc, uts, user, cgroup }
}

/// The places of a port's strings.
pub(super) fn port_places(port: &Port, strings: &mut Strings) -> [Place; 3] {
    [&port.container, &port.name, &port.protocol].map(|text| strings.add(text))
}

pub(super) fn show_port(port: &Port, places: [Place; 3], strings: &Strings) -> cri_port {
    let [container, name, protocol] = places.map(|text| strings.at(text));
    let (container_port, host_port) = (port.container_port.into(), port.host_port.into());
    cri_port { container, name, protocol, container_port, host_port }
}

/// Where an array begins; NULL for none.
pub(super) fn array<T>(all: &[T]) -> *const T {
    if all.is_empty() { null() } else { all.as_ptr() }
}

/// Where a struct is; NULL for none.
pub(super) fn pointer<T>(it: Option<&T>) -> *const T {
    it.map_or(null(), |it| it)
}
