//! Where an engine listens: unix sockets only.

use std::ffi::OsStr;
use std::fmt;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};
use std::time::SystemTime;

use crate::error::{CRI_E_INVALID_ARGUMENT, Error, Result};
use crate::host::below::{ConnectPath, path_for_connect};

/// Identifies a socket: one that is made anew at the same path has another id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SocketId {
    device: u64,
    inode: u64,
    /// When it was made, because file systems reuse inodes.
    made: Option<SystemTime>,
}

/// A unix socket's address: a path, and the root below which it is resolved.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Endpoint {
    root: PathBuf,
    path: PathBuf,
}

impl Endpoint {
    /// Reads an endpoint from `/path`, `unix:///path` or `unix:/path`, as this process sees it. A relative path
    /// (`run/cri.sock`, `unix:cri.sock`, `unix://cri.sock`) begins in the working directory. A path below the root
    /// directory of a process (`/proc/7/root/...`) is resolved as that process would.
    pub fn parse(text: &str) -> Result<Self> {
        let path = path_of(text).and_then(|path| {
            std::path::absolute(path)
                .map_err(|e| format!("the working directory, where it begins, cannot be read: {e}"))
        });
        let path = path.map_err(|why| {
            let message = format!("endpoint {text:?}: {why}");
            Error::new(CRI_E_INVALID_ARGUMENT, message)
        })?;
        Ok(Self::of(Path::new("/"), &path))
    }

    /// As `parse`; a path inside the host's root directory (option `host.root`) is resolved as the host would.
    pub fn parse_on(host_root: &Path, text: &str) -> Result<Self> {
        let it = Self::parse(text)?;
        Ok(if it.root == Path::new("/") { Self::at(host_root, &it.path) } else { it })
    }

    /// A path as this process sees it; one inside the host's root directory is resolved as the host would.
    pub fn at(host_root: &Path, path: &Path) -> Self {
        match path.strip_prefix(host_root) {
            Ok(inside) => Self::of(host_root, inside),
            Err(_) => Self::below(Path::new("/"), path),
        }
    }

    /// The socket at this path, for a process with this root directory.
    pub fn below(root: &Path, path: &Path) -> Self {
        Endpoint { root: root.to_owned(), path: Path::new("/").join(path) }
    }

    /// As `below`, for a text such as `unix:///path` of a process with this root directory. The error says why it is no
    /// endpoint. Relative paths are refused, because the process's working directory is unknown.
    pub fn parse_below(root: &Path, text: &str) -> Result<Self, String> {
        let path = path_of(text)?;
        if path.is_absolute() { Ok(Self::below(root, path)) } else { Err(NO_SOCKET.into()) }
    }

    /// Splits a process's root directory off the path. Links of /proc are followed in a root, but not in a path.
    fn of(root: &Path, path: &Path) -> Self {
        let names: Vec<_> = path.components().collect();
        let is = |at: usize, name: &str| names[at] == Component::Normal(OsStr::new(name));
        let is_pid =
            |at: usize| names[at].as_os_str().to_str().is_some_and(|n| n.parse::<u32>().is_ok() || n == "self");
        let end = (2..names.len()).find(|at| is(*at, "root") && is_pid(at - 1) && is(at - 2, "proc"));
        match end {
            Some(end) => {
                let inner: PathBuf = names[..=end].iter().filter(|name| **name != Component::RootDir).collect();
                let rest: PathBuf = names[end + 1..].iter().collect();
                Self::below(&root.join(inner), &rest)
            }
            None => Self::below(root, path),
        }
    }

    /// The path, as this process would write it. Links may lead elsewhere: see `connect_path`.
    pub fn path(&self) -> PathBuf {
        self.root.join(self.path.strip_prefix("/").unwrap_or(&self.path))
    }

    /// The root below which it is resolved.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Its path in that root.
    pub fn path_in_root(&self) -> &Path {
        &self.path
    }

    /// The path to connect to now. Called for each connection, because links and sockets may have changed. Errors:
    /// those of open(2).
    pub fn connect_path(&self) -> io::Result<ConnectPath> {
        path_for_connect(&self.root, &self.path)
    }

    /// The socket that is there now. Errors: those of open(2) and stat(2).
    pub fn socket_id(&self) -> io::Result<SocketId> {
        let metadata = fs::metadata(self.connect_path()?.path())?;
        Ok(SocketId { device: metadata.dev(), inode: metadata.ino(), made: metadata.created().ok() })
    }
}

const NO_SOCKET: &str = "not a unix socket (write unix:///path or /path; CRI is only served on unix sockets)";

fn path_of(text: &str) -> Result<&Path, String> {
    let named = text.strip_prefix("unix://").or_else(|| text.strip_prefix("unix:"));
    let path = named.unwrap_or(text);
    if path.is_empty() {
        return Err("no path (write unix:///run/containerd/containerd.sock, for example)".into());
    }
    // Hosts with ports, other schemes and plain words are refused, although files might have such names.
    let is_path = named.is_some() || path.contains('/') || path.ends_with(".sock");
    let is_other = path.starts_with('@') || path.split('/').next().is_some_and(|first| first.contains(':'));
    if is_path && !is_other { Ok(Path::new(path)) } else { Err(NO_SOCKET.into()) }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unix://{}", self.path().display())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_spellings_of_one_socket() {
        for text in ["/run/x.sock", "unix:///run/x.sock", "unix:/run/x.sock"] {
            assert_eq!(Endpoint::parse(text).unwrap().to_string(), "unix:///run/x.sock");
        }
    }

    #[test]
    fn a_relative_path_begins_in_the_working_directory() {
        let here = std::env::current_dir().unwrap();
        for (text, path) in
            [("x.sock", "x.sock"), ("./run/x", "run/x"), ("unix:x", "x"), ("unix://x.sock", "x.sock"), ("../x", "../x")]
        {
            let expected = format!("unix://{}", here.join(path).display());
            assert_eq!(Endpoint::parse(text).unwrap().to_string(), expected, "{text}");
            assert!(Endpoint::parse_below(Path::new("/"), text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_process_s_root_is_the_root() {
        for (root, text, want_root, want_path) in [
            ("/", "/proc/7/root/run/x.sock", "/proc/7/root", "/run/x.sock"),
            ("/host", "/host/proc/7/root/run/x.sock", "/host/proc/7/root", "/run/x.sock"),
            ("/host", "/host/var/run/x.sock", "/host", "/var/run/x.sock"),
            ("/host", "/hostess/x.sock", "/", "/hostess/x.sock"),
            ("/", "/proc/x/root/y", "/", "/proc/x/root/y"),
        ] {
            let it = Endpoint::parse_on(Path::new(root), text).unwrap();
            assert_eq!((it.root(), it.path_in_root()), (Path::new(want_root), Path::new(want_path)), "{text}");
            assert_eq!(it.to_string(), format!("unix://{text}"), "it is shown as it was given");
            assert_eq!(Endpoint::parse_on(Path::new(root), &it.to_string()).unwrap(), it);
        }
    }

    #[test]
    fn what_is_no_unix_socket_is_refused_by_name() {
        for text in [
            "tcp://127.0.0.1:1",
            "http://x",
            "localhost:1234",
            "containerd",
            "@a.sock",
            "unix:@abstract",
            "",
            "unix://",
        ] {
            let e = Endpoint::parse(text).unwrap_err();
            assert_eq!(e.status(), CRI_E_INVALID_ARGUMENT);
            assert!(e.message().contains(&format!("{text:?}")) && e.message().contains("unix:///"), "{e}");
        }
    }

    #[test]
    fn a_path_too_long_for_a_socket_is_connected_to_as_well() {
        let folder = tempfile::tempdir().unwrap();
        let long = folder.path().join("l".repeat(120));
        std::fs::create_dir(&long).unwrap();
        std::os::unix::fs::symlink(&long, folder.path().join("s")).unwrap();
        let _listener = std::os::unix::net::UnixListener::bind(folder.path().join("s/e")).unwrap();
        let it = Endpoint::parse(long.join("e").to_str().unwrap()).unwrap();
        std::os::unix::net::UnixStream::connect(it.connect_path().unwrap().path()).unwrap();
    }
}
