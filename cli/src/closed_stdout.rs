//! Whether stdout was closed when the program began, as by `>&-`. Before `main`, Rust's runtime opens /dev/null in
//! place of a closed descriptor, so that no file opened later takes its number. Output would then be lost without an
//! error, so this is checked before `main`.

use std::sync::atomic::{AtomicBool, Ordering};

static WAS_CLOSED: AtomicBool = AtomicBool::new(false);

/// Whether stdout was closed.
pub fn was_closed() -> bool {
    WAS_CLOSED.load(Ordering::Relaxed)
}

/// The C library calls this function before `main`, even in static programs.
#[used]
#[allow(unsafe_code, reason = "the only way to run before Rust's runtime; what runs is one system call and one store")]
#[unsafe(link_section = ".init_array")]
static BEFORE_MAIN: extern "C" fn() = ask;

extern "C" fn ask() {
    WAS_CLOSED.store(rustix::io::fcntl_getfd(rustix::stdio::stdout()).is_err(), Ordering::Relaxed);
}
