//! Version
//!
//! The macros describe the header that the program was compiled with. The functions describe the library that it
//! has loaded.

#![forbid(unsafe_code)]

use safer_ffi::prelude::*;

/// The major version.
pub const CRI_VERSION_MAJOR: u32 = 0;
/// The minor version.
pub const CRI_VERSION_MINOR: u32 = 1;
/// The patch level.
pub const CRI_VERSION_PATCH: u32 = 0;
/// The version as one number, for comparisons.
pub const CRI_VERSION_NUMBER: u32 = CRI_VERSION_MAJOR * 1000000 + CRI_VERSION_MINOR * 1000 + CRI_VERSION_PATCH;
/// The version of the binary interface. It changes only together with the SONAME.
pub const CRI_ABI_VERSION: u32 = 1;

/// Returns the CRI_ABI_VERSION of the loaded library. A binding should refuse a library with another number than
/// its own.
///
/// @return the number
/// @note Never blocks. O(1).
#[ffi_export]
pub extern "C" fn cri_abi_version() -> u32 {
    CRI_ABI_VERSION
}

/// Returns the CRI_VERSION_NUMBER of the loaded library.
///
/// @return the number
/// @note Never blocks. O(1).
#[ffi_export]
pub extern "C" fn cri_version_number() -> u32 {
    CRI_VERSION_NUMBER
}

/// Returns the version of the loaded library as text, e.g. "0.1.0".
///
/// @return a static string, never NULL; do not free it
/// @note Never blocks. O(1).
#[ffi_export]
pub extern "C" fn cri_version() -> char_p::Ref<'static> {
    version_text()
}

fn version_text() -> char_p::Ref<'static> {
    concat!(env!("CARGO_PKG_VERSION"), "\0").try_into().expect("ends in its only NUL")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_the_packages() {
        let numbers = format!("{CRI_VERSION_MAJOR}.{CRI_VERSION_MINOR}.{CRI_VERSION_PATCH}");
        assert_eq!(numbers, env!("CARGO_PKG_VERSION"));
    }
}
