//! The containers' processes: this program again, in its `--child` mode, with real pids; or fakes.

mod fake;

use std::io::{self, Read};
use std::os::unix::process::ExitStatusExt;
use std::process::{ExitStatus, Stdio};
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use tokio::process::{Child, ChildStdin, Command};
use tokio::sync::{mpsc, oneshot};

use crate::command::Plan;

/// First argument of a child process; main() looks for it before anything else.
pub const CHILD_FLAG: &str = "--child";

/// A new process. It waits until its `Start` is dropped, as `runc init` waits for `runc start`.
pub struct Spawned {
    pub pid: u32,
    pub process: Process,
    pub signals: Signals,
    pub start: Start,
}

pub enum Process {
    Real(Box<Child>),
    Fake { plan: Plan, go: oneshot::Receiver<()>, signals: mpsc::UnboundedReceiver<i32> },
}

/// Drop this to start the process.
pub enum Start {
    Real { _pipe: ChildStdin },
    Fake { _go: oneshot::Sender<()> },
}

/// How to signal a process. Valid until it was waited for; the caller keeps track (see engine::Proc).
#[derive(Clone)]
pub enum Signals {
    Pid(libc::pid_t),
    Fake(mpsc::UnboundedSender<i32>),
}

/// How processes are made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    Real,
    Fake,
}

impl Kind {
    /// Makes a process that follows `plan`. It ends with the thread that made it, so call this on the main thread only.
    pub fn spawn(self, plan: Plan) -> io::Result<Spawned> {
        match self {
            Kind::Real => spawn_child(plan),
            Kind::Fake => {
                let (_go, go) = oneshot::channel();
                let (to, signals) = mpsc::unbounded_channel();
                let process = Process::Fake { plan, go, signals };
                Ok(Spawned { pid: fake::next_pid(), process, signals: Signals::Fake(to), start: Start::Fake { _go } })
            }
        }
    }
}

fn spawn_child(plan: Plan) -> io::Result<Spawned> {
    let mut child = Command::new(std::env::current_exe()?)
        .args([CHILD_FLAG, &std::process::id().to_string()])
        .args(plan.to_args())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        // A container is not in the terminal's foreground group: Ctrl-C must not reach it.
        .process_group(0)
        .spawn()?;
    let (Some(pid), Some(pipe)) = (child.id(), child.stdin.take()) else {
        return Err(io::Error::other("a child without a pid or a pipe"));
    };
    let signals = Signals::Pid(libc::pid_t::try_from(pid).map_err(io::Error::other)?);
    Ok(Spawned { pid, process: Process::Real(Box::new(child)), signals, start: Start::Real { _pipe: pipe } })
}

impl Process {
    /// Waits for the exit, and returns the code as container engines report it.
    pub async fn ended(self) -> i32 {
        match self {
            Process::Real(mut child) => exit_code(child.wait().await),
            Process::Fake { plan, go, signals } => fake::run(plan, go, signals).await,
        }
    }
}

impl Signals {
    pub fn send(&self, signal: i32) -> io::Result<()> {
        match self {
            // SAFETY: kill(2) takes two integers and touches no memory of ours.
            Signals::Pid(pid) if unsafe { libc::kill(*pid, signal) } != 0 => Err(io::Error::last_os_error()),
            Signals::Pid(_) => Ok(()),
            Signals::Fake(to) => to.send(signal).map_err(io::Error::other),
        }
    }
}

/// The exit code as container engines report it: 128 + signal for a killed process.
fn exit_code(status: io::Result<ExitStatus>) -> i32 {
    const UNKNOWN: i32 = 255; // containerd's unknownExitCode
    status.ok().and_then(|s| s.code().or_else(|| s.signal().map(|n| 128 + n))).unwrap_or(UNKNOWN)
}

/// The main function of a child process; `args` follow `--child`.
pub fn child_main(args: &[String]) -> ! {
    let [parent, run_time, code, on_term] = args else { std::process::exit(125) };
    let Some(plan) = Plan::from_args([run_time, code, on_term]) else { std::process::exit(125) };
    if let Some(code) = plan.on_term {
        end_on_term(code);
    }
    // SAFETY: both calls take and give integers only.
    let orphaned = unsafe {
        libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
        // If the parent ended before the prctl, no signal would ever come.
        libc::getppid().to_string() != *parent
    };
    if orphaned {
        std::process::exit(125);
    }
    // The end of the pipe, or an error, is the signal to start.
    let _ = io::stdin().read_to_end(&mut Vec::new());
    match plan.run_time {
        Some(run_time) => std::thread::sleep(run_time),
        None => loop {
            std::thread::sleep(Duration::from_secs(86_400));
        },
    }
    std::process::exit(plan.code.into())
}

/// Makes SIGTERM end this process with the code.
fn end_on_term(code: u8) {
    static CODE: AtomicU8 = AtomicU8::new(0);
    extern "C" fn end(_: libc::c_int) {
        // SAFETY: _exit(2) may be called in a signal handler.
        unsafe { libc::_exit(CODE.load(Ordering::Relaxed).into()) }
    }
    CODE.store(code, Ordering::Relaxed);
    // SAFETY: the handler calls only what a handler may call.
    unsafe { libc::signal(libc::SIGTERM, end as extern "C" fn(libc::c_int) as libc::sighandler_t) };
}

/// The number of a signal given as `9`, `KILL` or `SIGKILL`.
pub fn signal_number(text: &str) -> Option<i32> {
    const NAMES: &[(&str, i32)] = &[
        ("HUP", libc::SIGHUP),
        ("INT", libc::SIGINT),
        ("QUIT", libc::SIGQUIT),
        ("ABRT", libc::SIGABRT),
        ("KILL", libc::SIGKILL),
        ("USR1", libc::SIGUSR1),
        ("SEGV", libc::SIGSEGV),
        ("USR2", libc::SIGUSR2),
        ("TERM", libc::SIGTERM),
        ("CONT", libc::SIGCONT),
        ("STOP", libc::SIGSTOP),
    ];
    if let Ok(number) = text.parse::<i32>() {
        return (1..=64).contains(&number).then_some(number);
    }
    let upper = text.to_ascii_uppercase();
    let name = upper.strip_prefix("SIG").unwrap_or(&upper);
    NAMES.iter().find(|(n, _)| *n == name).map(|(_, number)| *number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_by_name_and_number() {
        assert_eq!(signal_number("SIGTERM"), Some(15));
        assert_eq!(signal_number("kill"), Some(9));
        assert_eq!(signal_number("12"), Some(12));
        assert_eq!(signal_number("0"), None);
        assert_eq!(signal_number("nope"), None);
    }

    #[test]
    fn exit_codes() {
        assert_eq!(exit_code(Ok(ExitStatus::from_raw(3 << 8))), 3);
        assert_eq!(exit_code(Ok(ExitStatus::from_raw(9))), 137);
        assert_eq!(exit_code(Err(io::Error::other("lost"))), 255);
    }
}
