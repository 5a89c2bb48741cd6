//! The only way in which the library makes threads: with a name, with signals blocked, and with a stack of a known
//! size.

#![allow(unsafe_code)]

use std::ffi::{c_int, c_void};
use std::io;
use std::mem::MaybeUninit;
use std::os::unix::thread::JoinHandleExt;
use std::thread::{Builder, JoinHandle};

use super::signals::without_signals;

/// The stack of a short-lived thread: the default of the option `threads.stack_bytes`. Whatever else is in the process
/// (a sanitizer, a profiler, a handler of SIGSEGV) uses it, too.
pub const SHORT_LIVED: usize = 2 << 20;

/// Makes a thread with this name and this many bytes of stack for its own use.
///
/// The size is always given: without one, Rust's standard library reads the environment (`RUST_MIN_STACK`).
pub fn spawn<T: Send + 'static>(
    name: &str,
    stack_bytes: usize,
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<JoinHandle<T>> {
    without_signals(|| Builder::new().name(name.into()).stack_size(with_tls(stack_bytes)).spawn(work))
}

/// Moves a new thread away from the caller's processor, if it may run on another one. The scheduler may move it back.
///
/// A new thread often waits for the processor of the thread that made it, although another one is idle. The scheduler moves
/// it some milliseconds later, and a short-lived thread has only some milliseconds of work. Errors are ignored: then the
/// thread stays where it is.
pub fn move_away<T>(thread: &JoinHandle<T>) {
    let (thread, size) = (thread.as_pthread_t(), size_of::<libc::cpu_set_t>());
    // SAFETY: the sets are ours, and their size is given. The handle exists, so nobody has joined the thread.
    unsafe {
        let mut all: libc::cpu_set_t = std::mem::zeroed();
        let Ok(own) = usize::try_from(libc::sched_getcpu()) else { return };
        if libc::sched_getaffinity(0, size, &raw mut all) != 0 {
            return;
        }
        let mut others = all;
        libc::CPU_CLR(own, &mut others);
        if libc::pthread_setaffinity_np(thread, size, &raw const others) == 0 {
            libc::pthread_setaffinity_np(thread, size, &raw const all);
        }
    }
}

/// A function that pthread_create takes.
pub type StartRoutine = extern "C" fn(*mut c_void) -> *mut c_void;

/// Makes a joinable thread with pthread_create, for code that must not have Rust's frames below it.
///
/// # Safety
/// `start` may be called with `argument` on another thread, at any time, even before this returns.
pub unsafe fn spawn_raw(stack_bytes: usize, start: StartRoutine, argument: *mut c_void) -> io::Result<libc::pthread_t> {
    let mut attributes = MaybeUninit::uninit();
    let mut thread = MaybeUninit::uninit();
    // SAFETY: pthread_attr_init makes the attributes that the next two calls read, and that are destroyed once; the
    // start routine and its argument are the caller's.
    let code = unsafe {
        match libc::pthread_attr_init(attributes.as_mut_ptr()) {
            0 => {}
            code => return Err(io::Error::from_raw_os_error(code)),
        }
        let code = match libc::pthread_attr_setstacksize(attributes.as_mut_ptr(), with_tls(stack_bytes)) {
            0 => without_signals(|| libc::pthread_create(thread.as_mut_ptr(), attributes.as_ptr(), start, argument)),
            code => code,
        };
        libc::pthread_attr_destroy(attributes.as_mut_ptr());
        code
    };
    if code != 0 {
        return Err(io::Error::from_raw_os_error(code));
    }
    // SAFETY: pthread_create has written it.
    Ok(unsafe { thread.assume_init() })
}

/// The size to ask for, in whole pages. glibc takes the thread-local variables of the whole process out of the stack,
/// and a program may have any amount of them (ThreadSanitizer alone has 767 KiB).
fn with_tls(stack_bytes: usize) -> usize {
    // SAFETY: sysconf has no preconditions.
    let page = usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).unwrap_or(4096);
    stack_bytes.saturating_add(tls_bytes()).checked_next_multiple_of(page).unwrap_or(stack_bytes)
}

/// How many bytes of thread-local variables the loaded objects have. Objects that are loaded later do not take theirs
/// from stacks.
fn tls_bytes() -> usize {
    unsafe extern "C" fn add(object: *mut libc::dl_phdr_info, _size: usize, sum: *mut c_void) -> c_int {
        // SAFETY: dl_iterate_phdr gives an object that is loaded, and the pointer that it was given.
        let (object, sum) = unsafe { (&*object, &mut *sum.cast::<usize>()) };
        for at in 0..usize::from(object.dlpi_phnum) {
            // SAFETY: the object has that many headers.
            let header = unsafe { &*object.dlpi_phdr.add(at) };
            if header.p_type == libc::PT_TLS {
                *sum = sum.saturating_add((header.p_memsz + header.p_align) as usize);
            }
        }
        0
    }
    let mut sum = 0usize;
    // SAFETY: `add` takes what it is given here, and does not keep it.
    unsafe { libc::dl_iterate_phdr(Some(add), (&raw mut sum).cast()) };
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The size of this thread's stack, guard and thread-local variables included.
    fn stack_of_this_thread() -> usize {
        let (mut attributes, mut at, mut size) = (MaybeUninit::uninit(), std::ptr::null_mut(), 0);
        // SAFETY: each call fills what the next one reads.
        unsafe {
            assert_eq!(libc::pthread_getattr_np(libc::pthread_self(), attributes.as_mut_ptr()), 0);
            assert_eq!(libc::pthread_attr_getstack(attributes.as_ptr(), &mut at, &mut size), 0);
            libc::pthread_attr_destroy(attributes.as_mut_ptr());
        }
        size
    }

    #[test]
    fn a_thread_has_the_stack_that_was_asked_for_beside_the_variables() {
        assert!(tls_bytes() > 0, "Rust's standard library alone has some");
        let size = spawn("cri-test", 3 << 20, stack_of_this_thread).unwrap().join().unwrap();
        assert!(size >= (3 << 20) + tls_bytes(), "{size}");
        assert!(size < (3 << 20) + tls_bytes() + (64 << 10), "{size}");
    }

    /// The processors on which this thread may run.
    fn processors() -> Vec<usize> {
        // SAFETY: the set is ours, and its size is given.
        unsafe {
            let mut set: libc::cpu_set_t = std::mem::zeroed();
            assert_eq!(libc::sched_getaffinity(0, size_of_val(&set), &raw mut set), 0);
            (0..libc::CPU_SETSIZE as usize).filter(|cpu| libc::CPU_ISSET(*cpu, &set)).collect()
        }
    }

    fn allow_only(cpu: usize) {
        // SAFETY: as above.
        unsafe {
            let mut set: libc::cpu_set_t = std::mem::zeroed();
            libc::CPU_SET(cpu, &mut set);
            assert_eq!(libc::sched_setaffinity(0, size_of_val(&set), &raw const set), 0);
        }
    }

    /// The processors on which a thread may run after it was moved away.
    fn processors_of_one_moved_away() -> Vec<usize> {
        let (go, wait) = std::sync::mpsc::channel();
        let work = move || wait.recv().map(|()| processors());
        let thread = spawn("cri-test", SHORT_LIVED, work).unwrap();
        move_away(&thread);
        go.send(()).unwrap();
        thread.join().unwrap().unwrap()
    }

    #[test]
    fn a_thread_that_was_moved_away_may_run_where_its_maker_may() {
        assert_eq!(processors_of_one_moved_away(), processors());
        let with_one_processor = || {
            let one = processors()[0];
            allow_only(one);
            assert_eq!(processors_of_one_moved_away(), [one], "there is no other one");
        };
        std::thread::spawn(with_one_processor).join().unwrap();
    }

    #[test]
    fn a_raw_thread_has_it_too() {
        extern "C" fn measure(out: *mut c_void) -> *mut c_void {
            // SAFETY: the test waits for this thread.
            unsafe { *out.cast::<usize>() = stack_of_this_thread() };
            out
        }
        let mut size = 0usize;
        // SAFETY: `size` lives until the thread was joined, and only the thread uses it until then.
        unsafe {
            let thread = spawn_raw(3 << 20, measure, (&raw mut size).cast()).unwrap();
            libc::pthread_join(thread, std::ptr::null_mut());
        }
        assert!(size >= (3 << 20) + tls_bytes(), "{size}");
    }

    #[test]
    fn a_stack_that_cannot_be_had_is_an_error() {
        assert!(spawn("cri-test", usize::MAX / 2, || ()).is_err());
    }
}
