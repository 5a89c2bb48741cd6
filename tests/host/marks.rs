//! Marks on hierarchies of cgroups (fanotify).

use std::fs;
use std::path::Path;

use criwatch::host::cgroup::{CgroupMount, Cgroups};
use criwatch::host::watch::{CgroupNotice, Marks, NoHints};

use super::{Made, Outcome, Test, inside, skip};

pub const TESTS: &[Test] = &[
    ("marks::cgroups_that_live_for_no_time_are_noticed", brief),
    ("marks::trap_what_comes_and_goes_unread_is_one_notice", merged),
    ("marks::trap_only_cgroups_are_marked", only_cgroups),
    ("marks::an_overflow_is_noticed_once", overflow),
    ("marks::trap_strangers_may_not_mark_and_get_an_error", strangers),
    ("marks::trap_the_last_group_of_the_user_is_no_error", groups),
];

pub const INSIDE: &[Test] = &[("mark_as_a_stranger", inside_strangers), ("groups", inside_groups)];

pub fn mount() -> Result<CgroupMount, Box<dyn std::error::Error>> {
    let cgroups = Cgroups::read(Path::new("/"))?;
    let first = cgroups.witnesses().next().cloned();
    first.ok_or_else(|| skip("no cgroups are mounted here"))
}

pub fn marked(mount: &CgroupMount) -> Result<Marks, Box<dyn std::error::Error>> {
    let mut marks = Marks::new();
    match marks.add(&mount.dir) {
        Ok(()) => Ok(marks),
        Err(why) => Err(skip(format_args!("cgroups cannot be marked: {why}"))),
    }
}

/// What was made and removed of these names.
fn notices(marks: &mut Marks) -> Result<Vec<CgroupNotice>, Box<dyn std::error::Error>> {
    let mut all = Vec::new();
    loop {
        let batch = marks.read()?;
        if batch.is_empty() {
            return Ok(all);
        }
        all.extend(batch);
    }
}

fn brief() -> Outcome {
    const COUNT: usize = 100;
    let cgroups = Cgroups::read(Path::new("/"))?;
    for mount in cgroups.witnesses() {
        let mut marks = marked(mount)?;
        let parent = Made::new(mount, "brief")?;
        // Deep down, in a folder that nobody watches.
        let deep = Made::at(parent.dir.join("deep"))?;
        for n in 0..COUNT {
            let dir = deep.dir.join(format!("brief{n}"));
            fs::create_dir(&dir)?;
            fs::remove_dir(&dir)?;
        }
        let all = notices(&mut marks)?;
        let seen = |n: usize| {
            let wanted = format!("brief{n}");
            let of = |notice: &&CgroupNotice| matches!(notice, CgroupNotice::Of { name, .. } if *name == *wanted);
            let (mut made, mut removed) = (false, false);
            for notice in all.iter().filter(of) {
                let CgroupNotice::Of { made: m, removed: r, .. } = notice else { continue };
                (made, removed) = (made || *m, removed || *r);
            }
            made && removed
        };
        assert!((0..COUNT).all(seen), "{}: {all:?}", mount.dir.display());
    }
    Ok(())
}

fn merged() -> Outcome {
    let mount = mount()?;
    let mut marks = marked(&mount)?;
    let parent = Made::new(&mount, "merged")?;
    for _ in 0..3 {
        fs::create_dir(parent.dir.join("again"))?;
        fs::remove_dir(parent.dir.join("again"))?;
    }
    let all = notices(&mut marks)?;
    let both = CgroupNotice::Of { name: "again".into(), made: true, removed: true };
    assert_eq!(all.iter().filter(|notice| **notice == both).count(), 1, "{all:?}");
    Ok(())
}

/// A mark on the engine's folders would report the whole disk.
fn only_cgroups() -> Outcome {
    let dir = tempfile::tempdir()?;
    let mut marks = Marks::new();
    for place in [dir.path(), Path::new("/"), Path::new("/proc"), Path::new("/run"), &dir.path().join("nothing")] {
        assert_eq!(marks.add(place), Err(NoHints::NotThere), "{}", place.display());
    }
    assert!(marks.borrowed().is_none());
    assert_eq!(marks.read()?, []);
    Ok(())
}

fn overflow() -> Outcome {
    let limit: usize = fs::read_to_string("/proc/sys/fs/fanotify/max_queued_events")
        .map_err(|error| skip(format_args!("no fanotify: {error}")))?
        .trim()
        .parse()?;
    if limit > 20_000 {
        return Err(skip(format_args!("the kernel queues {limit} events")));
    }
    let mount = mount()?;
    let mut marks = marked(&mount)?;
    let parent = Made::new(&mount, "many")?;
    for n in 0..=limit {
        let dir = parent.dir.join(format!("n{n}"));
        fs::create_dir(&dir)?;
        fs::remove_dir(&dir)?;
    }
    let all = notices(&mut marks)?;
    assert_eq!(all.iter().filter(|notice| **notice == CgroupNotice::Overflow).count(), 1);
    fs::create_dir(parent.dir.join("after"))?;
    fs::remove_dir(parent.dir.join("after"))?;
    assert!(!notices(&mut marks)?.is_empty(), "and then it goes on");
    Ok(())
}

fn strangers() -> Outcome {
    inside("mark_as_a_stranger", &["env"], &[])
}

fn inside_strangers() -> Outcome {
    let mount = mount()?;
    // SAFETY: integers only; this program has no other thread.
    if unsafe { libc::setuid(61_236) } != 0 {
        return Err(skip("no other user can be taken"));
    }
    let mut marks = Marks::new();
    assert_eq!(marks.add(&mount.dir), Err(NoHints::NoRight));
    assert!(marks.borrowed().is_none(), "no descriptor is kept for nothing");
    Ok(())
}

/// In a user namespace of its own, which has a limit of its own.
fn groups() -> Outcome {
    inside("groups", &["unshare", "--user", "--map-root-user"], &[])
}

fn inside_groups() -> Outcome {
    let mount = mount()?;
    let limit = "/proc/sys/user/max_fanotify_groups";
    fs::write(limit, "0").map_err(|error| skip(format_args!("{limit}: {error}")))?;
    let mut marks = Marks::new();
    assert_eq!(marks.add(&mount.dir), Err(NoHints::Groups));
    assert!(marks.borrowed().is_none());
    Ok(())
}
