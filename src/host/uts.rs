//! Host names, including that of a process in another UTS namespace.

#![allow(unsafe_code)]

use std::ffi::CStr;
use std::fs::{self, File};
use std::io::Read;
use std::mem::MaybeUninit;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};

use super::below::open_file_below;
use super::thread::{SHORT_LIVED, spawn};

/// The UTS namespace that the kernel makes at boot (`PROC_UTS_INIT_INO`). Its name is that of the machine.
const INITIAL: &str = "uts:[4026531838]";

/// The name of the host on which the process `pid` runs (`None`: unknown), if it can be found. It is never the name of
/// a container in which this process itself runs.
///
/// If both have the same UTS namespace, it is the kernel's name; otherwise what the process sees as `/etc/hostname`.
/// With `enter`, a thread first enters the other namespace with setns(2), which needs CAP_SYS_ADMIN.
pub fn host_name(root: &Path, pid: Option<i32>, enter: bool) -> Option<String> {
    Search { root, own: fs::read_link("/proc/self/ns/uts").ok() }.name(pid, enter)
}

struct Search<'a> {
    /// The option `host.root`.
    root: &'a Path,
    /// The link of our own UTS namespace in /proc.
    own: Option<PathBuf>,
}

impl Search<'_> {
    fn name(&self, pid: Option<i32>, enter: bool) -> Option<String> {
        let Some(process) = pid.map(|pid| self.root.join(format!("proc/{pid}"))) else {
            return self.name_without_process();
        };
        let theirs = fs::read_link(process.join("ns/uts")).ok();
        if theirs.is_some() && theirs == self.own {
            return own_name();
        }
        let entered = if enter { name_inside(&process.join("ns/uts")) } else { None };
        let seen = entered.or_else(|| name_in_file(&process.join("root")));
        match theirs {
            // Anything but our own name.
            Some(_) => seen.or_else(|| self.name_in_mount()),
            None => seen.or_else(|| self.name_without_process()),
        }
    }

    /// The name of the machine. Only that is certain when the engine's process cannot be seen.
    fn name_without_process(&self) -> Option<String> {
        self.name_in_mount().or_else(|| if self.is_initial() { own_name() } else { None })
    }

    /// The name of the host whose root directory is mounted at `host.root`.
    fn name_in_mount(&self) -> Option<String> {
        if self.root == Path::new("/") { None } else { name_in_file(self.root) }
    }

    fn is_initial(&self) -> bool {
        self.own.as_deref() == Some(Path::new(INITIAL))
    }
}

fn own_name() -> Option<String> {
    let mut names = MaybeUninit::<libc::utsname>::uninit();
    // SAFETY: uname fills the structure it is given, and its strings end in NUL.
    let name = unsafe {
        if libc::uname(names.as_mut_ptr()) != 0 {
            return None;
        }
        CStr::from_ptr(names.assume_init_ref().nodename.as_ptr()).to_owned()
    };
    name.into_string().ok().filter(|n| !n.is_empty())
}

/// Reads the name on a thread that enters the namespace and then ends, because setns affects only its own thread.
fn name_inside(namespace: &Path) -> Option<String> {
    let namespace = File::open(namespace).ok()?;
    let look = move || {
        // SAFETY: the descriptor is open; setns affects only this thread, which ends right after.
        let entered = unsafe { libc::setns(namespace.as_raw_fd(), libc::CLONE_NEWUTS) } == 0;
        entered.then(own_name).flatten()
    };
    spawn("cri-uts", SHORT_LIVED, look).ok()?.join().ok()?
}

/// The first line of `etc/hostname` below this root directory that is not a comment.
fn name_in_file(root: &Path) -> Option<String> {
    /// Enough for any host name and the comments above it.
    const ENOUGH: u64 = 4096;
    let mut text = String::new();
    open_file_below(root, Path::new("etc/hostname")).ok()?.take(ENOUGH).read_to_string(&mut text).ok()?;
    let name = text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('#'))?;
    Some(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    /// A host's root directory with a process 42 in another UTS namespace.
    fn host(hostname: Option<&str>) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        let process = root.path().join("proc/42");
        fs::create_dir_all(process.join("ns")).unwrap();
        fs::create_dir_all(process.join("root/etc")).unwrap();
        symlink("uts:[7]", process.join("ns/uts")).unwrap();
        if let Some(text) = hostname {
            fs::write(process.join("root/etc/hostname"), text).unwrap();
        }
        root
    }

    fn in_a_container(root: &Path) -> Search<'_> {
        Search { root, own: Some("uts:[8]".into()) }
    }

    #[test]
    fn one_namespace_has_the_kernels_name() {
        let kernel = fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
        let own = std::process::id() as i32;
        assert_eq!(host_name(Path::new("/"), Some(own), false).as_deref(), Some(kernel.trim()));
        assert_eq!(host_name(Path::new("/"), Some(own), true).as_deref(), Some(kernel.trim()));
    }

    #[test]
    fn another_namespace_has_the_name_in_its_file() {
        let root = host(Some("# a comment\n\nnode-7\n"));
        let it = in_a_container(root.path());
        assert_eq!(it.name(Some(42), false).as_deref(), Some("node-7"));
        // No namespace can be entered here, so the file is used.
        assert_eq!(it.name(Some(42), true).as_deref(), Some("node-7"));
    }

    #[test]
    fn a_containers_own_name_is_never_taken_for_the_hosts() {
        let root = host(None);
        let it = in_a_container(root.path());
        assert_eq!(it.name(Some(42), false), None);
        assert_eq!(it.name(Some(43), false), None, "no such process");
        assert_eq!(it.name(None, false), None);
        assert_eq!(in_a_container(Path::new("/")).name(None, false), None);
    }

    #[test]
    fn a_mounted_root_directory_has_the_hosts_name() {
        let root = host(None);
        fs::create_dir_all(root.path().join("etc")).unwrap();
        fs::write(root.path().join("etc/hostname"), "node-8\n").unwrap();
        for pid in [Some(42), Some(43), None] {
            assert_eq!(in_a_container(root.path()).name(pid, false).as_deref(), Some("node-8"), "{pid:?}");
        }
    }

    #[test]
    fn on_the_machine_itself_an_engine_that_cannot_be_seen_has_the_machines_name() {
        let it = Search { root: Path::new("/"), own: Some(INITIAL.into()) };
        assert_eq!(it.name(None, false), own_name());
    }
}
