use std::collections::BTreeMap;
use std::fs::File;
use std::os::fd::AsFd;
use std::process::{Child, Command, Stdio};

use super::super::cgroup_name::{CgroupName, Line, Role, lines};
use super::*;

const HYBRID: &str = "\
30 23 0:20 / /proc rw,relatime - proc proc rw
31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct
40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,xattr,name=systemd
41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw,nsdelegate
";

fn parse(table: &str, root: &str) -> Cgroups {
    Cgroups::new(Mounts::parse(table, Path::new(root), Path::new("/")))
}

fn line<'a>(controllers: &'a str, path: &'a str) -> Line<'a> {
    Line { controllers, path: CgroupName::new(path) }
}

#[test]
fn the_mode_and_the_hierarchies_are_read_from_the_table() {
    let hybrid = parse(HYBRID, "/");
    assert_eq!(hybrid.mode(), Some(Mode::Hybrid));
    assert_eq!(hybrid.v2().unwrap().dir, Path::new("/sys/fs/cgroup/unified"));
    let dir = |controllers: &str| hybrid.mounts().find(controllers).map(|mount| mount.dir.to_str().unwrap().to_owned());
    assert_eq!(dir("cpu,cpuacct").as_deref(), Some("/sys/fs/cgroup/cpu,cpuacct"));
    assert_eq!(dir("name=systemd").as_deref(), Some("/sys/fs/cgroup/systemd"));
    assert_eq!(dir("").as_deref(), Some("/sys/fs/cgroup/unified"));
    assert_eq!(dir("memory"), None);
    let witnesses: Vec<_> = hybrid.witnesses().map(|mount| mount.dir.clone()).collect();
    assert_eq!(witnesses, [Path::new("/sys/fs/cgroup/unified"), Path::new("/sys/fs/cgroup/systemd")]);

    let unified = "25 1 0:22 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw\n";
    assert_eq!(parse(unified, "/").mode(), Some(Mode::Unified));
    let legacy = HYBRID.replace("cgroup2", "none");
    assert_eq!(parse(&legacy, "/").mode(), Some(Mode::Legacy));
    assert_eq!(parse("", "/").mode(), None);
}

#[test]
fn only_what_is_below_the_hosts_root_counts() {
    let table = "25 1 0:22 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n\
                 26 1 0:22 /../.. /host/sys/fs/cgroup ro - cgroup2 cgroup2 rw\n\
                 27 1 0:22 / /hostile/sys/fs/cgroup ro - cgroup2 cgroup2 rw\n";
    assert_eq!(parse(table, "/host").v2().unwrap().dir, Path::new("/host/sys/fs/cgroup"));
    assert_eq!(parse(table, "/nowhere").mode(), None);
    // With the whole tree at hand a part of it is not taken.
    assert_eq!(parse(table, "/").v2().unwrap().root, "/../..");
    let escaped = r"25 1 0:22 / /my\040root/sys/fs/cgroup rw - cgroup2 cgroup2 rw";
    assert_eq!(parse(escaped, "/my root").v2().unwrap().dir, Path::new("/my root/sys/fs/cgroup"));
}

#[test]
fn a_path_is_placed_below_the_mount() {
    let hybrid = parse(HYBRID, "/");
    let place = hybrid.place(&line("name=systemd", "/kubepods/pod1/abc")).unwrap();
    assert_eq!(place.path, "/kubepods/pod1/abc");
    assert_eq!(place.dir, Path::new("/sys/fs/cgroup/systemd/kubepods/pod1/abc"));
    assert_eq!(hybrid.place(&line("", "/")).unwrap().path, "/");
    assert_eq!(hybrid.place(&line("memory", "/x")), Err(Unplaced::NotMounted("memory".into())));
    assert_eq!(hybrid.place(&line("", "/x (deleted)")), Err(Unplaced::Removed));
    assert_eq!(hybrid.place(&line("", "/../x")), Err(Unplaced::OutsideMount("/".into())));
    // A container's own part is bound to its /sys/fs/cgroup (Docker without a cgroup namespace).
    let part = parse("25 1 0:22 /docker/me /sys/fs/cgroup ro - cgroup2 cgroup2 rw\n", "/");
    assert_eq!(part.place(&line("", "/docker/me/inner")).unwrap().path, "/inner");
    assert_eq!(part.place(&line("", "/docker/me2")), Err(Unplaced::OutsideMount("/docker/me".into())));
}

#[test]
fn trap_paths_out_of_our_namespace_are_rebuilt_where_the_hosts_tree_is_mounted() {
    let tree = tempfile::tempdir().unwrap();
    let host = tree.path().join("host/sys/fs/cgroup");
    let own = host.join("kubepods/pod1/me");
    std::fs::create_dir_all(&own).unwrap();
    std::fs::create_dir_all(host.join("kubepods/pod2/other")).unwrap();
    let table = |own_at: &str| {
        format!(
            "25 1 0:22 / {own_at} rw - cgroup2 cgroup2 rw\n26 1 0:22 /../../.. {} ro - cgroup2 cgroup2 rw\n",
            host.display()
        )
    };
    let root = tree.path().join("host");
    let cgroups = parse(&table(own.to_str().unwrap()), root.to_str().unwrap());
    let path = |path: &str| cgroups.place(&line("", path)).map(|place| place.path);
    assert_eq!(path("/../../pod2/other/container").as_deref(), Ok("/kubepods/pod2/other/container"));
    assert_eq!(path("/../sibling").as_deref(), Ok("/kubepods/pod1/sibling"));
    assert_eq!(path("/child").as_deref(), Ok("/kubepods/pod1/me/child"));
    assert_eq!(path("/").as_deref(), Ok("/kubepods/pod1/me"));
    assert_eq!(path("/../../..").as_deref(), Ok("/"));
    assert_eq!(path("/../../../system.slice").as_deref(), Ok("/system.slice"));
    assert_eq!(path("/../../../../x"), Err(Unplaced::OutsideMount("/../../..".into())));

    // Where our own root cannot be found in it the path stays absent, and says why.
    let lost = tempfile::tempdir().unwrap();
    let cgroups = parse(&table(lost.path().to_str().unwrap()), root.to_str().unwrap());
    let why = cgroups.place(&line("", "/../../pod2/other")).unwrap_err();
    assert_eq!(why, Unplaced::OwnNamespace("its own cgroup is not found in the host's"));
    assert!(why.to_string().contains("own cgroup namespace"));
    assert_eq!(cgroups.place(&line("", "/../../../x")).unwrap().path, "/x", "needs no name of ours");
}

#[test]
fn a_walk_goes_in_batches_and_stops_where_it_is_told_to() {
    let tree = tempfile::tempdir().unwrap();
    for dir in ["kubepods/pod1/a/inner", "kubepods/pod1/b", "kubepods/pod2/c", "system.slice"] {
        std::fs::create_dir_all(tree.path().join(dir)).unwrap();
    }
    std::fs::write(tree.path().join("kubepods/cgroup.procs"), "").unwrap();
    std::os::unix::fs::symlink(tree.path(), tree.path().join("kubepods/loop")).unwrap();
    let all = |limit: usize, descend: fn(&Found) -> bool| {
        let mut walk = Walk::below(tree.path()).unwrap();
        let mut found = BTreeMap::new();
        loop {
            let batch = walk.next_batch(limit, descend);
            assert!(batch.len() <= limit);
            if batch.is_empty() {
                assert_eq!(walk.unread(), 0);
                return found;
            }
            found.extend(batch.into_iter().map(|f| (f.dir.strip_prefix(tree.path()).unwrap().to_owned(), f.id)));
        }
    };
    let everything = all(1, |_| true);
    assert_eq!(everything, all(100, |_| true));
    let names = ["kubepods", "kubepods/pod1", "kubepods/pod1/a", "kubepods/pod1/a/inner", "kubepods/pod1/b"];
    let more = ["kubepods/pod2", "kubepods/pod2/c", "system.slice"];
    assert_eq!(everything.keys().map(|dir| dir.to_str().unwrap()).collect::<Vec<_>>(), [&names[..], &more].concat());
    for (dir, id) in &everything {
        assert_eq!(id_of(&tree.path().join(dir)).unwrap(), *id);
    }
    assert!(!all(2, |f| f.name() != "a").contains_key(Path::new("kubepods/pod1/a/inner")));
    assert!(Walk::below(&tree.path().join("nothing")).is_err());
}

#[test]
fn what_vanishes_under_a_walk_is_passed_over() {
    let tree = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(tree.path().join("a/b")).unwrap();
    let mut walk = Walk::below(tree.path()).unwrap();
    assert_eq!(walk.next_batch(1, |_| true).len(), 1);
    std::fs::remove_dir_all(tree.path().join("a")).unwrap();
    assert_eq!(walk.next_batch(1, |_| true), []);
    assert_eq!(walk.unread(), 0);
}

/// A cgroup made for one test, and a process to put into it. `None`, said aloud, where this machine lets us make none.
struct Made {
    dir: PathBuf,
    child: Option<Child>,
}

impl Made {
    fn new(mount: &CgroupMount, name: &str) -> Option<Self> {
        let dir = mount.dir.join(format!("criwatch-test-{}-{name}", std::process::id()));
        match std::fs::create_dir_all(&dir) {
            Ok(()) => Some(Made { dir, child: None }),
            Err(error) => {
                eprintln!("skipped: no cgroup can be made below {}: {error}", mount.dir.display());
                None
            }
        }
    }

    fn enter(&mut self) -> i32 {
        let child = Command::new("sleep").arg("60").stdin(Stdio::null()).spawn().unwrap();
        let pid = child.id() as i32;
        self.child = Some(child);
        std::fs::write(self.dir.join("cgroup.procs"), pid.to_string()).unwrap();
        pid
    }

    fn end(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        self.end();
        let _ = std::fs::remove_dir(&self.dir);
    }
}

#[test]
fn the_real_file_systems_ids_paths_and_files() {
    let cgroups = Cgroups::read(Path::new("/")).unwrap();
    assert!(cgroups.mode().is_some() || !Path::new("/sys/fs/cgroup/cgroup.procs").exists());
    for mount in cgroups.witnesses() {
        let Some(mut made) = Made::new(mount, "ids") else { continue };
        let id = id_of(&made.dir).unwrap();
        let open = File::open(&made.dir).unwrap();
        assert_eq!(id_of_open(open.as_fd()).unwrap(), id);
        let path = mount.below(&made.dir);
        assert_eq!(cgroups.path_of(mount, id).unwrap().as_ref(), Some(&path));
        assert_eq!(walk::find(&mount.dir, id).as_ref(), Some(&made.dir));
        let mut walk = Walk::below(&mount.dir).unwrap();
        let listed = walk.next_batch(10_000, |_| true).into_iter().find(|found| found.dir == made.dir).unwrap();
        assert_eq!(listed.id, id, "the listing's number is the id");

        let pid = made.enter();
        assert_eq!(procs(&made.dir).unwrap(), Procs { pids: vec![pid], unseen: 0 });
        let text = std::fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap();
        let of_mount = lines(&text).find(|line| cgroups.mounts().find(line.controllers) == Some(mount)).unwrap();
        assert_eq!(cgroups.place(&of_mount).unwrap().dir, made.dir);
        if mount.hierarchy == Hierarchy::V2 {
            assert!(events(&made.dir).unwrap().populated);
        } else {
            assert_eq!(events(&made.dir).unwrap_err().kind(), io::ErrorKind::NotFound);
        }
        made.end();
        std::fs::remove_dir(&made.dir).unwrap();
        assert_eq!(cgroups.path_of(mount, id).unwrap(), None);
    }
}

#[test]
fn trap_ids_of_different_hierarchies_collide() {
    let cgroups = Cgroups::read(Path::new("/")).unwrap();
    let roots: Vec<u64> = cgroups.mounts().iter().filter_map(|mount| id_of(&mount.dir).ok()).collect();
    if roots.len() < 2 || super::own_namespace() != Whose::Host {
        eprintln!("skipped: fewer than two hierarchies of the host are mounted here");
        return;
    }
    // Each hierarchy counts from one: an id says nothing without its mount.
    assert!(roots.iter().all(|id| *id == roots[0]), "{roots:?}");
}

#[test]
fn a_root_of_another_process_is_read_through_its_own_table() {
    let direct = Cgroups::read(Path::new("/")).unwrap();
    let root = format!("/proc/{}/root", std::process::id());
    let through = match std::fs::read(format!("{root}/proc/1/mountinfo")) {
        Ok(_) => Cgroups::read(Path::new(&root)).unwrap(),
        Err(error) => {
            eprintln!("skipped: the mounts of process 1 cannot be read: {error}");
            return;
        }
    };
    assert_eq!(through.mode(), direct.mode());
    let v2 = |cgroups: &Cgroups| cgroups.v2().map(|mount| id_of(&mount.dir).unwrap());
    assert_eq!(v2(&through), v2(&direct));
    assert!(through.mounts().iter().all(|mount| mount.dir.starts_with(&root)));
    // Ids lead to paths through it, too.
    let Some(made) = through.v2().and_then(|mount| Made::new(mount, "through")) else { return };
    let mount = through.v2().unwrap();
    assert_eq!(through.path_of(mount, id_of(&made.dir).unwrap()).unwrap(), Some(mount.below(&made.dir)));
}

#[test]
fn trap_a_removed_cgroup_of_a_zombie_is_no_place() {
    let cgroups = Cgroups::read(Path::new("/")).unwrap();
    let Some(mount) = cgroups.v2() else {
        eprintln!("skipped: cgroup v2 is not mounted here");
        return;
    };
    let Some(mut made) = Made::new(mount, "zombie") else { return };
    let pid = made.enter();
    // Killed and not waited for: a zombie, in a cgroup that can be removed.
    made.child.as_mut().unwrap().kill().unwrap();
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
    while std::fs::remove_dir(&made.dir).is_err() {
        assert!(std::time::Instant::now() < deadline, "the cgroup of a zombie cannot be removed");
        std::thread::yield_now();
    }
    let text = std::fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap();
    let line = lines(&text).find(Line::is_v2).unwrap();
    assert!(line.path.is_deleted(), "{text}");
    assert_eq!(line.path.parts().next().unwrap().role, Role::Other);
    assert_eq!(cgroups.place(&line), Err(Unplaced::Removed));
}

const INSIDE: &str = "CRI_TEST_IN_OWN_CGROUP_NAMESPACE";

/// Runs anew in a cgroup namespace of its own, with the host's tree still mounted, as an agent's DaemonSet has it.
#[test]
fn trap_within_an_own_cgroup_namespace_true_paths_are_found() {
    if let Some(top) = std::env::var_os(INSIDE) {
        return inside_true_paths_are_found(Path::new(&top));
    }
    let cgroups = Cgroups::read(Path::new("/")).unwrap();
    let Some(mount) = cgroups.v2() else { return eprintln!("skipped: cgroup v2 is not mounted here") };
    let Some(top) = Made::new(mount, "namespace") else { return };
    let (own, mut other) = (top.dir.join("a/own"), Made { dir: top.dir.join("b"), child: None });
    std::fs::create_dir_all(&own).unwrap();
    std::fs::create_dir(&other.dir).unwrap();
    other.enter();
    let script = "echo $$ > \"$1/cgroup.procs\" && shift && exec unshare --cgroup --mount \"$@\"";
    let name = "host::cgroup::tests::trap_within_an_own_cgroup_namespace_true_paths_are_found";
    let run = Command::new("sh")
        .args(["-c", script, "sh"])
        .args([&own, &std::env::current_exe().unwrap()])
        .args(["--exact", name, "--nocapture"])
        .env(INSIDE, &top.dir)
        .output();
    drop(other);
    let removed = [std::fs::remove_dir(&own), std::fs::remove_dir(top.dir.join("a"))];
    let run = run.unwrap();
    let said = String::from_utf8_lossy(&run.stdout) + String::from_utf8_lossy(&run.stderr);
    if said.contains("unshare failed") {
        return eprintln!("skipped: {said}");
    }
    assert!(run.status.success() && said.contains("1 passed"), "{said}");
    assert!(removed.iter().all(Result::is_ok), "{removed:?}");
}

fn inside_true_paths_are_found(top: &Path) {
    assert_eq!(super::own_namespace(), Whose::Own);
    let other = procs(&top.join("b")).unwrap().pids[0];
    let text = std::fs::read_to_string(format!("/proc/{other}/cgroup")).unwrap();
    let line = lines(&text).find(Line::is_v2).unwrap();
    assert_eq!(line.path.path(), "/../../b", "as the kernel shows it here");
    let place = || Cgroups::read(Path::new("/")).unwrap().place(&line);
    // Our own cgroups are not mounted yet: the way to them cannot be found.
    let lacking = Unplaced::OwnNamespace("its own cgroups are not mounted");
    assert_eq!(place(), Err(lacking));
    let own = tempfile::tempdir().unwrap();
    let mounted = Command::new("mount").args(["-t", "cgroup2", "none"]).arg(own.path()).status().unwrap();
    assert!(mounted.success());
    let found = place();
    assert!(Command::new("umount").arg(own.path()).status().unwrap().success());
    assert_eq!(found.map(|place| place.dir), Ok(top.join("b")));
}
