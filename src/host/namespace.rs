//! Namespaces by the number of their inode.
//!
//! The kernel reuses a number as soon as its namespace is gone (30 containers, one after the other, had the same number
//! for their mount namespaces), so it is valid only for processes that exist now. No namespace is kept open here: a
//! reference keeps what is mounted in it, and has stalled container starts of other programs for minutes.

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::{fs, io};

/// A kind of namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NamespaceKind {
    /// Cgroups (Linux 4.6).
    Cgroup,
    /// System V IPC and POSIX queues.
    Ipc,
    /// Mounts.
    Mount,
    /// Network.
    Net,
    /// Process numbers.
    Pid,
    /// Users.
    User,
    /// Host name.
    Uts,
}

impl NamespaceKind {
    /// All of them.
    pub const ALL: [NamespaceKind; 7] = [
        NamespaceKind::Cgroup,
        NamespaceKind::Ipc,
        NamespaceKind::Mount,
        NamespaceKind::Net,
        NamespaceKind::Pid,
        NamespaceKind::User,
        NamespaceKind::Uts,
    ];

    /// The name of its file in /proc/PID/ns.
    pub fn file(self) -> &'static str {
        match self {
            NamespaceKind::Cgroup => "cgroup",
            NamespaceKind::Ipc => "ipc",
            NamespaceKind::Mount => "mnt",
            NamespaceKind::Net => "net",
            NamespaceKind::Pid => "pid",
            NamespaceKind::User => "user",
            NamespaceKind::Uts => "uts",
        }
    }

    /// The number of the host's first namespace of this kind, if it is a constant of the kernel (`enum` in
    /// include/linux/proc_ns.h). Those of mounts and of the network are not, at least before Linux 6.16.
    pub fn initial(self) -> Option<u64> {
        match self {
            NamespaceKind::Ipc => Some(0xEFFF_FFFF),
            NamespaceKind::Uts => Some(0xEFFF_FFFE),
            NamespaceKind::User => Some(0xEFFF_FFFD),
            NamespaceKind::Pid => Some(0xEFFF_FFFC),
            NamespaceKind::Cgroup => Some(0xEFFF_FFFB),
            NamespaceKind::Mount | NamespaceKind::Net => None,
        }
    }
}

/// The numbers of a process's namespaces.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct NamespaceNumbers([Option<u64>; NamespaceKind::ALL.len()]);

impl NamespaceNumbers {
    /// The number of one kind; `None` if it could not be read.
    pub fn get(&self, kind: NamespaceKind) -> Option<u64> {
        self.0[kind as usize]
    }

    pub(super) fn set(&mut self, kind: NamespaceKind, number: Option<u64>) {
        self.0[kind as usize] = number;
    }
}

/// The number in a link such as `net:[4026531840]`.
pub(super) fn inode_number(link: &str) -> Option<u64> {
    link.split_once('[')?.1.strip_suffix(']')?.parse().ok()
}

/// Whose namespace it is: the host's, or another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// The host's first namespace.
    Host,
    /// Another namespace.
    Own,
    /// It could not be read, or its kind has no constant number. A refusal proves nothing: reading process 1's
    /// namespace fails (EACCES) even for root, if process 1 has one more capability.
    Unknown,
}

/// The number of a process's namespace. `proc` is the directory /proc; `process` is a pid or `self`. Errors:
/// `NotFound`, also for a zombie, which has none; `PermissionDenied` without the right to trace the process.
pub fn namespace_of(proc: &Path, process: &str, kind: NamespaceKind) -> io::Result<u64> {
    let file = proc.join(process).join("ns").join(kind.file());
    let link = fs::read_link(&file)?;
    let number = link.to_str().and_then(inode_number);
    // If the link ever has another text: the number is the inode's.
    number.map_or_else(|| Ok(fs::metadata(&file)?.ino()), Ok)
}

/// Whether a process is in the host's first namespace of a kind.
pub fn whose_namespace(proc: &Path, process: &str, kind: NamespaceKind) -> Whose {
    let Some(initial) = kind.initial() else {
        return Whose::Unknown;
    };
    match namespace_of(proc, process, kind) {
        Ok(number) if number == initial => Whose::Host,
        Ok(_) => Whose::Own,
        Err(_) => Whose::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn our_own_are_read_and_are_the_inodes() {
        for kind in NamespaceKind::ALL {
            let number = namespace_of(Path::new("/proc"), "self", kind).unwrap();
            let inode = fs::metadata(format!("/proc/self/ns/{}", kind.file())).unwrap().ino();
            assert_eq!(number, inode, "{kind:?}");
        }
    }

    #[test]
    fn a_namespace_is_known_by_its_inode() {
        assert_eq!(inode_number("net:[4026531840]"), Some(4_026_531_840));
        assert_eq!((inode_number("net"), inode_number("net:[x]")), (None, None));
        let mut numbers = NamespaceNumbers::default();
        NamespaceKind::ALL.into_iter().zip(1..).for_each(|(kind, number)| numbers.set(kind, Some(number)));
        let read = NamespaceKind::ALL.map(|kind| numbers.get(kind));
        assert_eq!(read, [1, 2, 3, 4, 5, 6, 7].map(Some), "each kind has a place of its own");
    }

    #[test]
    fn only_the_constant_number_is_the_hosts() {
        let proc = tempfile::tempdir().unwrap();
        let ns = proc.path().join("self/ns");
        fs::create_dir_all(&ns).unwrap();
        symlink("cgroup:[4026531835]", ns.join("cgroup")).unwrap();
        symlink("uts:[4026531999]", ns.join("uts")).unwrap();
        symlink("net:[4026531833]", ns.join("net")).unwrap();
        let whose = |kind| whose_namespace(proc.path(), "self", kind);
        assert_eq!(whose(NamespaceKind::Cgroup), Whose::Host);
        assert_eq!(whose(NamespaceKind::Uts), Whose::Own);
        assert_eq!(whose(NamespaceKind::Net), Whose::Unknown, "no constant");
        assert_eq!(whose(NamespaceKind::Ipc), Whose::Unknown, "no such file");
    }

    #[test]
    fn trap_a_process_that_may_not_be_looked_at_is_unknown_and_not_the_hosts() {
        // Process 1 of this machine may have a capability that we lack. Without the right to look, the kernel answers
        // EACCES.
        let proc = Path::new("/proc");
        let whose = whose_namespace(proc, "1", NamespaceKind::Cgroup);
        match namespace_of(proc, "1", NamespaceKind::Cgroup) {
            Err(_) => assert_eq!(whose, Whose::Unknown),
            Ok(number) => assert_eq!(whose == Whose::Host, number == 4_026_531_835),
        }
        assert_eq!(whose_namespace(proc, "nobody-has-this-pid", NamespaceKind::Cgroup), Whose::Unknown);
    }
}
