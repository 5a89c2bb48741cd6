//! What a name in a script means. A pod is `POD` or `NS/POD`; a container is `CONTAINER`, `POD/CONTAINER` or
//! `NS/POD/CONTAINER`; both can be an id or its first characters. Of several attempts the newest is taken.

use crate::pb;
use crate::store::{Container, Sandbox, Store, full_id};

const MIN_PREFIX: usize = 6;

pub fn sandbox<'a>(store: &'a Store, name: &str) -> Option<&'a Sandbox> {
    let named = store.sandboxes.values().filter(|s| is_called(&pod_path(s), name)).max_by_key(|s| s.created_at);
    named.or_else(|| by_prefix(&store.sandboxes, name))
}

pub fn container<'a>(store: &'a Store, name: &str) -> Option<&'a Container> {
    let named = store
        .containers
        .values()
        .filter(|c| is_called(&container_path(store, c), name))
        .max_by_key(|c| c.status.created_at);
    named.or_else(|| by_prefix(&store.containers, name))
}

/// `NS/POD`
pub fn pod_path(s: &Sandbox) -> String {
    let none = pb::PodSandboxMetadata::default();
    let m = s.config.metadata.as_ref().unwrap_or(&none);
    format!("{}/{}", m.namespace, m.name)
}

/// `NS/POD/CONTAINER`
pub fn container_path(store: &Store, c: &Container) -> String {
    let pod = store.sandboxes.get(&c.sandbox_id).map(pod_path).unwrap_or_default();
    format!("{pod}/{}", c.config.metadata.as_ref().map_or("", |m| m.name.as_str()))
}

/// Whether the name is the whole path, or its end after a slash.
fn is_called(path: &str, name: &str) -> bool {
    path.strip_suffix(name).is_some_and(|before| before.is_empty() || before.ends_with('/'))
}

fn by_prefix<'a, T>(of: &'a std::collections::BTreeMap<String, T>, name: &str) -> Option<&'a T> {
    if name.len() < MIN_PREFIX { None } else { full_id(of, name).ok().map(|id| &of[&id]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_their_ends() {
        assert!(is_called("shop/web/app", "app"));
        assert!(is_called("shop/web/app", "web/app"));
        assert!(is_called("shop/web/app", "shop/web/app"));
        assert!(!is_called("shop/web/app", "pp"));
        assert!(!is_called("shop/web/app", "web"));
    }
}
