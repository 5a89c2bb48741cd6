use proptest::prelude::*;

use super::*;

fn observed(state: State) -> Observation {
    Observation { state, name: "app".into(), is_status: true, ..Observation::of("c".into(), Kind::Container) }
}

fn listed(state: State, image: &str) -> Observation {
    let image = ImageNames { engine: image.into(), id: "sha256:1".into(), ..ImageNames::default() };
    Observation { is_status: false, image, ..observed(state) }
}

fn details(pid: i32) -> Option<Details> {
    Some(Details { pid: Some(pid), pid_start_ticks: Some(1), ..Details::default() })
}

/// The record after these statements, each with its tick.
fn merged(statements: &[(Tick, Observation)]) -> (Container, Known) {
    let mut known = Known::default();
    let mut record = None;
    for (as_of, observed) in statements {
        record = Some(merge(record.as_ref(), &mut known, observed, None, *as_of));
    }
    (record.expect("there is a statement"), known)
}

#[test]
fn a_run_goes_one_way() {
    for (now, observed_state, newer, next) in [
        (State::Running, State::Created, true, State::Running),
        (State::Running, State::Unknown, true, State::Unknown),
        (State::Running, State::Unknown, false, State::Running),
        (State::Running, State::Exited, false, State::Exited),
        (State::Created, State::Running, false, State::Running),
        (State::Exited, State::Running, true, State::Exited),
        (State::Unknown, State::Running, true, State::Running),
    ] {
        let (record, _) = merged(&[(5, observed(now)), (if newer { 6 } else { 4 }, observed(observed_state))]);
        assert_eq!(record.state, next, "{now:?} {observed_state:?} {newer}");
    }
}

#[test]
fn the_name_in_the_list_stands_above_the_first_tag_of_the_image() {
    let digest = format!("sha256:{}", "1".repeat(64));
    let status = |name: &str| Observation { is_status: true, ..listed(State::Running, name) };
    let (record, _) = merged(&[(1, listed(State::Running, "app:b")), (2, status("app:a"))]);
    assert_eq!(&*record.image.name, "app:b");
    let (record, _) = merged(&[(1, listed(State::Running, "app:1")), (2, listed(State::Exited, &digest))]);
    assert_eq!(&*record.image.name, "app:1", "the tag was removed while it ran");
    let mut author = status(&digest);
    author.image.author = "app:c".into();
    let (record, _) = merged(&[(2, listed(State::Running, &digest)), (1, author)]);
    assert_eq!(&*record.image.name, "app:c");
}

/// While a process ends, most of its namespaces can no longer be read.
#[test]
fn a_process_that_ends_keeps_the_namespaces_that_were_seen() {
    let of = |net, pid| {
        let mut namespaces = Namespaces::default();
        (namespaces.net, namespaces.pid) = (net, pid);
        let details = Details { namespaces, ..details(7).unwrap() };
        Observation { details: Some(details), ..observed(State::Running) }
    };
    for ticks in [[1, 2], [2, 1]] {
        let (record, _) = merged(&[(ticks[0], of(5, 6)), (ticks[1], of(0, 6))]);
        assert_eq!((record.namespaces.net, record.namespaces.pid), (5, 6), "{ticks:?}");
        let (record, _) = merged(&[(ticks[0], of(0, 6)), (ticks[1], of(5, 6))]);
        assert_eq!((record.namespaces.net, record.namespaces.pid), (5, 6), "{ticks:?}");
    }
}

#[test]
fn a_statement_that_lacks_a_value_erases_nothing() {
    let mut first = listed(State::Running, "app:1");
    first.image.reference = "repo@sha256:9".into();
    first.annotations = Arc::new(Labels::from([("a", "1")]));
    first.details = details(7);
    let bare = Observation::of("c".into(), Kind::Container);
    let silent = Observation { details: Some(Details::default()), ..observed(State::Running) };
    let (record, _) = merged(&[(1, first), (9, bare), (10, silent)]);
    assert_eq!((&*record.image.reference, record.annotations.len(), record.pid), ("repo@sha256:9", 1, Some(7)));
    assert_eq!((&*record.name, &*record.image.id), ("app", "sha256:1"));
}

#[test]
fn a_stale_pid_of_the_exited_is_not_taken() {
    let running = Observation { details: details(7), ..observed(State::Running) };
    let late = Observation { details: details(9), ..observed(State::Exited) };
    assert_eq!(merged(&[(1, running), (2, late)]).0.pid, Some(7));
}

#[test]
fn a_pid_that_is_used_again_is_not_taken() {
    let at = |pid, start| {
        let details = Details { pid: Some(pid), pid_start_ticks: Some(start), ..Details::default() };
        Observation { details: Some(details), ..observed(State::Running) }
    };
    let gone = Observation {
        details: Some(Details { engine_pid: Some(7), ..Details::default() }),
        ..observed(State::Running)
    };
    let (record, mut known) = merged(&[(1, at(7, 100)), (2, gone), (3, at(7, 200))]);
    assert_eq!((record.pid, record.engine_pid), (None, Some(7)));
    known.new_run();
    assert_eq!(merge(Some(&record), &mut known, &at(7, 200), None, 4).pid, Some(7), "another run");
}

#[test]
fn what_the_engine_saw_stands_above_what_it_could_not_see() {
    let exit = |code, reason: &str| Some(Exit { code: Some(code), reason: reason.into(), message: "".into() });
    let seen = Observation { exit: exit(42, "Error"), finished_at: Some(7), ..observed(State::Exited) };
    let unseen = Observation { exit: exit(255, "Unknown"), finished_at: Some(9), ..observed(State::Exited) };
    let (record, _) = merged(&[(1, seen), (2, unseen)]);
    assert_eq!((record.exit.unwrap().code, record.finished_at), (Some(42), Some(7)));
}

#[test]
fn missing_is_what_the_engine_may_yet_say() {
    let mut c = Container::new("c".into(), Kind::Container);
    c.state = State::Running;
    assert_eq!(missing(&c, false), CRI_MISSING_PID | CRI_MISSING_POD | CRI_MISSING_STARTED_AT);
    assert_eq!(missing(&c, true), CRI_MISSING_POD | CRI_MISSING_STARTED_AT);
    c.state = State::Exited;
    c.pod = Some(Pod::new("p".into()).into());
    assert_eq!(missing(&c, false), CRI_MISSING_EXIT);
    assert_eq!(as_gone(&c).exit, Some(Exit::gone()));
    assert_eq!(as_gone(&c).missing, 0);
}

prop_compose! {
    /// A statement as engines make it about one run: some fields given, others not.
    fn statement()(
        state in prop::sample::select(vec![State::Unknown, State::Created, State::Running, State::Exited]),
        is_status in any::<bool>(),
        image in prop::sample::select(vec!["", "app:1", "app:2", "sha256:1111111111111111111111111111111111111111111111111111111111111111"]),
        author in prop::sample::select(vec!["", "", "app:1"]),
        reference in prop::sample::select(vec!["", "repo@sha256:1", "repo@sha256:2"]),
        id in prop::sample::select(vec!["", "sha256:7"]),
        label in prop::option::of(0..3),
        pid in prop::option::of(1..4),
        times in (prop::option::of(1..4i64), prop::option::of(1..4i64)),
        exit in prop::sample::select(vec![None, Some((0, "Completed")), Some((42, "Error")), Some((255, "Unknown"))]),
        log_path in prop::sample::select(vec!["", "/var/log/a", "/var/log/b"]),
        command in prop::sample::select(vec!["", "/bin/a", "/bin/b"]),
        flags in 0..4u32,
    ) -> Observation {
        let mut made = Observation { is_status, flags, ..observed(state) };
        made.image = ImageNames {
            author: author.into(),
            engine: image.into(),
            reference: reference.into(),
            id: id.into(),
            ..ImageNames::default()
        };
        made.labels = Arc::new(label.into_iter().map(|n: i32| ("tier".to_owned(), n.to_string())).collect());
        made.details = pid.and_then(details);
        (made.created_at, made.started_at) = times;
        if is_status {
            let exit = exit.filter(|_| state == State::Exited);
            made.exit = exit.map(|(code, reason)| Exit { code: Some(code), reason: reason.into(), message: "".into() });
            made.finished_at = made.exit.as_ref().and(times.1);
            made.spec = Some(Spec { log_path: log_path.into(), ..Spec::default() }.into());
        }
        if let Some(details) = &mut made.details {
            let command = [Arc::from(command)].into_iter().filter(|c: &Arc<str>| !c.is_empty()).collect();
            details.spec = Some(Spec { command, ..Spec::default() }.into());
        }
        made
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    /// The record is the same in whatever order the statements arrive.
    #[test]
    fn the_order_of_statements_does_not_matter(
        (statements, shuffled) in prop::collection::vec(statement(), 1..7).prop_flat_map(|statements| {
            let numbered: Vec<_> = (1..).zip(statements).collect();
            (Just(numbered.clone()), Just(numbered).prop_shuffle())
        })
    ) {
        prop_assert_eq!(merged(&statements), merged(&shuffled));
    }

    /// A repeated statement changes nothing.
    #[test]
    fn a_statement_that_comes_again_changes_nothing(statements in prop::collection::vec(statement(), 1..7)) {
        let numbered: Vec<_> = (1..).zip(statements).collect();
        let twice: Vec<_> = numbered.iter().chain(&numbered).cloned().collect();
        prop_assert_eq!(merged(&numbered), merged(&twice));
    }
}
