//! Labels, annotations, and the reference's merged view of both.

use std::borrow::Cow;
use std::sync::Arc;

use super::constants::*;
use super::{Container, Kind, Labels, Pod};

/// How labels and annotations are shown in JSON (option `labels.annotations`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum LabelView {
    /// The reference's view: one map, annotations under `io.kubernetes.annotation/`.
    #[default]
    Merged,
    /// `labels` and `annotations` separately, as the engine gives them.
    Separate,
}

/// The label keys that identify a container. Their values come only from CRI's own fields: a pod's author can write any
/// label, and so could make a container look like another one.
const OWN_KEYS: [&str; 5] =
    [CRI_LABEL_POD_NAME, CRI_LABEL_POD_NAMESPACE, CRI_LABEL_POD_UID, CRI_LABEL_CONTAINER_NAME, CRI_LABEL_SANDBOX];

/// CRI's value for one of these keys; `None` where it does not apply or is not known.
fn own_value<'a>(container: &'a Container, key: &str) -> Option<&'a str> {
    let pod = container.pod.as_deref();
    match (key, container.kind) {
        (CRI_LABEL_POD_NAME, _) => pod.map(|p| &*p.name),
        (CRI_LABEL_POD_NAMESPACE, _) => pod.map(|p| &*p.namespace),
        (CRI_LABEL_POD_UID, _) => pod.map(|p| &*p.uid),
        (CRI_LABEL_CONTAINER_NAME, Kind::Container) => Some(&*container.name),
        (CRI_LABEL_SANDBOX, Kind::Sandbox) => Some(""),
        _ => None,
    }
}

/// Whether the engine's value of this key may stay while CRI's is not known: the kubelet also writes the names of the
/// pod, and the pod may become known later.
fn is_pending(container: &Container, key: &str) -> bool {
    container.pod.is_none() && matches!(key, CRI_LABEL_POD_NAME | CRI_LABEL_POD_NAMESPACE | CRI_LABEL_POD_UID)
}

/// The container's labels, with CRI's values for the own keys: a wrong value is replaced, and one that does not apply
/// is removed.
pub(crate) fn with_own_keys(container: &Container) -> Arc<Labels> {
    let is_wrong = |key: &&str| match container.labels.get(key) {
        Some(value) => own_value(container, key) != Some(value) && !is_pending(container, key),
        None => false,
    };
    if !OWN_KEYS.iter().any(&is_wrong) {
        return container.labels.clone();
    }
    let right = |(key, value)| match OWN_KEYS.iter().any(|own| *own == key && is_wrong(own)) {
        true => Some((key, own_value(container, key)?)),
        false => Some((key, value)),
    };
    Arc::new(container.labels.iter().filter_map(right).collect())
}

/// The pod's labels, with CRI's values for the own keys.
pub(crate) fn pod_with_own_keys(pod: &Pod) -> Arc<Labels> {
    if !OWN_KEYS.iter().any(|key| pod.labels.contains_key(key)) {
        return pod.labels.clone();
    }
    let mut sandbox = Container::new(pod.id.clone(), Kind::Sandbox);
    sandbox.labels = pod.labels.clone();
    sandbox.pod = Some(Arc::new(pod.clone()));
    let labels = with_own_keys(&sandbox);
    if !labels.contains_key(CRI_LABEL_SANDBOX) {
        return labels;
    }
    // This label marks a container as the sandbox, and is not the pod's.
    Arc::new(labels.iter().filter(|(key, _)| *key != CRI_LABEL_SANDBOX).collect())
}

/// The reference's view: the engine's labels, the names of the pod and the container from CRI, and every annotation
/// under its prefix. A label cannot imitate an annotation.
pub fn merged(container: &Container) -> Labels {
    let own = |key: &str| OWN_KEYS.contains(&key) && !is_pending(container, key);
    let is_plain = |key: &str| !own(key) && !key.starts_with(CRI_ANNOTATION_KEY_PREFIX);
    let labels = container.labels.iter().filter(|(key, _)| is_plain(key));
    let labels = labels.map(|(key, value)| (Cow::Borrowed(key), value));
    let annotations = container.annotations.iter();
    let annotations = annotations.map(|(key, value)| (format!("{CRI_ANNOTATION_KEY_PREFIX}{key}").into(), value));
    let own = OWN_KEYS.iter().filter_map(|key| Some(((*key).into(), own_value(container, key)?)));
    labels.chain(annotations).chain(own).collect()
}

/// The value of one label for a selector: from the merged view, otherwise from the labels of the pod, which only the
/// sandbox repeats.
pub fn label<'a>(container: &'a Container, key: &str) -> Option<&'a str> {
    if OWN_KEYS.contains(&key) && !is_pending(container, key) {
        return own_value(container, key);
    }
    if let Some(annotation) = key.strip_prefix(CRI_ANNOTATION_KEY_PREFIX) {
        return container.annotations.get(annotation);
    }
    let of_the_pod = || container.pod.as_ref().and_then(|p| p.labels.get(key));
    container.labels.get(key).or_else(of_the_pod)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn container(kind: Kind) -> Container {
        let mut c = Container::new("c1".into(), kind);
        c.name = "app".into();
        c.labels = [("tier".to_string(), "web".to_string())].into_iter().collect::<Labels>().into();
        c.annotations = [("note".to_string(), "hi".to_string())].into_iter().collect::<Labels>().into();
        let mut pod = Pod::new("p1".into());
        (pod.name, pod.namespace, pod.uid) = ("web-1".into(), "shop".into(), "u-1".into());
        c.pod = Some(pod.into());
        c
    }

    #[test]
    fn a_container_has_the_references_keys() {
        let all = merged(&container(Kind::Container));
        let expected = [
            ("io.kubernetes.annotation/note", "hi"),
            ("io.kubernetes.container.name", "app"),
            ("io.kubernetes.pod.name", "web-1"),
            ("io.kubernetes.pod.namespace", "shop"),
            ("io.kubernetes.pod.uid", "u-1"),
            ("tier", "web"),
        ];
        assert_eq!(all.iter().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_selector_sees_what_the_merged_view_shows_and_the_pods_labels() {
        for kind in [Kind::Container, Kind::Sandbox] {
            let mut c = container(kind);
            for (key, value) in merged(&c).iter() {
                assert_eq!(label(&c, key), Some(value), "{key}");
            }
            let mut pod = Pod::clone(c.pod.as_deref().unwrap());
            pod.labels = Labels::from([("app", "web"), ("tier", "db")]).into();
            c.pod = Some(pod.into());
            assert_eq!((label(&c, "app"), label(&c, "tier")), (Some("web"), Some("web")), "its own wins");
            assert_eq!(label(&c, "nothing"), None);
        }
    }

    #[test]
    fn only_a_sandbox_is_marked_as_one() {
        let all = merged(&container(Kind::Sandbox));
        assert_eq!(all.get(CRI_LABEL_SANDBOX), Some(""));
        assert!(!all.contains_key(CRI_LABEL_CONTAINER_NAME));
        assert!(!merged(&container(Kind::Container)).contains_key(CRI_LABEL_SANDBOX));
    }

    /// Labels with which a pod or container pretends to be something else.
    fn forged() -> Arc<Labels> {
        let claims = OWN_KEYS.map(|key| (key.to_owned(), "forged".to_owned()));
        let annotation = (format!("{CRI_ANNOTATION_KEY_PREFIX}note"), "forged".to_owned());
        Arc::new(Labels::from_iter(claims.into_iter().chain([annotation, ("tier".to_owned(), "web".to_owned())])))
    }

    #[test]
    fn a_label_makes_no_container_look_like_another_one() {
        for kind in [Kind::Container, Kind::Sandbox] {
            let honest = container(kind);
            let mut c = honest.clone();
            c.labels = forged();
            c.labels = with_own_keys(&c);
            assert_eq!(merged(&c), merged(&honest));
            for key in OWN_KEYS {
                assert_eq!(label(&c, key), label(&honest, key), "{key}");
                assert!(c.labels.get(key).is_none_or(|value| Some(value) == label(&honest, key)), "{key}");
            }
            assert_eq!(label(&c, "io.kubernetes.annotation/note"), Some("hi"));
        }
    }

    #[test]
    fn nor_does_a_label_of_its_pod() {
        let mut c = container(Kind::Container);
        let mut pod = Pod::clone(c.pod.as_deref().unwrap());
        pod.labels = forged();
        pod.labels = pod_with_own_keys(&pod);
        assert_eq!(&pod.labels[CRI_LABEL_POD_NAME], "web-1");
        assert!(!pod.labels.contains_key(CRI_LABEL_CONTAINER_NAME));
        c.pod = Some(pod.into());
        assert_eq!(label(&c, CRI_LABEL_SANDBOX), None);
        assert_eq!(label(&c, CRI_LABEL_CONTAINER_NAME), Some("app"));
    }

    #[test]
    fn while_the_pod_is_unknown_the_engines_labels_stand() {
        let mut c = container(Kind::Container);
        c.pod = None;
        c.labels = Arc::new(Labels::from([(CRI_LABEL_POD_NAME.to_owned(), "web-1".to_owned())]));
        let kept = Container { labels: with_own_keys(&c), ..c.clone() };
        assert_eq!((label(&kept, CRI_LABEL_POD_NAME), kept.labels.len()), (Some("web-1"), 1));
    }
}
