//! Fake processes. A node of 10,000 containers has only entries in a fake /proc (see host::tree).

use std::sync::atomic::{AtomicU32, Ordering};

use tokio::sync::{mpsc, oneshot};

use crate::command::Plan;

/// Pids of fakes begin here; those of a real node are lower.
pub const FIRST_PID: u32 = 1_000_000;
static NEXT_PID: AtomicU32 = AtomicU32::new(FIRST_PID);

pub fn next_pid() -> u32 {
    NEXT_PID.fetch_add(1, Ordering::Relaxed)
}

/// Follows `plan` from `go` on, until its end or a deadly signal. Returns the exit code.
pub async fn run(plan: Plan, go: oneshot::Receiver<()>, mut signals: mpsc::UnboundedReceiver<i32>) -> i32 {
    let run_time = async {
        // Dropping the start handle starts the process.
        let _ = go.await;
        match plan.run_time {
            Some(run_time) => tokio::time::sleep(run_time).await,
            None => std::future::pending().await,
        }
    };
    let killed = async {
        loop {
            match signals.recv().await {
                Some(libc::SIGSTOP | libc::SIGCONT) => {}
                Some(libc::SIGTERM) if plan.on_term.is_some() => return plan.on_term.unwrap_or_default().into(),
                Some(signal) => return 128 + signal,
                None => std::future::pending().await,
            }
        }
    };
    tokio::select! {
        () = run_time => plan.code.into(),
        code = killed => code,
    }
}
