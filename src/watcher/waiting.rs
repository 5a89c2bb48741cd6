//! Waits for a future on the calling thread, which has no runtime.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::{Duration, Instant};

/// Waits for the future's output; `None` after the timeout, which drops the future. Without a timeout it waits for
/// ever. With a timeout of zero it polls once.
pub(super) fn wait<F: Future>(future: F, timeout: Option<Duration>) -> Option<F::Output> {
    // `None` waits for ever, as does a timeout that is later than the clock can express.
    let deadline = timeout.and_then(|t| Instant::now().checked_add(t));
    let caller = Arc::new(Caller { thread: std::thread::current(), is_woken: AtomicBool::new(false) });
    let waker = Waker::from(caller.clone());
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return Some(output);
        }
        if !caller.sleep(deadline) {
            return None;
        }
    }
}

/// The thread that waits.
struct Caller {
    thread: Thread,
    /// Whether the waker has been called: the program may unpark its threads for reasons of its own.
    is_woken: AtomicBool,
}

impl Caller {
    /// Sleeps until the waker is called; false if the deadline comes first.
    fn sleep(&self, deadline: Option<Instant>) -> bool {
        while !self.is_woken.swap(false, Ordering::Acquire) {
            match deadline.map(|at| at.saturating_duration_since(Instant::now())) {
                None => std::thread::park(),
                Some(Duration::ZERO) => return false,
                Some(left) => std::thread::park_timeout(left),
            }
        }
        true
    }
}

impl Wake for Caller {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.is_woken.store(true, Ordering::Release);
        self.thread.unpark();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::{pending, poll_fn, ready};
    use std::sync::mpsc::channel;

    #[test]
    fn a_ready_future_needs_no_time() {
        assert_eq!(wait(ready(7), Some(Duration::ZERO)), Some(7));
    }

    #[test]
    fn a_timeout_drops_the_future() {
        struct Dropped(Arc<AtomicBool>);
        impl Drop for Dropped {
            fn drop(&mut self) {
                self.0.store(true, Ordering::SeqCst);
            }
        }
        let is_dropped = Arc::new(AtomicBool::new(false));
        let held = Dropped(is_dropped.clone());
        let future = async move {
            let _held = held;
            pending::<()>().await;
        };
        assert_eq!(wait(future, Some(Duration::from_millis(1))), None);
        assert!(is_dropped.load(Ordering::SeqCst));
    }

    #[test]
    fn another_thread_wakes_it_and_a_stray_unpark_does_not() {
        std::thread::current().unpark();
        let (to, wakers) = channel::<Waker>();
        std::thread::spawn(move || wakers.recv().map(Waker::wake));
        let mut polls = 0;
        let future = poll_fn(|context| {
            polls += 1;
            if polls == 1 {
                to.send(context.waker().clone()).expect("the waking thread");
                return Poll::Pending;
            }
            Poll::Ready(())
        });
        assert_eq!(wait(future, None), Some(()));
        assert_eq!(polls, 2);
    }
}
