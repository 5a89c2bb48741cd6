//! Tells a forked child from the process that started the watcher, at the cost of one load from memory.

#![allow(unsafe_code)]

use std::io;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, Ordering};

const HERE: u32 = 0x6372_6931;

/// One page that the kernel gives to a forked child filled with zeros (MADV_WIPEONFORK, Linux 4.14). getpid() would
/// work as well, but is a system call in every call of the API, and takes 140 ns where it is slow.
pub struct ForkMark {
    page: Option<NonNull<AtomicU32>>,
    size: usize,
}

// SAFETY: the page is only ever read and written through an atomic.
unsafe impl Send for ForkMark {}
// SAFETY: as above.
unsafe impl Sync for ForkMark {}

impl ForkMark {
    /// Marks this process as the original one.
    pub fn new() -> io::Result<Self> {
        // SAFETY: sysconf has no preconditions.
        let size = unsafe { libc::sysconf(libc::_SC_PAGESIZE) } as usize;
        // SAFETY: a fresh private anonymous mapping aliases nothing.
        let page = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                size,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
                -1,
                0,
            )
        };
        if page == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let mark = ForkMark { page: NonNull::new(page.cast()), size };
        // SAFETY: page and size are those of the mapping above.
        if unsafe { libc::madvise(page, size, libc::MADV_WIPEONFORK) } != 0 {
            return Err(io::Error::last_os_error());
        }
        mark.word().store(HERE, Ordering::Relaxed);
        Ok(mark)
    }

    /// Whether this process is a fork of the one that made the mark.
    pub fn is_forked(&self) -> bool {
        self.word().load(Ordering::Relaxed) != HERE
    }

    fn word(&self) -> &AtomicU32 {
        // SAFETY: `new` mapped the page, it is aligned to its size, and only `drop` unmaps it.
        unsafe { self.page.expect("mapped until dropped").as_ref() }
    }
}

impl Drop for ForkMark {
    fn drop(&mut self) {
        if let Some(page) = self.page.take() {
            // SAFETY: mapped in `new` with this size, and never used again.
            unsafe { libc::munmap(page.as_ptr().cast(), self.size) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forked_child_sees_it_and_the_parent_does_not() {
        let mark = ForkMark::new().unwrap();
        assert!(!mark.is_forked());
        // SAFETY: the child only loads from memory and leaves by _exit.
        let child = unsafe { libc::fork() };
        if child == 0 {
            // SAFETY: _exit is async-signal-safe.
            unsafe { libc::_exit(if mark.is_forked() { 7 } else { 1 }) };
        }
        let mut status = 0;
        // SAFETY: child is our child's pid, status is writable.
        unsafe { libc::waitpid(child, &mut status, 0) };
        assert_eq!(libc::WEXITSTATUS(status), 7);
        assert!(!mark.is_forked());
    }
}
