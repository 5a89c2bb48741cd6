//! The unix socket: a listener that can go away and come back while the server behind it stays.

use std::io;
use std::os::unix::net::UnixStream as StdUnixStream;
use std::path::{Path, PathBuf};

use tokio::net::{UnixListener, UnixStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_stream::wrappers::ReceiverStream;

pub struct Socket {
    path: PathBuf,
    accepting: JoinHandle<()>,
}

impl Socket {
    /// The socket, and the connections that come in through it.
    pub fn bind(path: &Path) -> io::Result<(Socket, ReceiverStream<io::Result<UnixStream>>)> {
        let listener = listen(path)?;
        let (accepted, connections) = mpsc::channel(1);
        let accepting = tokio::spawn(accept(listener, accepted));
        Ok((
            Socket {
                path: path.to_owned(),
                accepting,
            },
            ReceiverStream::new(connections),
        ))
    }

    /// Accepts no more, and removes the file.
    pub fn close(&self) {
        self.accepting.abort();
        if let Err(e) = std::fs::remove_file(&self.path) {
            eprintln!("cri-sim: cannot remove {}: {e}", self.path.display());
        }
    }
}

/// A file that another program listens on is left alone; a stale one is replaced.
fn listen(path: &Path) -> io::Result<UnixListener> {
    if path.exists() {
        if StdUnixStream::connect(path).is_ok() {
            return Err(io::Error::new(
                io::ErrorKind::AddrInUse,
                "another program listens there",
            ));
        }
        std::fs::remove_file(path)?;
    }
    UnixListener::bind(path)
}

async fn accept(listener: UnixListener, accepted: mpsc::Sender<io::Result<UnixStream>>) {
    loop {
        let stream = listener.accept().await.map(|(stream, _)| stream);
        if accepted.send(stream).await.is_err() {
            return;
        }
    }
}
