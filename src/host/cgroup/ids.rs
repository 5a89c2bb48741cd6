//! The ids of cgroups: what `bpf_get_current_cgroup_id` and PIDFD_GET_INFO give.

#![allow(unsafe_code)]

use std::ffi::{CStr, CString};
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use super::super::filesystem::{FileSystem, of_open, of_path};
use super::mounts::{CgroupMount, Hierarchy};

/// FILEID_KERNFS of include/linux/exportfs.h (Linux 5.5): the handle is the 64-bit id.
const KERNFS: libc::c_int = 0xfe;
/// FILEID_INO32_GEN: the type that cgroups had before, with the same eight bytes. ext4 and others have it, too.
const INO32_GEN: libc::c_int = 1;

/// The id of the root of cgroup v2; `cgroup_setup_root` of kernel/cgroup/cgroup.c warns of any other.
const V2_ROOT: u64 = 1;

/// `struct file_handle` with room for an id.
#[repr(C)]
struct Handle {
    bytes: libc::c_uint,
    kind: libc::c_int,
    id: [u8; 8],
}

/// The id of a cgroup by its directory; takes 1.2 us.
///
/// It is the handle's id, which is the whole 64-bit id on every kernel; before Linux 5.5, the inode's number is only
/// the lower half. If the file system has no such handles, it is the inode's number.
pub fn id_of(dir: &Path) -> io::Result<u64> {
    let path = CString::new(dir.as_os_str().as_bytes())?;
    match handle_of(libc::AT_FDCWD, &path, libc::AT_SYMLINK_FOLLOW) {
        Some(handle) if handle.is_id(|| is_cgroup(of_path(dir))) => Ok(handle.id()),
        _ => Ok(fs::metadata(dir)?.ino()),
    }
}

/// The id of a cgroup by its open directory (O_PATH is enough).
pub fn id_of_open(dir: BorrowedFd<'_>) -> io::Result<u64> {
    match handle_of(dir.as_raw_fd(), c"", libc::AT_EMPTY_PATH) {
        Some(handle) if handle.is_id(|| is_cgroup(of_open(dir))) => Ok(handle.id()),
        _ => Ok(File::from(dir.try_clone_to_owned()?).metadata()?.ino()),
    }
}

impl Handle {
    fn id(&self) -> u64 {
        u64::from_ne_bytes(self.id)
    }

    /// Whether the handle is a cgroup's id. Another file system's handle may be equally long.
    fn is_id(&self, is_cgroup: impl FnOnce() -> bool) -> bool {
        self.bytes == 8 && (self.kind == KERNFS || self.kind == INO32_GEN && is_cgroup())
    }
}

fn handle_of(at: RawFd, path: &CStr, flags: libc::c_int) -> Option<Handle> {
    let mut handle = Handle { bytes: 8, kind: 0, id: [0; 8] };
    let mut mount = 0;
    // SAFETY: `Handle` is a file_handle with the eight bytes behind it that its length says; the path ends in NUL.
    let done = unsafe {
        libc::name_to_handle_at(at, path.as_ptr(), (&raw mut handle).cast::<libc::file_handle>(), &mut mount, flags)
    };
    (done == 0).then_some(handle)
}

fn is_cgroup(found: Option<FileSystem>) -> bool {
    matches!(found, Some(FileSystem::Cgroup | FileSystem::Cgroup2))
}

impl CgroupMount {
    /// Whether this mount shows all of cgroup v2, from its root on.
    pub(super) fn is_all_of_v2(&self) -> bool {
        self.hierarchy == Hierarchy::V2 && self.is_there() && id_of(&self.dir).is_ok_and(|id| id == V2_ROOT)
    }

    /// The path, below the mount's directory, of the cgroup with this id; `None` if no such cgroup exists (any more),
    /// or if it is not below the mount. Takes 1.6 us and an open.
    ///
    /// Errors: `PermissionDenied` without CAP_DAC_READ_SEARCH in the first user namespace; `Unsupported` if this is not
    /// the kernel's cgroup file system.
    pub fn path_by_handle(&self, id: u64) -> io::Result<Option<String>> {
        let dir = OpenOptions::new().read(true).custom_flags(libc::O_DIRECTORY).open(&self.dir)?;
        let root = handle_of(dir.as_raw_fd(), c"", libc::AT_EMPTY_PATH)
            .filter(|root| root.is_id(|| is_cgroup(of_open(dir.as_fd()))));
        let root = root.ok_or(io::ErrorKind::Unsupported)?;
        let Some(found) = open_by_id(&dir, root.kind, id)? else {
            return Ok(None);
        };
        // Both paths as the kernel writes them, because `dir` may lead through links.
        let link = |fd: RawFd| fs::read_link(format!("/proc/self/fd/{fd}"));
        let (base, path) = (link(dir.as_raw_fd())?, link(found.as_raw_fd())?);
        let Ok(rest) = path.strip_prefix(&base) else {
            return Ok(None);
        };
        let path = format!("/{}", rest.to_string_lossy());
        // A cgroup outside of the mount also has a path, but not one of ours, and that of a removed one ends in `
        // (deleted)`. Neither leads back to the id.
        let same = id_of(&self.dir_of(&path)).is_ok_and(|again| again == id);
        Ok(same.then_some(path))
    }
}

fn open_by_id(mount: &File, kind: libc::c_int, id: u64) -> io::Result<Option<OwnedFd>> {
    let mut handle = Handle { bytes: 8, kind, id: id.to_ne_bytes() };
    let flags = libc::O_PATH | libc::O_CLOEXEC;
    // SAFETY: as above; the kernel only reads it.
    let fd =
        unsafe { libc::open_by_handle_at(mount.as_raw_fd(), (&raw mut handle).cast::<libc::file_handle>(), flags) };
    if fd >= 0 {
        // SAFETY: the descriptor is new and nobody else's.
        return Ok(Some(unsafe { OwnedFd::from_raw_fd(fd) }));
    }
    let error = io::Error::last_os_error();
    match error.raw_os_error() {
        // No cgroup has this id (any more).
        Some(libc::ESTALE | libc::ENOENT) => Ok(None),
        _ => Err(error),
    }
}
