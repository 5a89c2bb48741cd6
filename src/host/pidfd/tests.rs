use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{fs, thread};

use super::*;

fn real() -> Proc {
    Proc::new(Path::new("/"))
}

/// A child that waits for its end of input and then exits with `code`.
fn child(code: i32) -> Child {
    let script = format!("read -r line; exit {code}");
    Command::new("sh").args(["-c", &script]).stdin(Stdio::piped()).spawn().unwrap()
}

fn until(what: &str, mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !done() {
        assert!(Instant::now() < deadline, "{what}");
        thread::yield_now();
    }
}

fn opened(child: &Child) -> Option<Process> {
    match Process::open(&real(), child.id() as i32, Expected::default()) {
        Ok(process) => Some(process),
        Err(why) if !Abilities::get().open.is_yes() => {
            eprintln!("skipped: {why}");
            None
        }
        Err(why) => panic!("{why}"),
    }
}

#[test]
fn the_exit_code_of_a_process_that_somebody_else_waited_for() {
    let mut child = child(42);
    let Some(process) = opened(&child) else { return };
    assert_eq!(process.life().unwrap(), Life::Alive);
    assert_eq!(process.exit(&real()), None);
    drop(child.stdin.take());
    until("it ends", || process.life().unwrap() != Life::Alive);
    // Not waited for yet: from /proc/PID/stat.
    assert_eq!(process.exit(&real()), Some(Exit { code: 42, signal: None, core: false }));
    child.wait().unwrap();
    let abilities = Abilities::get();
    if abilities.identity.is_yes() {
        assert_eq!(process.life().unwrap(), Life::Reaped);
    }
    let exit = process.exit(&real());
    match abilities.exit {
        Ability::Yes => assert_eq!(exit, Some(Exit { code: 42, signal: None, core: false })),
        no => {
            eprintln!("skipped: exit codes of what was waited for: {no}");
            assert_eq!(exit, None);
        }
    }
}

#[test]
fn a_signal_is_told_as_engines_do() {
    let mut child = child(0);
    let Some(process) = opened(&child) else { return };
    child.kill().unwrap();
    until("it ends", || process.life().unwrap() != Life::Alive);
    let exit = process.exit(&real()).unwrap();
    child.wait().unwrap();
    assert_eq!(exit, Exit { code: 137, signal: Some(9), core: false });
}

#[test]
fn only_what_is_expected_is_opened() {
    let mut child = child(0);
    let pid = child.id() as i32;
    let Some(process) = opened(&child) else { return };
    let start = process.start_ticks();
    let open = |expected| Process::open(&real(), pid, expected).map(|process| process.identity());
    assert_eq!(open(Expected { start_ticks: Some(start), id: None }), Ok(process.identity()));
    let other = Expected { start_ticks: Some(start + 1), id: None };
    assert_eq!(open(other), Err(Refusal::Reused { pid, expected: start + 1, found: start }));
    let foreign = Expected { id: Some(&"a".repeat(64)), start_ticks: None };
    assert_eq!(open(foreign), Err(Refusal::ForeignCgroup(pid)));
    drop(child.stdin.take());
    child.wait().unwrap();
    assert_eq!(open(Expected::default()), Err(Refusal::NoProcess(pid)));
}

#[test]
fn a_thread_is_no_process() {
    let (tell, told) = std::sync::mpsc::channel();
    let (end, ended) = std::sync::mpsc::channel::<()>();
    let other = thread::spawn(move || {
        // SAFETY: gettid has no preconditions.
        tell.send(unsafe { libc::gettid() }).unwrap();
        let _ = ended.recv();
    });
    let tid = told.recv().unwrap();
    let opened = Process::open(&real(), tid, Expected::default()).map(|process| process.pid());
    drop(end);
    other.join().unwrap();
    if Abilities::get().open.is_yes() {
        assert_eq!(opened, Err(Refusal::NoProcess(tid)));
    }
}

#[test]
fn the_descriptor_is_closed_on_exec() {
    let mut child = child(0);
    let Some(process) = opened(&child) else { return };
    // SAFETY: F_GETFD reads flags of an open descriptor.
    let flags = unsafe { libc::fcntl(process.as_raw_fd(), libc::F_GETFD) };
    drop(child.stdin.take());
    child.wait().unwrap();
    assert_ne!(flags & libc::FD_CLOEXEC, 0);
}

#[test]
fn trap_the_size_is_64_and_the_mask_says_what_is_there() {
    let own = match open(std::process::id() as i32, 0) {
        Ok(own) => own,
        Err(error) => return eprintln!("skipped: pidfd_open: {error}"),
    };
    let abilities = Abilities::get();
    match info::get(own.as_fd(), info::CGROUP_ID | info::EXIT) {
        Ok(info) => {
            assert!(abilities.info.is_yes());
            // The call succeeds, and of a living process no exit is there.
            assert_eq!(info.mask & info::EXIT, 0);
            assert_eq!((info.pid, info.tgid), (std::process::id(), std::process::id()));
        }
        Err(error) => assert_eq!(abilities.info, Ability::No(error.raw_os_error().unwrap())),
    }
}

#[test]
fn the_cgroup_is_told_as_the_file_system_numbers_it() {
    let own = std::process::id() as i32;
    let Some(id) = cgroup_id_of(own) else {
        assert!(!Abilities::get().info.is_yes());
        return eprintln!("skipped: {}", Abilities::get().info);
    };
    let process = Process::open(&real(), own, Expected::default()).unwrap();
    assert_eq!(process.cgroup_id(), Some(id));
    let cgroups = super::super::cgroup::Cgroups::read(Path::new("/")).unwrap();
    let text = real().cgroup(own).unwrap();
    let line = super::super::cgroup_name::lines(&text).find(super::super::cgroup_name::Line::is_v2);
    let Some(Ok(place)) = line.map(|line| cgroups.place(&line)) else {
        return eprintln!("skipped: our own v2 cgroup is not mounted here");
    };
    assert_eq!(super::super::cgroup::id_of(&place.dir).unwrap(), id);
}

#[test]
fn abilities_agree_with_each_other_and_with_what_can_be_done() {
    let abilities = Abilities::get();
    assert_eq!(abilities, Abilities::probe());
    assert!(!abilities.exit.is_yes() || abilities.info.is_yes());
    assert!(!abilities.info.is_yes() || abilities.open.is_yes());
    assert_eq!(abilities.open.is_yes(), open(std::process::id() as i32, 0).is_ok());
    assert_eq!(Ability::No(libc::EPERM).to_string(), "no: Operation not permitted (os error 1)");
}

#[test]
fn an_identity_is_of_one_process() {
    let (mut a, mut b) = (child(0), child(0));
    if let (Some(one), Some(other)) = (opened(&a), opened(&b)) {
        assert_ne!(one.identity(), other.identity());
        assert_eq!(matches!(one.identity(), Identity::Inode(_)), Abilities::get().identity.is_yes());
    }
    for child in [&mut a, &mut b] {
        drop(child.stdin.take());
        child.wait().unwrap();
    }
}

#[test]
fn a_proc_that_counts_otherwise_opens_nothing() {
    let root = tempfile::tempdir().unwrap();
    let own = root.path().join("proc/self");
    fs::create_dir_all(&own).unwrap();
    fs::write(own.join("status"), format!("NSpid:\t4711\t{}\n", std::process::id())).unwrap();
    let other = Proc::new(root.path());
    assert!(!other.counts_as_we_do());
    let pid = std::process::id() as i32;
    assert_eq!(Process::open(&other, pid, Expected::default()).map(|p| p.pid()), Err(Refusal::OtherNamespace));
    assert!(real().counts_as_we_do());
}

#[test]
fn trap_without_the_right_to_trace_a_zombies_exit_status_reads_0_and_is_no_code() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("proc/7/ns");
    fs::create_dir_all(&dir).unwrap();
    let stat = |status: i32| format!("7 (x) Z 1 7 7 0 -1 4 {} 4711 {}{status}\n", "0 ".repeat(12), "0 ".repeat(29));
    let proc = Proc::new(root.path());
    let status = |text: String| {
        fs::write(root.path().join("proc/7/stat"), text).unwrap();
        proc.zombie(7).map(|zombie| (zombie.start_ticks, zombie.status))
    };
    assert_eq!(status(stat(42 << 8)), Some((4711, Some(42 << 8))));
    assert_eq!(status(stat(0)), Some((4711, None)), "nobody knows whether that is an exit code");
    std::os::unix::fs::symlink("pid:[4026531836]", dir.join("pid")).unwrap();
    assert_eq!(status(stat(0)), Some((4711, Some(0))));
    assert_eq!(status(stat(0).replace(") Z", ") S")), None);
}

const INSIDE: &str = "CRI_TEST_IN_OWN_PID_NAMESPACE";

/// Runs anew in a pid namespace of its own, where a pid can be given to a new process at will.
#[test]
fn trap_a_pid_that_is_used_again_is_another_process() {
    if std::env::var_os(INSIDE).is_some() {
        return inside_a_pid_is_used_again();
    }
    let name = "host::pidfd::tests::trap_a_pid_that_is_used_again_is_another_process";
    let run = Command::new("unshare")
        .args(["--pid", "--fork", "--mount-proc"])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env(INSIDE, "1")
        .output();
    match run {
        Ok(run) if run.status.success() => {
            assert!(String::from_utf8_lossy(&run.stdout).contains("1 passed"), "the test inside did not run");
            eprint!("{}", String::from_utf8_lossy(&run.stderr));
        }
        Ok(run) => {
            let said = String::from_utf8_lossy(&run.stdout) + String::from_utf8_lossy(&run.stderr);
            assert!(said.contains("unshare failed"), "{said}");
            eprintln!("skipped: {said}");
        }
        Err(error) => eprintln!("skipped: unshare: {error}"),
    }
}

fn inside_a_pid_is_used_again() {
    let spawn = || Command::new("sleep").arg("60").stdin(Stdio::null()).spawn().unwrap();
    let end = |mut child: Child| {
        child.kill().unwrap();
        child.wait().unwrap();
    };
    let first = spawn();
    let pid = first.id() as i32;
    let Some(held) = opened(&first) else { return };
    end(first);
    let deadline = Instant::now() + Duration::from_secs(20);
    let second = loop {
        if let Err(error) = fs::write("/proc/sys/kernel/ns_last_pid", (pid - 1).to_string()) {
            return eprintln!("skipped: pids cannot be chosen here: {error}");
        }
        let next = spawn();
        // Within one tick of the clock the two could not be told apart by their start.
        if next.id() as i32 == pid && real().start_ticks(pid) != Some(held.start_ticks()) {
            break next;
        }
        end(next);
        assert!(Instant::now() < deadline, "pid {pid} is not used again");
    };
    // What is held stays what it was.
    assert_ne!(held.life().unwrap(), Life::Alive);
    if Abilities::get().exit.is_yes() {
        assert_eq!(held.exit(&real()).map(|exit| exit.code), Some(137));
    } else {
        assert_eq!(held.exit(&real()), None, "the pid is another's");
    }
    // What was known by pid and start is not found any more.
    let expected = Expected { start_ticks: Some(held.start_ticks()), id: None };
    let found = real().start_ticks(pid).unwrap();
    let reused = Refusal::Reused { pid, expected: held.start_ticks(), found };
    assert_eq!(Process::open(&real(), pid, expected).map(|process| process.pid()), Err(reused));
    assert_ne!(Process::open(&real(), pid, Expected::default()).unwrap().identity(), held.identity());
    let foreign = super::super::proven::prove(&real(), pid, &"a".repeat(64));
    assert_eq!(foreign, Err(Refusal::ForeignCgroup(pid)));
    end(second);
}
