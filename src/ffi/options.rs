//! Options
//!
//! An option is a pair of strings, a key and a value. cri_options_describe lists all options. A watcher copies its
//! options when it is made, so several watchers can be made with the same object.

#![forbid(unsafe_code)]

use std::sync::{Mutex, MutexGuard, PoisonError};

use safer_ffi::prelude::*;

use super::arguments::{Text, text};
use super::guard::{fill, make, run};
use super::handle::{Handle, held, opaque, taken};
use super::panics::infallible;
use super::{cri_buffer, cri_error};
use crate::config::{Config, describe};
use crate::error::{Result, Status};

/// Options for new watchers.
#[derive_ReprC]
#[repr(opaque)]
pub struct cri_options {
    handle: Handle<Options>,
}

opaque!(cri_options: Options);

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

/// The values of these options; NULL stands for the defaults.
pub(super) fn config(options: Option<&cri_options>) -> Result<Config> {
    Ok(match options {
        Some(_) => held(options, "options")?.config(),
        None => Config::default(),
    })
}

/// Makes options, all with their default values.
///
/// @param out receives the options; free with cri_options_free
/// @return CRI_OK, CRI_E_INVALID_ARGUMENT
/// @note Never blocks. O(1).
#[ffi_export]
#[must_use]
pub extern "C" fn cri_options_new(out: Option<&mut *mut cri_options>, err: Option<&mut *mut cri_error>) -> Status {
    make(out, err, || Ok(Options::default()))
}

/// Frees options. Watchers that were made with them are not affected.
///
/// @param options the options; NULL: does nothing
/// @note Never blocks. O(1).
#[ffi_export]
pub extern "C" fn cri_options_free(options: Option<repr_c::Box<cri_options>>) {
    infallible((), || drop(taken::<cri_options>(options)))
}

/// Sets one option.
///
/// @param options the options
/// @param key the key, e.g. "relist.interval_ms"
/// @param value the value as text, e.g. "30000"
/// @return CRI_OK; CRI_E_OPTION for an unknown key or a value that is not allowed (the message names both and what
/// is allowed, and the options are unchanged); CRI_E_INVALID_ARGUMENT
/// @note Does not wait. O(1).
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

/// Lists all options, each with its key, type, default, allowed values and meaning.
///
/// @param out receives JSON, "criwatch.options/1"; free with cri_buffer_free
/// @return CRI_OK, CRI_E_INVALID_ARGUMENT
/// @note Never blocks. O(number of options).
#[ffi_export]
#[must_use]
pub extern "C" fn cri_options_describe(out: Option<&mut cri_buffer>, err: Option<&mut *mut cri_error>) -> Status {
    fill(out, err, || Ok(describe()))
}
