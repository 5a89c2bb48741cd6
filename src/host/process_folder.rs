//! One process's folder in /proc, held open.

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use super::namespace::{NamespaceKind, NamespaceNumbers, inode_number};
use super::proc_file::At;
use super::process_stat::{Stat, parse_stat};

/// The folder of a process in /proc, held open with O_PATH. Closed on exec.
///
/// The kernel ties it to the process and not to the pid, so everything read through it belongs to one process. Once
/// that process was waited for, each read fails (`NotFound` or ESRCH), even if another process has the pid by then.
#[derive(Debug)]
pub struct ProcessFolder(OwnedFd);

impl ProcessFolder {
    pub(super) fn new(folder: OwnedFd) -> Self {
        ProcessFolder(folder)
    }

    fn at(&self) -> At<'_> {
        At::Folder(self.0.as_fd())
    }

    /// Calls `with` with the text of the file `cgroup`.
    pub fn cgroup<T>(&self, with: impl FnOnce(&str) -> T) -> io::Result<T> {
        self.at().read(format_args!("cgroup"), with)
    }

    /// The contents of the file `stat`.
    pub fn stat(&self) -> io::Result<Stat> {
        let stat = self.at().read(format_args!("stat"), parse_stat)?;
        let mut stat = stat.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidData))?;
        // Without the right to trace the process, its exit status reads as 0, and this link cannot be read.
        let may_trace = || self.at().read_link(format_args!("ns/pid"), |_| ()).is_ok();
        stat.exit_status = stat.exit_status.filter(|status| stat.has_ended() && (*status != 0 || may_trace()));
        Ok(stat)
    }

    /// The numbers of its namespaces, as far as they may be read.
    pub fn namespaces(&self) -> NamespaceNumbers {
        let mut numbers = NamespaceNumbers::default();
        // Opened once, because a look-up in /proc/PID checks the process anew: 10 us in place of 16 us.
        let Ok(folder) = self.at().folder(format_args!("ns")) else { return numbers };
        let links = At::Folder(folder.as_fd());
        for kind in NamespaceKind::ALL {
            let number = links.read_link(format_args!("{}", kind.file()), inode_number);
            numbers.set(kind, number.ok().flatten());
        }
        numbers
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;
    use std::process::{Command, Stdio};

    use super::super::Proc;
    use super::super::namespace::namespace_of;
    use super::*;

    #[test]
    fn it_says_what_the_files_say() {
        let own = std::process::id() as i32;
        let proc = Proc::new(Path::new("/"));
        let folder = proc.folder(own).unwrap();
        assert_eq!(Some(folder.stat().unwrap().start_ticks), proc.start_ticks(own));
        assert_eq!(folder.cgroup(str::to_owned).unwrap(), fs::read_to_string("/proc/self/cgroup").unwrap());
        let numbers = folder.namespaces();
        for kind in NamespaceKind::ALL {
            assert_eq!(numbers.get(kind), namespace_of(Path::new("/proc"), "self", kind).ok(), "{kind:?}");
        }
    }

    #[test]
    fn trap_after_its_end_it_is_nobodys() {
        let mut child = Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let folder = Proc::new(Path::new("/")).folder(child.id() as i32).unwrap();
        assert!(!folder.stat().unwrap().has_ended());
        child.kill().unwrap();
        child.wait().unwrap();
        for error in [folder.stat().unwrap_err(), folder.cgroup(|_| ()).unwrap_err()] {
            assert!(matches!(error.raw_os_error(), Some(libc::ENOENT | libc::ESRCH)), "{error}");
        }
        assert_eq!(folder.namespaces(), NamespaceNumbers::default());
    }
}
