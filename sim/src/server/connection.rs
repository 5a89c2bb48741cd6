//! A connection that the engine can cut without a GOAWAY, or stop reading and writing.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::UnixStream;
use tokio::sync::watch;
use tonic::transport::server::Connected;

/// The switches of all connections.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Gate {
    /// Connections of older epochs are cut.
    pub epoch: u64,
    /// Nothing is read or written.
    pub mute: bool,
}

type Signal = Pin<Box<dyn Future<Output = ()> + Send>>;

pub struct Connection {
    stream: UnixStream,
    gate: watch::Receiver<Gate>,
    cut: Option<Signal>,
    unmuted: Option<Signal>,
}

impl Connection {
    pub fn new(stream: UnixStream, gate: watch::Receiver<Gate>) -> Self {
        let epoch = gate.borrow().epoch;
        let cut = Some(until(&gate, move |gate| gate.epoch != epoch));
        Connection { stream, gate, cut, unmuted: None }
    }

    /// Ready when bytes may be read and written.
    fn poll_gate(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let is_cut = match &mut self.cut {
            Some(cut) => cut.as_mut().poll(cx).is_ready(),
            None => true,
        };
        if is_cut {
            self.cut = None;
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        if self.unmuted.is_none() && self.gate.borrow().mute {
            self.unmuted = Some(until(&self.gate, |gate| !gate.mute));
        }
        if let Some(unmuted) = &mut self.unmuted {
            ready!(unmuted.as_mut().poll(cx));
            self.unmuted = None;
        }
        Poll::Ready(Ok(()))
    }
}

fn until(gate: &watch::Receiver<Gate>, condition: impl Fn(&Gate) -> bool + Send + 'static) -> Signal {
    let mut gate = gate.clone();
    Box::pin(async move {
        // An error means that the socket is gone, which cuts the connection, too.
        let _ = gate.wait_for(condition).await;
    })
}

impl Connected for Connection {
    type ConnectInfo = ();

    fn connect_info(&self) {}
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_gate(cx))?;
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        ready!(self.poll_gate(cx))?;
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
