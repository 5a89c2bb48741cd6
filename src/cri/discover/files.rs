//! Files below a root directory, read with limits, because others wrote them.

use std::ffi::OsString;
use std::fs;
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::path::Path;

use crate::host::below::{descriptor_path, open_file_below, open_path_below};

/// The longest file that is read. Real configurations and command lines are shorter.
const LONGEST: u64 = 256 << 10;

/// A file's bytes. Errors: those of open(2) and read(2).
pub(super) fn bytes(root: &Path, path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open_file_below(root, path)?.take(LONGEST).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// A file's text. Bytes that are not UTF-8 are replaced.
pub(super) fn text(root: &Path, path: &Path) -> io::Result<String> {
    bytes(root, path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

/// The names in a folder, sorted.
pub(super) fn names(root: &Path, folder: &Path) -> io::Result<Vec<OsString>> {
    let folder = open_path_below(root, folder)?;
    let entries = fs::read_dir(descriptor_path(folder.as_fd()))?;
    let mut names: Vec<_> = entries.flatten().map(|entry| entry.file_name()).collect();
    names.sort();
    Ok(names)
}
