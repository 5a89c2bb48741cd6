//! criwatch: which containers and pods run on this node, now, and what changes.
//!
//! The shortest program makes a watcher, asks the engine once, and prints JSON:
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
//! An agent that follows changes starts the watcher and takes events: pushed into a callback
//! (cri_watcher_subscribe), or pulled from a queue that has a file descriptor for poll and epoll
//! (cri_event_queue_new). Events and snapshots (cri_watcher_snapshot) show structs, so that no JSON has to be parsed.
//!
//! Conventions
//!
//! - Names: cri_NOUN_VERB. Arguments: the object, then inputs, then outputs, then `cri_error **err`.
//! - Status: 0 is CRI_OK, below 0 are errors, above 0 are notes that come without an error object. The status
//!   alone is always enough to branch on. Numbers are never reused.
//! - Errors: `err` may be NULL. Otherwise it is always written: NULL, or an error that the caller frees with
//!   cri_error_free. There is no "last error" kept per thread.
//! - Outputs are written only on success, buffers excepted: they are emptied first, so that freeing one is
//!   always right.
//! - NULL, where the description of a parameter does not allow it, gives CRI_E_INVALID_ARGUMENT. Every _free and
//!   every function on errors allows it. An object of another type, let through by a cast, is treated as NULL is. What
//!   was freed cannot be reported from what was not.
//! - Strings are UTF-8 and end in NUL. A string with a NUL inside ends there for C; JSON shows it whole.
//! - Ownership: objects and buffers that come out of a parameter belong to the caller, who gives them back to
//!   the function named at the parameter, never to free(). `const char *` results belong to the object.
//! - Structs that the library fills begin with struct_size and only ever grow at the end. Event types, flags and
//!   states that a program does not know are to be ignored.
//!
//! Contracts
//!
//! - Threads: every function may be called from any thread at any time, also on one object at once. Only a _free
//!   has to be the last use of its object.
//! - Blocking: only functions with `timeout_ms` wait for the engine or for events: below 0 for ever, 0 not at
//!   all. cri_watcher_stop ends every such wait. Besides, cri_watcher_stop and cri_watcher_free wait for the
//!   library's own thread, and cri_subscription_free for the callback under way; cri_watcher_free does so for the
//!   log and the packer.
//! - Callbacks: each subscription has a thread of its own ("cri-events"), so a slow one delays nobody else; so have
//!   the log ("cri-log") and the packer ("cri-pack"). What a callback is given is borrowed until it returns. A
//!   callback may call everything here; inside it,
//!   cri_watcher_stop of the same watcher answers CRI_E_WOULD_DEADLOCK, cri_watcher_free takes place after it has
//!   returned, and cri_subscription_free does not wait. A callback must not throw or longjmp.
//! - user_data is never looked at. destroy(user_data) runs exactly once: after the last call, or before a failed
//!   registration returns. destroy may be NULL.
//! - Signals: the library's threads block all asynchronous signals; handlers of the program never run on them,
//!   and SIGPIPE never reaches it. The library installs no handler, prints nothing and changes no environment.
//! - fork: a child process may exec, exit, or make watchers of its own. On what its parent has started, calls answer
//!   CRI_E_FORKED and _free leaks on purpose. Making a watcher before daemon() and starting it after is fine; callback
//!   subscriptions, log and packer have to be set after. Descriptors are closed on exec.
//! - Unloading: dlclose leaves the library in memory.
//! - Defects: a panic inside the library becomes CRI_E_PANIC; it never unwinds into the program.
//! - Compatibility: one SONAME, one CRI_ABI_VERSION. Within it, functions and constants are only added.

// One name for each type, in Rust, in C and in the witness.
#![allow(non_camel_case_types)]

mod buffer;
mod defects;
mod engine;
mod error;
mod guard;
mod handle;
mod log;
mod options;
mod packer;
mod query;
mod queue;
mod raw;
mod record;
mod snapshot;
mod subscription;
mod version;
mod watcher;

pub use buffer::*;
pub use engine::*;
pub use error::*;
pub use log::*;
pub use options::*;
pub use packer::*;
pub use query::*;
pub use queue::*;
pub use record::*;
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
