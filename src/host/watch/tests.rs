use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::super::cgroup::Cgroups;
use super::*;

/// What was told about, and of which name.
fn told(watcher: &mut Watcher) -> Vec<(What, String)> {
    let mut told = Vec::new();
    loop {
        let batch = watcher.read().unwrap();
        if batch.is_empty() {
            return told;
        }
        for notice in batch {
            match notice {
                Notice::Of { what, name, .. } => told.push((what, name.into_string().unwrap())),
                Notice::Overflow => told.push((What::Gone, "overflow".into())),
            }
        }
    }
}

/// Adds it, or says why this machine cannot.
fn watched(result: Result<Watch, NoHints>) -> Option<Watch> {
    match result {
        Ok(watch) => Some(watch),
        Err(why) if why.is_general() => {
            eprintln!("skipped: {why}");
            None
        }
        Err(why) => panic!("{why}"),
    }
}

#[test]
fn a_descriptor_is_made_for_the_first_watch_and_is_closed_on_exec() {
    let dir = tempfile::tempdir().unwrap();
    let mut watcher = Watcher::new();
    assert_eq!(watcher.fd(), None);
    assert_eq!(watcher.read().unwrap(), []);
    let Some(_) = watched(watcher.add_dir(dir.path())) else { return };
    let fd = watcher.fd().unwrap();
    // SAFETY: F_GETFD and F_GETFL read flags of an open descriptor.
    let flags = unsafe { (libc::fcntl(fd, libc::F_GETFD), libc::fcntl(fd, libc::F_GETFL)) };
    assert_ne!(flags.0 & libc::FD_CLOEXEC, 0);
    assert_ne!(flags.1 & libc::O_NONBLOCK, 0);
    assert_eq!(watcher.read().unwrap(), []);
}

#[test]
fn what_comes_and_goes_in_a_directory_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let mut watcher = Watcher::new();
    let Some(watch) = watched(watcher.add_dir(dir.path())) else { return };
    assert_eq!(watcher.add_dir(dir.path()), Ok(watch), "the same directory, the same watch");
    assert_eq!(watcher.len(), 1);
    let path = |name: &str| dir.path().join(name);
    fs::create_dir(path("task")).unwrap();
    fs::write(path(".init.pid"), "1").unwrap();
    fs::rename(path(".init.pid"), path("init.pid")).unwrap();
    fs::remove_dir(path("task")).unwrap();
    let want = [
        (What::Created, "task"),
        (What::Created, ".init.pid"),
        (What::MovedOut, ".init.pid"),
        (What::MovedIn, "init.pid"),
        (What::Deleted, "task"),
    ];
    let all = told(&mut watcher);
    assert_eq!(all.iter().map(|(what, name)| (*what, name.as_str())).collect::<Vec<_>>(), want);
}

#[test]
fn trap_what_is_made_between_watch_and_scan_is_told_by_both_and_before_by_the_scan() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("before")).unwrap();
    let mut watcher = Watcher::new();
    let Some(_) = watched(watcher.add_dir(dir.path())) else { return };
    fs::create_dir(dir.path().join("between")).unwrap();
    let mut walk = super::super::cgroup::Walk::below(dir.path()).unwrap();
    let mut scanned: Vec<String> = walk.next_batch(9, |_| true).iter().map(|found| found.name().to_owned()).collect();
    scanned.sort();
    assert_eq!(scanned, ["before", "between"]);
    assert_eq!(told(&mut watcher), [(What::Created, "between".into())]);
}

#[test]
fn a_directory_that_goes_ends_its_watch() {
    let dir = tempfile::tempdir().unwrap();
    let inner = dir.path().join("inner");
    fs::create_dir(&inner).unwrap();
    let mut watcher = Watcher::new();
    let Some(watch) = watched(watcher.add_dir(&inner)) else { return };
    fs::remove_dir(&inner).unwrap();
    assert_eq!(told(&mut watcher), [(What::Gone, String::new())]);
    assert!(watcher.is_empty());
    watcher.remove(watch);
}

#[test]
fn an_ended_watch_tells_nothing_more() {
    let dir = tempfile::tempdir().unwrap();
    let mut watcher = Watcher::new();
    let Some(watch) = watched(watcher.add_dir(dir.path())) else { return };
    fs::create_dir(dir.path().join("unread")).unwrap();
    watcher.remove(watch);
    fs::create_dir(dir.path().join("unseen")).unwrap();
    assert_eq!(told(&mut watcher), []);
    let again = watcher.add_dir(dir.path()).unwrap();
    assert_ne!(again, watch, "numbers are not used again");
}

#[test]
fn what_cannot_be_watched_says_why() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("file"), "").unwrap();
    let mut watcher = Watcher::new();
    let Some(_) = watched(watcher.add_dir(dir.path())) else { return };
    assert_eq!(watcher.add_dir(&dir.path().join("nothing")), Err(NoHints::NotThere));
    assert_eq!(watcher.add_dir(&dir.path().join("file")), Err(NoHints::NotThere));
    assert!(NoHints::Instances.is_general() && !NoHints::NoRight.is_general());
    assert!(NoHints::Instances.to_string().contains("max_user_instances"));
}

#[test]
fn an_overflow_is_told_once() {
    let limit = fs::read_to_string("/proc/sys/fs/inotify/max_queued_events").unwrap_or_default();
    let Some(limit) = limit.trim().parse::<usize>().ok().filter(|limit| *limit <= 20_000) else {
        return eprintln!("skipped: the kernel queues {} events", limit.trim());
    };
    let dir = tempfile::tempdir().unwrap();
    let mut watcher = Watcher::new();
    let Some(_) = watched(watcher.add_dir(dir.path())) else { return };
    let file = dir.path().join("x");
    for _ in 0..=limit / 2 {
        fs::write(&file, "").unwrap();
        fs::remove_file(&file).unwrap();
    }
    let all = told(&mut watcher);
    assert_eq!(all.iter().filter(|(_, name)| name == "overflow").count(), 1);
    assert_eq!(all.last().unwrap().1, "overflow");
    fs::write(&file, "").unwrap();
    assert_eq!(told(&mut watcher), [(What::Created, "x".into())], "and then it goes on");
}

/// A cgroup of the v2 hierarchy for one test.
fn cgroup(name: &str) -> Option<PathBuf> {
    let cgroups = Cgroups::read(Path::new("/")).unwrap();
    let Some(mount) = cgroups.v2() else {
        eprintln!("skipped: cgroup v2 is not mounted here");
        return None;
    };
    let dir = mount.dir.join(format!("criwatch-watch-{}-{name}", std::process::id()));
    match fs::create_dir(&dir) {
        Ok(()) => Some(dir),
        Err(error) => {
            eprintln!("skipped: no cgroup can be made: {error}");
            None
        }
    }
}

#[test]
fn trap_a_removed_cgroup_may_say_nothing_and_its_watch_is_to_be_ended() {
    let Some(dir) = cgroup("removed") else { return };
    let inner = dir.join("inner");
    fs::create_dir(&inner).unwrap();
    let mut watcher = Watcher::new();
    let watches = watched(watcher.add_dir(&dir)).and_then(|parent| Some((parent, watched(watcher.add_dir(&inner))?)));
    fs::remove_dir(&inner).unwrap();
    if let Some((_, watch)) = watches {
        let all = told(&mut watcher);
        assert!(all.contains(&(What::Deleted, "inner".into())), "{all:?}");
        // Kernels differ in whether the watch is told of, and has ended: both are fine.
        assert_eq!(watcher.len(), if all.contains(&(What::Gone, String::new())) { 1 } else { 2 });
        watcher.remove(watch);
        assert_eq!(watcher.len(), 1);
        // The same name is another cgroup, and gets another watch.
        fs::create_dir(&inner).unwrap();
        assert_ne!(watcher.add_dir(&inner), Ok(watch));
        fs::remove_dir(&inner).unwrap();
    }
    fs::remove_dir(&dir).unwrap();
}

#[test]
fn trap_the_state_of_a_cgroup_is_told_by_its_file_and_not_by_its_directory() {
    let Some(dir) = cgroup("events") else { return };
    let mut watcher = Watcher::new();
    let watch = watched(watcher.add_file(&dir.join("cgroup.events")));
    let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
    fs::write(dir.join("cgroup.procs"), child.id().to_string()).unwrap();
    if let Some(watch) = watch {
        let of_file = Notice::Of { watch, what: What::Modified, name: Default::default(), is_dir: false };
        let mut wait = |what: &str| {
            let deadline = Instant::now() + Duration::from_secs(20);
            while !watcher.read().unwrap().contains(&of_file) {
                assert!(Instant::now() < deadline, "{what} is not told");
                std::thread::yield_now();
            }
        };
        wait("the first process");
        child.kill().unwrap();
        wait("the last process's end");
    }
    let _ = child.kill();
    child.wait().unwrap();
    fs::remove_dir(&dir).unwrap();
}

#[test]
fn trap_the_last_instance_of_the_user_is_no_error() {
    let limit = fs::read_to_string("/proc/sys/fs/inotify/max_user_instances").unwrap_or_default();
    let Some(limit) = limit.trim().parse::<usize>().ok().filter(|limit| *limit <= 1024) else {
        return eprintln!("skipped: this user may have {} instances", limit.trim());
    };
    // In a process of its own: other tests want instances, too, and so does the machine.
    // SAFETY: the child makes system calls only, and leaves by _exit.
    let child = unsafe { libc::fork() };
    if child == 0 {
        // SAFETY: as above. A user of its own has instances of its own; without the right to become one there is nothing to see.
        let code = unsafe {
            if libc::setuid(61_234) != 0 {
                2
            } else {
                let enough = (0..limit).all(|_| libc::inotify_init1(libc::IN_CLOEXEC) >= 0);
                match (enough, init()) {
                    (true, Err(NoHints::Instances)) => 0,
                    (false, _) => 2,
                    _ => 1,
                }
            }
        };
        // SAFETY: _exit is async-signal-safe.
        unsafe { libc::_exit(code) };
    }
    let mut status = 0;
    // SAFETY: child is our child's pid, status is writable.
    unsafe { libc::waitpid(child, &mut status, 0) };
    match libc::WEXITSTATUS(status) {
        2 => eprintln!("skipped: no other user can be taken, or its descriptors do not suffice"),
        code => assert_eq!((libc::WIFEXITED(status), code), (true, 0)),
    }
}

#[test]
fn trap_the_limit_of_descriptors_is_the_host_programs() {
    // SAFETY: the child makes system calls only, and leaves by _exit.
    let child = unsafe { libc::fork() };
    if child == 0 {
        let none = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        // SAFETY: as above.
        unsafe {
            let set = libc::setrlimit(libc::RLIMIT_NOFILE, &none);
            let right = set == 0 && matches!(init(), Err(NoHints::Descriptors));
            libc::_exit(if right { 0 } else { 1 });
        }
    }
    let mut status = 0;
    // SAFETY: child is our child's pid, status is writable.
    unsafe { libc::waitpid(child, &mut status, 0) };
    assert!(libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 0);
}
