use std::collections::BTreeMap;

use super::super::cgroup_name::{CgroupName, Line};
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
fn v2_is_found_in_its_usual_place_as_the_table_has_it() {
    let table = Cgroups::read(Path::new("/")).unwrap();
    let is_usual =
        |mount: &&CgroupMount| mount.root == "/" && USUAL_V2.iter().any(|dir| mount.dir == Path::new("/").join(dir));
    let expected = table.v2().filter(|_| own_namespace() == Whose::Host).filter(is_usual);
    let usual = Cgroups::usual_v2(Path::new("/"));
    assert_eq!(usual.as_ref().and_then(Cgroups::v2), expected);
    assert_eq!(usual.as_ref().and_then(Cgroups::own_v2_root), expected.map(|mount| mount.dir.as_path()));
}

#[test]
fn trap_a_part_of_v2_in_its_usual_place_is_not_all_of_it() {
    let host = tempfile::tempdir().unwrap();
    let usual = host.path().join(USUAL_V2[0]);
    fs::create_dir_all(usual.parent().unwrap()).unwrap();
    assert!(Cgroups::usual_v2(host.path()).is_none(), "nothing is there");
    let table = Cgroups::read(Path::new("/")).unwrap();
    let part = table.v2().and_then(|v2| fs::read_dir(&v2.dir).ok()?.flatten().find(|it| it.path().is_dir()));
    if let Some(part) = part {
        std::os::unix::fs::symlink(part.path(), &usual).unwrap();
        assert!(Cgroups::usual_v2(host.path()).is_none(), "only {part:?} is there");
    }
}

#[test]
fn only_what_is_below_the_hosts_root_counts() {
    let table = "25 1 0:22 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n\
                 26 1 0:22 /../.. /host/sys/fs/cgroup ro - cgroup2 cgroup2 rw\n\
                 27 1 0:22 / /hostile/sys/fs/cgroup ro - cgroup2 cgroup2 rw\n";
    assert_eq!(parse(table, "/host").v2().unwrap().dir, Path::new("/host/sys/fs/cgroup"));
    assert_eq!(parse(table, "/nowhere").mode(), None);
    // If the whole tree is mounted, a mount of a part is not used.
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

    // If our own root cannot be found in it, there is no path, but a reason.
    let lost = tempfile::tempdir().unwrap();
    let cgroups = parse(&table(lost.path().to_str().unwrap()), root.to_str().unwrap());
    let why = cgroups.place(&line("", "/../../pod2/other")).unwrap_err();
    assert_eq!(why, Unplaced::OwnNamespace("its own cgroup is not found in the host's"));
    assert!(why.to_string().contains("own cgroup namespace"));
    assert_eq!(cgroups.place(&line("", "/../../../x")).unwrap().path, "/x", "needs no name of ours");
}

#[test]
fn a_walk_goes_in_batches_and_does_not_descend_where_it_should_not() {
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
