//! Where an engine listens: unix sockets only.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::error::{CRI_E_INVALID_ARGUMENT, Error, Result};

/// Where engines usually listen, in the order in which they are tried when no endpoint is given.
pub static WELL_KNOWN: &[&str] = &[
    "/run/containerd/containerd.sock",
    "/run/crio/crio.sock",
    "/var/run/cri-dockerd.sock",
    "/run/k3s/containerd/containerd.sock",
    "/run/k0s/containerd.sock",
    "/var/snap/microk8s/common/run/containerd.sock",
];

/// sockaddr_un holds 108 bytes, the last of which is a NUL.
const LONGEST_PATH: usize = 107;

/// A unix socket's address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    path: PathBuf,
}

impl Endpoint {
    /// An endpoint from `/path`, `unix:///path` or `unix:/path`.
    pub fn parse(text: &str) -> Result<Self> {
        let refuse = |why: String| Err(Error::new(CRI_E_INVALID_ARGUMENT, format!("endpoint {text:?}: {why}")));
        let path = text.strip_prefix("unix://").or_else(|| text.strip_prefix("unix:")).unwrap_or(text);
        if path.is_empty() {
            return refuse("no path (write unix:///run/containerd/containerd.sock, for example)".into());
        }
        if !path.starts_with('/') {
            return refuse(
                "not a unix socket (write unix:///path or /path; CRI is only served on unix sockets)".into(),
            );
        }
        if path.len() > LONGEST_PATH {
            let by = path.len() - LONGEST_PATH;
            return refuse(format!(
                "{by} bytes too long for a unix socket (at most {LONGEST_PATH}; use a symbolic link)"
            ));
        }
        Ok(Endpoint { path: path.into() })
    }

    /// The well-known endpoints, below the host's root directory.
    pub fn well_known(root: &Path) -> impl Iterator<Item = Endpoint> {
        WELL_KNOWN.iter().map(move |path| Endpoint { path: root.join(path.trim_start_matches('/')) })
    }

    /// The socket's path.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unix://{}", self.path.display())
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
        assert_eq!(Endpoint::parse("/proc/7/root/run/x.sock").unwrap().path(), Path::new("/proc/7/root/run/x.sock"));
    }

    #[test]
    fn what_is_no_unix_socket_is_refused_by_name() {
        for text in
            ["tcp://127.0.0.1:1", "http://x", "localhost:1234", "run/x.sock", "unix:x", "@abstract", "", "unix://"]
        {
            let e = Endpoint::parse(text).unwrap_err();
            assert_eq!(e.status(), CRI_E_INVALID_ARGUMENT);
            assert!(e.message().contains(&format!("{text:?}")) && e.message().contains("unix:///"), "{e}");
        }
        let e = Endpoint::parse(&format!("/{}", "x".repeat(107))).unwrap_err();
        assert!(e.message().contains("1 bytes too long for a unix socket (at most 107;"), "{e}");
        Endpoint::parse(&format!("/{}", "x".repeat(106))).unwrap();
    }
}
