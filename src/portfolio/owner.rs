//! Decides to whom a process, a cgroup or a namespace belongs. Pure: what the kernel knows comes through
//! [`HostReader`].

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

/// The owner of a process, a cgroup or a namespace.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Owner<'a> {
    /// A container. For a cgroup that is a pod's own, the pod's sandbox.
    Container(&'a Arc<Container>),
    /// The host: no container of this engine has it.
    Host,
    /// A container or pod that is not in the snapshot, because it was made a moment ago.
    NotYet,
}

/// As [`Owner`], with a position in the snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    At(At),
    Host,
    NotYet(Option<WholeId>),
}

/// The id of a container that is not known yet.
pub(crate) type WholeId = [u8; 64];

/// Why a lookup has no answer. Cheap to make, because most callers only look at the status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unproven {
    /// There is no process with this pid, or it began at another time.
    NoProcess,
    /// There is no cgroup with this id any more.
    NoCgroup,
    /// No container that runs is known to be in this namespace, and it is not known to be the host's.
    NoNamespace,
    /// The argument is not a kind of namespace, a pid or a path.
    NoSuch(&'static str),
    /// This program lacks the right to look: errno, and which right.
    Forbidden(i32, &'static str),
    /// The system refused for a reason that has nothing to do with the argument: errno.
    System(i32),
    /// The answer cannot be known on this host, or by these means: why, and what can be done.
    Hidden(&'static str),
}

impl Unproven {
    /// The status of the error.
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
    /// The error about `what`, the thing that was looked up.
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

/// How lookups ask the kernel.
pub trait HostReader: Send + Sync + fmt::Debug {
    /// How the host uses cgroups; `None`: none can be seen.
    fn mode(&self) -> Option<Mode>;
    /// The id of a process's v2 cgroup, if the kernel gives it cheaply.
    fn v2_id(&self, pid: i32) -> Option<u64>;
    /// When a process began, in clock ticks since boot.
    fn start_ticks(&self, pid: i32) -> Result<u64, Unproven>;
    /// Calls `with` with the text of /proc/PID/cgroup.
    fn cgroups_of(&self, pid: i32, with: &mut dyn FnMut(CgroupText<'_>)) -> Result<(), Unproven>;
    /// The path of a v2 cgroup, as the host sees it.
    fn v2_path(&self, id: u64) -> Result<String, Unproven>;
    /// Notes the path of a cgroup whose container is not known yet, so that [`HostReader::v2_path`] can still give it
    /// when the cgroup is gone.
    fn keep_v2_path(&self, _id: u64, _path: &str) {}
    /// The v2 cgroup that is the root of our own cgroup namespace.
    fn own_v2_id(&self) -> Option<u64>;
    /// The inode of the host's own namespace of a kind, where it is known.
    fn host_namespace(&self, kind: NamespaceKind) -> Option<u64>;
}

/// What one path says. If a process has several paths, the greatest value counts.
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

/// What one lookup needs: the index of the containers, the kernel, and the engine's own namespaces.
pub(super) struct Lookup<'a> {
    pub index: &'a Index,
    pub reader: Option<&'a dyn HostReader>,
    pub node: &'a Namespaces,
}

impl<'a> Lookup<'a> {
    /// Finds a cgroup's owner by its id: from memory, otherwise by the path that the kernel gives for the id.
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

    /// Finds a process's owner: from memory if it is a container's first process, otherwise by its present cgroup.
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
        // The cgroup was read before this. If the process that has the pid now began at that time, it had the pid then,
        // too.
        if start_ticks != 0 && reader.start_ticks(pid)? != start_ticks {
            return Err(Unproven::NoProcess);
        }
        Ok(place)
    }

    fn process(&self, reader: &dyn HostReader, pid: i32) -> Result<Place, Unproven> {
        // All processes are in v2 alone. The id is found in memory, or the kernel gives its path, which never changes.
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

    /// Finds a process's owner by all lines of /proc/PID/cgroup.
    pub fn cgroups(&self, cgroups: CgroupText<'_>) -> Result<Place, Unproven> {
        let mut most = Said::Nothing;
        let mut is_within_us = false;
        let mut last = None;
        // The v2 line is the last one, and mostly all hierarchies have the same path.
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
            // The process is below the root of our own cgroup namespace, and the container may be above it.
            Said::Nothing if cgroups.is_own_view && is_within_us => self.own_cgroup(),
            said => Ok(said.into()),
        }
    }

    /// The owner of the cgroup that we see as the root.
    fn own_cgroup(&self) -> Result<Place, Unproven> {
        let own = self.reader()?.own_v2_id().and_then(|id| self.index.cgroup(id));
        const WHY: &str = "it is in this program's own cgroup namespace, and what is above that is hidden: mount the host's \
                           cgroups below host.root";
        own.map(Place::At).ok_or(Unproven::Hidden(WHY))
    }

    /// Finds a cgroup's owner by its path alone: the deepest component that is a known container's.
    pub fn path_alone(&self, path: &str) -> Place {
        match path.starts_with('/') || path.is_empty() {
            true => self.path(CgroupName::new(path)).into(),
            false => self.path(CgroupName::new(&format!("/{path}"))).into(),
        }
    }

    fn path(&self, name: CgroupName<'_>) -> Said {
        let mut unknown = None;
        let mut pod = None;
        // A monitor's or a mount unit's cgroup is not the pod's.
        let mut is_aside = false;
        for part in name.parts() {
            match part.role {
                Role::Conmon(_) | Role::Mount(_) => is_aside = true,
                // A virtual machine's monitor holds everything of its pod.
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

    /// Whether this engine has containers in the same parent cgroup, or in cgroups beside that parent.
    fn is_beside_a_container(&self, path: &str) -> bool {
        let parent = path.rsplit_once('/').map_or("", |(parent, _)| parent);
        !parent.is_empty() && self.index.is_parent(parent)
    }

    /// Finds a namespace's owner, and how many running containers share it.
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

    /// Whether the namespace that these containers share is the node's.
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
            // The only namespace that different pods share is the node's.
            _ if sharing.of_several_pods => Ok(true),
            (None, 0) if kind == NamespaceKind::Net => Err(Unproven::Hidden(WHY)),
            (None, nodes) => Ok(nodes == inode),
        }
    }

    fn reader(&self) -> Result<&'a dyn HostReader, Unproven> {
        self.reader.ok_or(Unproven::Hidden("this snapshot has no access to the host's /proc"))
    }
}
