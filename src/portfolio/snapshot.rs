//! The whole cache at one moment. Readers may hold it as long as they like.

use std::sync::atomic::AtomicPtr;
use std::sync::{Arc, OnceLock};

use super::index::{At, Basis, Entries, Entry, Index};
use super::lookup;
use super::lookup::{is_prefix, plain_id};
use super::owner::{HostReader, Lookup, Owner, Place, Unproven};
use super::query::Query;
use super::shown::{Pods, Shown};
#[cfg(test)]
use super::sorted::Sorted;
use crate::error::Result;
use crate::host::namespace::NamespaceKind;
use crate::model::json::PodWithContainers;
use crate::model::{Container, Engine, Memo, Namespaces, Pod};

/// The cache at one moment. It never changes, and shares with other snapshots what is the same in both.
#[derive(Debug)]
pub struct Snapshot {
    generation: u64,
    entries: Entries,
    pods: Pods,
    /// Whether this is a selection. A selection shows all of its containers, and not only those that run.
    is_selection: bool,
    /// The array of containers for C, made when it is first used.
    #[cfg_attr(not(feature = "capi"), allow(dead_code, reason = "only C has views"))]
    pub(crate) view: Memo,
    /// The array of pods for C, made when it is first used.
    #[cfg_attr(not(feature = "capi"), allow(dead_code, reason = "only C has views"))]
    pub(crate) pod_view: Memo,
    index: OnceLock<Index>,
    /// An older snapshot's index that this one may take over.
    basis: Option<Basis>,
    reader: Option<Arc<dyn HostReader>>,
    /// The engine's namespaces.
    node: Namespaces,
}

impl Snapshot {
    /// A snapshot of what readers see. Its cost does not depend on the number of containers.
    pub fn new(shown: Shown) -> Self {
        let Shown { generation, entries, pods } = shown;
        Snapshot {
            generation,
            entries,
            pods,
            is_selection: false,
            view: Memo::default(),
            pod_view: Memo::default(),
            index: OnceLock::new(),
            basis: None,
            reader: None,
            node: Namespaces::default(),
        }
    }

    /// The generation that it shows.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// The containers that it shows: all that run; of a selection, all that were selected.
    pub fn containers(&self) -> impl Iterator<Item = &Arc<Container>> {
        self.shown_of(self.entries.iter())
    }

    /// The containers that it shows, in portions. Generations share a portion while nothing in it changes. Each has a
    /// place for data derived from it.
    #[cfg_attr(not(feature = "capi"), allow(dead_code, reason = "only C has views"))]
    pub(crate) fn portions(&self) -> impl Iterator<Item = (&Memo, impl Iterator<Item = &Arc<Container>>)> {
        self.entries.leaves().map(|leaf| (&leaf.memo, self.shown_of(leaf.items().iter())))
    }

    fn shown_of<'a>(&self, entries: impl Iterator<Item = &'a Entry>) -> impl Iterator<Item = &'a Arc<Container>> {
        let shows_all = self.is_selection;
        entries.filter(move |e| shows_all || e.is_alive()).map(|e| &e.container)
    }

    /// A snapshot of what the query selects.
    pub fn selection(&self, query: &Query) -> Snapshot {
        let selected = self.entries.iter().filter(|e| query.selects(&e.container, e.present));
        let (entries, pods) = (Entries::of_sorted(selected.cloned()), self.pods.clone());
        let shown = Shown { generation: self.generation, entries, pods };
        Snapshot { is_selection: true, reader: self.reader.clone(), node: self.node, ..Snapshot::new(shown) }
    }

    /// The containers that the query selects.
    pub fn select(&self, query: &Query) -> impl Iterator<Item = &Arc<Container>> {
        self.entries.iter().filter(|e| query.selects(&e.container, e.present)).map(|e| &e.container)
    }

    /// The pods of these containers, in their order, each with its containers. Containers without a known pod are left
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

    /// The pods of the containers that it shows.
    pub fn pods(&self) -> Vec<Arc<Pod>> {
        self.by_pod(self.containers()).into_iter().map(|(pod, _)| pod).collect()
    }

    /// Finds the one container with this id or name, also among those that are only remembered. O(1) by id; by name,
    /// O(containers of that name); by a prefix of an id, O(all containers).
    pub fn find(&self, id_or_name: &str) -> Result<&Arc<Container>> {
        let (id, index) = (plain_id(id_or_name), self.index());
        if let Some(at) = index.id(id) {
            return Ok(index.container(at));
        }
        let mut named = index.named(id).peekable();
        let found = match named.peek() {
            None if is_prefix(id) => lookup(self.entries.iter(), id_or_name)?,
            _ => lookup(named, id_or_name)?,
        };
        Ok(index.container(index.id(&found.id).expect("it was found among these")))
    }

    /// Finds the owner of a v2 cgroup by its id, as eBPF's `bpf_get_current_cgroup_id` gives it. A container's own
    /// cgroup is found in memory, also after the container's end. Other ids cost one or two system calls, which need
    /// CAP_DAC_READ_SEARCH.
    pub fn find_cgroup(&self, id: u64) -> Result<Owner<'_>, Unproven> {
        self.place_of_cgroup(id).map(|place| self.owner(place))
    }

    /// Finds the owner of the process (or thread) with this pid. Given its start time, in clock ticks since boot, a
    /// container's first process is found in memory. All other processes, and every pid with a start time of 0, are
    /// found by the cgroup that the process is in now. Nothing is remembered by pid.
    pub fn find_pid(&self, pid: i32, start_ticks: u64) -> Result<Owner<'_>, Unproven> {
        self.place_of_pid(pid, start_ticks).map(|place| self.owner(place))
    }

    /// Finds the owner of a cgroup by its path, as /proc/PID/cgroup or the cgroup file system shows it. The deepest
    /// component that is a known container's counts. Works from memory.
    pub fn find_cgroup_path(&self, path: &str) -> Owner<'_> {
        self.owner(self.place_of_path(path))
    }

    /// Finds the owner of a namespace by its inode number, and how many running containers share it. Works from memory.
    /// Containers that have ended do not count, because the kernel may reuse the numbers at once.
    pub fn find_namespace(&self, kind: NamespaceKind, inode: u64) -> Result<(Owner<'_>, usize), Unproven> {
        self.place_of_namespace(kind, inode).map(|(place, sharing)| (self.owner(place), sharing))
    }

    pub(crate) fn place_of_cgroup(&self, id: u64) -> Result<Place, Unproven> {
        self.lookups().cgroup(id)
    }

    pub(crate) fn place_of_pid(&self, pid: i32, start_ticks: u64) -> Result<Place, Unproven> {
        self.lookups().pid(pid, start_ticks)
    }

    pub(crate) fn place_of_path(&self, path: &str) -> Place {
        self.lookups().path_alone(path)
    }

    pub(crate) fn place_of_namespace(&self, kind: NamespaceKind, inode: u64) -> Result<(Place, usize), Unproven> {
        self.lookups().namespace(kind, inode)
    }

    /// The container at a position of the index.
    pub(crate) fn container_at(&self, at: At) -> &Arc<Container> {
        self.index().container(at)
    }

    /// Where C's record of the container at a position is kept; null if nobody has asked for it yet.
    #[cfg_attr(not(feature = "capi"), allow(dead_code, reason = "only C keeps a record for each"))]
    #[inline]
    pub(crate) fn kept_at(&self, at: At) -> &AtomicPtr<()> {
        self.index().kept(at)
    }

    /// What is kept of the container whose own v2 cgroup has this id. Looks only at what the index has already; `None`
    /// means "look it up in full".
    #[cfg_attr(not(feature = "capi"), allow(dead_code, reason = "only C keeps a record for each"))]
    #[inline]
    pub(crate) fn known_cgroup(&self, id: u64) -> Option<&AtomicPtr<()>> {
        self.index.get()?.known(|numbers| numbers.cgroup(id))
    }

    /// As `known_cgroup`, by the pid and the start time of its first process.
    #[cfg_attr(not(feature = "capi"), allow(dead_code, reason = "only C keeps a record for each"))]
    #[inline]
    pub(crate) fn known_process(&self, pid: i32, start_ticks: u64) -> Option<&AtomicPtr<()>> {
        self.index.get()?.known(|numbers| numbers.process(pid, start_ticks))
    }

    fn owner(&self, place: Place) -> Owner<'_> {
        match place {
            Place::At(at) => Owner::Container(self.container_at(at)),
            Place::Host => Owner::Host,
            Place::NotYet(_) => Owner::NotYet,
        }
    }

    fn lookups(&self) -> Lookup<'_> {
        Lookup { index: self.index(), reader: self.reader.as_deref(), node: &self.node }
    }

    #[inline]
    fn index(&self) -> &Index {
        self.index.get_or_init(|| Index::new(&self.entries, self.basis.as_ref()))
    }

    /// Makes this the successor of another snapshot, whose index it takes over as far as nothing has changed.
    pub(crate) fn after(mut self, previous: &Snapshot) -> Self {
        self.basis = match previous.index.get() {
            Some(index) => Some(index.basis()),
            None => previous.basis.clone().and_then(Basis::after_idle_snapshot),
        };
        self
    }

    /// A snapshot of these containers. `present` says of each whether the engine has it.
    #[cfg(test)]
    pub(crate) fn of(
        containers: impl IntoIterator<Item = Container>,
        present: impl Fn(&Container) -> bool,
    ) -> Snapshot {
        let entry = |c: Container| Entry { present: present(&c), container: c.into() };
        let mut entries: Vec<Entry> = containers.into_iter().map(entry).collect();
        entries.sort_unstable_by(Sorted::order);
        Snapshot::new(Shown { entries: Entries::of_sorted(entries), ..Shown::default() })
    }

    /// All containers, in any state, in their order.
    #[cfg(test)]
    pub(crate) fn everything(&self) -> impl Iterator<Item = &Arc<Container>> {
        self.entries.iter().map(|e| &e.container)
    }

    /// Adds the reader that asks the kernel for what is not in memory.
    pub(crate) fn with_reader(mut self, reader: Arc<dyn HostReader>) -> Self {
        self.reader = Some(reader);
        self
    }

    /// Adds the namespaces in which the engine runs: to its pods, they are the node's.
    pub(crate) fn on_the_node_of(mut self, engine: &Engine) -> Self {
        self.node = engine.namespaces;
        self
    }

    /// The newest version of a pod. A container may hold an older one.
    fn newest<'a>(&'a self, pod: &'a Arc<Pod>) -> &'a Arc<Pod> {
        self.pods.get(&pod.id).unwrap_or(pod)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Kind, State};

    fn snapshot(paths: &[(&str, State, bool)]) -> Snapshot {
        let (mut pods, mut entries) = (Pods::default(), Vec::new());
        for (number, (path, state, present)) in paths.iter().enumerate() {
            let parts: Vec<&str> = path.split('/').collect();
            let mut pod = Pod::new(format!("{:0<64}", parts[1]).into());
            (pod.namespace, pod.name) = (parts[0].into(), parts[1].into());
            let kind = if parts.len() == 3 { Kind::Container } else { Kind::Sandbox };
            let mut c = Container::new(format!("{number:064x}").into(), kind);
            (c.name, c.state, c.pod) = (parts[parts.len() - 1].into(), *state, Some(pod.clone().into()));
            entries.push(Entry { container: c.into(), present: *present });
            pod.attempt = 7;
            pods.put(pod.into());
        }
        entries.sort_unstable_by(Sorted::order);
        Snapshot::new(Shown { generation: 3, entries: Entries::of_sorted(entries), pods })
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
