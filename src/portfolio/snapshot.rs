//! A copy of the whole cache at one moment. Readers hold it as long as they like.

use std::cmp::Ordering;
use std::sync::Arc;

use super::query::Query;
use super::{Portfolio, lookup};
use crate::error::Result;
use crate::model::json::PodWithContainers;
use crate::model::{Container, Id, Kind, Memo, Pod};

/// A copy of the cache at one moment. It never changes.
#[derive(Debug)]
pub struct Snapshot {
    generation: u64,
    entries: Vec<Entry>,
    /// The pods, by the ids of their sandboxes.
    pods: Vec<Arc<Pod>>,
    /// Whether this is a selection, which shows all of its containers and not only those that run.
    is_selection: bool,
    /// The C view, made at the first use.
    #[cfg_attr(not(feature = "capi"), allow(dead_code, reason = "only C has views"))]
    pub(crate) view: Memo,
}

#[derive(Debug, Clone)]
struct Entry {
    container: Arc<Container>,
    /// Whether the engine has it; otherwise it is only remembered.
    present: bool,
}

impl AsRef<Container> for Entry {
    fn as_ref(&self) -> &Container {
        &self.container
    }
}

impl Portfolio {
    /// A copy of the cache as it is now.
    pub fn snapshot(&self) -> Snapshot {
        let entries = self.entries.values().map(|e| Entry { container: e.record.clone(), present: e.present });
        Snapshot {
            generation: self.generation,
            entries: entries.collect(),
            pods: self.pods.values().map(|entry| entry.pod.clone()).collect(),
            is_selection: false,
            view: Memo::default(),
        }
    }
}

impl Snapshot {
    /// Sorts it: pods by their paths; in a pod the sandbox first, then the containers by name. This is a step of its
    /// own, so that the portfolio is not held for so long.
    pub fn sorted(mut self) -> Self {
        self.entries.sort_unstable_by(|a, b| order(&a.container, &b.container));
        self.pods.sort_unstable_by(|a, b| a.id.cmp(&b.id));
        self
    }

    /// The generation that it shows.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// The containers it shows: all that run; of a selection, all that were selected.
    pub fn containers(&self) -> impl Iterator<Item = &Arc<Container>> {
        let shows = |e: &&Entry| self.is_selection || (e.present && e.container.is_running());
        self.entries.iter().filter(shows).map(|e| &e.container)
    }

    /// A snapshot of what the query selects.
    pub fn selection(&self, query: &Query) -> Snapshot {
        let selected = self.entries.iter().filter(|e| query.selects(&e.container, e.present));
        Snapshot {
            generation: self.generation,
            entries: selected.cloned().collect(),
            pods: self.pods.clone(),
            is_selection: true,
            view: Memo::default(),
        }
    }

    /// The containers that the query selects.
    pub fn select(&self, query: &Query) -> impl Iterator<Item = &Arc<Container>> {
        self.entries.iter().filter(|e| query.selects(&e.container, e.present)).map(|e| &e.container)
    }

    /// The pods of these containers, in their order, each with its containers. A container without a known pod is left
    /// out.
    pub fn by_pod<'a>(&self, containers: impl Iterator<Item = &'a Arc<Container>>) -> Vec<PodWithContainers> {
        let mut pods: Vec<PodWithContainers> = Vec::new();
        for container in containers {
            let Some(pod) = &container.pod else {
                continue;
            };
            match pods.last_mut() {
                Some((last, members)) if last.id == pod.id => members.push(container.clone()),
                _ => pods.push((self.newest(pod).clone(), vec![container.clone()])),
            }
        }
        pods
    }

    /// The pods of what it shows.
    pub fn pods(&self) -> Vec<Arc<Pod>> {
        self.by_pod(self.containers()).into_iter().map(|(pod, _)| pod).collect()
    }

    /// The one container that this id or name means, also among the remembered.
    pub fn find(&self, id_or_name: &str) -> Result<&Arc<Container>> {
        let found = lookup(self.entries.iter(), id_or_name)?;
        let mut containers = self.entries.iter().map(|e| &e.container);
        Ok(containers.find(|c| std::ptr::eq(&***c, found)).expect("it was found among these"))
    }

    /// A container may show an older state of its pod.
    fn newest<'a>(&'a self, pod: &'a Arc<Pod>) -> &'a Arc<Pod> {
        self.pods.binary_search_by(|p| p.id.cmp(&pod.id)).map_or(pod, |at| &self.pods[at])
    }
}

fn order(a: &Container, b: &Container) -> Ordering {
    type Key<'a> = (&'a str, &'a str, Option<&'a Id>, bool, &'a str, u32, &'a Id);
    fn key(c: &Container) -> Key<'_> {
        let pod_id = c.pod.as_deref().map(|p| &p.id);
        (c.namespace(), c.pod_name(), pod_id, c.kind == Kind::Container, &c.name, c.attempt, &c.id)
    }
    key(a).cmp(&key(b))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::State;

    fn snapshot(paths: &[(&str, State, bool)]) -> Snapshot {
        let mut pods: Vec<Arc<Pod>> = Vec::new();
        let mut entries = Vec::new();
        for (number, (path, state, present)) in paths.iter().enumerate() {
            let parts: Vec<&str> = path.split('/').collect();
            let mut pod = Pod::new(format!("{:0<64}", parts[1]).into());
            (pod.namespace, pod.name) = (parts[0].into(), parts[1].into());
            let kind = if parts.len() == 3 { Kind::Container } else { Kind::Sandbox };
            let mut c = Container::new(format!("{number:064x}").into(), kind);
            (c.name, c.state, c.pod) = (parts[parts.len() - 1].into(), *state, Some(pod.clone().into()));
            entries.push(Entry { container: c.into(), present: *present });
            pod.attempt = 7;
            pods.push(pod.into());
        }
        pods.dedup_by(|a, b| a.id == b.id);
        Snapshot { generation: 3, entries, pods, is_selection: false, view: Memo::default() }.sorted()
    }

    fn paths<'a>(containers: impl Iterator<Item = &'a Arc<Container>>) -> Vec<String> {
        containers.map(|c| c.path()).collect()
    }

    #[test]
    fn it_shows_what_runs_and_finds_everything() {
        let all = snapshot(&[
            ("b/web/nginx", State::Running, true),
            ("b/web", State::Running, true),
            ("a/job/run", State::Exited, true),
            ("b/web/api", State::Running, true),
            ("a/old/app", State::Exited, false),
        ]);
        assert_eq!(paths(all.containers()), ["b/web", "b/web/api", "b/web/nginx"]);
        assert_eq!(all.find("a/old/app").unwrap().path(), "a/old/app");
        let pods = all.pods();
        assert_eq!((pods.len(), &*pods[0].name, pods[0].attempt), (1, "web", 7), "the newest version of the pod");
        let everything = Query::parse(Some(r#"{"all":true,"gone":true}"#)).unwrap();
        assert_eq!(paths(all.select(&everything)), ["a/job/run", "a/old/app", "b/web", "b/web/api", "b/web/nginx"]);
        let selection = all.selection(&Query::parse(Some(r#"{"states":["exited"],"gone":true}"#)).unwrap());
        assert_eq!(paths(selection.containers()), ["a/job/run", "a/old/app"]);
        assert_eq!((selection.generation(), selection.pods().len()), (3, 2));
        assert!(selection.find("nginx").is_err() && selection.find("a/old/app").is_ok());
        let grouped = all.by_pod(all.select(&everything));
        let sizes: Vec<_> = grouped.iter().map(|(pod, containers)| (&*pod.name, containers.len())).collect();
        assert_eq!(sizes, [("job", 1), ("old", 1), ("web", 3)]);
    }
}
