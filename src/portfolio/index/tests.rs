//! An index that took over another one gives the same answers as a search through all containers.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use proptest::prelude::*;

use super::super::sorted::Sorted;
use super::*;
use crate::model::{Kind, Pod, State};

/// The properties in which containers differ. They have few values, so that containers share them.
#[derive(Debug, Clone)]
struct Traits {
    is_sandbox: bool,
    runs: bool,
    present: bool,
    name: u8,
    pod: Option<u8>,
    pid: Option<u8>,
    cgroup: Option<u8>,
    net: u64,
    created_at: i64,
}

const IDS: u8 = 60;
const FEW_NUMBERS: u8 = 8;

fn traits() -> impl Strategy<Value = Traits> {
    let number = || proptest::option::of(0..FEW_NUMBERS);
    let states = (any::<bool>(), any::<bool>(), any::<bool>());
    (states, 0..4u8, proptest::option::of(0..5u8), number(), number(), 0..4u64, 0..3i64).prop_map(
        |((is_sandbox, runs, present), name, pod, pid, cgroup, net, created_at)| Traits {
            is_sandbox,
            runs,
            present,
            name,
            pod,
            pid,
            cgroup,
            net,
            created_at,
        },
    )
}

impl Traits {
    fn entry(&self, id: u8) -> Entry {
        let kind = if self.is_sandbox { Kind::Sandbox } else { Kind::Container };
        // A few ids are of an unusual form.
        let id = if id < 3 { format!("odd{id}") } else { format!("{id:064x}") };
        let mut c = Container::new(id.clone().into(), kind);
        c.name = format!("name{}", self.name).into();
        c.state = if self.runs { State::Running } else { State::Exited };
        c.pod = self.pod.map(|number| {
            let mut pod = Pod::new(format!("pod{number}").into());
            (pod.namespace, pod.name, pod.uid) = ("n".into(), "p".into(), format!("uid{}", number / 2).into());
            pod.into()
        });
        (c.pid, c.pid_start_ticks) = (self.pid.map(i32::from), self.pid.map(|_| 7));
        c.cgroup_id = self.cgroup.map(u64::from);
        c.cgroup_path = self.cgroup.map(|number| format!("/parent{}/{id}", number / 2).into());
        (c.namespaces.net, c.created_at) = (self.net, Some(self.created_at));
        Entry { container: c.into(), present: self.present }
    }
}

type All = BTreeMap<u8, Entry>;

fn sorted(all: &All) -> Entries {
    let mut entries: Vec<Entry> = all.values().cloned().collect();
    entries.sort_unstable_by(Sorted::order);
    Entries::of_sorted(entries)
}

/// Compares the index with a search.
fn check(index: &Index, all: &Entries) -> Result<(), TestCaseError> {
    let with = |has: &dyn Fn(&Entry) -> bool| all.iter().filter(|e| has(e)).cloned().collect::<Vec<_>>();
    let found = |at: Option<At>| at.map(|at| index.entry(at).clone());
    for entry in all.iter() {
        let c = &entry.container;
        let at = index.id(&c.id);
        prop_assert!(at.is_some_and(|at| Arc::ptr_eq(index.container(at), c)), "{}", c.id);
        prop_assert!(index.named(&c.name).any(|e| Arc::ptr_eq(&e.container, c)));
    }
    for id in (0..IDS).map(|id| format!("{id:064x}")) {
        prop_assert_eq!(index.id(&id).is_some(), all.iter().any(|e| *e.container.id == *id), "{}", id);
    }
    for name in (0..4).map(|number| format!("name{number}")) {
        let is_its = |e: &Entry| *e.container.name == *name;
        prop_assert_eq!(index.named(&name).filter(|e| is_its(e)).count(), with(&is_its).len(), "{}", name);
    }
    prop_assert_eq!(index.unusual_ids().count(), with(&|e| e.container.id.starts_with("odd")).len());
    for number in 0..FEW_NUMBERS {
        let its = with(&|e| e.container.cgroup_id == Some(number.into()));
        let best = its.iter().map(Entry::is_alive).max();
        prop_assert_eq!(found(index.cgroup(number.into())).map(|e| e.is_alive()), best, "cgroup {}", number);
        let its = with(&|e| e.container.pid == Some(number.into()) && e.is_alive());
        let at = found(index.process(number.into(), 7));
        prop_assert_eq!(at.is_some(), !its.is_empty());
        prop_assert!(at.is_none_or(|e| its.iter().any(|its| Arc::ptr_eq(&its.container, &e.container))));
        // What `known` finds at once is what a full lookup finds.
        let (id, pid) = (u64::from(number), i32::from(number));
        for (at, known) in [
            (index.cgroup(id), index.known(|numbers| numbers.cgroup(id))),
            (index.process(pid, 7), index.known(|numbers| numbers.process(pid, 7))),
        ] {
            prop_assert!(known.is_none_or(|known| at.is_some_and(|at| std::ptr::eq(known, index.kept(at)))));
        }
        let is_parent = all.iter().filter_map(|e| e.container.cgroup_path.as_deref());
        let is_parent = is_parent.filter(|path| path.starts_with(&format!("/parent{number}/"))).count() > 0;
        prop_assert_eq!(index.is_parent(&format!("/parent{number}")), is_parent);
    }
    for number in 0..3 {
        let uid = format!("uid{number}");
        let its = with(&|e| e.container.kind == Kind::Sandbox && parts::uid_of(e) == Some(&uid));
        let best = its.iter().map(|e| (e.is_alive(), e.container.created_at)).max();
        prop_assert_eq!(found(index.sandbox(&uid)).map(|e| (e.is_alive(), e.container.created_at)), best);
    }
    for net in 1..4 {
        let its = with(&|e| e.is_alive() && e.container.namespaces.net == net);
        let pods = its.iter().map(|e| e.container.pod.as_deref().map(|pod| &pod.id));
        let several = pods.collect::<std::collections::HashSet<_>>().len() > 1;
        let rank = |e: &&Entry| {
            let c = &e.container;
            (Reverse(c.kind != Kind::Sandbox), Reverse(c.created_at), Reverse(c.id.clone()))
        };
        let expected = its.iter().max_by_key(rank).map(|e| (e.container.id.clone(), its.len() as u32, several));
        let found = index.namespace(NamespaceKind::Net, net);
        let found = found.map(|s| (index.container(s.at).id.clone(), s.count, s.of_several_pods));
        prop_assert_eq!(found, expected, "net {}", net);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// Containers come, go and change, in steps of one to many.
    #[test]
    fn a_patched_index_answers_as_a_search_does(
        steps in prop::collection::vec(
            prop_oneof![
                4 => prop::collection::vec((0..IDS, proptest::option::weighted(0.8, traits())), 1..5),
                1 => prop::collection::vec((0..IDS, proptest::option::weighted(0.8, traits())), 40..60),
            ],
            1..12,
        )
    ) {
        let (mut all, mut basis) = (All::new(), None);
        for changes in steps {
            for (id, now) in changes {
                match now {
                    Some(traits) => drop(all.insert(id, traits.entry(id))),
                    None => drop(all.remove(&id)),
                }
            }
            let entries = sorted(&all);
            let index = Index::new(&entries, basis.as_ref());
            check(&index, &entries)?;
            basis = Some(index.basis());
        }
    }
}

fn node(count: usize) -> All {
    let traits = Traits {
        is_sandbox: false,
        runs: true,
        present: true,
        name: 0,
        pod: Some(1),
        pid: Some(1),
        cgroup: Some(1),
        net: 1,
        created_at: 0,
    };
    (0..count as u8).map(|id| (id, traits.entry(id))).collect()
}

#[test]
fn a_base_is_kept_while_little_changes_and_while_somebody_looks_up() {
    let mut all = node(200);
    let first = Index::new(&sorted(&all), None);
    assert!(first.patch.is_none());
    let same = Index::new(&sorted(&all), Some(&first.basis()));
    assert!(Arc::ptr_eq(&same.base, &first.base) && same.patch.is_none());
    all.remove(&5);
    let second = Index::new(&sorted(&all), Some(&first.basis()));
    assert!(Arc::ptr_eq(&second.base, &first.base));
    assert_eq!(second.patch.as_ref().map(|patch| patch.parts.entries.len()), Some(0), "one is gone, none is new");
    (10..50).for_each(|id| drop(all.remove(&id)));
    let third = Index::new(&sorted(&all), Some(&second.basis()));
    assert!(!Arc::ptr_eq(&third.base, &first.base) && third.patch.is_none());
    let mut basis = Some(third.basis());
    let snapshots = std::iter::from_fn(|| {
        basis = basis.take().and_then(Basis::after_idle_snapshot);
        basis.as_ref().map(|_| ())
    });
    assert_eq!(snapshots.count(), UNUSED as usize, "nobody looks anything up: it keeps no old containers in memory");
}

#[test]
fn what_was_found_before_is_known_at_once_until_it_changes() {
    let mut all = node(200);
    let first = Index::new(&sorted(&all), None);
    let its = |index: &Index| index.known(|numbers| numbers.process(1, 7)).map(std::ptr::from_ref);
    assert_eq!(its(&first), None, "nothing was built yet");
    let at = first.process(1, 7).expect("one runs");
    let kept = std::ptr::from_ref(first.kept(at));
    assert_eq!(its(&first), Some(kept));
    all.pop_last();
    let second = Index::new(&sorted(&all), Some(&first.basis()));
    assert_eq!(its(&second), None, "the new generation's own tables are not built yet");
    second.process(1, 7).expect("one runs");
    assert_eq!(its(&second), Some(kept), "another has changed");
    let changed = first.container(at).id.clone();
    all.retain(|_, entry| entry.container.id != changed);
    let third = Index::new(&sorted(&all), Some(&second.basis()));
    third.process(1, 7).expect("others run");
    assert_eq!(its(&third), None, "it is gone");
}
