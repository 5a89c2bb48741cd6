//! Whether stdout was closed when the program began, as by `>&-`. Before `main`, Rust's runtime puts /dev/null in the place of a closed
//! descriptor, so that a file that is opened later is not taken for it; what is printed then would be lost without a word. So the
//! question is asked earlier.

use std::sync::atomic::{AtomicBool, Ordering};

static WAS_CLOSED: AtomicBool = AtomicBool::new(false);

/// Whether it was.
pub fn was_closed() -> bool {
    WAS_CLOSED.load(Ordering::Relaxed)
}

/// The C library calls what stands there before `main`, in static programs, too.
#[used]
#[allow(unsafe_code, reason = "the only way to run before Rust's runtime; what runs is one system call and one store")]
#[unsafe(link_section = ".init_array")]
static BEFORE_MAIN: extern "C" fn() = ask;

extern "C" fn ask() {
    WAS_CLOSED.store(rustix::io::fcntl_getfd(rustix::stdio::stdout()).is_err(), Ordering::Relaxed);
}
