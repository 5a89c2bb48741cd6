//! Marks on hierarchies of cgroups (fanotify), and what a watcher makes of cgroups where the engine's folders are not to be seen.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use criwatch::config::Config;
use criwatch::cri::{Hint, PidResolver, Witness};
use criwatch::host::cgroup::{CgroupMount, Cgroups};
use criwatch::host::watch::{CgroupNotice, Marks, NoHints};

use super::{Made, Outcome, Test, inside, skip};

pub const TESTS: &[Test] = &[
    ("marks::cgroups_that_live_for_no_time_are_noticed", brief),
    ("marks::trap_what_comes_and_goes_unread_is_one_notice", merged),
    ("marks::trap_only_cgroups_are_marked", only_cgroups),
    ("marks::an_overflow_is_noticed_once", overflow),
    ("marks::trap_strangers_may_not_mark_and_are_told_so", strangers),
    ("marks::without_folders_a_mark_tells_of_containers", fall_back_to_marks),
    ("marks::without_the_right_to_mark_the_folders_of_pods_tell", fall_back_to_inotify),
    ("marks::without_cgroups_there_is_nothing", fall_back_to_nothing),
];

pub const INSIDE: &[Test] =
    &[("mark_as_a_stranger", inside_strangers), ("no_right_to_mark", inside_fall_back_to_inotify)];

fn mount() -> Result<CgroupMount, Box<dyn std::error::Error>> {
    let cgroups = Cgroups::read(Path::new("/"))?;
    let first = cgroups.witnesses().next().cloned();
    first.ok_or_else(|| skip("no cgroups are mounted here"))
}

fn marked(mount: &CgroupMount) -> Result<Marks, Box<dyn std::error::Error>> {
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

/// A mark on the engine's folders would tell of the whole disk.
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

/// A watcher's witness that sees no folders, and the next hints of it.
struct Watching {
    witness: Witness,
    runtime: tokio::runtime::Runtime,
}

impl Watching {
    fn of(root: &Path) -> Result<Self, Box<dyn std::error::Error>> {
        let mut config = Config::default();
        config.set("host.root", root.to_str().ok_or("a path in UTF-8")?)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let guard = runtime.enter();
        let mut witness = Witness::new(&config);
        witness.watch_folders(&Arc::new(PidResolver::new(&config, None)), None);
        drop(guard);
        Ok(Watching { witness, runtime })
    }

    fn used(&self) -> Vec<&'static str> {
        self.witness.means().used
    }

    /// Takes hints until this one has come.
    fn wait_for(&mut self, wanted: &Hint) -> Outcome {
        const PATIENCE: Duration = Duration::from_secs(20);
        let witness = &mut self.witness;
        let come = async { while !witness.next().await.contains(wanted) {} };
        let found = self.runtime.block_on(async { tokio::time::timeout(PATIENCE, come).await });
        found.map_err(|_| format!("{wanted:?} did not come").into())
    }
}

fn id(n: u32) -> String {
    format!("{:064x}", u64::from(std::process::id()) << 8 | u64::from(n))
}

fn kubepods(mount: &CgroupMount) -> PathBuf {
    mount.dir.join(format!("criwatch_test_{}-kubepods.slice", std::process::id()))
}

fn fall_back_to_marks() -> Outcome {
    let mount = mount()?;
    drop(marked(&mount)?);
    let mut watching = Watching::of(Path::new("/"))?;
    assert_eq!(watching.used(), ["fanotify"]);
    let parent = Made::new(&mount, "anywhere")?;
    let container = Made::at(parent.dir.join(id(1)))?;
    watching.wait_for(&Hint::Created(id(1).into()))?;
    drop(container);
    watching.wait_for(&Hint::Gone(id(1).into()))?;
    // The engine's, its monitor's and a mount's: one of them is a container's.
    let _monitor = Made::at(parent.dir.join(format!("crio-conmon-{}.scope", id(2))))?;
    let _scope = Made::at(parent.dir.join(format!("crio-{}.scope", id(3))))?;
    let first = watching.runtime.block_on(watching.witness.next());
    assert_eq!(first.iter().filter(|hint| **hint == Hint::Created(id(2).into())).count(), 0, "{first:?}");
    if !first.contains(&Hint::Created(id(3).into())) {
        watching.wait_for(&Hint::Created(id(3).into()))?;
    }
    Ok(())
}

fn fall_back_to_inotify() -> Outcome {
    mount()?;
    inside("no_right_to_mark", &["setpriv", "--bounding-set=-sys_admin", "--inh-caps=-all"], &[])
}

fn inside_fall_back_to_inotify() -> Outcome {
    let mount = mount()?;
    let parent = Made::at(kubepods(&mount))?;
    let _before = Made::at(parent.dir.join(id(9)))?;
    let mut watching = Watching::of(Path::new("/"))?;
    let means = watching.witness.means();
    if means.used.contains(&"fanotify") {
        return Err(skip("CAP_SYS_ADMIN cannot be given up"));
    }
    assert_eq!(means.used, ["cgroups"], "{means:?}");
    assert!(means.lacks.iter().any(|(what, why)| *what == "fanotify" && why.contains("may not be read")), "{means:?}");
    // The name of a pod's folder is used again, although the kernel did not say that the first one went.
    for n in 0..3 {
        let pod = Made::at(parent.dir.join("pod0c5e2d6e-7c8f-4d5c-9a0b-1f2e3d4c5b6a"))?;
        let container = Made::at(pod.dir.join(id(n)))?;
        watching.wait_for(&Hint::Created(id(n).into()))?;
        drop(container);
        watching.wait_for(&Hint::Gone(id(n).into()))?;
        drop(pod);
    }
    Ok(())
}

fn fall_back_to_nothing() -> Outcome {
    let nowhere = tempfile::tempdir()?;
    let means = Watching::of(nowhere.path())?.witness.means();
    assert!(means.used.is_empty(), "{means:?}");
    assert!(means.lacks.iter().any(|(what, why)| *what == "cgroups" && why.contains("host.root")), "{means:?}");
    Ok(())
}
