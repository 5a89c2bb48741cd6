//! Another static library in Rust. Its panic crosses its own copy of the standard library, and no other.

#[unsafe(no_mangle)]
pub extern "C" fn another_panics(yes: bool) -> bool {
    let heap = vec![yes; 1000];
    std::panic::catch_unwind(|| assert!(!heap[999], "as it was asked to")).is_err()
}
