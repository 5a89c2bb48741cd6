//! The unix socket: a listener that can go away and come back while the server behind it stays.

use std::io;
use std::os::unix::net::UnixStream as StdUnixStream;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use tokio::net::UnixListener;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio_stream::wrappers::ReceiverStream;

use super::connection::{Connection, Gate};

/// The incoming connections.
pub type Connections = ReceiverStream<io::Result<Connection>>;

pub struct Socket {
    path: PathBuf,
    accepted: mpsc::Sender<io::Result<Connection>>,
    gate: watch::Sender<Gate>,
    accepting: Mutex<Option<JoinHandle<()>>>,
}

impl Socket {
    /// The socket and its connections.
    pub fn bind(path: &Path) -> io::Result<(Socket, Connections)> {
        let (accepted, connections) = mpsc::channel(1);
        let gate = watch::Sender::default();
        let socket = Socket { path: path.to_owned(), accepted, gate, accepting: Mutex::default() };
        socket.open()?;
        Ok((socket, ReceiverStream::new(connections)))
    }

    /// Accepts connections (again).
    pub fn open(&self) -> io::Result<()> {
        let listener = listen(&self.path)?;
        let task = tokio::spawn(accept(listener, self.accepted.clone(), self.gate.subscribe()));
        *self.accepting.lock().unwrap_or_else(PoisonError::into_inner) = Some(task);
        Ok(())
    }

    /// Closes the socket as at the end of the engine's process: removes the file, and cuts all connections without a GOAWAY.
    pub fn close(&self) {
        let Some(task) = self.accepting.lock().unwrap_or_else(PoisonError::into_inner).take() else {
            return;
        };
        task.abort();
        if let Err(e) = std::fs::remove_file(&self.path) {
            eprintln!("cri-sim: cannot remove {}: {e}", self.path.display());
        }
        self.gate.send_modify(|gate| gate.epoch += 1);
    }

    /// Accepts connections, but reads and writes nothing.
    pub fn mute(&self, mute: bool) {
        self.gate.send_modify(|gate| gate.mute = mute);
    }
}

/// Listens. It replaces a stale socket file, and leaves one alone on which another program listens.
fn listen(path: &Path) -> io::Result<UnixListener> {
    if path.exists() {
        if StdUnixStream::connect(path).is_ok() {
            return Err(io::Error::new(io::ErrorKind::AddrInUse, "another program listens there"));
        }
        std::fs::remove_file(path)?;
    }
    UnixListener::bind(path)
}

async fn accept(listener: UnixListener, accepted: mpsc::Sender<io::Result<Connection>>, gate: watch::Receiver<Gate>) {
    loop {
        let stream = listener.accept().await.map(|(stream, _)| Connection::new(stream, gate.clone()));
        if accepted.send(stream).await.is_err() {
            return;
        }
    }
}
