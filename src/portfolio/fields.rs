//! The table of a record's fields and their sources, strongest first. `merge` follows it, and docs/fields.md is made from
//! it. Pure.
//!
//! A statement offers a value for a field. The value of the strongest source wins; between statements of one source,
//! the newest wins. So the order in which statements arrive does not matter.

use super::clock::Tick;

/// The source of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// The field `user_specified_image` of any statement, or the image in the verbose configuration.
    Author,
    /// The image's name in a list.
    List,
    /// The image's name in the OCI specification's annotations.
    Annotation,
    /// A status, verbose or not, from a reply or an event.
    Status,
    /// A name that is only a digest.
    Digest,
    /// The verbose information of a status.
    Info,
    /// Any statement of the engine.
    Engine,
    /// A process that was found on the host, and whose cgroup names the container.
    Process,
    /// The host, which saw the process end.
    Witness,
    /// The exit that containerd reports for whatever ended while containerd was down: code 255, reason `Unknown`.
    Unseen,
    /// The container's absence from the engine.
    Absence,
}

impl Origin {
    /// The origin as a text for the documentation.
    #[cfg_attr(not(test), allow(dead_code, reason = "the documentation is made by a test"))]
    fn words(self) -> &'static str {
        match self {
            Origin::Author => {
                "`user_specified_image` of a list, a status or the verbose configuration, or the configuration's image when it \
                 is not a bare digest"
            }
            Origin::List => "the list's image, when it is not a bare digest",
            Origin::Annotation => "the image name in the OCI specification's annotations",
            Origin::Status => "a status, from a reply or an event",
            Origin::Digest => "a bare digest",
            Origin::Info => "the verbose information of a status",
            Origin::Engine => "any statement of the engine",
            Origin::Process => "the container's process on the host, proven by its cgroup",
            Origin::Witness => "the host, which saw the process end",
            Origin::Unseen => "containerd's `255 Unknown` for a container that ended while containerd was down",
            Origin::Absence => "the container's absence from a full list, which gives the reason `gone`",
        }
    }
}

/// When a field's value is cleared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cleared {
    /// It stays as long as the container is remembered.
    Never,
    /// It belongs to one run: a new start of the same id begins without it.
    WithTheRun,
    /// It belongs to one run, and is withdrawn when the process is gone and the engine says that it runs. The exit shows
    /// it again.
    WithTheProcess,
}

impl Cleared {
    #[cfg_attr(not(test), allow(dead_code, reason = "the documentation is made by a test"))]
    fn words(self) -> &'static str {
        match self {
            Cleared::Never => "never",
            Cleared::WithTheRun => "a new start of the same id",
            Cleared::WithTheProcess => "the end of the process, until the exit is known; a new start of the same id",
        }
    }
}

macro_rules! fields {
    ($($field:ident: $key:literal, [$($origin:ident),+], $cleared:ident;)+) => {
        /// A field that statements offer values for.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum Field { $($field),+ }

        /// All fields, in the order of the enumeration.
        static FIELDS: &[FieldRow] = &[
            $(FieldRow { key: $key, origins: &[$(Origin::$origin),+], cleared: Cleared::$cleared }),+
        ];

        const COUNT: usize = [$(Field::$field),+].len();
    };
}

/// One row of the table.
struct FieldRow {
    #[cfg_attr(not(test), allow(dead_code, reason = "the documentation is made by a test"))]
    key: &'static str,
    /// The sources of the field, strongest first.
    origins: &'static [Origin],
    cleared: Cleared,
}

fields! {
    Name: "name, attempt", [Engine], Never;
    Labels: "labels, pod.labels", [Engine], Never;
    Annotations: "annotations, pod.annotations", [Engine], Never;
    ImageName: "image.name, image.repository, image.tag", [Author, List, Annotation, Status, Digest], Never;
    ImageReference: "image.ref, image.digest", [Engine], Never;
    ImageId: "image.id", [Engine], Never;
    CreatedAt: "createdAt", [Engine], Never;
    StartedAt: "startedAt", [Status], WithTheRun;
    Exit: "exitCode, reason, message", [Status, Witness, Unseen, Absence], WithTheRun;
    FinishedAt: "finishedAt", [Status, Witness, Unseen], WithTheRun;
    Process: "pid, enginePid, namespaces", [Process], WithTheProcess;
    Cgroup: "cgroupPath, cgroupId", [Process], WithTheRun;
    LogPath: "logPath", [Status], Never;
    Mounts: "mounts", [Status], Never;
    Resources: "resources", [Status, Info], Never;
    User: "user", [Status, Info], Never;
    Command: "command, args", [Info], Never;
    WorkingDir: "workingDir", [Info], Never;
    Privileged: "privileged", [Info], Never;
}

/// How strong the value of each field of one record is: the rank of its source, and the tick of the statement. A later
/// statement has to be at least as strong to change the field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Strengths([u64; COUNT]);

/// The source's rank is above these bits, and the tick below.
const RANK_SHIFT: u32 = 56;

impl Default for Strengths {
    fn default() -> Self {
        Strengths([0; COUNT])
    }
}

impl Strengths {
    /// Whether to take a value of this origin that was stated at this tick. If so, notes its strength.
    pub fn take(&mut self, field: Field, origin: Origin, as_of: Tick) -> bool {
        let offered = rank(field, origin) << RANK_SHIFT | as_of.min((1 << RANK_SHIFT) - 1);
        let held = &mut self.0[field as usize];
        let stronger = offered > *held;
        *held = offered.max(*held);
        stronger
    }

    /// Whether a value of this origin would be stronger than the present one, whenever it was stated.
    pub fn would_take(&self, field: Field, origin: Origin) -> bool {
        rank(field, origin) > self.0[field as usize] >> RANK_SHIFT
    }

    /// Notes that another run of the same id begins: the fields of a run may get new values.
    pub fn new_run(&mut self) {
        for (held, _) in self.0.iter_mut().zip(FIELDS).filter(|(_, row)| row.cleared != Cleared::Never) {
            *held = 0;
        }
    }
}

/// The rank of an origin for a field: higher is stronger.
fn rank(field: Field, origin: Origin) -> u64 {
    let origins = FIELDS[field as usize].origins;
    let place = origins.iter().position(|o| *o == origin).unwrap_or(origins.len() - 1);
    (origins.len() - place) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::committed::assert_committed;

    #[test]
    fn the_stronger_source_wins_and_of_one_source_the_newer_statement() {
        let mut held = Strengths::default();
        assert!(held.take(Field::ImageName, Origin::Status, 5));
        assert!(!held.take(Field::ImageName, Origin::Digest, 9), "weaker");
        assert!(!held.take(Field::ImageName, Origin::Status, 4), "older");
        assert!(held.take(Field::ImageName, Origin::Status, 6));
        assert!(held.would_take(Field::ImageName, Origin::List) && !held.would_take(Field::ImageName, Origin::Status));
        assert!(held.take(Field::ImageName, Origin::Author, 1), "stronger, whenever");
        held.new_run();
        assert!(!held.take(Field::ImageName, Origin::List, 10), "an image is not of one run");
        assert!(held.take(Field::Exit, Origin::Absence, 1) && held.take(Field::Exit, Origin::Unseen, 1));
        held.new_run();
        assert!(held.take(Field::Exit, Origin::Absence, 1));
    }

    #[test]
    fn fields_md_is_the_table() {
        let mut text = String::from(
            "# Where each field comes from\n\n\
             The record of a container is put together from several sources: the engine's lists, events and statuses, and the\n\
             host. For each field, the strongest source that has a value counts. If the same source has given two values, the\n\
             newer one counts. A source without a value erases nothing. So the order in which lists, statuses and events arrive\n\
             does not matter: a property test merges the same statements in every order.\n\n\
             A change of a field that was already reported is an UPDATED event, with the field's `CRI_CHANGED_*` bit.\n\n\
             Made from the table in `src/portfolio/fields.rs`; `CRI_BLESS=1 cargo test` rewrites it.\n\n\
             | fields | sources, strongest first | cleared by |\n|---|---|---|\n",
        );
        for row in FIELDS {
            let keys: Vec<_> = row.key.split(", ").map(|key| format!("`{key}`")).collect();
            let origins: Vec<_> = row.origins.iter().map(|o| o.words()).collect();
            text += &format!("| {} | {} | {} |\n", keys.join(", "), origins.join("; "), row.cleared.words());
        }
        text += "\nWithin a run, the state only moves forward: created, running, exited. It is \"unknown\" only until a newer statement\n\
                 gives a state. Reserved label keys, such as `io.kubernetes.pod.name`, always come from CRI's own fields,\n\
                 whatever the author of a pod writes. For a pod's addresses, labels and options, the newest statement that has any\n\
                 counts.\n\n\
                 Read next: [JSON](json.md) explains each key; [the host as a second source](witness.md) explains the proof of a pid.\n";
        assert_committed("docs/fields.md", &text);
    }
}
