use std::fs;

use super::*;

const ID: &str = "72e0b85d6a1472e0b85d6a1472e0b85d6a1472e0b85d6a1472e0b85d6a14aaaa";
const OTHER: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abbbbb";

/// A directory with a host's /proc and an engine's folders.
pub(in crate::cri) struct Host(tempfile::TempDir);

impl Host {
    pub(in crate::cri) fn new() -> Self {
        Host(tempfile::tempdir().unwrap())
    }

    pub(in crate::cri) fn write(&self, path: &str, text: &str) {
        let path = self.0.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(in crate::cri) fn process(&self, pid: i32, start: u64, cgroup: &str) {
        self.process_in_state('S', 1, pid, start, cgroup);
    }

    fn process_in_state(&self, state: char, threads: u32, pid: i32, start: u64, cgroup: &str) {
        let (before, after) = ("0 ".repeat(10), "0 ".repeat(29));
        let stat = format!("{pid} (x) {state} 1 7 7 0 -1 4 {before}{threads} 0 {start} {after}0\n");
        self.write(&format!("proc/{pid}/stat"), &stat);
        self.write(&format!("proc/{pid}/cgroup"), cgroup);
    }

    pub(in crate::cri) fn resolver(&self, source: PidSource) -> PidResolver {
        let mut config = Config::default();
        (config.host_root, config.pid_source) = (self.0.path().to_owned(), source);
        PidResolver { view: PidView::Same, ..PidResolver::new(&config, None) }
    }

    fn find_in_files(&self) -> Result<Details, Refusal> {
        let folders = Folders::Containerd { tasks: "/run/tasks".into(), names_images: true };
        self.resolver(PidSource::Auto).find_in_files(&folders, &[Wanted { id: ID.into(), image_name: true }]).remove(0)
    }
}

fn own_host(source: PidSource) -> PidResolver {
    let config = Config { pid_source: source, ..Config::default() };
    PidResolver { view: PidView::Same, ..PidResolver::new(&config, None) }
}

fn says(pid: Option<i32>) -> Info {
    Info { pid, given: true, names_pid: true, ..Info::default() }
}

#[test]
fn only_what_runs_has_a_pid() {
    let own = std::process::id() as i32;
    let it = own_host(PidSource::Auto).details("x", &says(Some(own)), true);
    assert_eq!((it.pid, it.engine_pid), (Some(own), None));
    assert!(it.pid_start_ticks.is_some());
    assert_eq!(own_host(PidSource::Auto).details("x", &says(Some(own)), false).pid, None);
}

#[test]
fn a_process_that_is_gone_has_none_unless_the_engines_word_is_asked_for() {
    let never = i32::MAX;
    let it = own_host(PidSource::Auto).details("x", &says(Some(never)), true);
    assert_eq!((it.pid, it.engine_pid, it.no_pid), (None, Some(never), false));
    assert_eq!(own_host(PidSource::Engine).details("x", &says(Some(never)), true).pid, Some(never));
}

#[test]
fn a_pod_without_a_process_is_not_asked_again() {
    let spoofed = Info { given: true, ..Info::default() };
    assert!(own_host(PidSource::Auto).details("x", &spoofed, true).no_pid);
    assert!(!own_host(PidSource::Auto).details("x", &says(None), true).no_pid);
}

#[test]
fn a_pid_file_gives_the_process_and_its_place() {
    let host = Host::new();
    host.process(150, 4711, &format!("0::/kubepods/pod1/{ID}/init.scope\n"));
    host.write(&format!("run/tasks/{ID}/init.pid"), "150");
    let it = host.find_in_files().unwrap();
    assert_eq!((it.pid, it.pid_start_ticks, it.engine_pid), (Some(150), Some(4711), None));
    assert_eq!(it.cgroup_path.as_deref(), Some(&*format!("/kubepods/pod1/{ID}")));
    assert_eq!(it.cgroup_id, None, "no cgroup file system is mounted below this root");
}

/// A status may have another tag of the same image. The specification has the one that was asked for.
#[test]
fn the_specification_names_the_image() {
    let host = Host::new();
    host.process(150, 4711, &format!("0::/kubepods/pod1/{ID}\n"));
    host.write(&format!("run/tasks/{ID}/init.pid"), "150");
    let name = || host.find_in_files().unwrap().image_name;
    assert_eq!(name(), None, "no such file");
    let spec = format!("run/tasks/{ID}/config.json");
    for nothing in ["", "[]", "{\"annotations\":", r#"{"annotations":{"io.kubernetes.cri.image-name":7}}"#] {
        host.write(&spec, nothing);
        assert_eq!(name(), None, "{nothing}");
    }
    host.write(&spec, r#"{"ociVersion":"1.2.0","annotations":{"io.kubernetes.cri.image-name":"reg.example/app:b"}}"#);
    assert_eq!(name().as_deref(), Some("reg.example/app:b"));
    for (names_images, image_name) in [(true, false), (false, true)] {
        let folders = Folders::Containerd { tasks: "/run/tasks".into(), names_images };
        let found = host.resolver(PidSource::Auto).find_in_files(&folders, &[Wanted { id: ID.into(), image_name }]);
        assert_eq!(
            found[0].clone().unwrap().image_name,
            None,
            "containerd before 2.0 writes any name; or none is wanted"
        );
    }
}

#[test]
fn trap_a_path_out_of_our_cgroup_namespace_proves_and_is_not_shown() {
    let host = Host::new();
    host.process(150, 4711, &format!("0::/../pod1/{ID}\n"));
    host.write(&format!("run/tasks/{ID}/init.pid"), "150");
    let it = host.find_in_files().unwrap();
    assert_eq!((it.pid, it.cgroup_path), (Some(150), None));
    let verbose = host.resolver(PidSource::Auto).details(ID, &says(Some(150)), true);
    assert_eq!((verbose.pid, verbose.cgroup_path), (Some(150), None));
}

#[test]
fn trap_a_stale_pid_file_and_a_foreign_process_are_refused() {
    let host = Host::new();
    assert_eq!(host.find_in_files(), Err(Refusal::NoFile));
    host.write(&format!("run/tasks/{ID}/init.pid"), "150");
    assert_eq!(host.find_in_files(), Err(Refusal::NoProcess(150)));
    host.process(150, 4711, &format!("0::/kubepods/pod1/{OTHER}\n"));
    assert_eq!(host.find_in_files(), Err(Refusal::ForeignCgroup(150)));
}

/// A shim that hangs leaves such a process, and the engine goes on to name its pid.
#[test]
fn trap_a_process_that_has_ended_is_gone_before_anybody_waits_for_it() {
    let host = Host::new();
    let resolver = host.resolver(PidSource::Auto);
    let cgroup = format!("0::/kubepods/pod1/{ID}\n");
    host.write(&format!("run/tasks/{ID}/init.pid"), "150");
    let verbose = || resolver.details(ID, &says(Some(150)), true);
    host.process_in_state('Z', 1, 150, 4711, &cgroup);
    assert_eq!((verbose().pid, verbose().pid_start_ticks, verbose().engine_pid), (None, None, Some(150)));
    assert!(resolver.is_gone(150, 4711));
    assert_eq!(host.find_in_files(), Err(Refusal::Ended(150)));
    // The first thread has ended and another still runs, so the process has not ended.
    host.process_in_state('Z', 2, 150, 4711, &cgroup);
    assert_eq!((verbose().pid, verbose().engine_pid), (Some(150), None));
    assert!(!resolver.is_gone(150, 4711));
    assert_eq!(host.find_in_files().unwrap().pid, Some(150));
}

/// If the engine's process cannot be seen, a pid has to be proven. What could not be read is not disproved.
#[test]
fn trap_a_proof_that_could_not_be_made_says_nothing() {
    let host = Host::new();
    host.process(150, 4711, "0::/\n");
    let resolver = PidResolver { view: PidView::Unknown, ..host.resolver(PidSource::Auto) };
    let verbose = || resolver.details(ID, &says(Some(150)), true);
    assert_eq!((verbose().pid, verbose().engine_pid), (None, Some(150)), "it is in another's cgroup");
    let cgroup = host.0.path().join("proc/150/cgroup");
    fs::remove_file(&cgroup).unwrap();
    fs::create_dir(&cgroup).unwrap();
    assert_eq!((verbose().pid, verbose().engine_pid), (None, None), "nothing is said of it");
}

/// Without a free descriptor, nothing can be read of a process. Then it does not count as gone, and the engine's pid is
/// not withdrawn.
#[test]
fn trap_what_cannot_be_read_is_not_gone() {
    let host = Host::new();
    host.process(150, 4711, "0::/\n");
    let resolver = host.resolver(PidSource::Auto);
    assert!(!resolver.is_gone(150, 4711));
    assert!(resolver.is_gone(150, 4712), "another process has the pid");
    assert!(resolver.is_gone(151, 4711));
    let stat = host.0.path().join("proc/150/stat");
    fs::remove_file(&stat).unwrap();
    // Reading a directory as a file gives EISDIR, which stands for all errors that do not mean absence, such as EMFILE.
    fs::create_dir(&stat).unwrap();
    assert!(!resolver.is_gone(150, 4711));
    let it = resolver.details("x", &says(Some(150)), true);
    assert_eq!((it.pid, it.pid_start_ticks), (Some(150), None));
}
