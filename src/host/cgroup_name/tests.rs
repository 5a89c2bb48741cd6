use super::*;

const A: &str = "72e0b85d6a1472e0b85d6a1472e0b85d6a1472e0b85d6a1472e0b85d6a14aaaa";
const B: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abbbbb";
const UID: &str = "5b0c2f1e-7c43-4a55-9d0a-3f3f4f1c2b11";
const STATIC_UID: &str = "0123456789abcdef0123456789abcdef";

/// The result of parsing a path, in the notation of the table below.
#[derive(Debug, PartialEq)]
struct Parsed {
    /// `C`, `M` (conmon), `U` (mount unit), `V` (virtual machine), each with `a` or `b`; `pod`, `parent`, `-`; deepest first.
    parts: String,
    uid: Option<String>,
    of_engine: bool,
    below_parent: bool,
}

fn parse(path: &str) -> Parsed {
    let name = CgroupName::new(path);
    let letter = |id: &str| {
        if id == A {
            "a"
        } else if id == B {
            "b"
        } else {
            "?"
        }
        .to_owned()
    };
    let mark = |part: Part<'_>| match part.role {
        Role::Container(id) => format!("C{}", letter(id)),
        Role::Conmon(id) => format!("M{}", letter(id)),
        Role::Mount(id) => format!("U{}", letter(id)),
        Role::Vm(id) => format!("V{}", letter(id)),
        Role::Pod => "pod".into(),
        Role::Parent => "parent".into(),
        Role::Other => "-".into(),
    };
    Parsed {
        parts: name.parts().map(mark).collect::<Vec<_>>().join(" "),
        uid: name.pod_uid().map(Cow::into_owned),
        of_engine: name.is_of_engine(),
        below_parent: name.is_below_kube_parent(),
    }
}

/// What it is, the path, and what [`parse`] has to find: parts, uid, whether it is an engine's, whether it is below a
/// kube parent.
type Row = (&'static str, String, &'static str, Option<&'static str>, bool, bool);

/// Every form that was measured, or that an engine or an agent's bug report documents.
#[test]
fn every_shape() {
    let u = UID.replace('-', "_");
    let (uid, fixed) = (Some(UID), Some(STATIC_UID));
    let dir = format!("/kubepods/burstable/pod{UID}");
    let slice = format!("/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{u}.slice");
    let table: &[Row] = &[
        // kubelet, cgroupfs driver.
        ("besteffort pod", format!("/kubepods/besteffort/pod{UID}"), "pod - parent", uid, false, true),
        ("guaranteed pod", format!("/kubepods/pod{UID}"), "pod parent", uid, false, true),
        ("static pod", format!("/kubepods/burstable/pod{STATIC_UID}"), "pod - parent", fixed, false, true),
        ("containerd, k3s", format!("{dir}/{A}"), "Ca pod - parent", uid, true, true),
        ("containerd without a parent", format!("/k8s.io/{A}"), "Ca parent", None, true, true),
        ("CRI-O", format!("{dir}/crio-{A}"), "Ca pod - parent", uid, true, true),
        ("CRI-O without a parent", format!("/crio/crio-{A}"), "Ca parent", None, true, true),
        ("CRI-O's sandbox without a parent", format!("/crio-{A}"), "Ca", None, true, false),
        ("CRI-O's sandbox, memory", format!("/system.slice/crio.service/crio-{A}"), "Ca - -", None, true, false),
        ("conmon", format!("{dir}/crio-conmon-{A}"), "Ma pod - parent", uid, false, true),
        ("Docker below kubelet", format!("{dir}/{A}"), "Ca pod - parent", uid, true, true),
        // kubelet, systemd driver.
        ("guaranteed slice", format!("/kubepods.slice/kubepods-pod{u}.slice"), "pod parent", uid, false, true),
        ("pod's slice", slice.clone(), "pod parent parent", uid, false, true),
        ("containerd's scope", format!("{slice}/cri-containerd-{A}.scope"), "Ca pod parent parent", uid, true, true),
        ("CRI-O's scope", format!("{slice}/crio-{A}.scope"), "Ca pod parent parent", uid, true, true),
        ("CRI-O with crun", format!("{slice}/crio-{A}.scope/container"), "- Ca pod parent parent", uid, true, true),
        ("Docker's scope", format!("{slice}/docker-{A}.scope"), "Ca pod parent parent", uid, true, true),
        ("conmon's scope", format!("{slice}/crio-conmon-{A}.scope"), "Ma pod parent parent", uid, false, true),
        ("conmon beside all", format!("/system.slice/crio-conmon-{A}.scope"), "Ma -", None, false, false),
        (
            "systemd kubelet, runc without systemd",
            format!("/system.slice/containerd.service/kubepods-besteffort-pod{u}.slice:cri-containerd:{A}"),
            "Ca - -",
            uid,
            true,
            false,
        ),
        (
            "kubelet's cgroup-root",
            format!("/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-pod{u}.slice/cri-containerd-{A}.scope"),
            "Ca pod parent -",
            uid,
            true,
            true,
        ),
        // Nested.
        (
            "kind's node in Docker",
            format!("/docker/{B}/kubelet/kubepods/burstable/pod{UID}/{A}"),
            "Ca pod - parent - Cb -",
            uid,
            true,
            true,
        ),
        ("kind's node itself", format!("/docker/{B}/init.scope"), "- Cb -", None, false, false),
        ("Docker in a container", format!("{dir}/{A}/docker/{B}"), "Cb - Ca pod - parent", uid, true, true),
        ("systemd in a container", format!("{dir}/{A}/system.slice/x.service"), "- - Ca pod - parent", uid, true, true),
        (
            "podman's in a container",
            format!("{dir}/{A}/libpod-conmon-{B}.scope"),
            "Mb Ca pod - parent",
            uid,
            true,
            true,
        ),
        // No kubelet.
        ("Docker", format!("/docker/{A}"), "Ca -", None, false, false),
        ("Docker, systemd", format!("/system.slice/docker-{A}.scope"), "Ca -", None, false, false),
        ("podman", format!("/machine.slice/libpod-{A}.scope/container"), "- Ca -", None, false, false),
        ("podman's conmon", format!("/machine.slice/libpod-conmon-{A}.scope"), "Ma -", None, false, false),
        ("podman's pod", format!("/machine.slice/machine-libpod_pod_{A}.slice"), "- -", None, false, false),
        ("bare", format!("/{A}"), "Ca", None, false, false),
        // Units of systemd that carry ids.
        (
            "rootfs",
            format!("/system.slice/run-containerd-io.containerd.runtime.v2.task-k8s.io-{A}-rootfs.mount"),
            "Ua -",
            None,
            false,
            false,
        ),
        (
            "shm",
            format!(r"/system.slice/run-containers-storage-overlay\x2dcontainers-{A}-userdata-shm.mount"),
            "Ua -",
            None,
            false,
            false,
        ),
        ("escaped dash", format!(r"/system.slice/var-lib-x\x2d{A}-shm.mount"), "Ua -", None, false, false),
        // Kata.
        ("kata's VMM", format!("{dir}/kata_{A}"), "Va pod - parent", uid, true, true),
        // Seen from a cgroup namespace.
        ("outside", format!("/../../pod{UID}/{A}/container"), "- Ca pod", uid, true, true),
        ("outside, host's root", "/../../../..".into(), "", None, false, false),
        // Removed while a zombie was in it.
        ("deleted", format!("{dir}/{A} (deleted)"), "Ca pod - parent", uid, true, true),
        // The host's own.
        ("host", "/system.slice/sshd.service".into(), "- -", None, false, false),
        ("kubelet", "/kubepods.slice".into(), "parent", None, false, false),
        ("root", "/".into(), "", None, false, false),
        ("nothing", String::new(), "", None, false, false),
    ];
    for (what, path, parts, uid, of_engine, below_parent) in table {
        let want = Parsed {
            parts: (*parts).into(),
            uid: uid.map(str::to_owned),
            of_engine: *of_engine,
            below_parent: *below_parent,
        };
        assert_eq!(parse(path), want, "{what}: {path}");
    }
}

#[test]
fn trap_paths_that_leave_the_namespace_are_no_paths() {
    for path in ["/..", "/../../x", "/../x (deleted)"] {
        assert!(CgroupName::new(path).is_outside(), "{path}");
    }
    for path in ["/", "/x", "/..x", "/x/..", ""] {
        assert!(!CgroupName::new(path).is_outside(), "{path}");
    }
}

#[test]
fn trap_deleted_is_no_part_of_the_name() {
    let text = format!("/k8s.io/{A} (deleted)");
    let gone = CgroupName::new(&text);
    assert!(gone.is_deleted());
    assert_eq!(gone.path(), format!("/k8s.io/{A}"));
    assert_eq!(gone.container(A), Some(gone.path()));
    assert!(!CgroupName::new("/k8s.io/x").is_deleted());
}

#[test]
fn trap_conmon_and_mount_units_carry_ids_and_are_not_the_container() {
    for path in [
        format!("/kubepods/pod{UID}/crio-conmon-{A}"),
        format!("/machine.slice/libpod-conmon-{A}.scope"),
        format!("/system.slice/run-k8s.io-{A}-rootfs.mount"),
        format!("/kubepods/kata_{A}"),
    ] {
        let name = CgroupName::new(&path);
        assert_eq!((name.container(A), name.containers().next()), (None, None), "{path}");
        assert_eq!(naming(&format!("0::{path}\n"), A), None);
    }
}

#[test]
fn trap_two_ids_in_one_path_the_deepest_comes_first_and_each_is_found() {
    let path = format!("/docker/{B}/kubepods/pod{UID}/{A}/init.scope");
    let name = CgroupName::new(&path);
    let inner = path.strip_suffix("/init.scope").unwrap();
    let outer = format!("/docker/{B}");
    assert_eq!(name.containers().collect::<Vec<_>>(), [(A, inner), (B, outer.as_str())]);
    assert_eq!(name.container(A), Some(inner));
    assert_eq!(name.container(B), Some(outer.as_str()));
}

#[test]
fn a_pod_is_a_pod_only_at_its_own_cgroup_and_kubepods_is_none() {
    assert!(CgroupName::new(&format!("/kubepods/pod{UID}")).is_pod());
    assert!(!CgroupName::new(&format!("/kubepods/pod{UID}/{A}")).is_pod());
    for path in ["/kubepods", "/kubepods.slice", "/podman", "/pods/x", "/x-pod.slice", "/pod12345678"] {
        let name = CgroupName::new(path);
        assert_eq!((name.is_pod(), name.pod_uid()), (false, None), "{path}");
    }
    // A pod in a pod: the deepest one is the container's.
    let inner = "11111111-2222-3333-4444-555555555555";
    let path = format!("/kubepods/pod{UID}/{A}/kubelet/kubepods/pod{inner}/{B}");
    assert_eq!(CgroupName::new(&path).pod_uid().as_deref(), Some(inner));
}

#[test]
fn the_whole_id_counts_also_where_it_has_not_64_digits() {
    let named = |path: &'static str, id: &str| CgroupName::new(path).container(id);
    assert_eq!(named("/k8s.io/cafe", "cafe"), Some("/k8s.io/cafe"));
    assert_eq!(named("/p/cri-containerd-cafe.scope/x", "cafe"), Some("/p/cri-containerd-cafe.scope"));
    assert_eq!(named("/p.slice:cri-containerd:cafe", "cafe"), Some("/p.slice:cri-containerd:cafe"));
    for (path, id) in [("/k8s.io/cafe", "afe"), ("/k8s.io/cafe", "caf"), ("/crio-conmon-cafe", "cafe"), ("/x", "")] {
        assert_eq!(named(path, id), None, "{id} in {path}");
    }
    let longer: &'static str = format!("/k8s.io/0{A}").leak();
    assert_eq!(named(longer, A), None, "65 digits are another id");
    assert_eq!(CgroupName::new(longer).containers().next(), None);
    let upper: &'static str = format!("/k8s.io/{}", A.to_uppercase()).leak();
    assert_eq!(CgroupName::new(upper).containers().next(), None, "no engine writes them so");
}

#[test]
fn a_cgroup_is_believed_only_when_it_names_the_whole_id() {
    let text = "12:memory:/k8s.io/aaaa\n1:name=systemd:/other\n0::/kubepods/cri-containerd-aaaa.scope\n";
    assert_eq!(naming(text, "aaaa").unwrap().path, "/kubepods/cri-containerd-aaaa.scope");
    assert!(naming(text, "aaaa").unwrap().line.is_v2());
    assert_eq!(naming("0::/crio-aaaa.scope/container", "aaaa").unwrap().path, "/crio-aaaa.scope");
    assert_eq!(naming("4:memory:/k8s.io/aaaa\n0::/\n", "aaaa").unwrap().line.controllers, "memory");
    assert_eq!(naming(text, "aaab"), None);
    assert_eq!(naming(text, ""), None);
    assert_eq!(naming("no line\n7\n", "aaaa"), None);
}

#[test]
fn the_first_process_of_a_container_is_not_in_a_container_within() {
    let own = format!("0::/k8s.io/{A}/init.scope\n");
    let within = format!("0::/k8s.io/{A}/docker/{B}\n");
    assert!(init_names(&own, A).is_some());
    assert!(naming(&within, A).is_some());
    assert_eq!(init_names(&within, A), None);
    assert!(init_names(&within, B).is_some());
}

#[test]
fn any_text_is_taken() {
    for path in ["x", "//", "/é", "/./..", ":", "é", &"é".repeat(40), &format!("/é{}", "a".repeat(63))] {
        assert_eq!(CgroupName::new(path).containers().next(), None, "{path}");
    }
}
