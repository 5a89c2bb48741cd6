//! What is said of a panic.

#![forbid(unsafe_code)]

use std::any::Any;
use std::io::Write;
use std::panic::PanicHookInfo;
use std::sync::Once;

/// Has panics reported by ourselves: Rust's own report looks for the environment variable RUST_BACKTRACE first.
///
/// The hook belongs to the copy of Rust's standard library that is in libcriwatch: that of a program in Rust, which has no
/// need of these functions, stays as it is.
pub(super) fn report_panics() {
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
    // Whose stderr is closed gets the message by CRI_E_PANIC alone.
    let _ = writeln!(std::io::stderr(), "thread '{name}' panicked at {place}:\n{message}");
}

/// The message of a panic.
pub(super) fn message_of(payload: &(dyn Any + Send)) -> &str {
    let literal = payload.downcast_ref::<&str>().copied();
    literal.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}
