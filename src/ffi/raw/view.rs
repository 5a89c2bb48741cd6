//! Records of containers and pods, with the memory that their pointers point into. Built once for each version of a
//! container or pod, on first use, and kept with it.

use std::ffi::CStr;
use std::sync::Arc;

use safer_ffi::c_char;

use super::details::{DetailPlaces, Details, array, pointer, port_places, show_port};
use super::strings::{Strings, show_labels};
use crate::ffi::{cri_container, cri_label, cri_pod, cri_port};
use crate::model::{
    CRI_CONTAINER_FLAG_PRIVILEGED, CRI_CONTAINER_FLAG_UNPRIVILEGED, CRI_POD_FLAG_HOST_IPC, CRI_POD_FLAG_HOST_NETWORK,
    CRI_POD_FLAG_HOST_PID, CRI_POD_FLAG_NOT_STATIC, CRI_POD_FLAG_OWN_IPC, CRI_POD_FLAG_OWN_NETWORK,
    CRI_POD_FLAG_OWN_PID, CRI_POD_FLAG_STATIC, Container, Image, Labels, Memo, Pod,
};

/// The flag for a fact that is true or false; no flag while it is unknown.
fn either(fact: Option<bool>, is: u32, is_not: u32) -> u32 {
    match fact {
        Some(true) => is,
        Some(false) => is_not,
        None => 0,
    }
}

/// A pod's record, with a reference count: the holder of a reference may read it.
#[repr(C)]
pub(in crate::ffi) struct PodView {
    /// The first field: a pointer to the record is a pointer to this.
    record: cri_pod,
    _strings: Strings,
    _ips: Vec<*const c_char>,
    _ports: Vec<cri_port>,
    labels: Box<[cri_label]>,
    _annotations: Box<[cri_label]>,
    /// The texts that the labels and the annotations point to.
    _texts: [Arc<Labels>; 2],
}

// SAFETY: the pointers point into allocations that the view owns and that nobody changes after `new`.
unsafe impl Send for PodView {}
// SAFETY: as above: shared access only reads.
unsafe impl Sync for PodView {}

impl PodView {
    pub(super) fn of(pod: &Pod) -> Arc<PodView> {
        pod.view.get_or_init(|| Arc::new(PodView::new(pod)))
    }

    /// The record, as C holds it; it lives as long as any reference to the view.
    pub(super) fn record(view: &Arc<PodView>) -> *const cri_pod {
        Arc::as_ptr(view).cast()
    }

    fn new(pod: &Pod) -> PodView {
        let mut strings = Strings::default();
        let [id, name, namespace, uid] = [&pod.id, &pod.name, &pod.namespace, &pod.uid].map(|s| strings.add(s));
        let cgroup_path = strings.add(pod.cgroup_path.as_deref().unwrap_or_default());
        let runtime_handler = strings.add(&pod.runtime_handler);
        let ips: Vec<_> = pod.ips.iter().map(|ip| strings.add(ip)).collect();
        let ports: Vec<_> = pod.ports.iter().map(|port| port_places(port, &mut strings)).collect();

        strings.shrink();
        let ips: Vec<_> = ips.into_iter().map(|ip| strings.at(ip)).collect();
        let shown = pod.ports.iter().zip(ports).map(|(port, places)| show_port(port, places, &strings));
        let ports: Vec<_> = shown.collect();
        let (labels, annotations) = (show_labels(&pod.labels), show_labels(&pod.annotations));
        let record = cri_pod {
            struct_size: size_of::<cri_pod>(),
            id: strings.at(id),
            name: strings.at(name),
            pod_namespace: strings.at(namespace),
            uid: strings.at(uid),
            attempt: pod.attempt,
            state: pod.state.number(),
            flags: pod_flags(pod),
            ips_len: ips.len(),
            ips: array(&ips),
            labels_len: labels.len(),
            annotations_len: annotations.len(),
            labels: array(&labels),
            annotations: array(&annotations),
            cgroup_path: strings.at(cgroup_path),
            created_unix_nano: pod.created_at.unwrap_or(0),
            runtime_handler: strings.at(runtime_handler),
            net_namespace: pod.net_namespace,
            ports_len: ports.len(),
            ports: array(&ports),
        };
        let _texts = [pod.labels.clone(), pod.annotations.clone()];
        PodView { record, _strings: strings, _ips: ips, _ports: ports, labels, _annotations: annotations, _texts }
    }
}

fn pod_flags(pod: &Pod) -> u32 {
    either(pod.host_network, CRI_POD_FLAG_HOST_NETWORK, CRI_POD_FLAG_OWN_NETWORK)
        | either(pod.host_pid, CRI_POD_FLAG_HOST_PID, CRI_POD_FLAG_OWN_PID)
        | either(pod.host_ipc, CRI_POD_FLAG_HOST_IPC, CRI_POD_FLAG_OWN_IPC)
        | either(pod.static_pod, CRI_POD_FLAG_STATIC, CRI_POD_FLAG_NOT_STATIC)
}

/// The texts of an image. All containers of the image show the same.
struct ImageView {
    _strings: Strings,
    /// Name, reference, id, repository, tag, digest.
    texts: [*const c_char; 6],
}

// SAFETY: the pointers point into strings that the view owns and that nobody changes.
unsafe impl Send for ImageView {}
// SAFETY: as above: shared access only reads.
unsafe impl Sync for ImageView {}

impl ImageView {
    fn of(image: &Image) -> Arc<ImageView> {
        image.view.get_or_init(|| {
            let mut strings = Strings::default();
            let parts = [&image.name, &image.reference, &image.id, image.repository(), image.tag(), image.digest()];
            let places = parts.map(|part| strings.add(part));
            let texts = places.map(|place| strings.at(place));
            Arc::new(ImageView { _strings: strings, texts })
        })
    }
}

/// A container's record, with a reference count: the holder of a reference may read it.
#[repr(C)]
pub(in crate::ffi) struct ContainerView {
    /// The first field: a pointer to the record is a pointer to this.
    record: cri_container,
    _pod: Option<Arc<PodView>>,
    _image: Arc<ImageView>,
    _strings: Strings,
    labels: Box<[cri_label]>,
    _annotations: Box<[cri_label]>,
    /// The texts that the labels and the annotations point to.
    _texts: [Arc<Labels>; 2],
    _details: Option<Arc<Details>>,
    /// The attributes by the position of the schema. Each is made by the first call, because few programs ask for them.
    pub(super) attributes: Memo,
}

// SAFETY: the pointers point into allocations that the view owns and that nobody changes after `new`.
unsafe impl Send for ContainerView {}
// SAFETY: as above: shared access only reads.
unsafe impl Sync for ContainerView {}

impl ContainerView {
    pub(super) fn of(container: &Container) -> Arc<ContainerView> {
        container.view.get_or_init(|| Arc::new(ContainerView::new(container)))
    }

    /// The record, as C holds it; valid as long as any reference to the view.
    pub(super) fn record(view: &Arc<ContainerView>) -> *const cri_container {
        Arc::as_ptr(view).cast()
    }

    fn new(c: &Container) -> ContainerView {
        let pod = c.pod.as_deref().map(PodView::of);
        let mut strings = Strings::default();
        let [id, name] = [&c.id, &c.name].map(|s| strings.add(s));
        let image = ImageView::of(&c.image);
        let [log_path, working_dir] = [&c.spec.log_path, &c.spec.working_dir].map(|s| strings.add(s));
        let reason = strings.add(c.exit.as_ref().map_or("", |e| &e.reason));
        let message = strings.add(c.exit.as_ref().map_or("", |e| &e.message));
        let cgroup_path = strings.add(c.cgroup_path.as_deref().unwrap_or_default());
        let rucksack = strings.add(c.rucksack.as_ref().map_or("", |json| json.as_str()));
        let details = DetailPlaces::of(c, &mut strings);

        strings.shrink();
        let [image_name, image_ref, image_id, image_repository, image_tag, image_digest] = image.texts;
        let details = details.map(|places| places.resolve(c, &strings));
        let (known, empty): (Option<&Details>, &[*const c_char]) = (details.as_deref(), &[]);
        let (command, args) = known.map_or((empty, empty), |d| (&d.command, &d.args));
        let mounts = known.map_or(&[][..], |d| &d.mounts);
        let (labels, annotations) = (show_labels(&c.labels), show_labels(&c.annotations));
        let record = cri_container {
            struct_size: size_of::<cri_container>(),
            kind: c.kind.number(),
            state: c.state.number(),
            flags: c.flags | either(c.spec.privileged, CRI_CONTAINER_FLAG_PRIVILEGED, CRI_CONTAINER_FLAG_UNPRIVILEGED),
            attempt: c.attempt,
            id: strings.at(id),
            name: strings.at(name),
            pod: pod.as_ref().map_or(std::ptr::null(), PodView::record),
            // Not -1: a program that does not check would call kill(-1), which means every process.
            pid: c.pid.unwrap_or(0),
            exit_code: c.exit.as_ref().and_then(|e| e.code).unwrap_or(-1),
            pid_start_ticks: c.pid_start_ticks.unwrap_or(0),
            missing: c.missing,
            image: image_name,
            image_ref,
            image_id,
            reason: strings.at(reason),
            message: strings.at(message),
            cgroup_path: strings.at(cgroup_path),
            created_unix_nano: c.created_at.unwrap_or(0),
            started_unix_nano: c.started_at.unwrap_or(0),
            finished_unix_nano: c.finished_at.unwrap_or(0),
            labels_len: labels.len(),
            annotations_len: annotations.len(),
            labels: array(&labels),
            annotations: array(&annotations),
            rucksack: strings.at(rucksack),
            engine_pid: c.engine_pid.unwrap_or(0),
            cgroup_id: c.cgroup_id.unwrap_or(0),
            namespaces: pointer(known.and_then(|d| d.namespaces.as_ref())),
            image_repository,
            image_tag,
            image_digest,
            log_path: strings.at(log_path),
            command_len: command.len(),
            command: array(command),
            args_len: args.len(),
            args: array(args),
            working_dir: strings.at(working_dir),
            user: pointer(known.and_then(|d| d.user.as_ref())),
            mounts_len: mounts.len(),
            mounts: array(mounts),
            resources: pointer(known.and_then(|d| d.resources.as_ref())),
            previous: pointer(known.and_then(|d| d.previous.as_deref())),
        };
        ContainerView {
            record,
            _pod: pod,
            _image: image,
            _strings: strings,
            labels,
            _annotations: annotations,
            _texts: [c.labels.clone(), c.annotations.clone()],
            _details: details,
            attributes: Memo::default(),
        }
    }
}

/// A record that C reads, and the view behind it.
///
/// # Safety
///
/// The record is the first field of the view, which is `repr(C)`; C gets records from an `Arc` of the view alone; and no
/// other struct of the header has the record's size.
pub(in crate::ffi) unsafe trait Record: Sized {
    /// The view, which owns the record's memory.
    type View;
    /// The labels of the record, sorted by key.
    fn labels(view: &Self::View) -> &[cri_label];
}

// SAFETY: see the fields of PodView and `PodView::record`.
unsafe impl Record for cri_pod {
    type View = PodView;
    fn labels(view: &PodView) -> &[cri_label] {
        &view.labels
    }
}

// SAFETY: see the fields of ContainerView and `ContainerView::record`.
unsafe impl Record for cri_container {
    type View = ContainerView;
    fn labels(view: &ContainerView) -> &[cri_label] {
        &view.labels
    }
}

/// Whether this is a pointer to such a record. False for NULL, and for another object of this library.
pub(super) fn is_record<R: Record>(record: *const R) -> bool {
    // SAFETY: points to an object of ours: all of them begin with a number.
    !record.is_null() && (unsafe { record.cast::<usize>().read() }) == size_of::<R>()
}

/// Takes one more reference to a record. NULL does nothing.
pub(in crate::ffi) fn retain<R: Record>(record: *const R) -> *const R {
    if !is_record(record) {
        return std::ptr::null();
    }
    // SAFETY: from an `Arc` of the view, and still referred to by somebody: the header asks for that.
    unsafe { Arc::increment_strong_count(record.cast::<R::View>()) };
    record
}

/// Releases one reference that `retain` has taken. NULL does nothing.
pub(in crate::ffi) fn release<R: Record>(record: *const R) {
    if is_record(record) {
        // SAFETY: as above; each reference is given back once: the header asks for that.
        unsafe { Arc::decrement_strong_count(record.cast::<R::View>()) };
    }
}

/// The value of a record's own label, valid as long as the record; NULL if it has no such label.
pub(in crate::ffi) fn label<R: Record>(record: *const R, key: &[u8]) -> *const c_char {
    if !is_record(record) {
        return std::ptr::null();
    }
    // SAFETY: as above; the reference ends with this function.
    let labels = R::labels(unsafe { &*record.cast::<R::View>() });
    // SAFETY: a label's key ends in NUL, and is the view's.
    let key_of = |label: &cri_label| unsafe { CStr::from_ptr(label.key.cast()) }.to_bytes();
    let at = labels.partition_point(|label| key_of(label) < key);
    labels.get(at).filter(|label| key_of(label) == key).map_or(std::ptr::null(), |label| label.value)
}

#[cfg(test)]
mod tests {
    use std::ffi::CStr;

    use super::*;
    use crate::model::{
        CRI_CONTAINER_FLAG_LABELS_CUT, CRI_MOUNT_FLAG_READ_ONLY, Kind, Mount, Port, Previous, Resources, Spec, User,
    };

    fn read(text: *const c_char) -> String {
        // SAFETY: the tests read records whose strings end in NUL.
        unsafe { CStr::from_ptr(text.cast()) }.to_str().unwrap().to_owned()
    }

    fn container() -> Container {
        let mut pod = Pod::new("p".repeat(64).into());
        (pod.name, pod.namespace) = ("web-1".into(), "shop".into());
        pod.cgroup_path = Some("/kubepods/pod7".into());
        (pod.host_network, pod.created_at, pod.runtime_handler) = (Some(false), Some(5), "kata".into());
        pod.ips = vec![Arc::from("10.0.0.7"), Arc::from("fd00::7")].into();
        (pod.host_pid, pod.static_pod, pod.net_namespace) = (Some(true), Some(false), 11);
        pod.ports = [Port {
            container: "nginx".into(),
            name: "".into(),
            container_port: 80,
            host_port: 0,
            protocol: "TCP".into(),
        }]
        .into();
        let mut c = Container::new("c".repeat(64).into(), Kind::Container);
        c.name = "nginx".into();
        (c.pod, c.engine_pid) = (Some(pod.into()), Some(7));
        c.labels = Arc::new([("b", ""), ("a", "1")].into());
        c
    }

    #[test]
    fn a_record_shows_the_container_and_its_pod() {
        let view = ContainerView::of(&container());
        let c = view.record;
        assert_eq!(c.struct_size, size_of::<cri_container>());
        assert_eq!((read(c.id), read(c.name), read(c.reason)), ("c".repeat(64), "nginx".into(), "".into()));
        assert_eq!((c.pid, c.engine_pid, c.exit_code), (0, 7, -1));
        // SAFETY: the view keeps its pod and its labels alive.
        let (pod, labels) = unsafe { (&*c.pod, std::slice::from_raw_parts(c.labels, c.labels_len)) };
        let labels: Vec<_> = labels.iter().map(|l| (read(l.key), read(l.value))).collect();
        assert_eq!(labels, [("a".into(), "1".into()), ("b".into(), "".to_string())]);
        assert_eq!(
            (read(pod.name), read(pod.pod_namespace), read(pod.cgroup_path)),
            ("web-1".into(), "shop".into(), "/kubepods/pod7".into())
        );
        let flags = CRI_POD_FLAG_OWN_NETWORK | CRI_POD_FLAG_HOST_PID | CRI_POD_FLAG_NOT_STATIC;
        assert_eq!((pod.flags, pod.created_unix_nano, pod.net_namespace), (flags, 5, 11));
        assert_eq!(read(pod.runtime_handler), "kata");
        // SAFETY: as above, for the pod's addresses.
        let ips = unsafe { std::slice::from_raw_parts(pod.ips, pod.ips_len) };
        assert_eq!(ips.iter().map(|ip| read(*ip)).collect::<Vec<_>>(), ["10.0.0.7", "fd00::7"]);
        // SAFETY: as above, for the pod's ports.
        let ports = unsafe { std::slice::from_raw_parts(pod.ports, pod.ports_len) };
        let shown =
            ports.iter().map(|p| (read(p.container), read(p.name), read(p.protocol), p.container_port, p.host_port));
        assert_eq!(shown.collect::<Vec<_>>(), [("nginx".into(), "".into(), "TCP".into(), 80, 0)]);
    }

    #[test]
    fn what_is_unknown_is_null_zero_or_empty() {
        let view = ContainerView::of(&Container::new("c".into(), Kind::Container));
        let c = view.record;
        assert!(c.namespaces.is_null() && c.user.is_null() && c.resources.is_null() && c.previous.is_null());
        assert_eq!((c.command_len, c.args_len, c.mounts_len, c.flags, c.cgroup_id), (0, 0, 0, 0, 0));
        for text in [c.image_repository, c.image_tag, c.image_digest, c.log_path, c.working_dir] {
            assert_eq!(read(text), "");
        }
    }

    #[test]
    fn a_record_shows_how_the_container_was_made() {
        let mut c = container();
        c.image.name = "host:5000/app:v2".into();
        c.image.reference = "host:5000/app@sha256:00".into();
        (c.flags, c.cgroup_id, c.namespaces.net) = (CRI_CONTAINER_FLAG_LABELS_CUT, Some(9), 11);
        let mut spec = Spec::default();
        (spec.log_path, spec.working_dir, spec.privileged) = ("/log".into(), "/srv".into(), Some(true));
        (spec.command, spec.args) = ([Arc::from("run")].into(), [Arc::from("-v"), Arc::from("")].into());
        spec.user = Some(User { uid: 7, gid: 8, groups: [9, 10].into() });
        spec.mounts = [Mount { container_path: "/in".into(), host_path: "/out".into(), read_only: true }].into();
        spec.resources =
            Some(Resources { cpuset_cpus: "0-3".into(), memory_limit: Some(4096), ..Resources::default() });
        c.spec = spec.into();
        c.previous = Some(Previous { exit_code: None, reason: "OOMKilled".into(), finished_at: Some(3) }.into());

        let view = ContainerView::of(&c);
        let shown = view.record;
        assert_eq!(shown.flags, CRI_CONTAINER_FLAG_LABELS_CUT | CRI_CONTAINER_FLAG_PRIVILEGED);
        let image = [shown.image_repository, shown.image_tag, shown.image_digest].map(read);
        assert_eq!(image, ["host:5000/app", "v2", "sha256:00"]);
        assert_eq!([shown.log_path, shown.working_dir].map(read), ["/log", "/srv"]);
        // SAFETY: the view keeps what its pointers show, and the lengths are those of the arrays.
        unsafe {
            let words = |at, len| std::slice::from_raw_parts(at, len).iter().map(|w| read(*w)).collect::<Vec<_>>();
            assert_eq!(words(shown.command, shown.command_len), ["run"]);
            assert_eq!(words(shown.args, shown.args_len), ["-v", ""]);
            let (user, limits, previous) = (&*shown.user, &*shown.resources, &*shown.previous);
            assert_eq!((user.uid, user.gid), (7, 8));
            assert_eq!(std::slice::from_raw_parts(user.groups, user.groups_len), [9, 10]);
            let mount = &std::slice::from_raw_parts(shown.mounts, shown.mounts_len)[0];
            assert_eq!([mount.container_path, mount.host_path].map(read), ["/in", "/out"]);
            assert_eq!(mount.flags, CRI_MOUNT_FLAG_READ_ONLY);
            assert_eq!((read(limits.cpuset_cpus), read(limits.cpuset_mems)), ("0-3".into(), "".into()));
            assert_eq!((limits.memory_limit, limits.cpu_quota, limits.oom_score_adj), (4096, 0, i32::MIN));
            assert_eq!(
                (previous.exit_code, read(previous.reason), previous.finished_unix_nano),
                (-1, "OOMKilled".into(), 3)
            );
            assert_eq!(((*shown.namespaces).net, (*shown.namespaces).mnt, shown.cgroup_id), (11, 0, 9));
        }
    }

    #[test]
    fn a_kept_record_outlives_its_container() {
        let c = container();
        let kept = retain(ContainerView::record(&ContainerView::of(&c)));
        drop(c);
        // SAFETY: `retain` keeps the record, and with it its pod.
        unsafe { assert_eq!((read((*kept).name), read((*(*kept).pod).name)), ("nginx".into(), "web-1".into())) };
        release(kept);
        release(retain::<cri_container>(std::ptr::null()));
    }

    #[test]
    fn a_kept_pod_outlives_its_container() {
        let c = container();
        let kept = retain(ContainerView::of(&c).record.pod);
        drop(c);
        // SAFETY: `retain` keeps the record.
        unsafe { assert_eq!(read((*kept).name), "web-1") };
        release(kept);
        release(retain::<cri_pod>(std::ptr::null()));
    }

    #[test]
    fn a_label_is_found_by_its_key() {
        let c = container();
        let record = ContainerView::record(&ContainerView::of(&c));
        assert_eq!(read(label(record, b"a")), "1");
        assert_eq!(read(label(record, b"b")), "");
        for absent in ["", "A", "aa", "c"] {
            assert!(label(record, absent.as_bytes()).is_null(), "{absent}");
        }
        assert!(label::<cri_pod>(std::ptr::null(), b"a").is_null());
    }

    #[test]
    fn one_version_has_one_record_and_containers_share_their_pods() {
        let one = container();
        assert!(Arc::ptr_eq(&ContainerView::of(&one), &ContainerView::of(&one)));
        let two = one.clone();
        let (first, second) = (ContainerView::of(&one), ContainerView::of(&two));
        assert!(!Arc::ptr_eq(&first, &second), "a clone is another version");
        assert_eq!(first.record.pod, second.record.pod);
    }
}
