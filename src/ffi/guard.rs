//! What every entry has in common: NULL, UTF-8, panics, errors, and outputs that are written last.

#![forbid(unsafe_code)]

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use safer_ffi::prelude::*;

use super::handle::Opaque;
use super::{cri_buffer, cri_error};
use crate::error::*;
use crate::model::JsonText;
use crate::test_hooks::may_panic;

/// A string that C gives, or NULL.
pub(super) type Text<'a> = Option<char_p::Ref<'a>>;

/// Runs one fallible entry: its status, and `err` written in any case.
pub(super) fn entry(err: Option<&mut *mut cri_error>, body: impl FnOnce() -> Result<Status>) -> Status {
    let hooked = || {
        may_panic("entry");
        body()
    };
    let outcome = catch_unwind(AssertUnwindSafe(hooked)).unwrap_or_else(|panic| Err(panicked(&*panic)));
    let (status, error) = match outcome {
        Ok(status) => (status, std::ptr::null_mut()),
        Err(error) => (error.status(), cri_error::into_raw_if(err.is_some(), error)),
    };
    if let Some(err) = err {
        *err = error;
    }
    status
}

/// An entry that does something and gives nothing.
pub(super) fn run(err: Option<&mut *mut cri_error>, body: impl FnOnce() -> Result<()>) -> Status {
    entry(err, || body().map(|()| CRI_OK))
}

/// An entry that fills a buffer, which is emptied first.
pub(super) fn fill(
    out: Option<&mut cri_buffer>,
    err: Option<&mut *mut cri_error>,
    body: impl FnOnce() -> Result<JsonText>,
) -> Status {
    fill_if(out, err, || body().map(Some))
}

/// The same, where there may be nothing to give.
pub(super) fn fill_if(
    out: Option<&mut cri_buffer>,
    err: Option<&mut *mut cri_error>,
    body: impl FnOnce() -> Result<Option<JsonText>>,
) -> Status {
    entry(err, || {
        let out = given(out, "out")?;
        *out = cri_buffer::EMPTY;
        Ok(match body()? {
            Some(text) => {
                *out = cri_buffer::new(text);
                CRI_OK
            }
            None => CRI_NONE,
        })
    })
}

/// An entry that makes an object.
pub(super) fn make<T: Opaque>(
    out: Option<&mut *mut T>,
    err: Option<&mut *mut cri_error>,
    body: impl FnOnce() -> Result<T::Object>,
) -> Status {
    run(err, || {
        let out = given(out, "out")?;
        *out = Box::into_raw(Box::new(T::new(body()?)));
        Ok(())
    })
}

/// The same, where there may be nothing to give.
pub(super) fn make_if<T: Opaque>(
    out: Option<&mut *mut T>,
    err: Option<&mut *mut cri_error>,
    body: impl FnOnce() -> Result<Option<T::Object>>,
) -> Status {
    entry(err, || {
        let out = given(out, "out")?;
        let Some(object) = body()? else {
            return Ok(CRI_NONE);
        };
        *out = Box::into_raw(Box::new(T::new(object)));
        Ok(CRI_OK)
    })
}

/// An entry that cannot report anything: a panic, which has told itself by then, gives `otherwise`.
pub(super) fn infallible<T>(otherwise: T, body: impl FnOnce() -> T) -> T {
    let hooked = || {
        may_panic("infallible");
        body()
    };
    catch_unwind(AssertUnwindSafe(hooked)).unwrap_or(otherwise)
}

/// What a pointer points at; NULL is an error that names the parameter.
pub(super) fn given<T>(value: Option<T>, parameter: &str) -> Result<T> {
    value.ok_or_else(|| invalid(format!("{parameter} is NULL")))
}

/// A string that has to be there.
pub(super) fn text<'a>(value: Text<'a>, parameter: &str) -> Result<&'a str> {
    utf8(given(value, parameter)?, parameter)
}

/// A string that may be NULL.
pub(super) fn optional_text<'a>(value: Text<'a>, parameter: &str) -> Result<Option<&'a str>> {
    value.map(|value| utf8(value, parameter)).transpose()
}

/// safer-ffi's own `to_str` believes C that its strings are UTF-8.
fn utf8<'a>(value: char_p::Ref<'a>, parameter: &str) -> Result<&'a str> {
    std::str::from_utf8(value.to_bytes()).map_err(|e| {
        let shown = String::from_utf8_lossy(value.to_bytes());
        invalid(format!("{parameter} {shown:?} is not UTF-8 (from byte {} on)", e.valid_up_to()))
    })
}

/// C's milliseconds: below 0 is for ever, and so is more than a year, which no clock arithmetic has to bear then.
pub(super) fn timeout(milliseconds: i64) -> Option<Duration> {
    const YEAR: u64 = 365 * 24 * 3_600_000;
    u64::try_from(milliseconds).ok().filter(|ms| *ms <= YEAR).map(Duration::from_millis)
}

pub(super) fn invalid(message: impl Into<String>) -> Error {
    Error::new(CRI_E_INVALID_ARGUMENT, message)
}

fn panicked(panic: &(dyn Any + Send)) -> Error {
    let literal = panic.downcast_ref::<&str>().copied();
    let message = literal.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message");
    Error::new(CRI_E_PANIC, format!("a defect in criwatch, please report it: {message}"))
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

    #[test]
    fn panics_become_a_status_and_leave_outputs_alone() {
        let mut out = cri_buffer::EMPTY;
        let mut err = std::ptr::null_mut();
        assert_eq!(fill(Some(&mut out), Some(&mut err), || panic!("on purpose {}", 7)), CRI_E_PANIC);
        assert!(out.data.is_null());
        let error = super::super::raw::test_take(err);
        assert_eq!(error.get().unwrap().error.message(), "a defect in criwatch, please report it: on purpose 7");
    }

    #[test]
    fn err_is_written_on_success_too() {
        let mut err = std::ptr::dangling_mut();
        assert_eq!(run(Some(&mut err), || Ok(())), CRI_OK);
        assert!(err.is_null());
    }
}
