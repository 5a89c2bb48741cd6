//! Host names, also those of other UTS namespaces.

#![allow(unsafe_code)]

use std::ffi::CStr;
use std::fs::{self, File};
use std::mem::MaybeUninit;
use std::os::fd::AsRawFd;
use std::path::Path;

use super::signals::without_signals;

/// The host name that the process `pid` sees, or our own for `None`.
///
/// Entering a foreign UTS namespace takes CAP_SYS_ADMIN; without it, `/etc/hostname` as that process sees it has to
/// do. `None` when all of that fails.
pub fn host_name(root: &Path, pid: Option<i32>) -> Option<String> {
    let Some(pid) = pid else { return own_name() };
    let process = root.join(format!("proc/{pid}"));
    let theirs = fs::read_link(process.join("ns/uts")).ok();
    if theirs.is_some() && theirs == fs::read_link("/proc/self/ns/uts").ok() {
        return own_name();
    }
    name_inside(&process.join("ns/uts")).or_else(|| name_in_file(&process.join("root/etc/hostname")))
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

/// Enters the namespace on a thread that runs only for this: setns changes nothing but its own thread.
fn name_inside(namespace: &Path) -> Option<String> {
    let namespace = File::open(namespace).ok()?;
    let look = move || {
        // SAFETY: the descriptor is open; setns affects this thread alone, which ends right after.
        let entered = unsafe { libc::setns(namespace.as_raw_fd(), libc::CLONE_NEWUTS) } == 0;
        entered.then(own_name).flatten()
    };
    let thread = without_signals(|| std::thread::Builder::new().name("cri-uts".into()).spawn(look)).ok()?;
    thread.join().ok()?
}

fn name_in_file(path: &Path) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let name = text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('#'))?;
    Some(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_name_is_the_kernels() {
        let kernel = fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
        assert_eq!(host_name(Path::new("/"), None).as_deref(), Some(kernel.trim()));
        assert_eq!(host_name(Path::new("/"), Some(std::process::id() as i32)).as_deref(), Some(kernel.trim()));
    }

    #[test]
    fn a_file_has_to_do_where_the_namespace_cannot_be_entered() {
        let root = tempfile::tempdir().unwrap();
        let etc = root.path().join("proc/42/root/etc");
        fs::create_dir_all(&etc).unwrap();
        fs::write(etc.join("hostname"), "# a comment\n\nnode-7\n").unwrap();
        assert_eq!(host_name(root.path(), Some(42)).as_deref(), Some("node-7"));
        assert_eq!(host_name(root.path(), Some(43)), None);
    }
}
