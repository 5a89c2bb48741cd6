//! A panic never leaves the library: it is reported, and becomes a status or a harmless answer.

#![forbid(unsafe_code)]

use std::any::Any;
use std::io::Write;
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind};
use std::sync::Once;

use crate::error::{CRI_E_PANIC, Error, Result};
use crate::test_hooks::may_panic;

/// Runs the body of an entry that can report an error.
pub(super) fn caught<T>(body: impl FnOnce() -> Result<T>) -> Result<T> {
    report_panics();
    let hooked = || {
        may_panic("entry");
        body()
    };
    catch_unwind(AssertUnwindSafe(hooked)).unwrap_or_else(|panic| Err(panicked(&*panic)))
}

/// Runs the body of an entry that cannot report an error: after a panic it answers `otherwise`.
pub(super) fn infallible<T>(otherwise: T, body: impl FnOnce() -> T) -> T {
    report_panics();
    let hooked = || {
        may_panic("infallible");
        body()
    };
    catch_unwind(AssertUnwindSafe(hooked)).unwrap_or(otherwise)
}

fn panicked(panic: &(dyn Any + Send)) -> Error {
    Error::new(CRI_E_PANIC, format!("a defect in criwatch, please report it: {}", message_of(panic)))
}

/// Installs a panic hook that prints the message on stderr. Rust's own hook would read the environment variable
/// RUST_BACKTRACE.
///
/// The hook belongs to the copy of Rust's standard library in libcriwatch. A program in Rust has a copy and a hook of
/// its own, which this does not change.
fn report_panics() {
    static ONCE: Once = Once::new();
    // The unit tests' harness has a hook of its own.
    if !cfg!(test) {
        ONCE.call_once(|| std::panic::set_hook(Box::new(report)));
    }
}

fn report(panic: &PanicHookInfo<'_>) {
    let thread = std::thread::current();
    let (name, place) = (thread.name().unwrap_or("<unnamed>"), panic.location().map(ToString::to_string));
    let (place, message) = (place.unwrap_or_default(), message_of(panic.payload()));
    // If the program has closed stderr, it gets the message only from the CRI_E_PANIC error.
    let _ = writeln!(std::io::stderr(), "thread '{name}' panicked at {place}:\n{message}");
}

fn message_of(payload: &(dyn Any + Send)) -> &str {
    let literal = payload.downcast_ref::<&str>().copied();
    literal.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}
