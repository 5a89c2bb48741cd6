//! Paths for connect(2), which takes no descriptor and no more than 107 bytes.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::{descriptor_path, open_path_below};

/// `sun_path` holds 108 bytes, the last of which is a NUL.
const LONGEST: usize = 107;

/// A path to connect to, valid as long as this value exists.
#[derive(Debug)]
pub struct ConnectPath {
    path: PathBuf,
    /// The descriptor that `path` leads through, if any.
    held: Option<OwnedFd>,
}

impl ConnectPath {
    /// The path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it leads through a descriptor that this value holds. Such a path is of no use in a message.
    pub fn is_indirect(&self) -> bool {
        self.held.is_some()
    }
}

/// A path of at most 107 bytes that leads to the unix socket at `path` below `root`.
///
/// Call it again for each connection: an engine that restarts makes another socket, and links may change. With the root
/// `/`, a path that is short enough is returned as it is, and nothing is opened. Errors: those of open(2) (`NotFound`
/// if there is no such file). Only connect(2) shows whether it is a socket and whether anything listens.
pub fn path_for_connect(root: &Path, path: &Path) -> io::Result<ConnectPath> {
    if root == Path::new("/") && path.is_absolute() && path.as_os_str().as_bytes().len() <= LONGEST {
        return Ok(ConnectPath { path: path.to_owned(), held: None });
    }
    let socket = open_path_below(root, path)?;
    Ok(ConnectPath { path: descriptor_path(socket.as_fd()), held: Some(socket) })
}
