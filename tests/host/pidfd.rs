//! Processes, held and proven.

use std::error::Error;
use std::fs;
use std::os::fd::AsRawFd;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use criwatch::host::below::Root;
use criwatch::host::cgroup::{Cgroups, id_of};
use criwatch::host::cgroup_name::{Line, lines};
use criwatch::host::pidfd::{Abilities, Exit, Expected, Identity, Process, ProcessState, cgroup_id_of};
use criwatch::host::proven::{prove, prove_file};
use criwatch::host::{PidView, Proc, Refusal};

use super::{Made, Outcome, Test, inside, skip, until};

pub const TESTS: &[Test] = &[
    ("pidfd::the_exit_code_of_a_process_that_its_parent_waited_for", exit_code),
    ("pidfd::a_signal_is_reported_as_engines_do", signal),
    ("pidfd::only_what_is_expected_is_opened", expected),
    ("pidfd::a_thread_is_no_process", thread),
    ("pidfd::the_descriptor_is_closed_on_exec", closed_on_exec),
    ("pidfd::the_cgroup_id_is_the_file_systems", cgroup),
    ("pidfd::an_identity_is_of_one_process", identity),
    ("pidfd::trap_a_pid_that_is_used_again_is_another_process", used_again),
    ("pidfd::trap_a_lack_of_descriptors_says_nothing_about_a_process", few_descriptors),
    ("pidfd::trap_a_zombies_exit_status_is_not_shown_to_strangers", strangers),
    ("pidfd::a_container_s_process_is_proven_and_held", proven),
];

pub const INSIDE: &[Test] =
    &[("used_again", inside_used_again), ("few_descriptors", inside_few_descriptors), ("strangers", inside_strangers)];

const PID: &str = "CRI_HOST_TEST_PID";

fn real() -> Proc {
    Proc::new(Path::new("/"))
}

/// A child that waits for its end of input and then exits with `code`.
fn child(code: i32) -> Result<Child, Box<dyn Error>> {
    let script = format!("read -r line; exit {code}");
    Ok(Command::new("sh").args(["-c", &script]).stdin(Stdio::piped()).spawn()?)
}

fn finish(child: &mut Child) -> Outcome {
    drop(child.stdin.take());
    child.wait()?;
    Ok(())
}

fn open(pid: i32) -> Result<Process, Box<dyn Error>> {
    if !Abilities::get().open.is_yes() {
        return Err(skip(format_args!("pidfd_open: {}", Abilities::get().open)));
    }
    Ok(Process::open(&real(), pid, Expected::default())?)
}

fn exit_code() -> Outcome {
    let mut child = child(42)?;
    let process = open(child.id() as i32)?;
    assert_eq!(process.state()?, ProcessState::Alive);
    assert_eq!(process.exit(&real()), None);
    drop(child.stdin.take());
    until("it ends", || process.state().is_ok_and(|state| state != ProcessState::Alive));
    // Not waited for yet: from /proc/PID/stat.
    let exit = Some(Exit { code: 42, signal: None, core: false });
    assert_eq!(process.exit(&real()), exit);
    child.wait()?;
    let abilities = Abilities::get();
    if abilities.identity.is_yes() {
        assert_eq!(process.state()?, ProcessState::Reaped);
    }
    if !abilities.exit.is_yes() {
        assert_eq!(process.exit(&real()), None);
        return Err(skip(format_args!("exit codes of what was waited for: {}", abilities.exit)));
    }
    assert_eq!(process.exit(&real()), exit);
    Ok(())
}

fn signal() -> Outcome {
    let mut child = child(0)?;
    let process = open(child.id() as i32)?;
    child.kill()?;
    until("it ends", || process.state().is_ok_and(|state| state != ProcessState::Alive));
    let exit = process.exit(&real());
    child.wait()?;
    assert_eq!(exit, Some(Exit { code: 137, signal: Some(9), core: false }));
    Ok(())
}

fn expected() -> Outcome {
    let mut child = child(0)?;
    let pid = child.id() as i32;
    let process = open(pid)?;
    let start = process.start_ticks();
    let open = |expected| Process::open(&real(), pid, expected).map(|process| process.identity());
    assert_eq!(open(Expected { start_ticks: Some(start), id: None }), Ok(process.identity()));
    let other = Expected { start_ticks: Some(start + 1), id: None };
    assert_eq!(open(other), Err(Refusal::Reused { pid, expected: start + 1, found: start }));
    let foreign = Expected { id: Some(&"a".repeat(64)), start_ticks: None };
    assert_eq!(open(foreign), Err(Refusal::ForeignCgroup(pid)));
    finish(&mut child)?;
    assert_eq!(open(Expected::default()), Err(Refusal::NoProcess(pid)));
    Ok(())
}

fn thread() -> Outcome {
    let (send, received) = mpsc::channel();
    let (end, ended) = mpsc::channel::<()>();
    let other = thread::spawn(move || {
        let link = fs::read_link("/proc/thread-self").unwrap();
        let tid: i32 = link.file_name().unwrap().to_str().unwrap().parse().unwrap();
        send.send(tid).unwrap();
        let _ = ended.recv();
    });
    let tid = received.recv()?;
    let opened = open(tid);
    drop(end);
    other.join().map_err(|_| "the thread panicked")?;
    match opened {
        Err(error) if error.is::<Refusal>() => assert_eq!(error.to_string(), Refusal::NoProcess(tid).to_string()),
        Err(error) => return Err(error),
        Ok(_) => return Err("a thread was opened".into()),
    }
    Ok(())
}

fn closed_on_exec() -> Outcome {
    let process = open(std::process::id() as i32)?;
    // SAFETY: F_GETFD reads flags of an open descriptor.
    let flags = unsafe { libc::fcntl(process.as_raw_fd(), libc::F_GETFD) };
    assert_ne!(flags & libc::FD_CLOEXEC, 0);
    Ok(())
}

fn cgroup() -> Outcome {
    let own = std::process::id() as i32;
    let info = Abilities::get().info;
    let id = cgroup_id_of(own);
    assert_eq!(id.is_some(), info.is_yes());
    let id = id.ok_or_else(|| skip(format_args!("PIDFD_GET_INFO: {info}")))?;
    assert_eq!(open(own)?.cgroup_id(), Some(id));
    let text = real().cgroup(own)?;
    let line = lines(&text).find(Line::is_v2).ok_or_else(|| skip("there is no cgroup v2 here"))?;
    let place = Cgroups::read(Path::new("/"))?.place(&line).map_err(skip)?;
    assert_eq!(id_of(&place.dir)?, id);
    Ok(())
}

fn identity() -> Outcome {
    let (mut a, mut b) = (child(0)?, child(0)?);
    let (one, other) = (open(a.id() as i32)?, open(b.id() as i32)?);
    assert_ne!(one.identity(), other.identity());
    assert_eq!(one.identity(), open(one.pid())?.identity());
    assert_eq!(matches!(one.identity(), Identity::Inode(_)), Abilities::get().identity.is_yes());
    finish(&mut a)?;
    finish(&mut b)
}

/// In a pid namespace of its own, where a pid can be given to a new process at will.
fn used_again() -> Outcome {
    inside("used_again", &["unshare", "--pid", "--fork", "--mount-proc"], &[])
}

fn inside_used_again() -> Outcome {
    let spawn = || Command::new("sleep").arg("60").stdin(Stdio::null()).spawn();
    let end = |mut child: Child| child.kill().and_then(|()| child.wait());
    let first = spawn()?;
    let pid = first.id() as i32;
    let held = open(pid)?;
    end(first)?;
    let deadline = Instant::now() + Duration::from_secs(20);
    let second = loop {
        fs::write("/proc/sys/kernel/ns_last_pid", (pid - 1).to_string())
            .map_err(|error| skip(format_args!("pids cannot be chosen here: {error}")))?;
        let next = spawn()?;
        // Two processes that start within one tick of the clock cannot be distinguished by their start.
        if next.id() as i32 == pid && real().start_ticks(pid) != Some(held.start_ticks()) {
            break next;
        }
        end(next)?;
        assert!(Instant::now() < deadline, "pid {pid} is not used again");
    };
    // The descriptor still holds the first process.
    assert_ne!(held.state()?, ProcessState::Alive);
    let code = Abilities::get().exit.is_yes().then_some(137);
    assert_eq!(held.exit(&real()).map(|exit| exit.code), code, "never the other's");
    // The first process is not found by pid and start any more.
    let expected = Expected { start_ticks: Some(held.start_ticks()), id: None };
    let found = real().stat(pid)?.start_ticks;
    let reused = Refusal::Reused { pid, expected: held.start_ticks(), found };
    assert_eq!(Process::open(&real(), pid, expected).map(|process| process.pid()), Err(reused));
    assert_ne!(open(pid)?.identity(), held.identity());
    assert_eq!(prove(&real(), pid, &"a".repeat(64)), Err(Refusal::ForeignCgroup(pid)));
    end(second)?;
    Ok(())
}

fn few_descriptors() -> Outcome {
    inside("few_descriptors", &["env"], &[])
}

fn inside_few_descriptors() -> Outcome {
    let pid = std::process::id() as i32;
    open(pid)?;
    let root = Root::open(Path::new("/"))?;
    let none = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: a structure of ours is read.
    assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &none) }, 0);
    let opened = Process::open(&real(), pid, Expected::default()).map(|process| process.pid());
    assert_eq!(opened, Err(Refusal::Descriptors));
    assert_eq!(prove(&real(), pid, "x"), Err(Refusal::Descriptors));
    let file = prove_file(&real(), PidView::Same, &root, Path::new("/proc/1/stat"), "x");
    assert_eq!(file, Err(Refusal::Descriptors));
    Ok(())
}

/// Another user, who may not trace a process, reads 0 where its exit status is; PIDFD_GET_INFO needs no such right.
fn strangers() -> Outcome {
    let mut child = child(42)?;
    let process = open(child.id() as i32)?;
    drop(child.stdin.take());
    until("it ends", || process.state().is_ok_and(|state| state != ProcessState::Alive));
    let pid = child.id().to_string();
    let inner = inside("strangers", &["env"], &[(PID, Path::new(&pid))]);
    child.wait()?;
    inner
}

fn inside_strangers() -> Outcome {
    let pid: i32 = std::env::var(PID)?.parse()?;
    let before = real().stat(pid)?;
    assert_eq!(before.exit_status, Some(42 << 8));
    // SAFETY: integers only; this program has no other thread.
    if unsafe { libc::setgid(61_234) != 0 || libc::setuid(61_234) != 0 } {
        return Err(skip("no other user can be taken"));
    }
    let after = real().stat(pid)?;
    assert!(after.has_ended());
    assert_eq!(after.exit_status, None, "not known, and not 0");
    assert_eq!(open(pid)?.exit(&real()), None);
    Ok(())
}

/// From the file that a runtime left to the exit code, as for a container.
fn proven() -> Outcome {
    let cgroups = Cgroups::read(Path::new("/"))?;
    let mount = cgroups.v2().ok_or_else(|| skip("cgroup v2 is not mounted here"))?;
    let id = format!("{:064x}", std::process::id());
    let parent = Made::new(mount, "proven")?;
    let mut made = Made::at(parent.dir.join(&id))?;
    let pid = made.enter()?;
    let root = tempfile::tempdir()?;
    fs::create_dir(root.path().join("run"))?;
    fs::write(root.path().join("run/init.pid"), pid.to_string())?;
    let proven = prove_file(&real(), PidView::Same, &Root::open(root.path())?, Path::new("/run/init.pid"), &id)?;
    assert_eq!((proven.pid, proven.engine_pid), (pid, None));
    assert_eq!(cgroups.place(&proven.cgroup_line())?.dir, made.dir);
    let held = match open(pid) {
        Ok(_) => {
            let expected = Expected { id: Some(&id), start_ticks: Some(proven.start_ticks) };
            Process::open(&real(), pid, expected)?
        }
        Err(error) => return Err(error),
    };
    if Abilities::get().info.is_yes() {
        assert_eq!(held.cgroup_id(), Some(id_of(&made.dir)?));
    }
    made.child.as_mut().ok_or("a child")?.kill()?;
    until("it ends", || held.state().is_ok_and(|state| state != ProcessState::Alive));
    let again = prove_file(&real(), PidView::Same, &Root::open(root.path())?, Path::new("/run/init.pid"), &id);
    assert_eq!(again, Err(Refusal::Ended(pid)));
    made.end();
    let gone = prove_file(&real(), PidView::Same, &Root::open(root.path())?, Path::new("/run/init.pid"), &id);
    assert_eq!(gone, Err(Refusal::NoProcess(pid)));
    if Abilities::get().exit.is_yes() {
        assert_eq!(held.exit(&real()).map(|exit| exit.code), Some(137));
    }
    drop(made);
    Ok(())
}
