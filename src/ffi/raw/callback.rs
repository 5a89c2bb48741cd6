//! Threads that call C.
//!
//! They are made with pthread_create. The frames below the program's function hold only Copy values and catch nothing.
//! The reason: Python before 3.14 ends a foreign thread with pthread_exit when the interpreter is gone. That unwinds the
//! stack, and the process would abort at the first Rust frame that has something to clean up.

use std::cell::Cell;
use std::ffi::c_void;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use super::task::Function;
pub(in crate::ffi) use super::task::Task;
use crate::error::{CRI_E_OS, Error, Result, Status};
use crate::ffi::cri_destroy_fn;
use crate::ffi::panics::infallible;
use crate::host::{StartRoutine, spawn_raw};
use crate::test_hooks::may_panic;
use crate::watcher::{THREAD_REFUSED, Watcher};

type UnwindingDestroy = unsafe extern "C-unwind" fn(*mut c_void);

/// The program's data, and the function that releases it.
#[derive(Clone, Copy)]
pub(in crate::ffi) struct Callback {
    user_data: *mut c_void,
    destroy: cri_destroy_fn,
}

impl Callback {
    pub(in crate::ffi) fn new(user_data: *mut c_void, destroy: cri_destroy_fn) -> Self {
        Callback { user_data, destroy }
    }

    /// Ends a registration. If it failed, releases the data at once.
    pub(in crate::ffi) fn destroy_if_refused(self, status: Status) -> Status {
        if status < 0 {
            self.destroy();
        }
        status
    }

    /// Releases the data. The caller makes sure that this happens once.
    pub(in crate::ffi) fn destroy(self) {
        if let Some(destroy) = self.destroy {
            // SAFETY: the same function, called so that it may unwind through us.
            let destroy: UnwindingDestroy = unsafe { std::mem::transmute(destroy) };
            // SAFETY: the header asks for a function that takes this very data.
            unsafe { destroy(self.user_data) };
        }
    }
}

/// A gate that the subscribing thread keeps closed until the program has its subscription, because the first call of the
/// function may use the subscription.
#[derive(Clone)]
pub(in crate::ffi) struct Gate(Arc<Mutex<()>>);

impl Gate {
    pub(in crate::ffi) fn lock(&self) -> MutexGuard<'_, ()> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a subscription and its thread share.
struct Shared {
    watcher: Weak<Watcher>,
    task: Task,
    callback: Callback,
    gate: Gate,
    /// Whether a thread has claimed the call of `callback.destroy`.
    destroyed: AtomicBool,
    /// Watchers that were freed inside the callback. They are stopped after it.
    freed: Mutex<Vec<Arc<Watcher>>>,
}

// SAFETY: the raw pointer is the program's data: never looked at here, and handed only to functions that the program
// gave for the purpose of being called on our thread.
unsafe impl Send for Shared {}
// SAFETY: as above.
unsafe impl Sync for Shared {}

impl Shared {
    /// Claims the call of `callback.destroy`: true for one caller only.
    fn takes_destroy(&self) -> bool {
        !self.destroyed.swap(true, Ordering::SeqCst)
    }
}

thread_local! {
    /// On a thread of the library: what the thread works on. The thread holds a reference to it as long as this is not
    /// NULL. It is a plain pointer, because a destructor would also run on a thread that is being ended by force.
    static CURRENT: Cell<*const Shared> = const { Cell::new(std::ptr::null()) };
}

fn current() -> Option<&'static Shared> {
    // SAFETY: NULL, or valid until `finish` sets it to NULL on this very thread; no caller keeps the reference longer
    // than its own call.
    unsafe { CURRENT.get().as_ref() }
}

/// Whether this thread is inside a callback of the watcher.
pub(in crate::ffi) fn is_inside(watcher: &Watcher) -> bool {
    current().is_some_and(|shared| std::ptr::eq(shared.watcher.as_ptr(), watcher))
}

/// Stops a watcher that C has freed. Inside one of its callbacks, it stops the watcher after the callback has returned.
pub(in crate::ffi) fn stop_outside(watcher: Arc<Watcher>) {
    match current() {
        Some(shared) if is_inside(&watcher) => {
            shared.freed.lock().unwrap_or_else(PoisonError::into_inner).push(watcher);
        }
        _ => stop(&watcher),
    }
}

fn stop(watcher: &Watcher) {
    // A free function cannot report an error. What could not be stopped is dropped a moment later.
    let _ = watcher.stop();
}

/// A thread that calls a function of the program for each item, as its owner sees it.
pub(in crate::ffi) struct Thread {
    shared: Arc<Shared>,
    thread: libc::pthread_t,
    /// The process that has the thread. A forked child does not have it.
    process: u32,
}

impl Thread {
    pub(in crate::ffi) fn gate() -> Gate {
        Gate(Arc::default())
    }

    /// Makes the thread. From then on it is the thread that calls `callback.destroy`.
    pub(in crate::ffi) fn spawn(watcher: &Arc<Watcher>, task: Task, callback: Callback, gate: Gate) -> Result<Thread> {
        let stack_bytes = watcher.stack_bytes();
        let watcher = Arc::downgrade(watcher);
        let destroyed = AtomicBool::new(false);
        let shared = Arc::new(Shared { watcher, task, callback, gate, destroyed, freed: Mutex::default() });
        let theirs = Arc::into_raw(shared.clone());
        // SAFETY: "C-unwind" and "C" functions are called alike; glibc's start routine lets a forced unwind through.
        let start: StartRoutine =
            unsafe { std::mem::transmute(run as extern "C-unwind" fn(*mut c_void) -> *mut c_void) };
        // SAFETY: `run` takes what `theirs` is, on any thread.
        let made = unsafe { spawn_raw(stack_bytes, start, theirs.cast_mut().cast()) };
        let thread = made.map_err(|error| {
            // SAFETY: from into_raw above, and no thread came into being that would use it.
            drop(unsafe { Arc::from_raw(theirs) });
            shared.task.close();
            Error::os(CRI_E_OS, format!("the thread of a callback: {THREAD_REFUSED}"), &error).retriable()
        })?;
        Ok(Thread { shared, thread, process: std::process::id() })
    }

    /// Ends the calls, and waits for the call in progress, except inside a callback of the same watcher.
    pub(in crate::ffi) fn end(self) {
        if self.process == std::process::id() {
            self.shared.task.close();
        }
        self.finish();
    }

    /// Waits for the last call. The thread ends by itself when no more items will come. Inside a callback of the same
    /// watcher it does not wait.
    pub(in crate::ffi) fn finish(self) {
        if self.process != std::process::id() {
            return std::mem::forget(self);
        }
        if current().is_some_and(|current| current.watcher.ptr_eq(&self.shared.watcher)) {
            // SAFETY: the thread was made joinable; only this function, which consumes its owner, joins or detaches it.
            unsafe { libc::pthread_detach(self.thread) };
            return;
        }
        // SAFETY: as above; it is not this very thread, because here we are outside its callback.
        unsafe { libc::pthread_join(self.thread, std::ptr::null_mut()) };
        // A thread that the program ended inside its callback never called `destroy`.
        if self.shared.takes_destroy() {
            self.shared.callback.destroy();
        }
    }
}

/// The thread. No frame from here to the program's function may have anything to clean up.
extern "C-unwind" fn run(shared: *mut c_void) -> *mut c_void {
    let shared: *const Shared = shared.cast();
    let (function, callback) = begin(shared);
    loop {
        let item = next(shared);
        if item.is_null() {
            break;
        }
        // SAFETY: the item belongs to this function, and is valid until `settle`; the header asks for a function that takes it
        // and this very data.
        unsafe { function.call(item, callback.user_data) };
        settle(shared, item);
    }
    if takes_destroy(shared) {
        callback.destroy();
    }
    finish(shared);
    std::ptr::null_mut()
}

fn begin(shared: *const Shared) -> (Function, Callback) {
    CURRENT.set(shared);
    // SAFETY: the thread's own reference: `spawn` gave it, `finish` gives it up.
    let shared = unsafe { &*shared };
    // SAFETY: the name ends in NUL and has at most 15 bytes.
    unsafe { libc::pthread_setname_np(libc::pthread_self(), shared.task.thread_name().as_ptr()) };
    drop(shared.gate.lock());
    (shared.task.function(), shared.callback)
}

/// The item of the next call, or NULL at the end.
fn next(shared: *const Shared) -> *mut c_void {
    // SAFETY: as in `begin`.
    let task = unsafe { &(*shared).task };
    infallible(std::ptr::null_mut(), || {
        may_panic("next");
        task.next()
    })
}

fn takes_destroy(shared: *const Shared) -> bool {
    // SAFETY: as in `begin`.
    unsafe { &*shared }.takes_destroy()
}

/// Cleans up after a call.
fn settle(shared: *const Shared, item: *mut c_void) {
    // SAFETY: as in `begin`.
    let task = unsafe { &(*shared).task };
    infallible((), || task.settle(item));
    stop_freed(shared);
}

fn stop_freed(shared: *const Shared) {
    // SAFETY: as in `begin`.
    let freed = unsafe { &(*shared).freed };
    let freed = std::mem::take(&mut *freed.lock().unwrap_or_else(PoisonError::into_inner));
    infallible((), || freed.iter().for_each(|watcher| stop(watcher)));
}

fn finish(shared: *const Shared) {
    stop_freed(shared);
    CURRENT.set(std::ptr::null());
    // SAFETY: the thread's own reference, given up once.
    let shared = unsafe { Arc::from_raw(shared) };
    infallible((), || drop(shared));
}
