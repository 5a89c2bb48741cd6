//! Notices new sockets, with inotify on their folders, or on the nearest parent folder that exists.

use std::collections::HashMap;
use std::ffi::OsString;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Component, Path};

use crate::cri::endpoint::Endpoint;
use crate::host::below::{descriptor_path, open_path_below};
use crate::host::watch::{Notice, Readable, Watch, Watcher, What};

/// Endpoints whose folders are watched. Without inotify it never reports anything, and only repeated searches find new
/// sockets.
#[derive(Debug, Default)]
pub(super) struct Folders {
    endpoints: Vec<Endpoint>,
    /// For each watched folder, the endpoints that it is watched for: the endpoint's index, and the name that is
    /// missing in the folder.
    awaited: HashMap<Watch, Vec<(usize, OsString)>>,
    ready: Option<Readable>,
    watcher: Watcher,
}

impl Folders {
    /// Watches for these endpoints, and for no others, from now on. Has to be called in a runtime.
    pub fn watch(&mut self, endpoints: Vec<Endpoint>) {
        if self.endpoints != endpoints {
            self.endpoints = endpoints;
            self.arm();
        }
    }

    /// Waits until one of the sockets was, or may have been, made. Dropping the future loses nothing.
    pub async fn made(&mut self) -> Endpoint {
        loop {
            let Some(ready) = &self.ready else {
                return std::future::pending().await;
            };
            let Ok(notices) = ready.read(&mut self.watcher).await else {
                return std::future::pending().await;
            };
            if let Some(made) = self.heed(&notices) {
                return self.endpoints[made].clone();
            }
        }
    }

    /// Handles notices. Returns the index of an endpoint whose socket was made.
    fn heed(&mut self, notices: &[Notice]) -> Option<usize> {
        let (mut made, mut moved) = (None, false);
        for notice in notices {
            match notice {
                // Any change may have been missed.
                Notice::Overflow => (made, moved) = (Some(0), true),
                Notice::Of { what: What::Gone, .. } => moved = true,
                Notice::Of { watch, what, name, .. } => {
                    let awaited = self.awaited.get(watch).into_iter().flatten().find(|(_, awaited)| awaited == name);
                    let Some((at, _)) = awaited else {
                        // The folder itself was moved away.
                        moved |= name.is_empty();
                        continue;
                    };
                    if matches!(what, What::Created | What::MovedIn) {
                        made = Some(*at);
                    }
                    moved = true;
                }
            }
        }
        if moved {
            self.arm();
        }
        // If only a folder on the path was made, the socket does not exist yet: go on waiting.
        made.filter(|at| self.endpoints.get(*at).is_some_and(|endpoint| endpoint.socket_id().is_ok()))
    }

    fn arm(&mut self) {
        let before: Vec<Watch> = self.awaited.drain().map(|(watch, _)| watch).collect();
        for at in 0..self.endpoints.len() {
            // A folder may be made between the look and the watch. Then the watched folder is not the nearest one any
            // more.
            for _ in 0..8 {
                let Ok((folder, name, depth)) = nearest(&self.endpoints[at]) else { break };
                let Ok(watch) = self.watcher.add_dir(&descriptor_path(folder.as_fd())) else { break };
                if nearest(&self.endpoints[at]).is_ok_and(|(_, _, now)| now == depth) {
                    self.awaited.entry(watch).or_default().push((at, name));
                    break;
                }
            }
        }
        for watch in before.into_iter().filter(|watch| !self.awaited.contains_key(watch)) {
            self.watcher.remove(watch);
        }
        if self.ready.is_none() {
            self.ready = Readable::new(&self.watcher).ok();
        }
    }
}

/// The nearest parent folder that exists, the next name on the path to the socket, and the folder's depth.
fn nearest(endpoint: &Endpoint) -> io::Result<(OwnedFd, OsString, usize)> {
    let path = endpoint.path_in_root();
    let mut below: &Path = path;
    while let (Some(folder), Some(Component::Normal(name))) = (below.parent(), below.components().next_back()) {
        match open_path_below(endpoint.root(), folder) {
            Ok(fd) => return Ok((fd, name.to_owned(), folder.components().count())),
            Err(_) => below = folder,
        }
    }
    Err(io::ErrorKind::NotFound.into())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;
    use std::time::Duration;

    use super::*;

    fn run(test: impl Future<Output = ()>) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async { tokio::time::timeout(Duration::from_secs(20), test).await.expect("noticed in time") });
    }

    #[test]
    fn a_socket_is_waited_for_through_folders_that_are_not_there_yet() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("run")).unwrap();
        fs::create_dir_all(root.path().join("var")).unwrap();
        symlink("/run", root.path().join("var/run")).unwrap();
        run(async {
            let awaited = Endpoint::below(root.path(), Path::new("/var/run/a/b/c.sock"));
            let mut folders = Folders::default();
            folders.watch(vec![Endpoint::below(root.path(), Path::new("/var/run/x.sock")), awaited.clone()]);
            // Each step is noticed before the next one, so a folder is found whether its notice or the look comes
            // first.
            let make = async {
                fs::create_dir(root.path().join("run/a")).unwrap();
                tokio::task::yield_now().await;
                fs::create_dir(root.path().join("run/a/b")).unwrap();
                tokio::task::yield_now().await;
                UnixListener::bind(root.path().join("run/a/b/c.sock")).unwrap()
            };
            let (made, _listener) = tokio::join!(folders.made(), make);
            assert_eq!(made, awaited);
            // Made anew.
            let path = root.path().join("run/a/b/c.sock");
            let old = awaited.socket_id().unwrap();
            fs::remove_file(&path).unwrap();
            let _other = UnixListener::bind(&path).unwrap();
            assert_eq!(folders.made().await, awaited);
            assert_ne!(awaited.socket_id().unwrap(), old);
            // The whole folder, too.
            fs::remove_dir_all(root.path().join("run/a")).unwrap();
            let make = async {
                fs::create_dir_all(root.path().join("run/a/b")).unwrap();
                UnixListener::bind(&path).unwrap()
            };
            let (made, _listener) = tokio::join!(folders.made(), make);
            assert_eq!(made, awaited);
        });
    }
}
