//! Finding one container by id or name.

use std::cmp::Ordering;

use crate::error::{CRI_E_AMBIGUOUS, CRI_E_INVALID_ARGUMENT, CRI_E_NOT_FOUND, Error, Result};
use crate::model::{Container, Kind, rfc3339};

/// The shortest prefix of an id that finds a container: shorter ones would match by chance.
const SHORTEST_PREFIX: usize = 6;
const WHOLE_ID: usize = 64;

/// The id in this text, if the text is a whole id in any form, so that no lookup is needed.
pub fn whole_id(text: &str) -> Option<&str> {
    let id = plain_id(text);
    (id.len() == WHOLE_ID && is_hex(id)).then_some(id)
}

/// An id as Kubernetes writes it (`containerd://<id>`, `cri-o://<id>`) without its scheme. Other texts stay as they are.
pub(super) fn plain_id(text: &str) -> &str {
    let is_scheme = |scheme: &str| !scheme.is_empty() && scheme.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
    text.split_once("://").filter(|(scheme, _)| is_scheme(scheme)).map_or(text, |(_, id)| id)
}

/// Whether the text can be the beginning of an id.
pub(super) fn is_prefix(text: &str) -> bool {
    text.len() >= SHORTEST_PREFIX && is_hex(text)
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

/// Finds the one container that `text` names. The first of these rules that finds any decides: whole id;
/// `namespace/pod/container` (of a sandbox `namespace/pod`); container name; a pod's name, for its sandbox; id prefix
/// of at least six hex digits. Of several attempts under one name, the running one is returned, otherwise the newest.
pub fn lookup<'a, C: AsRef<Container> + 'a>(
    among: impl Iterator<Item = &'a C> + Clone,
    text: &str,
) -> Result<&'a Container> {
    if text.is_empty() {
        return Err(Error::new(CRI_E_INVALID_ARGUMENT, "the id or name is empty"));
    }
    let text = plain_id(text);
    let all = among.map(AsRef::as_ref);
    if let Some(exact) = all.clone().find(|c| *c.id == *text) {
        return Ok(exact);
    }
    if text.contains('/') {
        return one_of(text, all.filter(|c| c.path() == text).collect());
    }
    for kind in [Kind::Container, Kind::Sandbox] {
        let named: Vec<_> = all.clone().filter(|c| c.kind == kind && *c.name == *text).collect();
        if !named.is_empty() {
            return one_of(text, named);
        }
    }
    if is_prefix(text) {
        let hits: Vec<_> = all.filter(|c| c.id.starts_with(text)).collect();
        return if hits.len() > 1 { Err(ambiguous(text, &hits)) } else { one_of(text, hits) };
    }
    one_of(text, Vec::new())
}

/// The best of the attempts that share one path. Containers with different paths make the text ambiguous.
fn one_of<'a>(text: &str, hits: Vec<&'a Container>) -> Result<&'a Container> {
    let Some(best) = hits.iter().copied().max_by(|a, b| preference(a, b)) else {
        return Err(Error::new(CRI_E_NOT_FOUND, format!("no container or pod has the id or name {text:?}")));
    };
    let same = |c: &&&Container| c.path() != best.path();
    let others_run = hits.iter().filter(same).any(|c| c.is_running());
    match hits.iter().find(same) {
        // If only one of the pods runs, that one is meant.
        Some(_) if others_run || !best.is_running() => Err(ambiguous(text, &hits)),
        _ => Ok(best),
    }
}

/// The order of preference: running first; then the newest pod of that name, because a StatefulSet makes a pod again
/// under its name; then the newest attempt in it.
fn preference(a: &Container, b: &Container) -> Ordering {
    let key = |c: &Container| {
        let pod = c.pod.as_deref().map(|p| (p.created_at, p.attempt));
        (c.is_running(), pod, c.attempt, c.created_at)
    };
    key(a).cmp(&key(b))
}

fn ambiguous(text: &str, hits: &[&Container]) -> Error {
    const SHOWN: usize = 10;
    let mut list: Vec<_> = hits.iter().map(|c| described(c)).collect();
    list.sort();
    let more = list.len().saturating_sub(SHOWN);
    list.truncate(SHOWN);
    let more = if more > 0 { format!(", and {more} more") } else { String::new() };
    let message =
        format!("{text:?} may mean any of: {}{more} (name one by namespace/pod/container or id)", list.join(", "));
    Error::new(CRI_E_AMBIGUOUS, message)
}

/// A container's id, path, state, pod uid and creation time, for a message that lists containers of one name.
fn described(c: &Container) -> String {
    let id: String = c.id.chars().take(13).collect();
    let uid = c.pod.as_deref().map_or("unknown", |p| &p.uid);
    let created = c.created_at.map_or_else(|| "at an unknown time".into(), rfc3339);
    format!("{id} {} ({}, pod uid {uid}, created {created})", c.path(), c.state.word())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::{Pod, State};

    fn container(id: &str, path: &str, attempt: u32, state: State) -> Arc<Container> {
        let parts: Vec<&str> = path.split('/').collect();
        let kind = if parts.len() == 3 { Kind::Container } else { Kind::Sandbox };
        let mut c = Container::new(format!("{id:0<64}").into(), kind);
        let mut pod = Pod::new("f".repeat(64).into());
        (pod.namespace, pod.name) = (parts[0].into(), parts[1].into());
        (c.pod, c.name) = (Some(pod.into()), parts[parts.len() - 1].into());
        (c.attempt, c.state) = (attempt, state);
        c.into()
    }

    fn node() -> Vec<Arc<Container>> {
        vec![
            container("aaaaaa1", "shop/web/app", 0, State::Exited),
            container("aaaaaa2", "shop/web/app", 1, State::Running),
            container("bbbbbb1", "shop/web/proxy", 0, State::Running),
            container("bbbbbb2", "test/web/proxy", 0, State::Running),
            container("cccccc1", "shop/web", 0, State::Running),
            container("dddddd1", "batch/job/job", 0, State::Exited),
            container("dddddd2", "batch/job/job", 1, State::Exited),
            container("eeeeee1", "old/db/cafe0123", 0, State::Exited),
            container("eeeeee2", "new/db/cafe0123", 0, State::Running),
        ]
    }

    fn find(text: &str) -> Result<String> {
        lookup(node().iter(), text).map(|c| c.id[..7].to_owned())
    }

    #[test]
    fn the_running_attempt_or_the_newest_is_meant() {
        assert_eq!(find("app").unwrap(), "aaaaaa2");
        assert_eq!(find("shop/web/app").unwrap(), "aaaaaa2");
        assert_eq!(find("batch/job/job").unwrap(), "dddddd2");
        assert_eq!(find(&node()[0].id).unwrap(), "aaaaaa1", "a whole id means just that");
    }

    #[test]
    fn of_pods_with_one_name_the_newest_is_meant() {
        let at = |id: &str, attempt, created| {
            let mut c = Container::clone(&container(id, "shop/web-0/app", attempt, State::Exited));
            let mut pod = Pod::clone(c.pod.as_deref().unwrap());
            (pod.created_at, pod.uid) = (Some(created), format!("uid-{created}").into());
            (c.pod, c.created_at) = (Some(pod.into()), Some(created));
            Arc::new(c)
        };
        let both = [at("aaaaaa1", 5, 100), at("aaaaaa2", 0, 200)];
        assert!(lookup(both.iter(), "shop/web-0/app").unwrap().id.starts_with("aaaaaa2"));
        assert!(lookup(both.iter(), "app").unwrap().id.starts_with("aaaaaa2"));
        let e = lookup(both.iter(), "aaaaaa").unwrap_err();
        assert!(e.message().contains("pod uid uid-200, created 1970-01-01T00:00:00.000000200Z"), "{e}");
    }

    #[test]
    fn an_id_may_have_the_form_that_kubernetes_writes() {
        let id = node()[0].id.clone();
        assert_eq!(find(&format!("containerd://{id}")).unwrap(), "aaaaaa1");
        assert_eq!(find("cri-o://aaaaaa2").unwrap(), "aaaaaa2");
        assert_eq!(whole_id(&format!("docker://{id}")), Some(&*id));
        assert_eq!((whole_id("shop/web/app"), whole_id("aaaaaa1")), (None, None));
    }

    #[test]
    fn sandboxes_are_found_by_their_pods_path_or_name_and_by_id() {
        assert_eq!(find("shop/web").unwrap(), "cccccc1");
        assert_eq!(find("cccccc1").unwrap(), "cccccc1");
        assert_eq!(find("web").unwrap(), "cccccc1");
        let twice = [node(), vec![container("ffffff1", "test/web", 0, State::Running)]].concat();
        assert_eq!(lookup(twice.iter(), "web").unwrap_err().status(), CRI_E_AMBIGUOUS);
        let same = [node(), vec![container("ffffff1", "x/app", 0, State::Running)]].concat();
        assert_eq!(
            lookup(same.iter(), "app").unwrap().path(),
            "shop/web/app",
            "a container's name comes before a pod's"
        );
    }

    #[test]
    fn names_stand_above_prefixes_and_ambiguity_is_an_error() {
        assert_eq!(find("cafe0123").unwrap(), "eeeeee2", "only one of the two pods' containers runs");
        let e = find("proxy").unwrap_err();
        assert_eq!(e.status(), CRI_E_AMBIGUOUS);
        assert!(e.message().contains("shop/web/proxy") && e.message().contains("test/web/proxy"), "{e}");
        assert_eq!(find("aaaaaa").unwrap_err().status(), CRI_E_AMBIGUOUS);
        assert_eq!(find("aaaaa").unwrap_err().status(), CRI_E_NOT_FOUND, "too short for a prefix");
        assert_eq!(find("").unwrap_err().status(), CRI_E_INVALID_ARGUMENT);
    }
}
