//! Events that C holds: the record comes first, followed by what keeps its pointers valid.

use std::sync::Arc;

use super::strings::Strings;
use super::view::ContainerView;
use crate::error::Result;
use crate::ffi::arguments::{given, invalid};
use crate::ffi::cri_event;
use crate::model::{Event, JsonText, View, json};

#[repr(C)]
struct OwnedEvent {
    /// The first field: a pointer to the event is a pointer to this.
    record: cri_event,
    event: Event,
    view: View,
    _container: Option<Arc<ContainerView>>,
    _message: Strings,
}

/// Makes an event for C, which gives it back to `free`.
pub(in crate::ffi) fn into_raw(event: Event, view: View) -> *mut cri_event {
    let container = event.container.as_deref().map(ContainerView::of);
    let mut strings = Strings::default();
    let message = strings.add(event.message.as_deref().unwrap_or_default());
    let message = strings.at(message);
    let record = cri_event {
        struct_size: size_of::<cri_event>(),
        r#type: event.event_type.number(),
        flags: event.flags,
        seq: event.seq,
        generation: event.generation,
        lost: event.lost,
        changed: event.changed,
        time_unix_nano: event.time,
        observed_unix_nano: event.observed,
        container: container.as_ref().map_or(std::ptr::null(), ContainerView::record),
        watcher_state: event.state.number(),
        message,
        log_level: event.log_level.map_or(0, |level| level.number()),
    };
    let owned = OwnedEvent { record, event, view, _container: container, _message: strings };
    Box::into_raw(Box::new(owned)).cast()
}

/// Whether this is a pointer to an event, and not to another object of this library.
fn is_record(event: *const cri_event) -> bool {
    // SAFETY: not NULL, and points to an object of ours: all of them begin with a number.
    (unsafe { event.cast::<usize>().read() }) == size_of::<cri_event>()
}

/// The JSON of an event that C still holds.
pub(in crate::ffi) fn json(event: *const cri_event) -> Result<JsonText> {
    if !is_record(given((!event.is_null()).then_some(event), "event")?) {
        return Err(invalid("event does not point to a cri_event, but to another object (was it cast?)"));
    }
    // SAFETY: from `into_raw` and not yet freed: the header asks for that, and for no copy of the struct.
    let owned = unsafe { &*event.cast::<OwnedEvent>() };
    Ok(json::event(&owned.event, owned.view))
}

/// Frees an event from `into_raw`; NULL does nothing.
pub(in crate::ffi) fn free(event: *mut cri_event) {
    if !event.is_null() && is_record(event) {
        // SAFETY: from `into_raw`, and freed once: the header asks for that.
        drop(unsafe { Box::from_raw(event.cast::<OwnedEvent>()) });
    }
}
