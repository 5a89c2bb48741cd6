//! A container with the key names of other projects.

#![forbid(unsafe_code)]

use safer_ffi::prelude::*;

use super::arguments::{Text, given, invalid, text};
use super::guard::run;
use super::raw::attributes;
use super::{cri_container, cri_error, cri_label};
use crate::error::{Result, Status};
use crate::model::attributes::Schema;

/// Returns the known facts of a container as an array of keys and values, for metrics, logs and alerts. `schema` selects
/// the names of the keys. A key that is a list in the schema (such as container.image.tags) has the one value that is
/// known. Facts about the engine, such as container.runtime.name, are not here: cri_watcher_engine_info has them.
///
/// @param container the record itself, not a copy of the struct
/// @param schema "otel" (OpenTelemetry's semantic conventions), "falco" (Falco's fields) or "ecs" (Elastic Common Schema)
/// @param out receives an array of keys and values, valid as long as the record
/// @param len receives the length of the array
/// @return CRI_OK; CRI_E_INVALID_ARGUMENT
/// @note Does not wait for the engine. The first call for a version of a container and a schema builds the array,
/// O(number of labels), and calls from other threads may wait for it. Further calls cost O(1).
#[ffi_export]
#[must_use]
pub extern "C" fn cri_container_attributes(
    container: *const cri_container,
    schema: Text<'_>,
    out: Option<&mut *const cri_label>,
    len: Option<&mut usize>,
    err: Option<&mut *mut cri_error>,
) -> Status {
    run(err, || {
        let (schema, out, len) = (schema_of(text(schema, "schema")?)?, given(out, "out")?, given(len, "len")?);
        let found = attributes::of(container, schema);
        (*out, *len) =
            found.ok_or_else(|| invalid("container is NULL, or does not point to a cri_container (was it cast?)"))?;
        Ok(())
    })
}

fn schema_of(word: &str) -> Result<Schema> {
    Schema::of_word(word).ok_or_else(|| {
        let known = Schema::ALL.map(Schema::word).join(", ");
        invalid(format!("schema {word:?} is unknown (known are: {known})"))
    })
}
