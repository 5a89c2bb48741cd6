//! The signal mask of the library's threads. The program's signal handlers never run on them.

#![allow(unsafe_code)]

use std::mem::MaybeUninit;

/// Signals that a fault raises in the thread that caused it. Blocking them would turn a crash into a hang.
const SYNCHRONOUS: [libc::c_int; 7] =
    [libc::SIGSEGV, libc::SIGBUS, libc::SIGFPE, libc::SIGILL, libc::SIGTRAP, libc::SIGABRT, libc::SIGSYS];

/// Runs `f` with every asynchronous signal blocked in this thread. A thread that is made in `f` inherits the mask.
///
/// A write to an engine that is gone raises SIGPIPE. It stays pending on that thread, and the write returns EPIPE.
pub fn without_signals<T>(f: impl FnOnce() -> T) -> T {
    struct Restore(libc::sigset_t);
    impl Drop for Restore {
        fn drop(&mut self) {
            // SAFETY: the set was filled by pthread_sigmask below; a NULL third argument is allowed.
            unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &self.0, std::ptr::null_mut()) };
        }
    }
    // SAFETY: sigfillset and pthread_sigmask initialize the sets that they are given; they cannot fail with
    // these arguments.
    let _restore = unsafe {
        let mut all = MaybeUninit::uninit();
        libc::sigfillset(all.as_mut_ptr());
        let mut all = all.assume_init();
        for signal in SYNCHRONOUS {
            libc::sigdelset(&mut all, signal);
        }
        let mut before = MaybeUninit::uninit();
        libc::pthread_sigmask(libc::SIG_BLOCK, &all, before.as_mut_ptr());
        Restore(before.assume_init())
    };
    f()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blocked() -> u64 {
        let status = std::fs::read_to_string("/proc/thread-self/status").unwrap();
        let line = status.lines().find_map(|l| l.strip_prefix("SigBlk:")).unwrap();
        u64::from_str_radix(line.trim(), 16).unwrap()
    }

    #[test]
    fn threads_made_inside_block_all_but_faults_and_the_caller_is_as_before() {
        let before = blocked();
        let inside = without_signals(|| std::thread::spawn(blocked)).join().unwrap();
        assert_eq!(blocked(), before);
        for signal in [libc::SIGPIPE, libc::SIGTERM, libc::SIGINT, libc::SIGUSR1, libc::SIGCHLD] {
            assert_ne!(inside & (1 << (signal - 1)), 0, "signal {signal} is not blocked");
        }
        for signal in SYNCHRONOUS {
            assert_eq!(inside & (1 << (signal - 1)), 0, "signal {signal} is blocked");
        }
    }
}
