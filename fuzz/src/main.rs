//! One target under LLVM's libFuzzer: the environment's `CRI_FUZZ_TARGET` says which.
#![no_main]

mod targets;

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    static TARGET: OnceLock<fn(&[u8])> = OnceLock::new();
    TARGET.get_or_init(chosen)(bytes);
});

fn chosen() -> fn(&[u8]) {
    let names: Vec<_> = targets::TARGETS.iter().map(|(name, _)| *name).collect();
    let wanted = std::env::var("CRI_FUZZ_TARGET").unwrap_or_default();
    let found = targets::TARGETS.iter().find(|(name, _)| *name == wanted);
    found.unwrap_or_else(|| panic!("CRI_FUZZ_TARGET={wanted:?} is none of {names:?}")).1
}
