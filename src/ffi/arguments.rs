//! Checks the arguments that C passes in: NULL, UTF-8, timeouts.

#![forbid(unsafe_code)]

use std::time::Duration;

use safer_ffi::prelude::*;

use crate::error::{CRI_E_INVALID_ARGUMENT, Error, Result};

/// A string that C passes in, or NULL.
pub(super) type Text<'a> = Option<char_p::Ref<'a>>;

/// What a pointer points to. For NULL, returns an error that names the parameter.
pub(super) fn given<T>(value: Option<T>, parameter: &str) -> Result<T> {
    value.ok_or_else(|| invalid(format!("{parameter} is NULL")))
}

/// A string that must not be NULL.
pub(super) fn text<'a>(value: Text<'a>, parameter: &str) -> Result<&'a str> {
    utf8(given(value, parameter)?, parameter)
}

/// A string that may be NULL.
pub(super) fn optional_text<'a>(value: Text<'a>, parameter: &str) -> Result<Option<&'a str>> {
    value.map(|value| utf8(value, parameter)).transpose()
}

/// Checks that a string is UTF-8. safer-ffi's own `to_str` does not check it.
fn utf8<'a>(value: char_p::Ref<'a>, parameter: &str) -> Result<&'a str> {
    std::str::from_utf8(value.to_bytes()).map_err(|e| {
        let shown = String::from_utf8_lossy(value.to_bytes());
        invalid(format!("{parameter} {shown:?} is not UTF-8 (from byte {} on)", e.valid_up_to()))
    })
}

/// Converts a timeout in milliseconds; `None` is no limit. Below 0 means no limit. So does more than a year, because it
/// would overflow clock arithmetic.
pub(super) fn timeout(milliseconds: i64) -> Option<Duration> {
    const YEAR: u64 = 365 * 24 * 3_600_000;
    u64::try_from(milliseconds).ok().filter(|ms| *ms <= YEAR).map(Duration::from_millis)
}

/// An error about an argument.
pub(super) fn invalid(message: impl Into<String>) -> Error {
    Error::new(CRI_E_INVALID_ARGUMENT, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timeouts() {
        assert_eq!(timeout(-1), None);
        assert_eq!(timeout(i64::MIN), None);
        assert_eq!(timeout(0), Some(Duration::ZERO));
        assert_eq!(timeout(1500), Some(Duration::from_millis(1500)));
        assert_eq!(timeout(i64::MAX), None);
    }
}
