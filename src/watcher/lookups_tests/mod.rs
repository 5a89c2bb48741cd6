//! Lookups on a simulated host: every known form of cgroup paths, and every trap.

mod cgroup_ids;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::Arc;

use super::lookups::Kernel;
use crate::error::{CRI_AGAIN, CRI_E_NOT_FOUND, CRI_E_UNSUPPORTED, CRI_NONE, CRI_OK};
use crate::host::namespace::NamespaceKind;
use crate::model::{Container, Engine, Kind, Pod, State};
use crate::portfolio::{Owner, Snapshot, Unproven};

const A: &str = "72e0b85d6a1472e0b85d6a1472e0b85d6a1472e0b85d6a1472e0b85d6a14aaaa";
const DEAD: &str = "72e0b85d6a1472e0b85d6a1472e0b85d6a1472e0b85d6a1472e0b85d6a14dead";
const SANDBOX: &str = "5555b85d6a1472e0b85d6a1472e0b85d6a1472e0b85d6a1472e0b85d6a145555";
const B: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abbbbb";
const UID: &str = "5b0c2f1e-7c43-4a55-9d0a-3f3f4f1c2b11";
const STATIC_UID: &str = "0123456789abcdef0123456789abcdef";

fn pod(id: &str, uid: &str) -> Pod {
    let mut pod = Pod::new(id.into());
    (pod.name, pod.namespace, pod.uid) = ("web".into(), "shop".into(), uid.into());
    pod
}

fn container(id: &str, kind: Kind, pod: &Pod) -> Container {
    let mut c = Container::new(id.into(), kind);
    (c.name, c.state, c.pod) = (id[60..].into(), State::Running, Some(Arc::new(pod.clone())));
    c
}

/// A pod with a container, a static pod, and a container that is gone.
fn node() -> Vec<Container> {
    let (web, mut fixed) = (pod(SANDBOX, UID), pod(&"5".repeat(64), STATIC_UID));
    fixed.name = "etcd".into();
    let mut a = container(A, Kind::Container, &web);
    (a.pid, a.pid_start_ticks, a.cgroup_id) = (Some(100), Some(4711), Some(9_000_001));
    (a.namespaces.net, a.namespaces.mnt, a.namespaces.pid) = (70, 71, 72);
    a.cgroup_path = Some(format!("/lab/{A}").into());
    let mut sandbox = container(SANDBOX, Kind::Sandbox, &web);
    (sandbox.pid, sandbox.pid_start_ticks, sandbox.namespaces.net) = (Some(90), Some(4700), 70);
    let mut dead = container(DEAD, Kind::Container, &web);
    (dead.state, dead.pid, dead.pid_start_ticks) = (State::Exited, Some(95), Some(4705));
    (dead.cgroup_id, dead.namespaces.mnt) = (Some(9_000_000), 60);
    vec![a, sandbox, dead, container(&"5".repeat(64), Kind::Sandbox, &fixed)]
}

/// The same node. `host_network`: whether the engine reported that its pods are in the host's network.
fn told(host_network: Option<bool>) -> Vec<Container> {
    let mut containers = node();
    for c in &mut containers {
        let mut pod = Pod::clone(c.pod.as_deref().unwrap());
        pod.host_network = host_network;
        c.pod = Some(pod.into());
    }
    containers
}

struct Host {
    root: tempfile::TempDir,
    snapshot: Snapshot,
}

impl Host {
    fn new(containers: Vec<Container>) -> Host {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("proc")).unwrap();
        let snapshot = Snapshot::of(containers, |c| *c.id != *DEAD).with_reader(Arc::new(Kernel::new(root.path())));
        Host { root, snapshot }
    }

    fn process(&self, pid: i32, start: u64, cgroups: &str) {
        let folder = self.root.path().join(format!("proc/{pid}"));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("cgroup"), cgroups).unwrap();
        fs::write(folder.join("stat"), format!("{pid} (a) b) S {}{start} 0\n", "0 ".repeat(18))).unwrap();
    }

    fn pid(&self, pid: i32, start: u64) -> String {
        said(self.snapshot.find_pid(pid, start))
    }
}

fn said(owner: Result<Owner<'_>, Unproven>) -> String {
    match owner {
        Ok(Owner::Container(c)) => c.name.to_string(),
        Ok(Owner::Host) => "host".into(),
        Ok(Owner::NotYet) => "not yet".into(),
        Err(why) => format!("{why:?}"),
    }
}

/// What it is, its path, and the expected owner.
type Row = (&'static str, String, &'static str);

#[test]
fn every_shape_is_known_by_its_path_on_every_kind_of_host() {
    let (u, unknown_uid) = (UID.replace('-', "_"), UID.replace('5', "6"));
    let dir = format!("/kubepods/burstable/pod{UID}");
    let slice = format!("/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{u}.slice");
    let kubelet = format!("/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-pod{u}.slice");
    let table: &[Row] = &[
        // Containers, below every kind of parent.
        ("containerd, cgroupfs", format!("{dir}/{A}"), "aaaa"),
        ("besteffort", format!("/kubepods/besteffort/pod{UID}/{A}"), "aaaa"),
        (
            "besteffort, systemd",
            slice.replace("burstable", "besteffort") + &format!("/cri-containerd-{A}.scope"),
            "aaaa",
        ),
        ("guaranteed", format!("/kubepods/pod{UID}/{A}"), "aaaa"),
        ("no parent", format!("/k8s.io/{A}"), "aaaa"),
        ("another parent", format!("/lab/{A}"), "aaaa"),
        ("containerd, systemd", format!("{slice}/cri-containerd-{A}.scope"), "aaaa"),
        ("a root of the kubelet's own", format!("{kubelet}/cri-containerd-{A}.scope"), "aaaa"),
        (
            "kubelet with systemd, runc without",
            format!("/system.slice/containerd.service/kubepods-besteffort-pod{u}.slice:cri-containerd:{A}"),
            "aaaa",
        ),
        ("CRI-O, cgroupfs", format!("{dir}/crio-{A}"), "aaaa"),
        ("CRI-O without a parent", format!("/crio/crio-{A}"), "aaaa"),
        ("CRI-O's sandbox without a parent", format!("/crio-{SANDBOX}"), "5555"),
        ("CRI-O's sandbox in a service", format!("/system.slice/crio.service/crio-{SANDBOX}"), "5555"),
        ("CRI-O, systemd", format!("{slice}/crio-{A}.scope"), "aaaa"),
        ("CRI-O with crun", format!("{slice}/crio-{A}.scope/container"), "aaaa"),
        ("cri-dockerd", format!("{slice}/docker-{A}.scope"), "aaaa"),
        ("cri-dockerd, cgroupfs", format!("{dir}/{A}"), "aaaa"),
        ("cri-dockerd without a parent", format!("/docker/{A}"), "aaaa"),
        ("Kata's machine is the pod's", format!("{dir}/kata_{SANDBOX}"), "5555"),
        ("a zombie's removed cgroup", format!("{dir}/{A} (deleted)"), "aaaa"),
        ("one that is gone", format!("{dir}/{DEAD}"), "dead"),
        // Everything below a container belongs to it.
        ("systemd within", format!("{dir}/{A}/init.scope"), "aaaa"),
        ("a service within", format!("{slice}/cri-containerd-{A}.scope/system.slice/x.service"), "aaaa"),
        ("Docker within", format!("{dir}/{A}/docker/{B}"), "aaaa"),
        ("Kubernetes within", format!("{dir}/{A}/kubelet/kubepods/burstable/pod{unknown_uid}/{B}"), "aaaa"),
        ("podman's monitor within", format!("{dir}/{A}/libpod-conmon-{B}.scope"), "aaaa"),
        ("a mount unit within", format!("{dir}/{A}/system.slice/x-{B}-rootfs.mount"), "aaaa"),
        // A node in a container of another engine.
        ("kind's node", format!("/docker/{B}/kubelet/kubepods/burstable/pod{UID}/{A}"), "aaaa"),
        ("kind's node itself", format!("/docker/{B}/init.scope"), "host"),
        // The pod.
        ("a pod's cgroup", dir.clone(), "5555"),
        ("a pod's slice", slice.clone(), "5555"),
        ("a static pod's", format!("/kubepods/burstable/pod{STATIC_UID}"), "5555"),
        ("something in a pod", format!("{dir}/helper"), "5555"),
        ("an unknown pod's", format!("/kubepods/burstable/pod{unknown_uid}"), "not yet"),
        // Never a container's.
        ("conmon in the pod", format!("{dir}/crio-conmon-{A}"), "host"),
        ("conmon's scope", format!("{slice}/crio-conmon-{A}.scope"), "host"),
        ("conmon beside all", format!("/system.slice/crio-conmon-{A}.scope"), "host"),
        ("podman's conmon", format!("/machine.slice/libpod-conmon-{A}.scope"), "host"),
        (
            "a rootfs",
            format!("/system.slice/run-containerd-io.containerd.runtime.v2.task-k8s.io-{A}-rootfs.mount"),
            "host",
        ),
        ("shared memory", format!(r"/system.slice/run-overlay\x2dcontainers-{A}-userdata-shm.mount"), "host"),
        // Containers that are not known yet.
        ("born below the kubelet", format!("{dir}/{B}"), "not yet"),
        ("born, systemd", format!("{slice}/cri-containerd-{B}.scope"), "not yet"),
        ("born, crun", format!("{slice}/crio-{B}.scope/container"), "not yet"),
        ("born without a parent", format!("/k8s.io/{B}"), "not yet"),
        ("born where containers were seen", format!("/lab/{B}/init.scope"), "not yet"),
        ("an unknown machine", format!("{dir}/kata_{B}"), "not yet"),
        // The host's, and those of other engines that have no CRI.
        ("Docker", format!("/docker/{B}"), "host"),
        ("Docker, systemd", format!("/system.slice/docker-{B}.scope"), "host"),
        ("podman", format!("/machine.slice/libpod-{B}.scope/container"), "host"),
        ("podman, split", format!("/user.slice/user-7.slice/x.service/libpod-payload-{B}"), "host"),
        ("podman's conmon, split", format!("/user.slice/user-7.slice/x.service/runtime/libpod-conmon-{A}"), "host"),
        ("another's parent", format!("/elsewhere/{B}"), "host"),
        ("a service", "/system.slice/sshd.service".into(), "host"),
        ("a shim", "/system.slice/containerd.service".into(), "host"),
        ("kubepods itself", "/kubepods/burstable".into(), "host"),
        ("kubepods' slice", "/kubepods.slice".into(), "host"),
        ("the root", "/".into(), "host"),
    ];
    let host = Host::new(node());
    for (number, (what, path, whose)) in table.iter().enumerate() {
        assert_eq!(said(Ok(host.snapshot.find_cgroup_path(path))), *whose, "{what}: {path}");
        for (kind, cgroups) in [
            ("v2", format!("0::{path}\n")),
            ("v1", format!("4:memory:{path}\n3:cpu,cpuacct:{path}\n1:name=systemd:{path}\n")),
            // The v2 line of a process that was exec'd names the engine's service; that of a root process, nothing.
            ("hybrid", format!("4:memory:{path}\n1:name=systemd:{path}\n0::/system.slice/containerd.service\n")),
            ("hybrid, none in v2", format!("4:memory:{path}\n1:name=systemd:{path}\n0::/\n")),
            ("hybrid, v2 alone", format!("4:memory:/\n1:name=systemd:/\n0::{path}\n")),
        ] {
            let pid = 1000 + number as i32;
            host.process(pid, 5000, &cgroups);
            for start in [0, 5000] {
                assert_eq!(host.pid(pid, start), *whose, "{what}, {kind}: {path}");
            }
            assert_eq!(host.pid(pid, 5001), "NoProcess", "{what}: another process has the pid");
        }
    }
}

/// An agent in a container of its own sees them so if the host's cgroups are not mounted: names above it are hidden.
#[test]
fn a_program_in_its_own_cgroup_namespace_finds_others_and_does_not_take_its_own_for_the_hosts() {
    let host = Host::new(node());
    let ns = host.root.path().join("proc/self/ns");
    fs::create_dir_all(&ns).unwrap();
    symlink("cgroup:[4026532999]", ns.join("cgroup")).unwrap();
    let rows: &[Row] = &[
        ("in another pod", format!("/../../pod{UID}/{A}"), "aaaa"),
        ("beside it", format!("/../{A}"), "aaaa"),
        ("with systemd", format!("/../../../x.slice/cri-containerd-{A}.scope/init.scope"), "aaaa"),
        ("crun's", format!("/../../crio-{A}.scope/container"), "aaaa"),
        ("a zombie", format!("/../{A} (deleted)"), "aaaa"),
        ("a pod's", format!("/../../pod{UID}"), "5555"),
        ("conmon", format!("/../crio-conmon-{A}.scope"), "host"),
        ("born", format!("/../../../../kubepods/besteffort/pod7/{B}"), "not yet"),
        ("a service", "/../../../../system.slice/sshd.service".into(), "host"),
        ("the root", "/../../../..".into(), "host"),
    ];
    for (what, path, whose) in rows {
        for cgroups in [format!("0::{path}\n"), format!("4:memory:{path}\n1:name=systemd:{path}\n")] {
            host.process(7, 1, &cgroups);
            assert_eq!(host.pid(7, 0), *whose, "{what}: {cgroups}");
        }
    }
    for own in ["/", "/x.scope"] {
        host.process(7, 1, &format!("0::{own}\n"));
        assert!(host.pid(7, 0).starts_with("Hidden"), "{own}");
    }
}

#[test]
fn trap_hierarchies_may_disagree_and_the_container_counts() {
    let host = Host::new(node());
    let lines = format!("9:memory:/kubepods/pod{UID}\n8:pids:/x/crio-{B}\n4:cpu:/k8s.io/{A}\n0::/crio-conmon-{A}\n");
    host.process(7, 1, &lines);
    assert_eq!(host.pid(7, 0), "aaaa");
    host.process(7, 1, &lines.replace(&format!("/k8s.io/{A}"), "/"));
    assert_eq!(host.pid(7, 0), "not yet", "an unknown container is more than its pod");
}

#[test]
fn the_first_process_is_found_in_memory_and_only_with_its_start() {
    let host = Host::new(node());
    // There is no /proc/100.
    assert_eq!(host.pid(100, 4711), "aaaa");
    assert_eq!(host.pid(100, 0), "NoProcess");
    assert_eq!(host.pid(100, 4712), "NoProcess");
    // A process of the host has the pid now.
    host.process(100, 9999, "0::/system.slice/sshd.service\n");
    assert_eq!((host.pid(100, 0), host.pid(100, 9999)), ("host".into(), "host".into()));
    assert_eq!(host.pid(100, 4711), "aaaa", "the one that began then was the container's");
    // Containers that have ended are not found by pid.
    assert_eq!(host.pid(95, 4705), "NoProcess");
    assert_eq!(host.pid(0, 0), "host", "the idle task");
    assert!(matches!(host.snapshot.find_pid(-1, 0), Err(Unproven::NoSuch(_))));
}

#[test]
fn a_cgroup_is_found_by_its_id_also_of_the_dead() {
    let host = Host::new(node());
    assert_eq!(said(host.snapshot.find_cgroup(9_000_001)), "aaaa");
    assert_eq!(said(host.snapshot.find_cgroup(9_000_000)), "dead");
    // No cgroup file system is mounted below this root, so nothing can be proven.
    assert!(matches!(host.snapshot.find_cgroup(1), Err(Unproven::Hidden(_))));
}

#[test]
fn a_namespace_is_found_while_somebody_runs_in_it() {
    let host = Host::new(told(Some(false)));
    let find = |kind, inode| match host.snapshot.find_namespace(kind, inode) {
        Ok((owner, sharing)) => format!("{} {sharing}", said(Ok(owner))),
        Err(why) => format!("{why:?}"),
    };
    assert_eq!(find(NamespaceKind::Net, 70), "5555 2", "what is shared is the pod's");
    assert_eq!(find(NamespaceKind::Mount, 71), "aaaa 1");
    assert_eq!(find(NamespaceKind::Pid, 72), "aaaa 1");
    assert_eq!(find(NamespaceKind::Mount, 70), "NoNamespace", "of another kind");
    assert_eq!(find(NamespaceKind::Mount, 60), "NoNamespace", "of the dead");
    assert_eq!(find(NamespaceKind::Pid, 0xEFFF_FFFC), "host 0", "a constant of the kernel");
}

#[test]
fn a_network_is_a_pods_only_where_that_is_proven() {
    let net = |snapshot: &Snapshot, inode| match snapshot.find_namespace(NamespaceKind::Net, inode) {
        Ok((owner, sharing)) => format!("{} {sharing}", said(Ok(owner))),
        Err(why) => format!("{:?}", why.status()),
    };
    let engine_in = |net| {
        let mut engine = Engine::default();
        engine.namespaces.net = net;
        engine
    };
    // The engine has not reported it: the pod may be in the host's network.
    assert_eq!(net(&Host::new(told(None)).snapshot, 70), format!("{CRI_E_UNSUPPORTED:?}"));
    assert_eq!(net(&Host::new(told(Some(false))).snapshot, 70), "5555 2");
    assert_eq!(net(&Host::new(told(Some(true))).snapshot, 70), "host 2");
    // The engine is in the node's network.
    let beside = |nodes| Host::new(told(None)).snapshot.on_the_node_of(&engine_in(nodes));
    assert_eq!((net(&beside(70), 70), net(&beside(7), 70)), ("host 2".into(), "5555 2".into()));
    assert_eq!((net(&beside(7), 7), net(&beside(7), 8)), ("host 0".into(), format!("{CRI_E_NOT_FOUND:?}")));
    // Process 1 may be looked at.
    let host = Host::new(told(None));
    let ns = host.root.path().join("proc/1/ns");
    fs::create_dir_all(&ns).unwrap();
    symlink("net:[70]", ns.join("net")).unwrap();
    assert_eq!((net(&host.snapshot, 70), net(&host.snapshot, 7)), ("host 2".into(), format!("{CRI_E_NOT_FOUND:?}")));
    // The network namespace that two pods share is the node's.
    let mut containers = told(None);
    containers[3].namespaces.net = 70;
    assert_eq!(net(&Host::new(containers).snapshot, 70), "host 3");
}

#[test]
fn what_pods_of_the_hosts_network_share_is_the_hosts() {
    let mut containers = told(Some(true));
    for c in &mut containers {
        (c.namespaces.net, c.namespaces.mnt) = (70, 80);
    }
    let host = Host::new(containers);
    assert!(matches!(host.snapshot.find_namespace(NamespaceKind::Net, 70), Ok((Owner::Host, 3))));
    assert!(matches!(host.snapshot.find_namespace(NamespaceKind::Mount, 80), Ok((Owner::Host, 3))));
}

#[test]
fn ids_of_any_form_and_selections_are_looked_up_too() {
    let web = pod("sandbox", UID);
    let host = Host::new(vec![container(&format!("{:0<64}", "c.1"), Kind::Container, &web), {
        let mut odd = container(A, Kind::Container, &web);
        (odd.id, odd.name) = ("tiny".into(), "odd".into());
        odd
    }]);
    host.process(7, 1, "0::/anywhere/cri-containerd-tiny.scope/x\n");
    assert_eq!(host.pid(7, 0), "odd");
    let query = crate::portfolio::Query::parse(Some(r#"{"name":"nobody"}"#)).unwrap();
    let none = host.snapshot.selection(&query);
    assert_eq!(said(none.find_pid(7, 0)), "host", "a selection knows what was selected");
    assert_eq!(said(host.snapshot.selection(&Default::default()).find_pid(7, 0)), "odd");
}

#[test]
fn a_snapshot_without_a_kernel_answers_from_memory_alone() {
    let snapshot = Snapshot::of(node(), |_| true);
    assert_eq!(said(snapshot.find_pid(100, 4711)), "aaaa");
    assert_eq!(said(snapshot.find_cgroup(9_000_001)), "aaaa");
    assert!(matches!(snapshot.find_pid(7, 0), Err(Unproven::Hidden(_))));
    assert!(matches!(snapshot.find_cgroup(7), Err(Unproven::Hidden(_))));
}

#[test]
fn names_are_found_as_a_search_finds_them() {
    let mut containers = node();
    for number in 0..50 {
        let mut of_job = container(&format!("{number:064x}"), Kind::Container, &pod(SANDBOX, UID));
        (of_job.name, of_job.attempt, of_job.state) = ("job".into(), number, State::Exited);
        containers.push(of_job);
    }
    let all: Vec<Arc<Container>> = containers.iter().cloned().map(Arc::new).collect();
    let snapshot = Snapshot::of(containers, |_| true);
    let texts =
        ["job", "shop/web/job", "shop/web", "web", "aaaa", A, &A[..10], "000000", "nobody", "", "cri-o://x", "a/b"];
    let with_scheme = format!("containerd://{A}");
    for text in texts.into_iter().chain([&*with_scheme]) {
        let searched = crate::portfolio::lookup(all.iter(), text).map(|c| c.id.clone());
        let found = snapshot.find(text).map(|c| c.id.clone());
        match (found, searched) {
            (Ok(found), Ok(searched)) => assert_eq!(found, searched, "{text}"),
            (Err(found), Err(searched)) => assert_eq!(found.status(), searched.status(), "{text}"),
            (found, searched) => panic!("{text}: {found:?}, and a search says {searched:?}"),
        }
    }
}

/// The documents name each status that a lookup may have, and no language is left out.
#[test]
fn every_status_stands_in_the_table() {
    let document = include_str!("../../../docs/lookups.md");
    let table: Vec<&str> = document.lines().filter(|line| line.starts_with("| `CRI_")).collect();
    let header = include_str!("../../ffi/lookup.rs");
    let errors = [
        Unproven::NoProcess,
        Unproven::NoCgroup,
        Unproven::NoNamespace,
        Unproven::NoSuch(""),
        Unproven::Forbidden(1, ""),
        Unproven::System(1),
        Unproven::Hidden(""),
    ];
    let notes = [CRI_OK, CRI_NONE, CRI_AGAIN];
    for status in errors.map(Unproven::status).into_iter().chain(notes) {
        let name = crate::error::status_name(status);
        let row = table.iter().find(|line| line.contains(&format!("`{name}`"))).unwrap_or_else(|| panic!("{name}"));
        assert!(row.trim_matches('|').split('|').all(|cell| !cell.trim().is_empty()), "{row}");
        assert!(header.contains(&format!("//! - {name}")) || header.contains(&format!("{name}:")), "{name}");
    }
}

/// Looks up this test's own process, on this machine's kernel.
#[test]
fn processes_of_this_host_are_the_hosts() {
    let kernel = Arc::new(Kernel::new(Path::new("/")));
    let snapshot = Snapshot::of(node(), |_| true).with_reader(kernel);
    let own = std::process::id() as i32;
    let answer = said(snapshot.find_pid(own, 0));
    // If the test runs in a pod, the process belongs to a container that this snapshot does not know.
    assert!(["host", "not yet"].contains(&&*answer) || answer.starts_with("Hidden"), "{answer}");
    assert_eq!(said(snapshot.find_pid(i32::MAX, 0)), "NoProcess");
}
