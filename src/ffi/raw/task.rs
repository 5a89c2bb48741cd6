//! What a thread passes to a callback: events, log messages, rucksacks to be packed.

use std::ffi::{CStr, c_void};
use std::sync::Arc;

use safer_ffi::c_char;

use super::event;
use crate::ffi::handle::{Opaque, taken};
use crate::ffi::rucksack::Rucksack;
use crate::ffi::{cri_event, cri_rucksack};
use crate::hub::{EventQueue, Next};
use crate::model::{Event, EventType, LogLevel};
use crate::sync::PackerQueue;

type EventFn = unsafe extern "C" fn(*const cri_event, *mut c_void);
type LogFn = unsafe extern "C" fn(u32, *const c_char, *mut c_void);
type PackFn = unsafe extern "C" fn(*const c_char, *const c_char, *const cri_rucksack, *mut c_void);

/// Where a thread takes its items from, and the function that it calls with them.
pub(in crate::ffi) enum Task {
    /// Events.
    Events { queue: Arc<EventQueue>, function: EventFn },
    /// Log messages, up to this level.
    Log { queue: Arc<EventQueue>, function: LogFn, max_level: u32 },
    /// Rucksacks to be packed.
    Pack { packer_queue: Arc<PackerQueue>, function: PackFn },
}

type UnwindingEventFn = unsafe extern "C-unwind" fn(*const cri_event, *mut c_void);
type UnwindingLogFn = unsafe extern "C-unwind" fn(u32, *const c_char, *mut c_void);
type UnwindingPackFn = unsafe extern "C-unwind" fn(*const c_char, *const c_char, *const cri_rucksack, *mut c_void);

/// The program's function, called so that it may unwind through us.
#[derive(Clone, Copy)]
pub(super) enum Function {
    Event(UnwindingEventFn),
    Log(UnwindingLogFn),
    Pack(UnwindingPackFn),
}

impl Function {
    /// One call. This frame, too, has nothing to clean up.
    ///
    /// # Safety
    /// The item is from `next` of the task that has this function, and not yet settled; the function is what the header
    /// asks for.
    pub unsafe fn call(self, item: *mut c_void, user_data: *mut c_void) {
        match self {
            // SAFETY: as the caller says.
            Function::Event(function) => unsafe { function(item.cast(), user_data) },
            Function::Log(function) => {
                // SAFETY: an item of a log is an event.
                let (level, message) = unsafe { level_and_message(item.cast()) };
                // SAFETY: as the caller says.
                unsafe { function(level, message, user_data) }
            }
            Function::Pack(function) => {
                // SAFETY: an item of a packer is a rucksack.
                let (container, inspection) = unsafe { texts(item.cast()) };
                // SAFETY: as the caller says.
                unsafe { function(container, inspection, item.cast(), user_data) }
            }
        }
    }
}

unsafe fn level_and_message(event: *const cri_event) -> (u32, *const c_char) {
    // SAFETY: the caller has a valid event.
    let event = unsafe { &*event };
    (event.log_level, event.message)
}

unsafe fn texts(rucksack: *const cri_rucksack) -> (*const c_char, *const c_char) {
    // SAFETY: the caller has a valid rucksack, made by `next`.
    let Some(rucksack) = unsafe { &*rucksack }.get() else {
        return (c"".as_ptr().cast(), c"".as_ptr().cast());
    };
    let job = rucksack.job();
    (job.container.as_bytes_with_nul().as_ptr().cast(), job.inspection.as_bytes_with_nul().as_ptr().cast())
}

impl Task {
    pub(super) fn function(&self) -> Function {
        use std::mem::transmute;
        // SAFETY: the same functions; "C" and "C-unwind" are called alike.
        unsafe {
            match *self {
                Task::Events { function, .. } => Function::Event(transmute::<EventFn, UnwindingEventFn>(function)),
                Task::Log { function, .. } => Function::Log(transmute::<LogFn, UnwindingLogFn>(function)),
                Task::Pack { function, .. } => Function::Pack(transmute::<PackFn, UnwindingPackFn>(function)),
            }
        }
    }

    pub(super) fn thread_name(&self) -> &'static CStr {
        match self {
            Task::Events { .. } => c"cri-events",
            Task::Log { .. } => c"cri-log",
            Task::Pack { .. } => c"cri-pack",
        }
    }

    /// Waits for the item of the next call; NULL at the end.
    pub(super) fn next(&self) -> *mut c_void {
        match self {
            Task::Events { queue, .. } => match queue.next(None) {
                Next::Event(event) => event::into_raw(event, queue.view()).cast(),
                Next::Again | Next::Closed => std::ptr::null_mut(),
            },
            Task::Log { queue, max_level, .. } => loop {
                match queue.next(None) {
                    Next::Event(event) => {
                        let event = message(event);
                        if event.log_level.is_some_and(|level| level.number() <= *max_level) {
                            return event::into_raw(event, queue.view()).cast();
                        }
                    }
                    Next::Again | Next::Closed => return std::ptr::null_mut(),
                }
            },
            Task::Pack { packer_queue, .. } => {
                let made = |job| Box::into_raw(Box::new(cri_rucksack::new(Rucksack::new(job)))).cast();
                packer_queue.next().map_or(std::ptr::null_mut(), made)
            }
        }
    }

    /// Frees the item after its call has returned.
    pub(super) fn settle(&self, item: *mut c_void) {
        match self {
            Task::Events { .. } | Task::Log { .. } => event::free(item.cast()),
            Task::Pack { .. } => {
                // SAFETY: from `next` of this very task, and settled once.
                let packed = unsafe { Box::from_raw(item.cast::<cri_rucksack>()) };
                if let Some(rucksack) = taken::<cri_rucksack>(Some(packed.into())) {
                    rucksack.done();
                }
            }
        }
    }

    /// Ends the task: no further items.
    pub(super) fn close(&self) {
        match self {
            Task::Events { queue, .. } | Task::Log { queue, .. } => queue.close(),
            Task::Pack { packer_queue, .. } => packer_queue.close(),
        }
    }
}

/// Turns an overflow into a log message.
fn message(event: Event) -> Event {
    match event.event_type {
        EventType::Overflow => Event {
            log_level: Some(LogLevel::Warn),
            message: Some(format!("{} messages of the log are lost: its function was too slow", event.lost).into()),
            ..event
        },
        _ => event,
    }
}
