//! Event queues
//!
//! A queue holds the events that a callback would get, until the program takes them. The program can take them in a
//! loop, or when poll or epoll reports the queue's descriptor. A queue is bounded. If it overflows, its events are
//! dropped, and the program gets CRI_EVENT_OVERFLOW and a new replay.
//!
//! ```c
//!     struct pollfd wait = { cri_event_queue_fd(queue), POLLIN, 0 };
//!     do {
//!         poll(&wait, 1, -1);
//!         while ((status = cri_event_queue_next(queue, 0, &event, NULL)) == CRI_OK) {
//!             handle(event);
//!             cri_event_free(event);
//!         }
//!     } while (status == CRI_AGAIN);
//! ```

#![forbid(unsafe_code)]

use std::sync::{Arc, Weak};

use safer_ffi::prelude::*;

use super::arguments::{given, timeout};
use super::guard::{entry, fill, make};
use super::handle::{Handle, Opaque, held, opaque, taken};
use super::panics::infallible;
use super::raw::event;
use super::watcher::{live, refuse_forked};
use super::{cri_buffer, cri_error, cri_event, cri_watcher};
use crate::error::*;
use crate::hub::{EventQueue, Next};
use crate::watcher::Watcher;

/// A queue of events.
#[derive_ReprC]
#[repr(opaque)]
pub struct cri_event_queue {
    handle: Handle<Queue>,
}

opaque!(cri_event_queue: Queue);

/// A queue, and whose it is.
pub(super) struct Queue {
    queue: Arc<EventQueue>,
    watcher: Weak<Watcher>,
}

impl Queue {
    fn is_forked(&self) -> bool {
        self.watcher.upgrade().is_some_and(|w| w.is_forked())
    }
}

/// Makes a queue of events, beginning with a replay. The watcher may be started before or afterwards.
///
/// @param watcher the watcher
/// @param mask the event types to report: CRI_EVENT_MASK of each type, combined with |; 0: STARTED, EXITED,
/// UPDATED, STATE
/// @param flags 0, or CRI_SUBSCRIBE_LIVE_ONLY
/// @param capacity how many events the queue holds; 0: the option queue.capacity
/// @param out receives the queue; free with cri_event_queue_free
/// @return CRI_OK; CRI_E_STOPPED; CRI_E_OS if the system refuses a descriptor; CRI_E_FORKED, CRI_E_INVALID_ARGUMENT
/// @note Does not wait for the engine. O(n) to prepare the replay.
#[ffi_export]
#[must_use]
pub extern "C" fn cri_event_queue_new(
    watcher: Option<&cri_watcher>,
    mask: u32,
    flags: u32,
    capacity: usize,
    out: Option<&mut *mut cri_event_queue>,
    err: Option<&mut *mut cri_error>,
) -> Status {
    make(out, err, || new(watcher, mask, flags, capacity))
}

fn new(watcher: Option<&cri_watcher>, mask: u32, flags: u32, capacity: usize) -> Result<Queue> {
    let watcher = live(watcher)?;
    Ok(Queue { queue: watcher.subscribe(mask, flags, capacity)?, watcher: Arc::downgrade(&watcher) })
}

/// Returns a descriptor for poll and epoll. It is readable while an event is queued or the queue is closed: exactly
/// while cri_event_queue_next would not return CRI_AGAIN. It belongs to the queue: never read or close it.
///
/// @param queue the queue; NULL: -1
/// @return the descriptor
/// @note Never blocks. O(1).
#[ffi_export]
pub extern "C" fn cri_event_queue_fd(queue: Option<&cri_event_queue>) -> i32 {
    infallible(-1, || queue.and_then(Opaque::get).map_or(-1, |q| q.queue.fd()))
}

/// Takes the next event.
///
/// @param queue the queue
/// @param timeout_ms how long to wait, in milliseconds; below 0: no limit; 0: no wait
/// @param out receives the event on CRI_OK; free with cri_event_free
/// @return CRI_OK; CRI_AGAIN if there is no event within timeout_ms; CRI_CLOSED if no more will come: the watcher
/// has stopped and all events were taken, or the queue was freed; CRI_E_FORKED, CRI_E_INVALID_ARGUMENT
/// @note Blocks up to timeout_ms. cri_watcher_stop and cri_event_queue_free end the wait. O(1); after an overflow,
/// O(n) to prepare the replay.
#[ffi_export]
#[must_use]
pub extern "C" fn cri_event_queue_next(
    queue: Option<&cri_event_queue>,
    timeout_ms: i64,
    out: Option<&mut *mut cri_event>,
    err: Option<&mut *mut cri_error>,
) -> Status {
    entry(err, || next(queue, timeout_ms, out))
}

fn next(queue: Option<&cri_event_queue>, timeout_ms: i64, out: Option<&mut *mut cri_event>) -> Result<Status> {
    let (queue, out) = (held(queue, "queue")?, given(out, "out")?);
    queue.watcher.upgrade().map_or(Ok(()), |watcher| refuse_forked(&watcher))?;
    // Held, not borrowed: a free in another thread ends this wait.
    let queue = queue.queue.clone();
    Ok(match queue.next(timeout(timeout_ms)) {
        Next::Event(event) => {
            *out = event::into_raw(event, queue.view());
            CRI_OK
        }
        Next::Again => CRI_AGAIN,
        Next::Closed => CRI_CLOSED,
    })
}

/// Frees a queue. Events that were taken from it stay valid.
///
/// @param queue the queue; NULL: does nothing; in a forked child it is leaked on purpose
/// @note Does not wait. O(number of queued events). A cri_event_queue_next that waits in another thread returns
/// CRI_CLOSED.
#[ffi_export]
pub extern "C" fn cri_event_queue_free(queue: Option<repr_c::Box<cri_event_queue>>) {
    infallible((), || taken::<cri_event_queue>(queue).map_or((), free))
}

fn free(queue: Queue) {
    if queue.is_forked() {
        return std::mem::forget(queue);
    }
    queue.queue.close();
}

/// Returns an event as JSON.
///
/// @param event the event itself, from cri_event_queue_next or a callback; not a copy of the struct
/// @param out receives JSON, "criwatch.event/1"; free with cri_buffer_free
/// @return CRI_OK, CRI_E_INVALID_ARGUMENT
/// @note Does not wait. O(size of the event).
#[ffi_export]
#[must_use]
pub extern "C" fn cri_event_json(
    event: *const cri_event,
    out: Option<&mut cri_buffer>,
    err: Option<&mut *mut cri_error>,
) -> Status {
    fill(out, err, || event::json(event))
}

/// Frees an event from cri_event_queue_next, and with it its container. Never call it for the event of a callback.
///
/// @param event the event; NULL: does nothing
/// @note Never blocks. O(1).
#[ffi_export]
pub extern "C" fn cri_event_free(event: *mut cri_event) {
    infallible((), || event::free(event))
}
