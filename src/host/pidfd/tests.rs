//! Tests on a fake /proc, and of what every kernel does. Tests with processes are in tests/host.

use std::fs;
use std::path::Path;

use super::*;

#[test]
fn trap_the_size_is_64_and_the_mask_says_what_is_there() {
    let abilities = Abilities::get();
    let own = open(std::process::id() as i32, 0);
    assert_eq!(own.is_ok(), abilities.open.is_yes());
    let Ok(own) = own else { return };
    match info::get(own.as_fd(), info::CGROUP_ID | info::EXIT) {
        Ok(info) => {
            assert!(abilities.info.is_yes());
            // The call succeeds, and a living process has no exit.
            assert_eq!(info.mask & info::EXIT, 0);
            assert_eq!((info.pid, info.tgid), (std::process::id(), std::process::id()));
        }
        Err(error) => assert_eq!(abilities.info, Ability::No(error.raw_os_error().unwrap())),
    }
}

#[test]
fn abilities_agree_with_each_other_and_are_found_again() {
    let abilities = Abilities::get();
    assert_eq!(abilities, Abilities::probe());
    assert!(!abilities.exit.is_yes() || abilities.info.is_yes());
    assert!(!abilities.info.is_yes() || abilities.open.is_yes());
    assert_eq!(Ability::No(libc::EPERM).to_string(), "no: Operation not permitted (os error 1)");
    assert_eq!(Ability::Absent.to_string(), "no: not in this kernel");
}

#[test]
fn a_proc_that_counts_otherwise_opens_nothing() {
    let root = tempfile::tempdir().unwrap();
    let other = Proc::new(root.path());
    let open = || Process::open(&other, std::process::id() as i32, Expected::default()).map(|process| process.pid());
    assert_eq!(open(), Err(Refusal::OtherNamespace), "we are not in it");
    let own = root.path().join("proc/self");
    fs::create_dir_all(&own).unwrap();
    fs::write(own.join("status"), format!("NSpid:\t4711\t{}\n", std::process::id())).unwrap();
    assert_eq!(open(), Err(Refusal::OtherNamespace), "we are below it");
    assert!(Proc::new(Path::new("/")).counts_as_we_do().unwrap());
}

#[test]
fn trap_without_the_right_to_trace_a_zombies_exit_status_reads_0_and_is_no_code() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("proc/7/ns");
    fs::create_dir_all(&dir).unwrap();
    let stat = |status: i32| format!("7 (x) Z 1 7 7 0 -1 4 {}4711 {}{status}\n", "0 ".repeat(12), "0 ".repeat(29));
    let proc = Proc::new(root.path());
    let status = |text: String| {
        fs::write(root.path().join("proc/7/stat"), text).unwrap();
        let stat = proc.stat(7).unwrap();
        assert_eq!(stat.start_ticks, 4711);
        stat.exit_status
    };
    assert_eq!(status(stat(42 << 8)), Some(42 << 8));
    assert_eq!(status(stat(0)), None, "nobody knows whether that is an exit code");
    std::os::unix::fs::symlink("pid:[4026531836]", dir.join("pid")).unwrap();
    assert_eq!(status(stat(0)), Some(0));
    assert_eq!(status(stat(0).replace(") Z", ") S")), None, "a process that is alive has none");
    assert_eq!(proc.stat(8).unwrap_err().kind(), io::ErrorKind::NotFound);
}
