//! Places where tests make the library panic. Only with the feature `test-hooks`, which no shipped build has.

/// Panics once if the file that the environment names contains this place's name. The file is removed first.
#[cfg(feature = "test-hooks")]
pub(crate) fn may_panic(place: &str) {
    use std::path::PathBuf;
    use std::sync::OnceLock;
    static FILE: OnceLock<Option<PathBuf>> = OnceLock::new();
    let file = FILE.get_or_init(|| std::env::var_os("CRIWATCH_TEST_PANIC").map(PathBuf::from));
    let Some(file) = file else { return };
    let is_meant = std::fs::read_to_string(file).is_ok_and(|text| text == place);
    // Only one of several threads can remove it.
    if is_meant && std::fs::remove_file(file).is_ok() {
        panic!("on purpose: {place}");
    }
}

#[cfg(not(feature = "test-hooks"))]
#[inline(always)]
pub(crate) fn may_panic(_place: &str) {}
