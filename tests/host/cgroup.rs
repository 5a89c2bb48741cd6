//! The cgroup file systems of this machine.

use std::fs::{self, File};
use std::io;
use std::os::fd::AsFd;
use std::path::Path;
use std::process::Command;

use criwatch::host::cgroup::{
    CgroupMount, Cgroups, Hierarchy, Procs, Unplaced, Walk, events, id_of, id_of_open, own_namespace, procs,
};
use criwatch::host::cgroup_name::{Line, Role, lines};
use criwatch::host::namespace::Whose;

use super::{Made, Outcome, Test, inside, skip, until};

pub const TESTS: &[Test] = &[
    ("cgroup::ids_paths_and_files", ids_paths_and_files),
    ("cgroup::trap_ids_of_different_hierarchies_collide", ids_collide),
    ("cgroup::a_root_of_another_process_is_read_through_its_own_table", through_a_process),
    ("cgroup::trap_a_removed_cgroup_of_a_zombie_is_no_place", removed_with_a_zombie),
    ("cgroup::trap_within_an_own_namespace_true_paths_are_found", own_cgroup_namespace),
    ("cgroup::where_nothing_is_mounted_there_is_no_mode", nothing_mounted),
];

pub const INSIDE: &[Test] = &[("own_cgroup_namespace", inside_own_namespace)];

const TOP: &str = "CRI_HOST_TEST_TOP";

fn read() -> Result<Cgroups, io::Error> {
    Cgroups::read(Path::new("/"))
}

fn v2(cgroups: &Cgroups) -> Result<&CgroupMount, Box<dyn std::error::Error>> {
    cgroups.v2().ok_or_else(|| skip("cgroup v2 is not mounted here"))
}

fn ids_paths_and_files() -> Outcome {
    let cgroups = read()?;
    let mounts: Vec<_> = cgroups.witnesses().collect();
    if mounts.is_empty() {
        return Err(skip("no cgroups are mounted here"));
    }
    for mount in mounts {
        let mut made = Made::new(mount, "ids")?;
        let id = id_of(&made.dir)?;
        assert_eq!(id_of_open(File::open(&made.dir)?.as_fd())?, id);
        let path = format!("/{}", made.dir.strip_prefix(&mount.dir)?.display());
        assert_eq!(cgroups.path_of(mount, id)?.as_ref(), Some(&path));
        assert_eq!(mount.dir_of(&path), made.dir);
        let mut walk = Walk::below(&mount.dir)?;
        let listed = walk.next_batch(100_000, |_| true).into_iter().find(|found| found.dir == made.dir);
        assert_eq!(listed.map(|found| found.id), Some(id), "the listing's number is the id");

        let pid = made.enter()?;
        assert_eq!(procs(&made.dir)?, Procs { pids: vec![pid], unseen: 0 });
        let text = fs::read_to_string(format!("/proc/{pid}/cgroup"))?;
        let line =
            lines(&text).find(|line| cgroups.mounts().find(line.controllers) == Some(mount)).ok_or("its line")?;
        assert_eq!(cgroups.place(&line)?.dir, made.dir);
        if mount.hierarchy == Hierarchy::V2 {
            assert!(events(&made.dir)?.populated);
        } else {
            assert_eq!(events(&made.dir).map_err(|error| error.kind()), Err(io::ErrorKind::NotFound));
        }
        made.end();
        until("the cgroup can be removed", || fs::remove_dir(&made.dir).is_ok());
        assert_eq!(cgroups.path_of(mount, id)?, None);
    }
    Ok(())
}

fn ids_collide() -> Outcome {
    let cgroups = read()?;
    let roots: Vec<u64> = cgroups.mounts().iter().filter_map(|mount| id_of(&mount.dir).ok()).collect();
    if roots.len() < 2 || own_namespace() != Whose::Host {
        return Err(skip("fewer than two hierarchies of the host are mounted here"));
    }
    // Each hierarchy counts from one: an id says nothing without its mount.
    assert!(roots.iter().all(|id| *id == roots[0]), "{roots:?}");
    Ok(())
}

fn through_a_process() -> Outcome {
    let root = format!("/proc/{}/root", std::process::id());
    fs::read(format!("{root}/proc/1/mountinfo"))
        .map_err(|error| skip(format_args!("the mounts of process 1 cannot be read: {error}")))?;
    let (direct, through) = (read()?, Cgroups::read(Path::new(&root))?);
    assert_eq!(through.mode(), direct.mode());
    assert!(through.mounts().iter().all(|mount| mount.dir.starts_with(&root)));
    let (mount, other) = (v2(&direct)?, v2(&through)?);
    assert_eq!(id_of(&mount.dir)?, id_of(&other.dir)?);
    // Ids lead to paths through it, too.
    let made = Made::new(mount, "through")?;
    let path = format!("/{}", made.dir.strip_prefix(&mount.dir)?.display());
    assert_eq!(through.path_of(other, id_of(&made.dir)?)?, Some(path));
    Ok(())
}

fn removed_with_a_zombie() -> Outcome {
    let cgroups = read()?;
    let mut made = Made::new(v2(&cgroups)?, "zombie")?;
    let pid = made.enter()?;
    // Killed and not waited for: a zombie, in a cgroup that can be removed.
    made.child.as_mut().ok_or("a child")?.kill()?;
    until("the cgroup of a zombie can be removed", || fs::remove_dir(&made.dir).is_ok());
    let text = fs::read_to_string(format!("/proc/{pid}/cgroup"))?;
    let line = lines(&text).find(Line::is_v2).ok_or("its line")?;
    assert!(line.path.is_deleted(), "{text}");
    assert_eq!(line.path.parts().next().map(|part| part.role), Some(Role::Other));
    assert_eq!(cgroups.place(&line), Err(Unplaced::Removed));
    Ok(())
}

/// A cgroup namespace of its own, with the host's tree mounted, as an agent's DaemonSet has it.
fn own_cgroup_namespace() -> Outcome {
    let cgroups = read()?;
    let top = Made::new(v2(&cgroups)?, "namespace")?;
    let outer = Made::at(top.dir.join("a"))?;
    let own = Made::at(outer.dir.join("own"))?;
    let mut other = Made::at(top.dir.join("b"))?;
    other.enter()?;
    let script = "echo $$ > \"$1/cgroup.procs\" && shift && exec unshare --cgroup --mount \"$@\"";
    let into = own.dir.to_str().ok_or("a path in UTF-8")?;
    inside("own_cgroup_namespace", &["sh", "-c", script, "sh", into], &[(TOP, &top.dir)])?;
    // From the innermost outwards.
    drop((other, own));
    drop(outer);
    Ok(())
}

fn inside_own_namespace() -> Outcome {
    assert_eq!(own_namespace(), Whose::Own);
    let top = std::env::var_os(TOP).ok_or("the cgroup of the test")?;
    let top = Path::new(&top);
    let other = procs(&top.join("b"))?.pids[0];
    let text = fs::read_to_string(format!("/proc/{other}/cgroup"))?;
    let line = lines(&text).find(Line::is_v2).ok_or("its line")?;
    assert_eq!(line.path.path(), "/../../b", "as the kernel shows it here");
    let place = || read().map(|cgroups| cgroups.place(&line));
    // Our own cgroups are not mounted yet: the way to them cannot be found.
    assert_eq!(place()?, Err(Unplaced::OwnNamespace("its own cgroups are not mounted")));
    let own = tempfile::tempdir()?;
    assert!(Command::new("mount").args(["-t", "cgroup2", "none"]).arg(own.path()).status()?.success());
    let found = place()?;
    assert!(Command::new("umount").arg(own.path()).status()?.success());
    assert_eq!(found.map(|place| place.dir), Ok(top.join("b")));
    Ok(())
}

fn nothing_mounted() -> Outcome {
    let nothing = tempfile::tempdir()?;
    let cgroups = Cgroups::read(nothing.path())?;
    assert_eq!(cgroups.mode(), None);
    let line = lines("0::/x").next().ok_or("a line")?;
    let why = cgroups.place(&line).unwrap_err();
    assert_eq!(why.to_string(), "cgroup v2 is not mounted below host.root");
    Ok(())
}
