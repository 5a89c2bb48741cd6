//! Processes that are none: at scale a node of 10,000 containers lives in a fake /proc only (see host::tree).

use std::sync::atomic::{AtomicU32, Ordering};

use tokio::sync::{mpsc, oneshot};

use crate::command::Plan;

/// Their pids; a real node's are below.
pub const FIRST_PID: u32 = 1_000_000;
static NEXT_PID: AtomicU32 = AtomicU32::new(FIRST_PID);

pub fn next_pid() -> u32 {
    NEXT_PID.fetch_add(1, Ordering::Relaxed)
}

/// A life by `plan` that begins with `go` and ends early by a deadly signal. Gives the exit code.
pub async fn live(plan: Plan, go: oneshot::Receiver<()>, mut signals: mpsc::UnboundedReceiver<i32>) -> i32 {
    let life = async {
        // Whoever drops the starting handle has started it.
        let _ = go.await;
        match plan.life {
            Some(life) => tokio::time::sleep(life).await,
            None => std::future::pending().await,
        }
    };
    let killed = async {
        loop {
            match signals.recv().await {
                Some(libc::SIGSTOP | libc::SIGCONT) => {}
                Some(signal) => return 128 + signal,
                None => std::future::pending().await,
            }
        }
    };
    tokio::select! {
        () = life => plan.code.into(),
        code = killed => code,
    }
}
