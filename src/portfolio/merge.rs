//! Merges a statement of the engine into a container's record: the result is the record's next version. Pure.

use std::sync::Arc;

use super::clock::Tick;
use super::fields::{Field, Origin, Strengths};
use crate::model::*;

/// The merge's own state for a record: how strong each field's value is, and how far the run has come.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Known {
    strengths: Strengths,
    /// How far the run has come, by the newest statements with a state.
    progress: State,
    /// The newest tick of a statement with a state.
    stated: Tick,
    /// The newest tick of a statement that the state is unknown.
    unknown: Tick,
    /// The run's first process: the tick of its statement, its pid and its start time. A run never gets another one.
    process: Option<(Tick, i32, u64)>,
}

impl Known {
    /// The state after this statement. A run's state only moves forward. "Unknown" stands until a newer statement has a
    /// state.
    fn state(&mut self, said: State, as_of: Tick) -> State {
        if said == State::Unknown {
            self.unknown = self.unknown.max(as_of);
        } else {
            self.stated = self.stated.max(as_of);
            self.progress = further(self.progress, said);
        }
        match self.progress {
            State::Exited => State::Exited,
            _ if self.unknown > self.stated => State::Unknown,
            progress => progress,
        }
    }

    /// Whether the engine's folder would give a better image name than any statement so far.
    pub fn lacks_image_name(&self) -> bool {
        self.strengths.would_take(Field::ImageName, Origin::Annotation)
    }

    /// Notes that the process has ended.
    pub fn ends(&mut self) {
        self.progress = State::Exited;
    }

    /// Notes that another run of the same id begins.
    pub fn new_run(&mut self) {
        *self = Known { strengths: std::mem::take(&mut self.strengths), ..Known::default() };
        self.strengths.new_run();
    }

    /// Notes that, according to the engine, the container has not exited after all.
    pub fn runs_after_all(&mut self) {
        self.progress = State::Running;
    }
}

fn further(a: State, b: State) -> State {
    let place = |state| match state {
        State::Unknown => 0,
        State::Created => 1,
        State::Running => 2,
        State::Exited => 3,
    };
    if place(a) >= place(b) { a } else { b }
}

/// The next version of the record: `before` (`None` for a new id) with a statement as of this tick.
pub(super) fn merge(
    before: Option<&Container>,
    known: &mut Known,
    said: &Observation,
    pod: Option<Arc<Pod>>,
    as_of: Tick,
) -> Container {
    let mut next = before.cloned().unwrap_or_else(|| Container::new(said.id.clone(), said.kind));
    next.kind = said.kind;
    next.state = known.state(said.state, as_of);
    next.pod = pod.or(next.pod);
    next.flags |= said.flags;
    let taken = &mut known.strengths;
    if !said.name.is_empty() && taken.take(Field::Name, Origin::Engine, as_of) {
        (next.name, next.attempt) = (said.name.clone(), said.attempt);
    }
    merge_labels(&mut next, taken, said, as_of);
    merge_image(&mut next.image, taken, said, as_of);
    if said.created_at.is_some() && taken.take(Field::CreatedAt, Origin::Engine, as_of) {
        next.created_at = said.created_at;
    }
    if said.started_at.is_some() && taken.take(Field::StartedAt, Origin::Status, as_of) {
        next.started_at = said.started_at;
    }
    if let Some(exit) = &said.exit {
        take_exit(&mut next, known, exit, said.finished_at, exit_origin(exit), as_of);
    }
    // Only a running container has a process: CRI-O still names the old pid of one that has exited.
    if let Some(details) = said.details.as_ref().filter(|_| said.state == State::Running) {
        take_process(&mut next, known, details, as_of);
    }
    let taken = &mut known.strengths;
    merge_spec(&mut next.spec, taken, said, as_of);
    next
}

/// Takes an exit from this source, if that is stronger than what is known.
pub(super) fn take_exit(
    next: &mut Container,
    known: &mut Known,
    exit: &Exit,
    finished_at: Option<Time>,
    origin: Origin,
    as_of: Tick,
) {
    if known.strengths.take(Field::Exit, origin, as_of) {
        next.exit = Some(exit.clone());
    }
    if finished_at.is_some() && known.strengths.take(Field::FinishedAt, origin, as_of) {
        next.finished_at = finished_at;
    }
}

/// The origin of an exit. containerd reports a special one for whatever ended while containerd was down.
fn exit_origin(exit: &Exit) -> Origin {
    match (exit.code, &*exit.reason) {
        (Some(255), "Unknown") | (None, "") => Origin::Unseen,
        _ => Origin::Status,
    }
}

fn merge_labels(next: &mut Container, taken: &mut Strengths, said: &Observation, as_of: Tick) {
    // A sandbox's status in an event may be too early to have labels.
    if !said.labels.is_empty() && taken.take(Field::Labels, Origin::Engine, as_of) {
        next.labels = said.labels.clone();
    }
    if !said.annotations.is_empty()
        && taken.take(Field::Annotations, Origin::Engine, as_of)
        && next.annotations != said.annotations
    {
        next.annotations = said.annotations.clone();
    }
    next.labels = labels::with_own_keys(next);
}

fn merge_image(image: &mut Image, taken: &mut Strengths, said: &Observation, as_of: Tick) {
    let names = &said.image;
    let engine = if said.is_status { Origin::Status } else { Origin::List };
    for (name, origin) in
        [(&names.author, Origin::Author), (&names.engine, engine), (&names.annotated, Origin::Annotation)]
    {
        take_image_name(image, taken, name, origin, as_of);
    }
    if !names.reference.is_empty() && taken.take(Field::ImageReference, Origin::Engine, as_of) {
        image.reference = names.reference.clone();
    }
    if !names.id.is_empty() && taken.take(Field::ImageId, Origin::Engine, as_of) {
        image.id = names.id.clone();
    }
}

fn take_image_name(image: &mut Image, taken: &mut Strengths, name: &Arc<str>, origin: Origin, as_of: Tick) {
    // Kubelets and engines write the digest where they have resolved the name. Any other name says more.
    let origin = if is_bare_digest(name) { Origin::Digest } else { origin };
    if !name.is_empty() && taken.take(Field::ImageName, origin, as_of) {
        image.name = name.clone();
    }
}

/// Takes the process of a running container. A process with this run's pid and another start time is a different one:
/// the engine still names the pid of a process that is gone.
pub(super) fn take_process(next: &mut Container, known: &mut Known, details: &Details, as_of: Tick) {
    if let Some(name) = &details.image_name {
        take_image_name(&mut next.image, &mut known.strengths, name, Origin::Annotation, as_of);
    }
    if details.pid.is_none() && details.engine_pid.is_none() {
        // A status that does not name a process does not clear the known one.
        return;
    }
    let process = details.pid.zip(details.pid_start_ticks);
    if let Some((pid, start)) = process {
        let first = known.process.filter(|(stated, ..)| *stated < as_of);
        known.process = first.or(Some((as_of, pid, start)));
    }
    let is_another = known.process.zip(process).is_some_and(|((_, pid, start), now)| pid == now.0 && start != now.1);
    let taken = &mut known.strengths;
    if details.cgroup_path.is_some() && !is_another && taken.take(Field::Cgroup, Origin::Process, as_of) {
        (next.cgroup_path, next.cgroup_id) = (details.cgroup_path.clone(), details.cgroup_id);
    }
    // A process that is ending has no namespaces left but those of pids and users: keep what was seen of the same
    // process.
    let is_same = process.is_some() && process == next.pid.zip(next.pid_start_ticks);
    if !taken.take(Field::Process, Origin::Process, as_of) {
        if is_same {
            next.namespaces = next.namespaces.or(details.namespaces);
        }
        return;
    }
    next.engine_pid = details.engine_pid;
    if is_another {
        *next = Container { engine_pid: details.pid, ..without_process(next) };
        return;
    }
    (next.pid, next.pid_start_ticks) = (details.pid, details.pid_start_ticks);
    next.namespaces = if is_same { details.namespaces.or(next.namespaces) } else { details.namespaces };
}

fn merge_spec(spec: &mut Arc<Spec>, taken: &mut Strengths, said: &Observation, as_of: Tick) {
    let sources =
        [(said.spec.as_deref(), Origin::Status), (said.details.as_ref().and_then(|d| d.spec.as_deref()), Origin::Info)];
    let mut next = Spec::clone(spec);
    for (from, origin) in sources.into_iter().filter_map(|(from, origin)| Some((from?, origin))) {
        let mut take = |given: bool, field| given && taken.take(field, origin, as_of);
        if take(!from.log_path.is_empty(), Field::LogPath) {
            next.log_path = from.log_path.clone();
        }
        if take(!from.mounts.is_empty(), Field::Mounts) {
            next.mounts = from.mounts.clone();
        }
        if take(from.resources.is_some(), Field::Resources) {
            next.resources = from.resources.clone();
        }
        if take(from.user.is_some(), Field::User) {
            next.user = from.user.clone();
        }
        if take(!from.command.is_empty() || !from.args.is_empty(), Field::Command) {
            (next.command, next.args) = (from.command.clone(), from.args.clone());
        }
        if take(!from.working_dir.is_empty(), Field::WorkingDir) {
            next.working_dir = from.working_dir.clone();
        }
        if take(from.privileged.is_some(), Field::Privileged) {
            next.privileged = from.privileged;
        }
    }
    if **spec != next {
        *spec = next.into();
    }
}

/// The container as it was while it ran: a STARTED shows this when the exit is known before the start is reported.
pub(super) fn as_running(record: &Container) -> Container {
    let mut running = record.clone();
    running.state = State::Running;
    running.exit = None;
    running.finished_at = None;
    // The process and the exit will not become known any more; the pod may.
    running.missing &= CRI_MISSING_POD;
    running
}

/// The record for a new run of the same id. Of the run before it, only its exit is kept.
pub(super) fn as_restarted(record: &Container) -> Container {
    let mut again = record.clone();
    again.state = State::Unknown;
    again.exit = None;
    again.finished_at = None;
    again.started_at = None;
    again.rucksack = None;
    again.previous = previous(record).map(Arc::new).or(again.previous);
    without_process(&again)
}

/// The record without the process, which is gone.
pub(super) fn without_process(record: &Container) -> Container {
    let mut without = record.clone();
    (without.pid, without.pid_start_ticks, without.engine_pid) = (None, None, None);
    without.namespaces = Namespaces::default();
    without
}

/// How this record's run ended, for the record of the next run.
pub(super) fn previous(record: &Container) -> Option<Previous> {
    let exit = record.exit.as_ref()?;
    Some(Previous { exit_code: exit.code, reason: exit.reason.clone(), finished_at: record.finished_at })
}

/// The record of a container that vanished: it has exited, and the engine will not say how.
pub(super) fn as_gone(record: &Container) -> Container {
    let mut gone = record.clone();
    gone.state = State::Exited;
    // Engines do not say how sandboxes end: there is nothing to add to a sandbox whose end was seen.
    if gone.exit.is_none() && (gone.kind == Kind::Container || record.state != State::Exited) {
        gone.exit = Some(Exit::gone());
    }
    gone.missing = 0;
    gone
}

/// What the engine may still give for this record: bits of `CRI_MISSING_*`.
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
mod tests;
