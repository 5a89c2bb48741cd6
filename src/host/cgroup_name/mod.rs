//! Parses the path of a cgroup, component by component, to find its container or pod. Pure: no file is read.
//!
//! A path alone is no proof. It may contain the ids of two containers (a kind node in Docker, Docker in a container),
//! or have an unknown layout. So readers have to walk the parts from the deepest upwards: the first [`Role::Container`]
//! whose id the engine has reported wins. Only without one does the rest count: see [`CgroupName::is_of_engine`].

mod lines;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

pub use lines::{Line, Naming, init_names, lines, naming};

/// The suffix that the kernel adds to the path of a cgroup that was removed while a zombie was left in it.
const DELETED: &str = " (deleted)";

/// The length of an id as engines make them: 64 hexadecimal digits.
const ID_LENGTH: usize = 64;

/// The prefixes that CRI engines, Docker and podman put before an id. After such a prefix, an id may have another
/// length than 64 (tests, other engines).
const PREFIXES: [&str; 6] = ["", "cri-containerd-", "crio-", "docker-", "libpod-", "nerdctl-"];

/// The meaning of one component of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role<'a> {
    /// A container, or a sandbox, with this id. The path does not show whether an engine knows it.
    Container(&'a str),
    /// The monitor (conmon) of the container with this id: a process of the host.
    Conmon(&'a str),
    /// A mount unit of systemd for the container with this id. It has no process of the container.
    Mount(&'a str),
    /// A virtual machine of Kata. Its process is the monitor, and the id is the sandbox's.
    Vm(&'a str),
    /// A pod, whose uid [`Part::pod_uid`] gives.
    Pod,
    /// A folder below which an engine or the kubelet keeps containers: `kubepods.slice`, `k8s.io`, `crio`.
    Parent,
    /// Anything else.
    Other,
}

/// One component of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part<'a> {
    /// The path down to and including this component.
    pub path: &'a str,
    /// The component.
    pub name: &'a str,
    /// Its meaning.
    pub role: Role<'a>,
}

/// The path of a cgroup as /proc/PID/cgroup shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CgroupName<'a> {
    path: &'a str,
    deleted: bool,
}

impl<'a> CgroupName<'a> {
    /// Parses a path. A text that is no path has no parts.
    pub fn new(path: &'a str) -> Self {
        match path.strip_suffix(DELETED) {
            Some(path) => CgroupName { path, deleted: true },
            None => CgroupName { path, deleted: false },
        }
    }

    /// The path without the kernel's ` (deleted)`.
    pub fn path(&self) -> &'a str {
        self.path
    }

    /// Whether the cgroup was removed. Another cgroup may have its name by now.
    pub fn is_deleted(&self) -> bool {
        self.deleted
    }

    /// Whether the path leaves our own cgroup namespace: it begins with `/..`, and is not a path in a file system.
    pub fn is_outside(&self) -> bool {
        self.path == "/.." || self.path.starts_with("/../")
    }

    /// The components, the deepest first. Those that only lead out of our namespace (`..`) are left out.
    pub fn parts(&self) -> impl Iterator<Item = Part<'a>> + use<'a> {
        let mut rest = self.path;
        std::iter::from_fn(move || {
            loop {
                let slash = rest.rfind('/')?;
                let (path, name) = (rest, &rest[slash + 1..]);
                rest = &rest[..slash];
                if !matches!(name, "" | "." | "..") {
                    return Some(Part { path, name, role: role(name) });
                }
            }
        })
    }

    /// The ids of containers in the path, the deepest first, each with the path of its cgroup.
    pub fn containers(&self) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
        self.parts().filter_map(|part| match part.role {
            Role::Container(id) => Some((id, part.path)),
            _ => None,
        })
    }

    /// The cgroup of the container with this id, whatever is below it. The id may have any length, but has to match as
    /// a whole: `b` is not in `/k8s.io/ab`.
    pub fn container(&self, id: &str) -> Option<&'a str> {
        self.parts().find(|part| part.is_container(id)).map(|part| part.path)
    }

    /// Whether a kubelet or a CRI engine keeps containers there. If the path also has an unknown id, it belongs to a
    /// container that the engine has not reported yet; without an id, to the host's own processes.
    pub fn is_below_kube_parent(&self) -> bool {
        self.parts().skip(1).any(|part| part.is_parent())
    }

    /// Whether the path is that of some CRI engine's container, known or not: it is below a kube parent, or has a name
    /// that only CRI engines give. Containers of Docker itself and of podman do not count.
    pub fn is_of_engine(&self) -> bool {
        let mut inside = false;
        for part in self.parts() {
            let own = ["cri-containerd-", "crio-"].iter().any(|prefix| part.name.starts_with(prefix));
            match part.role {
                Role::Container(_) if own || part.name.contains(":cri-containerd:") => return true,
                Role::Container(_) | Role::Vm(_) => inside = true,
                _ => {}
            }
            if inside && part.is_parent() {
                return true;
            }
        }
        false
    }

    /// The uid of the deepest pod in the path, if there is one.
    pub fn pod_uid(&self) -> Option<Cow<'a, str>> {
        self.parts().find_map(|part| part.pod_uid())
    }

    /// Whether this is a pod's own cgroup, with no container in the path.
    pub fn is_pod(&self) -> bool {
        self.parts().next().is_some_and(|part| part.role == Role::Pod)
    }
}

impl<'a> Part<'a> {
    /// Whether this is the cgroup of the container with this id.
    pub fn is_container(&self, id: &str) -> bool {
        match self.role {
            Role::Container(own) => own == id,
            Role::Conmon(_) | Role::Mount(_) | Role::Vm(_) => false,
            Role::Pod | Role::Parent | Role::Other => is_named(self.name, id),
        }
    }

    /// The pod's uid, if this is a pod's cgroup: with dashes, or without any for static pods. The kubelet's systemd
    /// driver writes dashes as underscores.
    pub fn pod_uid(&self) -> Option<Cow<'a, str>> {
        pod_uid(self.name)
    }

    fn is_parent(&self) -> bool {
        // A pod's slice has its parents in its own name: `kubepods-burstable-pod<uid>.slice`.
        self.role == Role::Parent || self.role == Role::Pod || self.name.split_once(":cri-containerd:").is_some()
    }
}

fn role(name: &str) -> Role<'_> {
    if let Some(id) = name.strip_suffix(".mount").and_then(find_id) {
        return Role::Mount(id);
    }
    if let Some((before, id)) = id_at_end(name.strip_suffix(".scope").unwrap_or(name)) {
        return match before {
            _ if before.contains("conmon") => Role::Conmon(id),
            _ if before.starts_with("kata") => Role::Vm(id),
            _ => Role::Container(id),
        };
    }
    match name {
        _ if pod_uid(name).is_some() => Role::Pod,
        "kubepods" | "k8s.io" | "crio" => Role::Parent,
        _ if is_kubepods_slice(name) => Role::Parent,
        _ => Role::Other,
    }
}

/// Whether the name is `kubepods.slice`, `kubepods-burstable.slice`, or one of these below the kubelet's root
/// (`kubelet-kubepods.slice`).
fn is_kubepods_slice(name: &str) -> bool {
    name.strip_suffix(".slice").is_some_and(|slice| slice.split('-').any(|word| word == "kubepods"))
}

/// The id at the end of a name, and the text before it with the separator. Slices have no ids of containers: they are
/// pods', podman's included.
fn id_at_end(name: &str) -> Option<(&str, &str)> {
    let at = name.len().checked_sub(ID_LENGTH)?;
    let (before, id) = (name.get(..at)?, name.get(at..)?);
    let separated = before.is_empty() || before.ends_with(['-', ':', '_']);
    (separated && id.bytes().all(is_digit)).then_some((before, id))
}

/// The first id anywhere in a name. Mount units have their id in the middle.
fn find_id(name: &str) -> Option<&str> {
    name.split(|c: char| !c.is_ascii_alphanumeric()).find_map(|word| {
        // systemd writes a dash as `\x2d`, so that `x2d` precedes the id directly.
        let word = word.strip_prefix("x2d").unwrap_or(word);
        (word.len() == ID_LENGTH && word.bytes().all(is_digit)).then_some(word)
    })
}

fn is_digit(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}

/// Whether the name is that of the container `id`, which need not have 64 digits.
fn is_named(name: &str, id: &str) -> bool {
    let name = name.strip_suffix(".scope").unwrap_or(name);
    !id.is_empty()
        && name
            .strip_suffix(id)
            .is_some_and(|before| PREFIXES.contains(&before) || before.ends_with(":cri-containerd:"))
}

fn pod_uid(name: &str) -> Option<Cow<'_, str>> {
    // Without runc's systemd support, containerd writes `kubepods-besteffort-pod<uid>.slice:cri-containerd:<id>`.
    let name = name.split_once(".slice:").map_or(name, |(slice, _)| slice);
    let name = name.strip_suffix(".slice").unwrap_or(name);
    // Search from the end, because `kubepods` also contains "pod".
    let uid = match name.rsplit_once("-pod") {
        Some((before, uid)) if before.split('-').any(|word| word == "kubepods") => uid,
        _ => name.strip_prefix("pod")?,
    };
    match uid.len() {
        32 if uid.bytes().all(is_digit) => Some(Cow::Borrowed(uid)),
        36 if is_uuid(uid, b'-') => Some(Cow::Borrowed(uid)),
        36 if is_uuid(uid, b'_') => Some(Cow::Owned(uid.replace('_', "-"))),
        _ => None,
    }
}

fn is_uuid(text: &str, separator: u8) -> bool {
    let shaped = |(at, byte): (usize, u8)| match at {
        8 | 13 | 18 | 23 => byte == separator,
        _ => is_digit(byte.to_ascii_lowercase()),
    };
    text.bytes().enumerate().all(shaped)
}
