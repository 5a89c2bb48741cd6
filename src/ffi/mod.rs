//! criwatch: which containers and pods run on this node, and what changes.
//!
//! This program makes a watcher, asks the engine once, and prints the answer as JSON:
//!
//! ```c
//!     cri_watcher *watcher = NULL;
//!     cri_buffer json = CRI_BUFFER_INIT;
//!     if (cri_watcher_new(NULL, NULL, &watcher, NULL) == CRI_OK
//!         && cri_watcher_resync(watcher, 5000, NULL) == CRI_OK
//!         && cri_watcher_list(watcher, NULL, &json, NULL) == CRI_OK)
//!         puts(json.data);
//!     cri_buffer_free(&json);
//!     cri_watcher_free(watcher);
//! ```
//!
//! An agent that follows changes starts the watcher and takes events. With cri_watcher_subscribe, the library calls
//! a function for each event. With cri_event_queue_new, the program takes events from a queue, which has a file
//! descriptor for poll and epoll. Events and snapshots (cri_watcher_snapshot) are C structs, so a program needs no
//! JSON parser.
//!
//! Terms
//!
//! - Engine: the container engine that a watcher follows, such as containerd or CRI-O.
//! - Sandbox: the container that holds the namespaces of a pod ("pause" container). Functions and events treat it
//!   as a container, too.
//! - Run: the time from one start of a container to its exit, or the time during which a sandbox is ready.
//! - Cache: the containers and pods that the watcher knows. A snapshot is the cache at one moment.
//! - Generation: a number that grows with every change of the cache.
//! - Consumer: a callback subscription or an event queue.
//! - Replay: events that describe the cache to a consumer, one CRI_EVENT_STARTED for each run.
//! - Rucksack: JSON that the program itself adds to a container. A packer is a function of the program that makes
//!   it.
//!
//! Conventions
//!
//! - Names have the form cri_NOUN_VERB. Parameters come in this order: the object, inputs, outputs, and `err`.
//! - Status: CRI_OK is 0. Errors are below 0. Notes are above 0 and come without an error object. A program can
//!   always decide by the status alone. The meaning of a number never changes.
//! - Errors: `err` may be NULL. Otherwise every call overwrites `*err`, with NULL or with a new error. The caller
//!   frees the error with cri_error_free. The call does not free an error that `*err` already holds: free it first.
//!   There is no "last error" per thread.
//! - Outputs: a call writes its outputs only on success. Buffers are the exception: every call overwrites them, and
//!   they are empty unless the call returns CRI_OK. The call does not free what a buffer already holds: free it
//!   first. An empty buffer may be freed any number of times.
//! - NULL: a parameter may be NULL only if its description says so. Otherwise the call returns
//!   CRI_E_INVALID_ARGUMENT. Every _free function and every cri_error function accepts NULL.
//! - Wrong objects: an object of another type, passed through a cast, is treated like NULL. The library cannot
//!   recognize an object that was freed: using one is undefined behavior.
//! - Strings are UTF-8 and end with NUL. If a string contains a NUL, C sees only the part before it; JSON shows it
//!   whole.
//! - Ownership: the caller owns every object and every buffer that a call returns through a parameter. The caller
//!   frees it with the function that the parameter's description names, never with free(). A `const char *` result
//!   belongs to the object that the function was called on.
//! - Structs that the library fills begin with struct_size and only grow at the end. A newer field is there only if
//!   struct_size covers it.
//! - Unknown values: ignore event types, flags and states that you do not know. Newer libraries add some.
//!
//! Contracts
//!
//! - Threads: any thread may call any function at any time. Several threads may use the same object at the same
//!   time. Therefore most functions take a const object, even if they change it. A _free function must be the last
//!   call on its object.
//! - Blocking: only functions with `timeout_ms` wait for the engine or for an event. A timeout below 0 means no limit;
//!   0 means no wait. cri_watcher_stop ends every such wait. A few functions wait for a thread of the library, and
//!   their notes say so: cri_watcher_stop, cri_watcher_free, cri_watcher_attach, cri_subscription_free and
//!   cri_finder_free. All other functions work in memory and take short locks. The notes give their cost; n is the
//!   number of containers in the cache.
//! - Callbacks: each subscription has its own thread ("cri-events"), so a slow callback does not delay the others.
//!   The log ("cri-log") and the packer ("cri-pack") have their own threads, too. The arguments of a callback are
//!   valid until it returns. A callback must not throw or longjmp. It may call every function. Three functions
//!   behave differently when a callback calls them on its own watcher: cri_watcher_stop returns
//!   CRI_E_WOULD_DEADLOCK, cri_watcher_free takes effect after the callback has returned, and cri_subscription_free
//!   does not wait.
//! - User data: the library never reads user_data. It calls destroy(user_data) exactly once: after the last
//!   callback, or, if the registration fails, before that call returns. destroy may be NULL.
//! - Signals: the threads of the library block all asynchronous signals, so handlers of the program never run on
//!   them. The program never gets a SIGPIPE from the library. The library installs no handler and changes no
//!   environment variable.
//! - Output: the library prints nothing, with two exceptions on stderr: the message of a panic, and the message
//!   with which Rust aborts the process when no memory is left.
//! - Fork: a child process may exec, exit, or make its own watchers. In the child, calls on a watcher that the
//!   parent started return CRI_E_FORKED, and _free functions leak on purpose. A program may make a watcher before
//!   daemon() and start it afterwards. Callback subscriptions, the log and the packer have threads, so the program
//!   must set them up after daemon(). All descriptors are closed on exec.
//! - Unloading: dlclose leaves the library in memory.
//! - Defects: a panic inside the library becomes CRI_E_PANIC. It never unwinds into the program.
//! - Compatibility: there is one SONAME for each CRI_ABI_VERSION. Within one version, functions and constants are
//!   only added.

// One name for each type, in Rust, in C and in the witness.
#![allow(non_camel_case_types)]

mod arguments;
mod attributes;
mod buffer;
mod engine;
mod error;
mod finder;
mod guard;
mod handle;
mod keep;
mod log;
mod lookup;
mod names;
mod options;
mod packer;
mod panics;
mod query;
mod queue;
mod raw;
mod record;
mod rucksack;
mod snapshot;
mod subscription;
mod version;
mod watcher;

pub use attributes::*;
pub use buffer::*;
pub use engine::*;
pub use error::*;
pub use finder::*;
pub use keep::*;
pub use log::*;
pub use lookup::*;
pub use names::*;
pub use options::*;
pub use packer::*;
pub use query::*;
pub use queue::*;
pub use record::*;
pub use rucksack::*;
pub use snapshot::*;
pub use subscription::*;
pub use version::*;
pub use watcher::*;

/// What safer-ffi makes of the same functions: a header derived from the types, the witness of `tests/header.rs`.
#[cfg(feature = "headers")]
pub fn witness_header() -> std::io::Result<String> {
    let mut header = Vec::new();
    safer_ffi::headers::builder().with_guard("CRIWATCH_WITNESS_H").to_writer(&mut header).generate()?;
    Ok(String::from_utf8(header).expect("a header is text"))
}
