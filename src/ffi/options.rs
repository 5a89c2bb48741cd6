//! Options
//!
//! Options are pairs of strings; cri_options_describe lists them all. A watcher copies them when it is made, so one
//! object may serve many watchers.

#![forbid(unsafe_code)]

use std::sync::{Mutex, MutexGuard, PoisonError};

use safer_ffi::prelude::*;

use super::guard::{Text, fill, infallible, make, run, text};
use super::handle::{Handle, held, taken};
use super::{cri_buffer, cri_error};
use crate::config::{Config, describe};
use crate::error::{Result, Status};

/// The options of watchers to come.
#[derive_ReprC]
#[repr(opaque)]
pub struct cri_options {
    pub(super) handle: Handle,
}

#[derive(Default)]
pub(super) struct Options {
    config: Box<Mutex<Config>>,
}

impl Options {
    /// The values set so far.
    pub(super) fn config(&self) -> Config {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Config> {
        // A refused value changes nothing, so there is no half-done change to fear.
        self.config.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes options that all have their defaults.
///
/// @param out receives them; free with cri_options_free
/// @return CRI_OK, CRI_E_INVALID_ARGUMENT
/// @note Never blocks.
#[ffi_export]
#[must_use]
pub extern "C" fn cri_options_new(out: Option<&mut *mut cri_options>, err: Option<&mut *mut cri_error>) -> Status {
    make(out, err, || Ok(Options::default()))
}

/// Frees options. Watchers that were made with them keep their values.
///
/// @param options the options; NULL: nothing happens
/// @note Never blocks.
#[ffi_export]
pub extern "C" fn cri_options_free(options: Option<repr_c::Box<cri_options>>) {
    infallible((), || drop(taken::<cri_options>(options)))
}

/// Sets one option.
///
/// @param options the options
/// @param key which one, e.g. "relist.interval_ms"
/// @param value its value as text, e.g. "30000"
/// @return CRI_OK; CRI_E_OPTION for an unknown key or a value that is not allowed: the message names both and what is
/// allowed, and nothing is changed; CRI_E_INVALID_ARGUMENT
/// @note Never blocks.
#[ffi_export]
#[must_use]
pub extern "C" fn cri_options_set(
    options: Option<&cri_options>,
    key: Text<'_>,
    value: Text<'_>,
    err: Option<&mut *mut cri_error>,
) -> Status {
    run(err, || set(options, key, value))
}

fn set(options: Option<&cri_options>, key: Text<'_>, value: Text<'_>) -> Result<()> {
    held(options, "options")?.lock().set(text(key, "key")?, text(value, "value")?)
}

/// Lists all options: key, type, default, what is allowed, and what it does.
///
/// @param out receives JSON, "criwatch.options/1"; free with cri_buffer_free
/// @return CRI_OK, CRI_E_INVALID_ARGUMENT
/// @note Never blocks.
#[ffi_export]
#[must_use]
pub extern "C" fn cri_options_describe(out: Option<&mut cri_buffer>, err: Option<&mut *mut cri_error>) -> Status {
    fill(out, err, || Ok(describe().into()))
}
