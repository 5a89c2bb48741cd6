//! Whose a process, a cgroup or a namespace is: the rules. Pure: what the kernel knows comes through [`HostReader`].

use std::fmt;
use std::sync::Arc;

use super::index::{At, Index, Sharing, inode_of};
use crate::error::{
    CRI_E_INVALID_ARGUMENT, CRI_E_NOT_FOUND, CRI_E_OS, CRI_E_PERMISSION, CRI_E_UNSUPPORTED, Error, Status,
};
use crate::host::CgroupText;
use crate::host::cgroup::Mode;
use crate::host::cgroup_name::{CgroupName, Role, lines};
use crate::host::namespace::NamespaceKind;
use crate::model::{Container, Namespaces};

/// Whose something is.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Owner<'a> {
    /// A container's; of a cgroup that is a pod's own, the pod's: its sandbox.
    Container(&'a Arc<Container>),
    /// The host's: no container of this engine has it.
    Host,
    /// It is in a container, or in a pod, that the snapshot does not have: one that was made a moment ago.
    NotYet,
}

/// As [`Owner`], by the position in the snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    At(At),
    Host,
    NotYet(Option<WholeId>),
}

/// The id of a container that is not known yet.
pub(crate) type WholeId = [u8; 64];

/// Why a lookup has no answer. Cheap to make: most callers only look at the status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unproven {
    /// There is no process with this pid, or it did not begin then.
    NoProcess,
    /// There is no cgroup with this id any more.
    NoCgroup,
    /// No container that runs is known to be in this namespace, and it is not known to be the host's.
    NoNamespace,
    /// This is no kind of namespace, no pid, or no path.
    NoSuch(&'static str),
    /// The right to look is lacking: errno, and which right.
    Forbidden(i32, &'static str),
    /// The system refused, for a reason that says nothing about what was asked: errno.
    System(i32),
    /// What was asked cannot be known on this host, or by these means: why, and what can be done.
    Hidden(&'static str),
}

impl Unproven {
    /// The status of an error that says this.
    pub fn status(self) -> Status {
        match self {
            Unproven::NoProcess | Unproven::NoCgroup | Unproven::NoNamespace => CRI_E_NOT_FOUND,
            Unproven::NoSuch(_) => CRI_E_INVALID_ARGUMENT,
            Unproven::Forbidden(..) => CRI_E_PERMISSION,
            Unproven::System(_) => CRI_E_OS,
            Unproven::Hidden(_) => CRI_E_UNSUPPORTED,
        }
    }
}

impl Unproven {
    /// The error that says this of what was looked up.
    pub fn about(self, what: &str) -> Error {
        let errno = match self {
            Unproven::Forbidden(errno, _) | Unproven::System(errno) => Some(errno),
            _ => None,
        };
        Error::new(self.status(), format!("{what}: {self}")).with_os_code(errno)
    }
}

impl fmt::Display for Unproven {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let os = |errno: &i32| std::io::Error::from_raw_os_error(*errno);
        match self {
            Unproven::NoProcess => f.write_str("there is no process with this pid that began at this time"),
            Unproven::NoCgroup => f.write_str("there is no cgroup with this id (any more)"),
            Unproven::NoNamespace => f.write_str(
                "no running container is known to be in this namespace, and it is not known to be the host's",
            ),
            Unproven::NoSuch(what) => f.write_str(what),
            Unproven::Forbidden(errno, right) => write!(f, "{} ({right})", os(errno)),
            Unproven::System(errno) => os(errno).fmt(f),
            Unproven::Hidden(why) => f.write_str(why),
        }
    }
}

impl From<Unproven> for Error {
    fn from(why: Unproven) -> Self {
        why.about("lookup")
    }
}

/// What lookups ask the kernel.
pub trait HostReader: Send + Sync + fmt::Debug {
    /// How the host uses cgroups; `None`: none can be seen.
    fn mode(&self) -> Option<Mode>;
    /// The id of a process's v2 cgroup, if the kernel gives it away cheaply.
    fn v2_id(&self, pid: i32) -> Option<u64>;
    /// When a process began, in clock ticks since boot.
    fn start_ticks(&self, pid: i32) -> Result<u64, Unproven>;
    /// Gives `with` what /proc/PID/cgroup says.
    fn cgroups_of(&self, pid: i32, with: &mut dyn FnMut(CgroupText<'_>)) -> Result<(), Unproven>;
    /// The path of a v2 cgroup, as the host sees it.
    fn v2_path(&self, id: u64) -> Result<String, Unproven>;
    /// Is told the path of a cgroup whose container is not known yet: [`HostReader::v2_path`] should give it when the cgroup
    /// is gone, too.
    fn keep_v2_path(&self, _id: u64, _path: &str) {}
    /// The v2 cgroup that is the root of our own cgroup namespace.
    fn own_v2_id(&self) -> Option<u64>;
    /// The host's own namespace of a kind, where it is known.
    fn host_namespace(&self, kind: NamespaceKind) -> Option<u64>;
}

/// What one path says. Of several paths of one process, the greatest counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Said {
    Nothing,
    UnknownPod,
    Pod(At),
    Unknown(WholeId),
    Container(At),
}

impl From<Said> for Place {
    fn from(said: Said) -> Self {
        match said {
            Said::Nothing => Place::Host,
            Said::UnknownPod => Place::NotYet(None),
            Said::Pod(at) | Said::Container(at) => Place::At(at),
            Said::Unknown(id) => Place::NotYet(Some(id)),
        }
    }
}

/// One lookup: the index of the containers, the kernel, and the engine's own namespaces.
pub(super) struct Lookup<'a> {
    pub index: &'a Index,
    pub reader: Option<&'a dyn HostReader>,
    pub node: &'a Namespaces,
}

impl<'a> Lookup<'a> {
    /// From memory, else by the path that the kernel gives for the id.
    pub fn cgroup(&self, id: u64) -> Result<Place, Unproven> {
        if let Some(at) = self.index.cgroup(id) {
            return Ok(Place::At(at));
        }
        self.unknown_cgroup(id)
    }

    fn unknown_cgroup(&self, id: u64) -> Result<Place, Unproven> {
        let reader = self.reader()?;
        if let Some(remembered) = self.index.remembered.get(id) {
            return Ok(remembered.map_or(Place::Host, Place::At));
        }
        let mode = reader.mode().filter(|mode| *mode != Mode::Legacy);
        let mode = mode.ok_or(Unproven::Hidden("this host has no cgroup v2 below host.root: look up pids instead"))?;
        let path = reader.v2_path(id)?;
        let said = self.path(CgroupName::new(&path));
        if said == Said::Nothing && mode == Mode::Hybrid {
            const WHY: &str = "on a host with both versions of cgroups, a container's process may be in any v2 cgroup: look \
                               up its pid instead";
            return Err(Unproven::Hidden(WHY));
        }
        let place = said.into();
        match place {
            Place::At(at) => self.index.remembered.put(id, Some(at)),
            Place::Host => self.index.remembered.put(id, None),
            Place::NotYet(_) => reader.keep_v2_path(id, &path),
        }
        Ok(place)
    }

    /// From memory if it is the first process that began then; else by the cgroup that it is in now.
    pub fn pid(&self, pid: i32, start_ticks: u64) -> Result<Place, Unproven> {
        match pid {
            0 => return Ok(Place::Host),
            1.. => {}
            _ => return Err(Unproven::NoSuch("a pid is not below 0")),
        }
        if start_ticks != 0
            && let Some(at) = self.index.process(pid, start_ticks)
        {
            return Ok(Place::At(at));
        }
        let reader = self.reader()?;
        let place = self.process(reader, pid)?;
        // After the cgroup was read: whoever has the pid now and began long ago had it then.
        if start_ticks != 0 && reader.start_ticks(pid)? != start_ticks {
            return Err(Unproven::NoProcess);
        }
        Ok(place)
    }

    fn process(&self, reader: &dyn HostReader, pid: i32) -> Result<Place, Unproven> {
        // Where all processes are in v2 alone. The id is found in memory; or its path, which is its for good, by a handle.
        if reader.mode() == Some(Mode::Unified)
            && let Some(id) = reader.v2_id(pid)
            && let Ok(place) = self.cgroup(id)
        {
            return Ok(place);
        }
        let mut place = Ok(Place::Host);
        reader.cgroups_of(pid, &mut |cgroups| place = self.cgroups(cgroups))?;
        place
    }

    /// By all that /proc/PID/cgroup says.
    pub fn cgroups(&self, cgroups: CgroupText<'_>) -> Result<Place, Unproven> {
        let mut most = Said::Nothing;
        let mut is_within_us = false;
        let mut last = None;
        // v2 is the last line, and mostly all hierarchies have the same path.
        for line in lines(cgroups.text).rev() {
            if last.replace(line.path) == Some(line.path) {
                continue;
            }
            is_within_us |= !line.path.is_outside();
            most = most.max(self.path(line.path));
            if let Said::Container(at) = most {
                return Ok(Place::At(at));
            }
        }
        match most {
            // What the paths do not show is above the root of our own namespace.
            Said::Nothing if cgroups.is_own_view && is_within_us => self.own_cgroup(),
            said => Ok(said.into()),
        }
    }

    /// Whose the cgroup is that we see as the root.
    fn own_cgroup(&self) -> Result<Place, Unproven> {
        let own = self.reader()?.own_v2_id().and_then(|id| self.index.cgroup(id));
        const WHY: &str = "it is in this program's own cgroup namespace, and what is above that is hidden: mount the host's \
                           cgroups below host.root";
        own.map(Place::At).ok_or(Unproven::Hidden(WHY))
    }

    /// By a path alone: the deepest component that is a known container's.
    pub fn path_alone(&self, path: &str) -> Place {
        match path.starts_with('/') || path.is_empty() {
            true => self.path(CgroupName::new(path)).into(),
            false => self.path(CgroupName::new(&format!("/{path}"))).into(),
        }
    }

    fn path(&self, name: CgroupName<'_>) -> Said {
        let mut unknown = None;
        let mut pod = None;
        // Below a monitor or a mount unit nothing is a pod's.
        let mut is_aside = false;
        for part in name.parts() {
            match part.role {
                Role::Conmon(_) | Role::Mount(_) => is_aside = true,
                // A virtual machine's monitor has all that its pod does.
                Role::Container(id) | Role::Vm(id) => match self.index.id(id) {
                    Some(at) => return Said::Container(at),
                    None => unknown = unknown.or(Some((id, part.path))),
                },
                Role::Pod if pod.is_none() && !is_aside => pod = Some(part),
                _ => {}
            }
            let mut unusual = self.index.unusual_ids();
            if let Some(at) = unusual.find(|at| part.is_container(&self.index.container(*at).id)) {
                return Said::Container(at);
            }
        }
        if let Some((id, path)) = unknown
            && (name.is_of_engine() || self.is_beside_a_container(path))
            && let Ok(id) = id.as_bytes().try_into()
        {
            return Said::Unknown(id);
        }
        match pod.and_then(|pod| pod.pod_uid()) {
            None => Said::Nothing,
            Some(uid) => self.index.sandbox(&uid).map_or(Said::UnknownPod, Said::Pod),
        }
    }

    /// Whether containers of this engine are made where this cgroup is, or in cgroups beside its parent.
    fn is_beside_a_container(&self, path: &str) -> bool {
        let parent = path.rsplit_once('/').map_or("", |(parent, _)| parent);
        !parent.is_empty() && self.index.is_parent(parent)
    }

    /// By a namespace: who is in it, and how many are.
    pub fn namespace(&self, kind: NamespaceKind, inode: u64) -> Result<(Place, usize), Unproven> {
        let sharing = self.index.namespace(kind, inode);
        let count = sharing.map_or(0, |sharing| sharing.count as usize);
        let is_hosts = self.reader.and_then(|reader| reader.host_namespace(kind)) == Some(inode);
        match sharing {
            _ if is_hosts => Ok((Place::Host, count)),
            Some(sharing) if !self.is_the_nodes(kind, inode, sharing)? => Ok((Place::At(sharing.at), count)),
            None if inode_of(self.node, kind) != inode => Err(Unproven::NoNamespace),
            _ => Ok((Place::Host, count)),
        }
    }

    /// Whether the namespace in which these are is that of the node.
    fn is_the_nodes(&self, kind: NamespaceKind, inode: u64, sharing: Sharing) -> Result<bool, Unproven> {
        let pod = self.index.container(sharing.at).pod.as_deref();
        let declared = match kind {
            NamespaceKind::Net | NamespaceKind::Uts => pod.and_then(|pod| pod.host_network),
            NamespaceKind::Pid => pod.and_then(|pod| pod.host_pid),
            NamespaceKind::Ipc => pod.and_then(|pod| pod.host_ipc),
            NamespaceKind::Mount | NamespaceKind::User | NamespaceKind::Cgroup => None,
        };
        const WHY: &str = "the engine has not reported whether the pod is in the host's network, and neither process 1 nor the \
                           engine may be looked at: look up pids instead, or give this program CAP_SYS_PTRACE";
        match (declared, inode_of(self.node, kind)) {
            (Some(declared), _) => Ok(declared),
            // Pods have none in common but the node's.
            _ if sharing.of_several_pods => Ok(true),
            (None, 0) if kind == NamespaceKind::Net => Err(Unproven::Hidden(WHY)),
            (None, nodes) => Ok(nodes == inode),
        }
    }

    fn reader(&self) -> Result<&'a dyn HostReader, Unproven> {
        self.reader.ok_or(Unproven::Hidden("this snapshot has no access to the host's /proc"))
    }
}
