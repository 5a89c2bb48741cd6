//! The image of a container, and what its three names mean. Pure.

use std::hash::{Hash, Hasher};
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, LazyLock};

use super::Memo;

/// The image that a container was made from. Containers of one image share it; a change makes a copy.
#[derive(Debug, Clone, PartialEq)]
pub struct Image(Arc<ImageFields>);

/// The names of an image. Each has one meaning on every engine.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ImageFields {
    /// The name, as the pod's author wrote it.
    pub name: Arc<str>,
    /// The repository with the digest of the manifest: `docker.io/library/nginx@sha256:...`.
    pub reference: Arc<str>,
    /// The id: the digest of the image's configuration, `sha256:...`.
    pub id: Arc<str>,
    /// The C view, made when it is first used.
    #[cfg_attr(not(feature = "capi"), allow(dead_code, reason = "only C has views"))]
    pub(crate) view: Memo,
}

impl Eq for Image {}

impl Hash for Image {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (&self.name, &self.reference, &self.id).hash(state);
    }
}

impl Default for Image {
    fn default() -> Self {
        static NONE: LazyLock<Image> = LazyLock::new(|| {
            let none: Arc<str> = "".into();
            Image(Arc::new(ImageFields {
                name: none.clone(),
                reference: none.clone(),
                id: none,
                view: Memo::default(),
            }))
        });
        NONE.clone()
    }
}

impl Deref for Image {
    type Target = ImageFields;

    fn deref(&self) -> &ImageFields {
        &self.0
    }
}

impl DerefMut for Image {
    fn deref_mut(&mut self) -> &mut ImageFields {
        let fields = Arc::make_mut(&mut self.0);
        // The view shows the fields from before the change.
        fields.view = Memo::default();
        fields
    }
}

impl Image {
    /// Whether this is the only reference to it.
    pub(crate) fn is_unshared(&self) -> bool {
        Arc::strong_count(&self.0) == 1
    }

    /// The repository: the name without tag and digest, e.g. `docker.io/library/nginx`.
    pub fn repository(&self) -> &str {
        let source = if is_bare_digest(&self.name) || self.name.is_empty() { &self.reference } else { &self.name };
        split(source).0
    }

    /// The tag, e.g. `1.27`; "" where the name has none.
    pub fn tag(&self) -> &str {
        if is_bare_digest(&self.name) { "" } else { split(&self.name).1 }
    }

    /// The digest of the manifest: from the name if its author pinned it, otherwise from the reference; "" if unknown.
    pub fn digest(&self) -> &str {
        [&self.name, &self.reference].into_iter().find_map(|s| s.split_once('@')).map_or("", |(_, digest)| digest)
    }
}

/// Repository and tag of a name. A colon before the last slash belongs to the registry's port.
fn split(name: &str) -> (&str, &str) {
    let plain = name.split_once('@').map_or(name, |(plain, _)| plain);
    match plain.rsplit_once(':') {
        Some((repository, tag)) if !tag.contains('/') => (repository, tag),
        _ => (plain, ""),
    }
}

/// Whether this is a digest alone: `sha256:` and hex digits, or 64 hex digits.
pub fn is_bare_digest(text: &str) -> bool {
    let hex = text.split_once(':').map_or(text, |(_, hex)| hex);
    let is_hash = text.split_once(':').is_none_or(|(algorithm, _)| matches!(algorithm, "sha256" | "sha384" | "sha512"));
    is_hash && hex.len() >= 64 && hex.bytes().all(|b| b.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_apart() {
        let hash = "a1".repeat(32);
        for (name, reference, repository, tag, digest) in [
            ("nginx", String::new(), "nginx", "", String::new()),
            ("docker.io/library/nginx:1.27", String::new(), "docker.io/library/nginx", "1.27", String::new()),
            ("host:5000/app", String::new(), "host:5000/app", "", String::new()),
            (
                "host:5000/app:v2",
                format!("host:5000/app@sha256:{hash}"),
                "host:5000/app",
                "v2",
                format!("sha256:{hash}"),
            ),
            (&format!("a/b:c@sha256:{hash}"), String::new(), "a/b", "c", format!("sha256:{hash}")),
            (&format!("sha256:{hash}"), format!("a/b@sha256:{hash}"), "a/b", "", format!("sha256:{hash}")),
            ("", String::new(), "", "", String::new()),
        ] {
            let mut image = Image::default();
            (image.name, image.reference) = (name.into(), reference.into());
            assert_eq!((image.repository(), image.tag(), image.digest()), (repository, tag, &*digest), "{name}");
        }
    }

    #[test]
    fn a_digest_alone_is_no_name() {
        let hash = "0f".repeat(32);
        assert!(is_bare_digest(&hash) && is_bare_digest(&format!("sha256:{hash}")));
        for name in ["", "nginx", "sha256:short", &format!("app:{hash}"), &format!("a@sha256:{hash}")] {
            assert!(!is_bare_digest(name), "{name}");
        }
    }
}
