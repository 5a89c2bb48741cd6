//! Rucksacks
//!
//! A rucksack is JSON that the program adds to a container; records and JSON answers show it. A packer, a function
//! of the program, makes one for each run (cri_watcher_set_packer). Or the program attaches one at any time
//! (cri_watcher_attach).

#![forbid(unsafe_code)]

use std::sync::{Mutex, PoisonError};

use safer_ffi::prelude::*;

use super::arguments::{Text, optional_text};
use super::cri_error;
use super::guard::run;
use super::handle::{Handle, held, opaque};
use crate::error::{Result, Status};
use crate::model::JsonText;
use crate::sync::Job;

/// The place where a packer puts the rucksack of one container.
#[derive_ReprC]
#[repr(opaque)]
pub struct cri_rucksack {
    handle: Handle<Rucksack>,
}

opaque!(cri_rucksack: Rucksack);

/// A rucksack that is being packed.
pub(super) struct Rucksack {
    job: Job,
    packed: Mutex<Result<Option<JsonText>>>,
}

impl Rucksack {
    pub(super) fn new(job: Job) -> Self {
        Rucksack { job, packed: Mutex::new(Ok(None)) }
    }

    pub(super) fn job(&self) -> &Job {
        &self.job
    }

    /// The packer has returned.
    pub(super) fn done(self) {
        self.job.done(self.packed.into_inner().unwrap_or_else(PoisonError::into_inner));
    }
}

/// Sets the rucksack of the container that is being packed. Only the packer may call this, before it returns. The
/// last call counts; without a call there is no rucksack.
///
/// @param rucksack the place that the packer was given
/// @param json the rucksack, which is copied; NULL: none
/// @return CRI_OK; CRI_E_INVALID_ARGUMENT, also if json is not valid JSON (the watcher logs that)
/// @note Does not wait. O(size of json).
#[ffi_export]
#[must_use]
pub extern "C" fn cri_rucksack_set(
    rucksack: Option<&cri_rucksack>,
    json: Text<'_>,
    err: Option<&mut *mut cri_error>,
) -> Status {
    run(err, || set(rucksack, json))
}

fn set(rucksack: Option<&cri_rucksack>, json: Text<'_>) -> Result<()> {
    let rucksack = held(rucksack, "rucksack")?;
    let packed = optional_text(json, "json").and_then(|json| json.map(JsonText::checked).transpose());
    *rucksack.packed.lock().unwrap_or_else(PoisonError::into_inner) = packed.clone();
    packed.map(drop)
}
