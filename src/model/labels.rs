//! Labels, annotations, and the reference's merged view of both.

use super::constants::*;
use super::{Container, Kind, Labels};

/// How labels and annotations are shown in JSON (option `labels.annotations`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum LabelView {
    /// The reference's view: one map, annotations under `io.kubernetes.annotation/`.
    #[default]
    Merged,
    /// `labels` and `annotations` apart, as the engine gives them.
    Separate,
}

impl LabelView {
    /// Annotations among the labels, or apart.
    pub fn new(merge_annotations: bool) -> Self {
        if merge_annotations { LabelView::Merged } else { LabelView::Separate }
    }
}

/// The reference's view: the engine's labels, the pod's and the container's names, and every annotation under
/// its prefix. What CRI says of names stands above a label of the same key.
pub fn merged(container: &Container) -> Labels {
    let mut all = Labels::new();
    for (key, value) in container.annotations.iter() {
        all.insert(format!("{CRI_ANNOTATION_KEY_PREFIX}{key}"), value.clone());
    }
    all.extend(container.labels.iter().map(|(key, value)| (key.clone(), value.clone())));
    if let Some(pod) = &container.pod {
        for (key, value) in
            [(CRI_LABEL_POD_NAME, &pod.name), (CRI_LABEL_POD_NAMESPACE, &pod.namespace), (CRI_LABEL_POD_UID, &pod.uid)]
        {
            all.insert(key.into(), value.to_string());
        }
    }
    match container.kind {
        Kind::Container => all.insert(CRI_LABEL_CONTAINER_NAME.into(), container.name.to_string()),
        Kind::Sandbox => all.insert(CRI_LABEL_SANDBOX.into(), String::new()),
    };
    all
}

/// The value of one label, as a selector sees it: the merged view, and behind it the labels of the pod, which stand at
/// the sandbox and not at its containers.
pub fn label<'a>(container: &'a Container, key: &str) -> Option<&'a str> {
    let pod = container.pod.as_deref();
    let reported = match (key, container.kind) {
        (CRI_LABEL_POD_NAME, _) => pod.map(|p| &*p.name),
        (CRI_LABEL_POD_NAMESPACE, _) => pod.map(|p| &*p.namespace),
        (CRI_LABEL_POD_UID, _) => pod.map(|p| &*p.uid),
        (CRI_LABEL_CONTAINER_NAME, Kind::Container) => Some(&*container.name),
        (CRI_LABEL_SANDBOX, Kind::Sandbox) => Some(""),
        _ => None,
    };
    let annotation = || container.annotations.get(key.strip_prefix(CRI_ANNOTATION_KEY_PREFIX)?);
    let of_the_pod = || pod.and_then(|p| p.labels.get(key));
    reported.or_else(|| container.labels.get(key).or_else(annotation).or_else(of_the_pod).map(String::as_str))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Pod;

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
        assert_eq!(all.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_selector_sees_what_the_merged_view_shows_and_the_pods_labels() {
        for kind in [Kind::Container, Kind::Sandbox] {
            let mut c = container(kind);
            for (key, value) in &merged(&c) {
                assert_eq!(label(&c, key), Some(value.as_str()), "{key}");
            }
            let mut pod = Pod::clone(c.pod.as_deref().unwrap());
            pod.labels = Labels::from([("app", "web"), ("tier", "db")].map(|(k, v)| (k.into(), v.into()))).into();
            c.pod = Some(pod.into());
            assert_eq!((label(&c, "app"), label(&c, "tier")), (Some("web"), Some("web")), "its own stands above");
            assert_eq!(label(&c, "nothing"), None);
        }
    }

    #[test]
    fn only_a_sandbox_is_marked_as_one() {
        let all = merged(&container(Kind::Sandbox));
        assert_eq!(all.get(CRI_LABEL_SANDBOX).map(String::as_str), Some(""));
        assert!(!all.contains_key(CRI_LABEL_CONTAINER_NAME));
        assert!(!merged(&container(Kind::Container)).contains_key(CRI_LABEL_SANDBOX));
    }
}
