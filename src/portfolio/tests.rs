//! Tests of each rule; sync::tests has them against random schedules.

use super::*;
use crate::cri::{EngineEvent, EventKind, Listing};

const T0: Time = 1_700_000_000_000_000_000;

/// A portfolio, and a clock that advances with every input.
struct Scene {
    portfolio: Portfolio,
    now: Now,
    /// Whether opt-in events are shown, too.
    with_opt_in: bool,
}

impl Scene {
    fn after_first_list(listing: Listing) -> Self {
        let mut it =
            Scene { portfolio: Portfolio::new(&Config::default()), now: Now { mono: 0, wall: T0 }, with_opt_in: false };
        it.list(listing);
        it
    }

    fn wait(&mut self, millis: Millis) -> Vec<String> {
        self.now.mono += millis;
        self.now.wall += millis as Time * 1_000_000;
        self.portfolio.pass(self.now);
        self.reports()
    }

    fn list(&mut self, listing: Listing) -> Vec<String> {
        let begun = self.portfolio.list_begins();
        self.portfolio.listed(begun, self.now.wall, listing, self.now);
        self.reports()
    }

    fn event(&mut self, kind: EventKind, id: &str, containers: &[Observation]) -> Vec<String> {
        self.now.wall += 1000;
        let event = EngineEvent {
            id: id.into(),
            kind: Some(kind),
            created_at: Some(self.now.wall),
            containers: containers.to_vec(),
            ..EngineEvent::about(id.into())
        };
        self.portfolio.event(event, self.now);
        self.reports()
    }

    /// Answers all requests that are due, and those about the pod as long as it is ready.
    fn answer(&mut self, with: impl Fn(&str) -> Option<Observation>) -> Vec<String> {
        for request in self.portfolio.requests(usize::MAX, self.now) {
            let answer = if &*request.id == "pod" { Some(pod()) } else { with(&request.id) };
            self.portfolio.answered::<()>(&request, Ok(answer), self.now);
        }
        self.reports()
    }

    /// Checks that readers see all records, in order.
    fn shows_all(&self) {
        let shown: Vec<_> = Snapshot::new(self.portfolio.shown().clone()).everything().cloned().collect();
        let mut all: Vec<_> = self.portfolio.containers().cloned().collect();
        let key = |c: &Container| {
            (c.pod_name().to_owned(), c.kind == Kind::Container, c.name.clone(), c.attempt, c.id.clone())
        };
        all.sort_by_key(|c| (c.namespace().to_owned(), key(c)));
        assert!(
            shown.len() == all.len() && shown.iter().zip(&all).all(|(a, b)| Arc::ptr_eq(a, b)),
            "{shown:?} {all:?}"
        );
    }

    fn reports(&mut self) -> Vec<String> {
        let flags = |bits: u32| EVENT_FLAGS.iter().filter(move |f| bits & f.value != 0);
        let line = |reported: &super::Report| {
            let flags: String =
                flags(reported.flags).map(|f| format!(" {}", &f.name["CRI_EVENT_FLAG_".len()..])).collect();
            format!("{:?} {}{flags}", reported.event_type, reported.container.id)
        };
        self.portfolio.commit();
        self.shows_all();
        let reported = self.portfolio.take_reports();
        reported
            .iter()
            .filter(|reported| self.with_opt_in || reported.event_type.mask() & DEFAULT_MASK != 0)
            .map(line)
            .collect()
    }
}

fn listed(id: &str, state: State) -> Observation {
    Observation { state, pod_id: Some("pod".into()), ..Observation::of(id.into(), Kind::Container) }
}

fn running(id: &str, started_at: Time) -> Observation {
    let details = Details { pid: Some(7), pid_start_ticks: Some(1), ..Details::default() };
    Observation { is_status: true, started_at: Some(started_at), details: Some(details), ..listed(id, State::Running) }
}

fn exited(id: &str, started_at: Time, code: i32) -> Observation {
    let reason = if code == 0 { "Completed" } else { "Error" };
    Observation {
        is_status: true,
        started_at: Some(started_at),
        finished_at: Some(started_at + 5),
        exit: Some(Exit { code: Some(code), reason: reason.into(), message: "".into() }),
        ..listed(id, State::Exited)
    }
}

fn pod() -> Observation {
    let pod = Pod { name: "web".into(), ..Pod::new("pod".into()) };
    let details = Details { pid: Some(3), ..Details::default() };
    Observation { state: State::Running, details: Some(details), ..Observation::of("pod".into(), Kind::Sandbox) }
        .with_pod(pod)
}

fn list(containers: &[Observation]) -> Listing {
    Listing { sandboxes: vec![pod()], containers: containers.to_vec(), ..Listing::default() }
}

#[test]
fn the_first_list_reports_nothing_and_fills_the_cache() {
    let mut it = Scene::after_first_list(list(&[listed("a", State::Running), listed("b", State::Exited)]));
    assert!(it.reports().is_empty());
    assert_eq!(it.portfolio.runs().len(), 2);
    assert!(!it.portfolio.is_settled(), "pids are asked for");
    it.answer(|id| (id == "a").then(|| running(id, T0 - 9)));
    let a = it.portfolio.get("a").unwrap();
    assert_eq!((a.pid, a.missing, a.pod.is_some()), (Some(7), 0, true));
}

#[test]
fn the_first_process_that_is_seen_gives_its_pods_cgroup() {
    let sandbox = Pod { name: "web".into(), uid: "5b0c-2f1e".into(), ..Pod::new("pod".into()) };
    let sandboxes = vec![Observation { details: None, ..pod() }.with_pod(sandbox)];
    let containers = vec![listed("a", State::Running), listed("b", State::Running)];
    let mut it = Scene::after_first_list(Listing { sandboxes, containers, ..Listing::default() });
    let pods = |it: &Scene, id: &str| it.portfolio.get(id).unwrap().pod.as_ref().unwrap().cgroup_path.clone();
    assert_eq!(pods(&it, "a"), None);
    let seen = |id: &str, path: &str| {
        let mut observation = running(id, T0 - 9);
        observation.details.as_mut().unwrap().cgroup_path = Some(path.into());
        Some(observation)
    };
    it.answer(|id| if id == "a" { seen(id, "/kubepods/pod5b0c-2f1e/a") } else { seen(id, "/elsewhere/b") });
    for id in ["a", "b", "pod"] {
        assert_eq!(pods(&it, id).as_deref(), Some("/kubepods/pod5b0c-2f1e"), "{id}");
    }
    // Lists say nothing about cgroups, and clear none.
    it.list(list(&[listed("a", State::Running), listed("b", State::Running)]));
    assert_eq!(pods(&it, "a").as_deref(), Some("/kubepods/pod5b0c-2f1e"));
}

#[test]
fn a_start_waits_for_one_attempt_at_the_pid_or_a_fifth_of_a_second() {
    let mut it = Scene::after_first_list(list(&[]));
    let mut observation = running("a", T0 + 5);
    observation.details = None;
    assert!(it.event(EventKind::Started, "a", &[observation.clone()]).is_empty());
    assert_eq!(it.answer(|_| Some(running("a", T0 + 5))), ["Started a"]);
    observation.id = "b".into();
    assert!(it.event(EventKind::Started, "b", &[observation]).is_empty());
    assert!(it.wait(199).is_empty());
    assert_eq!(it.wait(1), ["Started b"]);
    assert_eq!(it.portfolio.get("b").unwrap().missing & CRI_MISSING_PID, CRI_MISSING_PID);
    assert_eq!(it.answer(|id| Some(running(id, T0 + 5))), ["Updated b"]);
}

#[test]
fn a_short_run_is_reported_whole_whatever_is_observed_first() {
    let mut it = Scene::after_first_list(list(&[]));
    let end = exited("a", T0 + 5, 0);
    assert_eq!(it.event(EventKind::Started, "a", std::slice::from_ref(&end)), ["Started a", "Exited a"]);
    assert!(it.event(EventKind::Stopped, "a", &[end]).is_empty());
    // The order in which CRI-O sends events.
    assert_eq!(it.event(EventKind::Stopped, "b", &[exited("b", T0 + 9, 0)]), ["Started b", "Exited b"]);
    assert!(it.event(EventKind::Started, "b", &[running("b", T0 + 9)]).is_empty());
}

#[test]
fn an_exit_that_may_change_is_provisional_and_confirmed_once() {
    let mut it = Scene::after_first_list(list(&[]));
    assert_eq!(it.event(EventKind::Stopped, "a", &[exited("a", T0 + 5, 137)]), ["Started a", "Exited a PROVISIONAL"]);
    it.answer(|_| None);
    assert!(it.wait(999).is_empty());
    it.wait(1);
    let killed = |_: &str| {
        let mut observation = exited("a", T0 + 5, 137);
        observation.exit.as_mut().unwrap().reason = "OOMKilled".into();
        Some(observation)
    };
    assert_eq!(it.answer(killed), ["Updated a CONFIRMED"]);
    assert_eq!(&*it.portfolio.get("a").unwrap().exit.as_ref().unwrap().reason, "OOMKilled");
    assert!(it.wait(5000).is_empty());
}

#[test]
fn what_cannot_be_started_has_an_exit_and_no_start() {
    let mut it = Scene::after_first_list(list(&[]));
    assert!(it.list(list(&[listed("a", State::Exited)])).is_empty());
    let failed = |id: &str| {
        let exit = Exit { code: Some(128), reason: "StartError".into(), message: "".into() };
        Some(Observation { is_status: true, exit: Some(exit), finished_at: Some(T0 + 7), ..listed(id, State::Exited) })
    };
    assert_eq!(it.answer(failed), ["Exited a SYNTHETIC NEVER_STARTED"]);
    assert!(it.list(list(&[listed("a", State::Exited)])).is_empty());
}

#[test]
fn what_vanishes_is_gone_and_may_reappear() {
    let mut it = Scene::after_first_list(list(&[listed("a", State::Running)]));
    it.answer(|id| Some(running(id, T0 - 9)));
    assert_eq!(it.list(list(&[])), ["Exited a SYNTHETIC"]);
    assert_eq!(it.portfolio.get("a").unwrap().exit, Some(Exit::gone()));
    assert!(it.list(list(&[listed("a", State::Running)])).is_empty());
    assert_eq!(it.answer(|id| Some(running(id, T0 - 9))), ["Started a SYNTHETIC REAPPEARED"]);
}

#[test]
fn a_list_that_began_before_the_end_does_not_bring_back_the_dead() {
    let mut it = Scene::after_first_list(list(&[listed("a", State::Running)]));
    it.answer(|id| Some(running(id, T0 - 9)));
    let begun = it.portfolio.list_begins();
    assert_eq!(it.event(EventKind::Stopped, "a", &[exited("a", T0 - 9, 0)]), ["Exited a"]);
    it.portfolio.listed(begun, T0, list(&[listed("a", State::Running)]), it.now);
    assert!(it.reports().is_empty());
    assert_eq!(it.portfolio.get("a").unwrap().state, State::Exited);
    // A list that began afterwards contradicts: the status decides.
    assert!(it.list(list(&[listed("a", State::Running)])).is_empty());
    assert!(it.answer(|id| Some(exited(id, T0 - 9, 0))).is_empty());
}

/// The engine makes a new container known between a list and the answer about its status.
#[test]
fn a_list_does_not_end_what_a_status_has_shown_meanwhile() {
    let overtaken = || {
        let mut it = Scene::after_first_list(list(&[listed("a", State::Running)]));
        it.answer(|id| Some(running(id, T0 - 9)));
        it.event(EventKind::Started, "a", &[]);
        let requests = it.portfolio.requests(usize::MAX, it.now);
        let begun = it.portfolio.list_begins();
        assert_eq!(requests.len(), 1);
        it.portfolio.answered::<()>(&requests[0], Ok(Some(running("a", T0 - 9))), it.now);
        it.portfolio.listed(begun, T0, list(&[]), it.now);
        assert!(it.reports().is_empty(), "which of both is older is not known");
        it
    };
    assert_eq!(overtaken().answer(|_| None), ["Exited a SYNTHETIC"], "without another list");
    let mut it = overtaken();
    assert!(it.answer(|id| Some(running(id, T0 - 9))).is_empty());
    assert_eq!(it.portfolio.get("a").unwrap().state, State::Running);
    assert_eq!(it.list(list(&[])), ["Exited a SYNTHETIC"], "a list that began later decides");
}

#[test]
fn the_same_id_with_a_newer_start_is_another_run() {
    let mut it = Scene::after_first_list(list(&[listed("a", State::Running)]));
    it.answer(|id| Some(running(id, T0 - 9)));
    let again = it.event(EventKind::Started, "a", &[running("a", T0 + 50)]);
    assert_eq!(again, ["Exited a", "Started a REAPPEARED"]);
    assert_eq!(it.portfolio.get("a").unwrap().started_at, Some(T0 + 50));
}

#[test]
fn history_is_only_a_hint_and_much_of_it_is_one_list() {
    let mut it = Scene::after_first_list(list(&[]));
    let old = |id: &str| EngineEvent {
        id: id.into(),
        kind: Some(EventKind::Started),
        created_at: Some(T0 - 1),
        containers: vec![running(id, T0 - 2)],
        ..EngineEvent::about(id.into())
    };
    it.portfolio.event(old("a"), it.now);
    assert!(it.reports().is_empty() && it.portfolio.get("a").is_none());
    it.wait(1000);
    assert!(it.answer(|_| None).is_empty());
    for n in 0..1000 {
        it.portfolio.event(old(&n.to_string()), it.now);
    }
    assert!(it.portfolio.wants_list(it.now));
    it.wait(1000);
    assert!(it.portfolio.requests(usize::MAX, it.now).is_empty());
}

#[test]
fn deleted_alone_does_not_end_a_run() {
    let mut it = Scene::after_first_list(list(&[listed("a", State::Running)]));
    it.answer(|id| Some(running(id, T0 - 9)));
    assert!(it.event(EventKind::Deleted, "a", &[]).is_empty());
    assert!(it.answer(|id| Some(running(id, T0 - 9))).is_empty());
    assert!(it.event(EventKind::Deleted, "a", &[]).is_empty());
    assert_eq!(it.answer(|_| None), ["Exited a SYNTHETIC"]);
}

#[test]
fn tombstones_are_forgotten_and_the_run_log_still_knows() {
    let mut config = Config::default();
    config.set("tombstones.max", "0").unwrap();
    let mut it = Scene::after_first_list(list(&[]));
    it.portfolio = Portfolio::new(&config);
    it.list(list(&[]));
    let end = exited("a", T0 + 5, 0);
    assert_eq!(it.event(EventKind::Stopped, "a", std::slice::from_ref(&end)), ["Started a", "Exited a"]);
    it.event(EventKind::Deleted, "a", &[]);
    assert!(it.portfolio.get("a").is_none());
    assert!(it.event(EventKind::Stopped, "a", &[end]).is_empty(), "reported once");
}

#[test]
fn a_pod_that_is_learnt_late_reaches_its_containers() {
    let mut it =
        Scene::after_first_list(Listing { containers: vec![listed("a", State::Running)], ..Listing::default() });
    it.answer(|id| Some(running(id, T0 - 9)));
    assert_eq!(it.portfolio.get("a").unwrap().missing, CRI_MISSING_POD);
    let reported = it.list(list(&[listed("a", State::Running)]));
    assert_eq!(reported, ["Updated a", "Started pod SYNTHETIC"]);
    assert_eq!(it.portfolio.get("a").unwrap().pod_name(), "web");
}

#[test]
fn an_event_without_a_status_may_be_about_a_sandbox() {
    let mut it = Scene::after_first_list(Listing::default());
    it.event(EventKind::Started, "pod", &[]);
    // A reason to ask again, while the first request is on its way.
    let first = it.portfolio.requests(1, it.now);
    it.event(EventKind::Started, "pod", &[]);
    assert_eq!((first.len(), first[0].kind), (1, None), "both requests are made");
    it.portfolio.answered::<()>(&first[0], Ok(Some(pod())), it.now);
    assert_eq!(it.reports(), ["Started pod"]);
    assert_eq!(it.portfolio.requests(1, it.now)[0].kind, Some(Kind::Sandbox));
    // An event whose sandbox has another id is about a container.
    it.now.wall += 1000;
    let (id, created_at) = ("a".into(), Some(it.now.wall));
    let event = EngineEvent {
        id,
        kind: Some(EventKind::Started),
        created_at,
        sandbox: Some(pod()),
        ..EngineEvent::about("a".into())
    };
    it.portfolio.event(event, it.now);
    assert_eq!(it.portfolio.requests(1, it.now)[0].kind, Some(Kind::Container));
}

#[test]
fn the_pod_of_a_run_that_is_over_is_still_reported() {
    let mut it = Scene::after_first_list(list(&[]));
    let podless = Observation { pod_id: None, ..exited("a", T0 + 1, 0) };
    assert_eq!(it.event(EventKind::Stopped, "a", &[podless]), ["Started a", "Exited a"]);
    assert_eq!(it.portfolio.get("a").unwrap().missing, CRI_MISSING_POD);
    it.wait(5000);
    assert_eq!(it.answer(|id| Some(exited(id, T0 + 1, 0))), ["Updated a"]);
    assert_eq!((it.portfolio.get("a").unwrap().pod_name(), it.portfolio.get("a").unwrap().missing), ("web", 0));
    // A later change of the pod is no UPDATED of a run that is over.
    let labels = Labels::from([("k".to_owned(), "v".to_owned())]);
    let renamed = Pod { labels: labels.into(), ..Pod::new("pod".into()) };
    it.list(Listing { sandboxes: vec![pod().with_pod(renamed)], ..list(&[listed("a", State::Exited)]) });
    assert!(it.reports().is_empty());
}

#[test]
fn creations_and_removals_are_reported_to_those_who_ask() {
    let mut it = Scene::after_first_list(list(&[listed("old", State::Created)]));
    it.with_opt_in = true;
    assert!(it.reports().is_empty(), "a container of the first list gets no CREATED");
    assert_eq!(it.event(EventKind::Created, "a", &[listed("a", State::Created)]), ["Created a"]);
    assert!(it.event(EventKind::Created, "a", &[listed("a", State::Created)]).is_empty());
    it.event(EventKind::Started, "a", &[running("a", T0 + 5)]);
    it.event(EventKind::Stopped, "a", &[exited("a", T0 + 5, 0)]);
    assert_eq!(it.event(EventKind::Deleted, "a", &[]), ["Removed a"]);
    assert_eq!(it.list(list(&[listed("b", State::Created)])), ["Created b SYNTHETIC", "Removed old SYNTHETIC"]);
    assert_eq!(it.list(list(&[])), ["Removed b SYNTHETIC"]);
}

#[test]
fn an_event_leaves_almost_all_of_a_snapshot_as_it_is() {
    let containers = (0..2_000).map(|n| running(&format!("c{n:04}"), T0)).collect();
    let mut it = Scene::after_first_list(Listing { containers, sandboxes: vec![pod()], ..Listing::default() });
    let portions = |it: &Scene| -> Vec<*const Memo> {
        Snapshot::new(it.portfolio.shown().clone()).portions().map(|(memo, _)| std::ptr::from_ref(memo)).collect()
    };
    // Both are held, so that no memory is reused.
    let (held, before) = (it.portfolio.shown().clone(), portions(&it));
    it.event(EventKind::Stopped, "c1000", &[exited("c1000", T0, 1)]);
    let after = portions(&it);
    let changed = after.iter().filter(|memo| !before.contains(memo)).count();
    assert!(changed == 1 && before.len() > 60, "{changed} of {}", before.len());
    assert_eq!(
        Snapshot::new(held).containers().count(),
        Snapshot::new(it.portfolio.shown().clone()).containers().count() + 1
    );
}

/// An entry of a list whose bytes are known by a number.
fn entry(bytes: u64, id: &str, state: State) -> Observation {
    Observation { fingerprint: Some(Fingerprint::new(bytes)), ..listed(id, state) }
}

#[test]
fn a_repeated_entry_is_not_looked_into_while_nothing_else_is_heard() {
    let mut it = Scene::after_first_list(list(&[entry(1, "a", State::Running)]));
    // While a status is asked for, the same bytes may still be news.
    assert!(it.list(list(&[entry(1, "a", State::Running)])).is_empty());
    it.answer(|_| Some(running("a", T0 - 9)));
    it.list(list(&[entry(1, "a", State::Running)]));
    // The fingerprint is the same, so nobody notices that these bytes say something else.
    assert!(it.list(list(&[entry(1, "a", State::Exited)])).is_empty());
    assert!(it.portfolio.get("a").unwrap().is_running());
    assert_eq!(it.list(list(&[])), ["Exited a SYNTHETIC"], "it is gone all the same");
}

#[test]
fn an_entry_as_before_counts_where_something_else_was_heard_since() {
    let mut it = Scene::after_first_list(list(&[entry(1, "a", State::Running)]));
    it.answer(|_| Some(running("a", T0 - 9)));
    it.list(list(&[entry(1, "a", State::Running)]));
    assert_eq!(it.event(EventKind::Stopped, "a", &[exited("a", T0 - 9, 0)]), ["Exited a"]);
    // The old list contradicts the event, so the status is asked for. It shows in the end that the list is right.
    it.list(list(&[entry(1, "a", State::Running)]));
    assert_eq!(it.portfolio.counts().contradictions, 1);
    let reports: Vec<_> = (0..3)
        .flat_map(|_| {
            let answered = it.answer(|_| Some(exited("a", T0 - 9, 0)));
            let waited = it.wait(10_000);
            [answered, waited, it.list(list(&[entry(1, "a", State::Running)]))].concat()
        })
        .collect();
    assert_eq!(reports, ["Started a SYNTHETIC REAPPEARED"]);
}

#[test]
fn an_entry_that_was_older_than_an_event_is_looked_into_again() {
    let mut it = Scene::after_first_list(list(&[entry(1, "a", State::Running)]));
    it.answer(|_| Some(running("a", T0 - 9)));
    let begun = it.portfolio.list_begins();
    it.event(EventKind::Stopped, "a", &[exited("a", T0 - 9, 0)]);
    // This list began before the event.
    it.portfolio.listed(begun, it.now.wall, list(&[entry(1, "a", State::Running)]), it.now);
    assert_eq!(it.portfolio.counts().contradictions, 0);
    it.list(list(&[entry(1, "a", State::Running)]));
    assert_eq!(it.portfolio.counts().contradictions, 1);
}
