//! A panic never leaves the library: it becomes a status or a harmless answer.

#![forbid(unsafe_code)]

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::error::{CRI_E_PANIC, Error, Result};
use crate::test_hooks::may_panic;

/// Runs the body of an entry that can report an error.
pub(super) fn caught<T>(body: impl FnOnce() -> Result<T>) -> Result<T> {
    let hooked = || {
        may_panic("entry");
        body()
    };
    catch_unwind(AssertUnwindSafe(hooked)).unwrap_or_else(|panic| Err(panicked(&*panic)))
}

/// Runs the body of an entry that cannot report an error: after a panic it answers `otherwise`.
pub(super) fn infallible<T>(otherwise: T, body: impl FnOnce() -> T) -> T {
    let hooked = || {
        may_panic("infallible");
        body()
    };
    catch_unwind(AssertUnwindSafe(hooked)).unwrap_or(otherwise)
}

fn panicked(panic: &(dyn Any + Send)) -> Error {
    let literal = panic.downcast_ref::<&str>().copied();
    let message = literal.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message");
    Error::new(CRI_E_PANIC, format!("a defect in criwatch, please report it: {message}"))
}
