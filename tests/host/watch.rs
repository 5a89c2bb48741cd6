//! Watches, on file systems of this machine.

use std::fs;
use std::os::fd::RawFd;
use std::path::Path;

use criwatch::host::cgroup::{Cgroups, Walk};
use criwatch::host::watch::{NoHints, Notice, Watch, Watcher, What};

use super::{Made, Outcome, Test, inside, skip, until};

pub const TESTS: &[Test] = &[
    ("watch::a_descriptor_is_made_for_the_first_watch_and_is_closed_on_exec", descriptor),
    ("watch::what_comes_and_goes_in_a_directory_is_noticed", comes_and_goes),
    ("watch::trap_what_is_made_between_watch_and_scan_is_in_both", scan_after_watch),
    ("watch::a_directory_that_goes_ends_its_watch", directory_goes),
    ("watch::an_ended_watch_gives_no_notices", ended),
    ("watch::what_cannot_be_watched_says_why", says_why),
    ("watch::an_overflow_is_noticed_once", overflow),
    ("watch::trap_a_removed_cgroup_may_say_nothing_and_its_watch_is_to_be_ended", removed_cgroup),
    ("watch::trap_the_state_of_a_cgroup_is_noticed_by_its_file", cgroup_events),
    ("watch::trap_the_last_instance_of_the_user_is_no_error", instances),
    ("watch::trap_the_limit_of_descriptors_is_the_host_programs", descriptors),
];

pub const INSIDE: &[Test] = &[("instances", inside_instances), ("descriptors", inside_descriptors)];

/// All notices that wait: what happened, and to which name.
fn notices(watcher: &mut Watcher) -> Result<Vec<(What, String)>, Box<dyn std::error::Error>> {
    let mut notices = Vec::new();
    loop {
        let batch = watcher.read()?;
        if batch.is_empty() {
            return Ok(notices);
        }
        notices.extend(batch.into_iter().map(|notice| match notice {
            Notice::Of { what, name, .. } => (what, name.to_string_lossy().into_owned()),
            Notice::Overflow => (What::Gone, "overflow".into()),
        }));
    }
}

/// Adds it, or says why this machine cannot.
fn watched(result: Result<Watch, NoHints>) -> Result<Watch, Box<dyn std::error::Error>> {
    result.map_err(|why| if why.is_general() { skip(why) } else { why.to_string().into() })
}

fn flags(fd: RawFd) -> (i32, i32) {
    // SAFETY: F_GETFD and F_GETFL read flags of an open descriptor.
    unsafe { (libc::fcntl(fd, libc::F_GETFD), libc::fcntl(fd, libc::F_GETFL)) }
}

fn descriptor() -> Outcome {
    let dir = tempfile::tempdir()?;
    let mut watcher = Watcher::new();
    assert_eq!(watcher.fd(), None);
    assert_eq!(watcher.read()?, []);
    watched(watcher.add_dir(dir.path()))?;
    let (of_descriptor, of_file) = flags(watcher.fd().ok_or("a descriptor")?);
    assert_ne!(of_descriptor & libc::FD_CLOEXEC, 0);
    assert_ne!(of_file & libc::O_NONBLOCK, 0);
    assert_eq!(watcher.read()?, []);
    Ok(())
}

fn comes_and_goes() -> Outcome {
    let dir = tempfile::tempdir()?;
    let mut watcher = Watcher::new();
    let watch = watched(watcher.add_dir(dir.path()))?;
    assert_eq!(watcher.add_dir(dir.path()), Ok(watch), "the same directory, the same watch");
    assert_eq!(watcher.len(), 1);
    let path = |name: &str| dir.path().join(name);
    fs::create_dir(path("task"))?;
    fs::write(path(".init.pid"), "1")?;
    fs::rename(path(".init.pid"), path("init.pid"))?;
    fs::remove_dir(path("task"))?;
    let want = [
        (What::Created, "task"),
        (What::Created, ".init.pid"),
        (What::MovedOut, ".init.pid"),
        (What::MovedIn, "init.pid"),
        (What::Deleted, "task"),
    ];
    let all = notices(&mut watcher)?;
    assert_eq!(all.iter().map(|(what, name)| (*what, name.as_str())).collect::<Vec<_>>(), want);
    Ok(())
}

fn scan_after_watch() -> Outcome {
    let dir = tempfile::tempdir()?;
    fs::create_dir(dir.path().join("before"))?;
    let mut watcher = Watcher::new();
    watched(watcher.add_dir(dir.path()))?;
    fs::create_dir(dir.path().join("between"))?;
    let mut walk = Walk::below(dir.path())?;
    let mut scanned: Vec<String> = walk.next_batch(9, |_| true).iter().map(|found| found.name().to_owned()).collect();
    scanned.sort();
    assert_eq!(scanned, ["before", "between"]);
    assert_eq!(notices(&mut watcher)?, [(What::Created, "between".into())]);
    Ok(())
}

fn directory_goes() -> Outcome {
    let dir = tempfile::tempdir()?;
    let inner = dir.path().join("inner");
    fs::create_dir(&inner)?;
    let mut watcher = Watcher::new();
    let watch = watched(watcher.add_dir(&inner))?;
    fs::remove_dir(&inner)?;
    assert_eq!(notices(&mut watcher)?, [(What::Gone, String::new())]);
    assert!(watcher.is_empty());
    watcher.remove(watch);
    Ok(())
}

fn ended() -> Outcome {
    let dir = tempfile::tempdir()?;
    let mut watcher = Watcher::new();
    let watch = watched(watcher.add_dir(dir.path()))?;
    fs::create_dir(dir.path().join("unread"))?;
    watcher.remove(watch);
    fs::create_dir(dir.path().join("unseen"))?;
    assert_eq!(notices(&mut watcher)?, []);
    assert_ne!(watcher.add_dir(dir.path()), Ok(watch), "numbers are not used again");
    Ok(())
}

fn says_why() -> Outcome {
    let dir = tempfile::tempdir()?;
    fs::write(dir.path().join("file"), "")?;
    let mut watcher = Watcher::new();
    watched(watcher.add_dir(dir.path()))?;
    assert_eq!(watcher.add_dir(&dir.path().join("nothing")), Err(NoHints::NotThere));
    assert_eq!(watcher.add_dir(&dir.path().join("file")), Err(NoHints::NotThere));
    assert!(NoHints::Instances.is_general() && !NoHints::NoRight.is_general());
    assert!(NoHints::Instances.to_string().contains("max_user_instances"));
    Ok(())
}

fn overflow() -> Outcome {
    let limit: usize = fs::read_to_string("/proc/sys/fs/inotify/max_queued_events")?.trim().parse()?;
    if limit > 20_000 {
        return Err(skip(format_args!("the kernel queues {limit} events")));
    }
    let dir = tempfile::tempdir()?;
    let mut watcher = Watcher::new();
    watched(watcher.add_dir(dir.path()))?;
    let (mut from, mut to) = (dir.path().join("x"), dir.path().join("y"));
    fs::write(&from, "")?;
    // Two events each, which do not merge.
    for _ in 0..=limit / 2 {
        fs::rename(&from, &to)?;
        std::mem::swap(&mut from, &mut to);
    }
    let all = notices(&mut watcher)?;
    assert_eq!(all.iter().filter(|(_, name)| name == "overflow").count(), 1);
    assert_eq!(all.last().map(|(_, name)| name.as_str()), Some("overflow"));
    fs::write(dir.path().join("z"), "")?;
    assert_eq!(notices(&mut watcher)?, [(What::Created, "z".into())], "and then it goes on");
    Ok(())
}

fn cgroup(name: &str) -> Result<Made, Box<dyn std::error::Error>> {
    let cgroups = Cgroups::read(Path::new("/"))?;
    Made::new(cgroups.v2().ok_or_else(|| skip("cgroup v2 is not mounted here"))?, name)
}

fn removed_cgroup() -> Outcome {
    let outer = cgroup("removed")?;
    let inner = outer.dir.join("inner");
    let mut watcher = Watcher::new();
    fs::create_dir(&inner)?;
    watched(watcher.add_dir(&outer.dir))?;
    let watch = watched(watcher.add_dir(&inner))?;
    fs::remove_dir(&inner)?;
    let all = notices(&mut watcher)?;
    assert!(all.contains(&(What::Deleted, "inner".into())), "{all:?}");
    // Kernels differ in whether they report that the watch has ended: both are fine.
    assert_eq!(watcher.len(), if all.contains(&(What::Gone, String::new())) { 1 } else { 2 });
    watcher.remove(watch);
    assert_eq!(watcher.len(), 1);
    // The same name is another cgroup, and gets another watch.
    let again = Made::at(inner)?;
    assert_ne!(watched(watcher.add_dir(&again.dir))?, watch);
    drop(again);
    Ok(())
}

fn cgroup_events() -> Outcome {
    let mut made = cgroup("events")?;
    let mut watcher = Watcher::new();
    let watch = watched(watcher.add_file(&made.dir.join("cgroup.events")))?;
    let of_file = Notice::Of { watch, what: What::Modified, name: Default::default(), is_dir: false };
    made.enter()?;
    until("the first process is noticed", || watcher.read().is_ok_and(|batch| batch.contains(&of_file)));
    made.end();
    until("the last process's end is noticed", || watcher.read().is_ok_and(|batch| batch.contains(&of_file)));
    Ok(())
}

/// In a program of its own, as another user: this one's instances are the machine's.
fn instances() -> Outcome {
    inside("instances", &["env"], &[])
}

fn inside_instances() -> Outcome {
    let limit: usize = fs::read_to_string("/proc/sys/fs/inotify/max_user_instances")?.trim().parse()?;
    // SAFETY: integers only; this program has no other thread.
    if limit > 512 || unsafe { libc::setuid(61_235) } != 0 {
        return Err(skip(format_args!("no other user can be taken, or it may have {limit} instances")));
    }
    let mut held = Vec::new();
    loop {
        let mut watcher = Watcher::new();
        match watcher.add_dir(Path::new("/")) {
            Ok(_) if held.len() < limit => held.push(watcher),
            Err(NoHints::Descriptors) => return Err(skip("RLIMIT_NOFILE comes before the limit of instances")),
            last => {
                assert_eq!(last, Err(NoHints::Instances), "after {}", held.len());
                assert_eq!(watcher.fd(), None);
                break;
            }
        }
    }
    // As soon as there is one again, it goes on.
    held.pop();
    let mut watcher = Watcher::new();
    until("an instance is free again", || watcher.add_dir(Path::new("/")).is_ok());
    Ok(())
}

fn descriptors() -> Outcome {
    inside("descriptors", &["env"], &[])
}

fn inside_descriptors() -> Outcome {
    let mut early = Watcher::new();
    watched(early.add_dir(Path::new("/")))?;
    let none = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: a structure of ours is read.
    assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &none) }, 0);
    assert_eq!(Watcher::new().add_dir(Path::new("/")), Err(NoHints::Descriptors));
    // A watch is no descriptor.
    watched(early.add_dir(Path::new("/proc")))?;
    Ok(())
}
