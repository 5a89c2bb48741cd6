//! The names of numbers.

#![forbid(unsafe_code)]

use safer_ffi::prelude::*;

use crate::model::*;
use crate::table::{Constant, constant_of};

/// Returns the name of an event type, as JSON has it, e.g. "replayBegin". These names are the same in every language:
/// the constant without its prefix, in lowerCamelCase.
///
/// @param event_type one of CRI_EVENT_*
/// @return a static string, never NULL; do not free it; "unknown" for a number that this library does not know
/// @note Never blocks. O(1).
#[ffi_export]
pub extern "C" fn cri_event_type_name(event_type: u32) -> char_p::Ref<'static> {
    name_of(EVENT_TYPES, event_type)
}

/// Returns the name of a flag of an event, e.g. "neverStarted".
///
/// @param flag one bit of CRI_EVENT_FLAG_*
/// @return a static string, never NULL; do not free it; "unknown" for another number
/// @note Never blocks. O(1).
#[ffi_export]
pub extern "C" fn cri_event_flag_name(flag: u32) -> char_p::Ref<'static> {
    name_of(EVENT_FLAGS, flag)
}

/// Returns the name of a bit of an event's `changed`, e.g. "startedAt".
///
/// @param bit one bit of CRI_CHANGED_*
/// @return a static string, never NULL; do not free it; "unknown" for another number
/// @note Never blocks. O(1).
#[ffi_export]
pub extern "C" fn cri_changed_name(bit: u64) -> char_p::Ref<'static> {
    name_of(CHANGED, bit)
}

/// Returns the name of a kind of record, e.g. "sandbox".
///
/// @param kind one of CRI_KIND_*
/// @return a static string, never NULL; do not free it; "unknown" for another number
/// @note Never blocks. O(1).
#[ffi_export]
pub extern "C" fn cri_kind_name(kind: u32) -> char_p::Ref<'static> {
    name_of(KINDS, kind)
}

/// Returns the name of the state of a container, e.g. "running".
///
/// @param state one of CRI_STATE_*
/// @return a static string, never NULL; do not free it; "unknown" for another number
/// @note Never blocks. O(1).
#[ffi_export]
pub extern "C" fn cri_container_state_name(state: u32) -> char_p::Ref<'static> {
    name_of(STATES, state)
}

/// Returns the name of a flag of a container, e.g. "privileged".
///
/// @param flag one bit of CRI_CONTAINER_FLAG_*
/// @return a static string, never NULL; do not free it; "unknown" for another number
/// @note Never blocks. O(1).
#[ffi_export]
pub extern "C" fn cri_container_flag_name(flag: u32) -> char_p::Ref<'static> {
    name_of(CONTAINER_FLAGS, flag)
}

/// Returns the name of a bit of a container's `missing`: the key that JSON lacks, "exitCode" for CRI_MISSING_EXIT.
///
/// @param bit one bit of CRI_MISSING_*
/// @return a static string, never NULL; do not free it; "unknown" for another number
/// @note Never blocks. O(1).
#[ffi_export]
pub extern "C" fn cri_missing_name(bit: u64) -> char_p::Ref<'static> {
    name_of(MISSING, bit)
}

/// Returns the name of a flag of a mount, e.g. "readOnly".
///
/// @param flag one bit of CRI_MOUNT_FLAG_*
/// @return a static string, never NULL; do not free it; "unknown" for another number
/// @note Never blocks. O(1).
#[ffi_export]
pub extern "C" fn cri_mount_flag_name(flag: u32) -> char_p::Ref<'static> {
    name_of(MOUNT_FLAGS, flag)
}

/// Returns the name of the state of a pod, e.g. "notReady".
///
/// @param state one of CRI_POD_*
/// @return a static string, never NULL; do not free it; "unknown" for another number
/// @note Never blocks. O(1).
#[ffi_export]
pub extern "C" fn cri_pod_state_name(state: u32) -> char_p::Ref<'static> {
    name_of(POD_STATES, state)
}

/// Returns the name of a flag of a pod, e.g. "hostNetwork".
///
/// @param flag one bit of CRI_POD_FLAG_*
/// @return a static string, never NULL; do not free it; "unknown" for another number
/// @note Never blocks. O(1).
#[ffi_export]
pub extern "C" fn cri_pod_flag_name(flag: u32) -> char_p::Ref<'static> {
    name_of(POD_FLAGS, flag)
}

/// Returns the name of the state of a watcher, e.g. "watching".
///
/// @param state one of CRI_WATCHER_*
/// @return a static string, never NULL; do not free it; "unknown" for another number
/// @note Never blocks. O(1).
#[ffi_export]
pub extern "C" fn cri_watcher_state_name(state: u32) -> char_p::Ref<'static> {
    name_of(WATCHER_STATES, state)
}

/// Returns the name of the level of a message, e.g. "warn".
///
/// @param level one of CRI_LOG_*
/// @return a static string, never NULL; do not free it; "unknown" for another number
/// @note Never blocks. O(1).
#[ffi_export]
pub extern "C" fn cri_log_level_name(level: u32) -> char_p::Ref<'static> {
    name_of(LOG_LEVELS, level)
}

/// Returns the name of what happened to an engine, e.g. "found".
///
/// @param news one of CRI_ENGINE_*
/// @return a static string, never NULL; do not free it; "unknown" for another number
/// @note Never blocks. O(1).
#[ffi_export]
pub extern "C" fn cri_engine_news_name(news: u32) -> char_p::Ref<'static> {
    name_of(ENGINE_NEWS, news)
}

/// Returns the name of a kind of namespace, as /proc/PID/ns has it, e.g. "net".
///
/// @param kind one of CRI_NAMESPACE_*
/// @return a static string, never NULL; do not free it; "unknown" for another number
/// @note Never blocks. O(1).
#[ffi_export]
pub extern "C" fn cri_namespace_kind_name(kind: u32) -> char_p::Ref<'static> {
    name_of(NAMESPACE_KINDS, kind)
}

fn name_of<T: PartialEq>(table: &'static [Constant<T>], value: T) -> char_p::Ref<'static> {
    constant_of(table, value).map_or(c"unknown", |constant| constant.c_word).into()
}
