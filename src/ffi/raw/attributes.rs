//! The attributes of a record, made from the record itself when they are first asked for, and kept with it.

use std::ffi::CStr;
use std::sync::Arc;

use safer_ffi::c_char;

use super::strings::Strings;
use super::view::{ContainerView, is_record};
use crate::ffi::{cri_container, cri_label, cri_pod};
use crate::model::attributes::{Schema, attributes};
use crate::model::{Container, Exit, Kind, Labels, Memo, Pod, State};

/// An array for C, and the strings that it points to.
struct AttributesView {
    array: Vec<cri_label>,
    _strings: Strings,
}

// SAFETY: the pointers point into the strings, which are here, and which nobody changes after `new`.
unsafe impl Send for AttributesView {}
// SAFETY: as above: shared access only reads.
unsafe impl Sync for AttributesView {}

/// The array and its length, valid as long as the record; `None` if this is no record.
pub(in crate::ffi) fn of(container: *const cri_container, schema: Schema) -> Option<(*const cri_label, usize)> {
    if !is_record(container) {
        return None;
    }
    // SAFETY: the record is the first field of a view that somebody holds: the header asks for that.
    let view = unsafe { &*container.cast::<ContainerView>() };
    let at = Schema::ALL.iter().position(|known| *known == schema)?;
    let attributes: &AttributesView = by_schema(view)[at].get_ref(|| {
        // SAFETY: the view keeps everything that its record points to.
        Arc::new(AttributesView::new(&unsafe { read(&*container) }, schema))
    });
    Some((attributes.array.as_ptr(), attributes.array.len()))
}

fn by_schema(view: &ContainerView) -> &[Memo; Schema::ALL.len()] {
    view.attributes.get_ref(Arc::default)
}

impl AttributesView {
    fn new(container: &Container, schema: Schema) -> AttributesView {
        let mut strings = Strings::default();
        let all = attributes(container, schema);
        let places: Vec<_> = all.iter().map(|(key, value)| (strings.add(key), strings.add(value))).collect();
        let label = |(key, value): &(_, _)| cri_label { key: strings.at(*key), value: strings.at(*value) };
        AttributesView { array: places.iter().map(label).collect(), _strings: strings }
    }
}

/// The facts of a record that attributes are made of.
///
/// # Safety
///
/// Everything that the record points to is there.
unsafe fn read(record: &cri_container) -> Container {
    let kind = if record.kind == Kind::Sandbox.number() { Kind::Sandbox } else { Kind::Container };
    // SAFETY: as the caller says.
    let (text, labels) = (|it| unsafe { text(it) }, |it, len| unsafe { labels(it, len) });
    let mut c = Container::new(text(record.id).into(), kind);
    c.name = text(record.name).into();
    let states = [State::Unknown, State::Created, State::Running, State::Exited];
    c.state = states.into_iter().find(|state| state.number() == record.state).unwrap_or_default();
    (c.attempt, c.pid) = (record.attempt, (record.pid > 0).then_some(record.pid));
    c.image.name = text(record.image).into();
    (c.image.reference, c.image.id) = (text(record.image_ref).into(), text(record.image_id).into());
    c.exit = Some(Exit { reason: text(record.reason).into(), ..Exit::default() });
    c.labels = labels(record.labels, record.labels_len);
    // SAFETY: as the caller says; NULL where the pod is not known.
    c.pod = unsafe { record.pod.as_ref().map(|pod| Arc::new(read_pod(pod))) };
    c
}

/// # Safety
///
/// As for `read`.
unsafe fn read_pod(record: &cri_pod) -> Pod {
    // SAFETY: as the caller says.
    let (text, labels) = (|it| unsafe { text(it) }, |it, len| unsafe { labels(it, len) });
    let mut pod = Pod::new(text(record.id).into());
    (pod.name, pod.namespace, pod.uid) =
        (text(record.name).into(), text(record.pod_namespace).into(), text(record.uid).into());
    // SAFETY: as the caller says.
    let ips = if record.ips_len == 0 { &[] } else { unsafe { std::slice::from_raw_parts(record.ips, record.ips_len) } };
    pod.ips = ips.iter().map(|ip| Arc::from(text(*ip))).collect();
    pod.labels = labels(record.labels, record.labels_len);
    pod.annotations = labels(record.annotations, record.annotations_len);
    pod
}

/// # Safety
///
/// A string of a record.
unsafe fn text<'a>(text: *const c_char) -> &'a str {
    // SAFETY: as the caller says: it ends in NUL.
    let text = unsafe { CStr::from_ptr(text.cast()) };
    text.to_str().expect("a record's strings were strings")
}

/// # Safety
///
/// The labels of a record.
unsafe fn labels(array: *const cri_label, len: usize) -> Arc<Labels> {
    // SAFETY: as the caller says.
    let all = if len == 0 { &[] } else { unsafe { std::slice::from_raw_parts(array, len) } };
    // SAFETY: as the caller says.
    let pair = |label: &cri_label| unsafe { (text(label.key), text(label.value)) };
    Arc::new(all.iter().map(pair).collect())
}
