//! A new statement of the engine, merged into what is known: the next version of a container's record.

use std::sync::Arc;

use crate::model::*;

/// The record that follows from `before` (nothing, for a new id) and a statement. `fresh` says that the statement is
/// no older than the newest one before it: an older one only fills gaps. An exit is final, whoever tells it.
pub(super) fn merge(
    before: Option<&Container>,
    observation: &Observation,
    pod: Option<Arc<Pod>>,
    fresh: bool,
) -> Container {
    let mut next = before.cloned().unwrap_or_else(|| Container::new(observation.id.clone(), observation.kind));
    let new = before.is_none();
    if let Some(state) = next_state(next.state, observation.state, fresh || new) {
        next.state = state;
    }
    if next.name.is_empty() {
        next.name = observation.name.clone();
        next.attempt = observation.attempt;
    }
    if fresh || new {
        // Lists and statuses carry the same labels; an event's sandbox may be too early to have any.
        keep_shared(&mut next.labels, &observation.labels);
        keep_shared(&mut next.annotations, &observation.annotations);
    }
    // containerd's lists and statuses do not agree on the image: a status, once seen, is the better word.
    if next.image == Image::default() || observation.is_status {
        next.image = observation.image.clone();
    }
    next.pod = pod.or(next.pod);
    next.created_at = next.created_at.or(observation.created_at);
    next.started_at = observation.started_at.or(next.started_at);
    if next.state == State::Exited {
        next.finished_at = observation.finished_at.or(next.finished_at);
        next.exit = observation.exit.clone().or(next.exit);
    }
    if let Some(details) =
        observation.details.as_ref().filter(|_| next.state == State::Running && observation.state == State::Running)
    {
        next.pid = details.pid;
        next.pid_start_ticks = details.pid_start_ticks;
        next.engine_pid = details.engine_pid;
        next.cgroup_path = details.cgroup_path.clone().or(next.cgroup_path);
    }
    next
}

fn keep_shared(own: &mut Arc<Labels>, observation: &Arc<Labels>) {
    if **own != **observation && !observation.is_empty() {
        *own = observation.clone();
    }
}

/// Run goes one way: created, running, exited. "Unknown" is believed only from the newest word.
fn next_state(now: State, observation: State, fresh: bool) -> Option<State> {
    match (now, observation) {
        (State::Exited, _) => None,
        (_, State::Exited) => Some(State::Exited),
        (State::Created, State::Running) => Some(State::Running),
        (State::Running, State::Created) => None,
        (_, observation) => fresh.then_some(observation),
    }
}

/// The same container, as it was while it ran: what a STARTED shows when its exit is known before it is reported.
pub(super) fn as_running(record: &Container) -> Container {
    let mut running = record.clone();
    running.state = State::Running;
    running.exit = None;
    running.finished_at = None;
    // What it was doing then is known now; where it belonged may still be reported.
    running.missing &= CRI_MISSING_POD;
    running
}

/// The same id, about to live again: what belonged to the run before is not carried over.
pub(super) fn as_restarted(record: &Container) -> Container {
    let mut again = record.clone();
    again.state = State::Unknown;
    again.exit = None;
    again.finished_at = None;
    again.started_at = None;
    again.rucksack = None;
    (again.pid, again.pid_start_ticks, again.engine_pid) = (None, None, None);
    again
}

/// The record of something that vanished: it has exited, and the engine will not tell how.
pub(super) fn as_gone(record: &Container) -> Container {
    let mut gone = record.clone();
    gone.state = State::Exited;
    // Engines do not say how sandboxes end: one whose end was seen has nothing to add.
    if gone.exit.is_none() && (gone.kind == Kind::Container || record.state != State::Exited) {
        gone.exit = Some(Exit::gone());
    }
    gone.missing = 0;
    gone
}

/// What the engine may yet tell of this record: bits of `CRI_MISSING_*`.
pub(super) fn missing(record: &Container, no_pid: bool) -> u64 {
    let is_container = record.kind == Kind::Container;
    let mut bits = 0;
    let mut note = |is_missing: bool, bit: u64| bits |= if is_missing { bit } else { 0 };
    let running = record.state == State::Running;
    note(running && record.pid.is_none() && !no_pid, CRI_MISSING_PID);
    note(record.pod.is_none(), CRI_MISSING_POD);
    note(is_container && running && record.started_at.is_none(), CRI_MISSING_STARTED_AT);
    note(is_container && record.state == State::Exited && record.exit.is_none(), CRI_MISSING_EXIT);
    bits
}

#[cfg(test)]
mod tests {
    use super::*;

    fn observation(state: State) -> Observation {
        Observation { state, name: "app".into(), is_status: true, ..Observation::of("c".into(), Kind::Container) }
    }

    fn running() -> Container {
        let details = Details { pid: Some(7), pid_start_ticks: Some(1), ..Details::default() };
        merge(
            None,
            &Observation { started_at: Some(10), details: Some(details), ..observation(State::Running) },
            None,
            true,
        )
    }

    #[test]
    fn life_goes_one_way() {
        for (now, word, fresh, next) in [
            (State::Running, State::Created, true, State::Running),
            (State::Running, State::Unknown, true, State::Unknown),
            (State::Running, State::Unknown, false, State::Running),
            (State::Running, State::Exited, false, State::Exited),
            (State::Created, State::Running, false, State::Running),
            (State::Exited, State::Running, true, State::Exited),
            (State::Unknown, State::Running, true, State::Running),
        ] {
            assert_eq!(next_state(now, word, fresh).unwrap_or(now), next, "{now:?} {word:?} {fresh}");
        }
    }

    #[test]
    fn a_list_neither_unlearns_nor_overrides_what_a_status_told() {
        let mut known = running();
        known.image = Image { reference: "repo@sha256:1".into(), ..Image::default() };
        let listed = Observation {
            is_status: false,
            image: Image { id: "sha256:2".into(), ..Image::default() },
            ..observation(State::Running)
        };
        let next = merge(Some(&known), &listed, None, true);
        assert_eq!((next.pid, next.started_at, &*next.image.reference), (Some(7), Some(10), "repo@sha256:1"));
    }

    #[test]
    fn a_stale_pid_of_the_exited_is_not_taken() {
        let late =
            Observation { details: Some(Details { pid: Some(9), ..Details::default() }), ..observation(State::Exited) };
        assert_eq!(merge(Some(&running()), &late, None, true).pid, Some(7));
    }

    #[test]
    fn missing_is_what_may_yet_be_told() {
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
}
