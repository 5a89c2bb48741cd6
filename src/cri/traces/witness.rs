//! Waits for hints from the host: inotify on the engine's folders, otherwise on its containers' cgroups; and pidfds of
//! the containers' first processes.
//!
//! It needs two descriptors, each made when it is needed, and one for each followed process, as many as the budget
//! allows. A means that cannot be used is reported once in [`Witness::means`], and is otherwise no error: the engine is
//! asked instead.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::folders::Folders;
use super::hint::Hint;
use crate::config::{Config, WitnessUse};
use crate::cri::pid::PidResolver;
use crate::cri::proofs::Proofs;
use crate::host::namespace::{NamespaceKind, Whose, whose_namespace};
use crate::host::pidfd::{Abilities, Place, Set};
use crate::host::watch::{Marks, Watch, Watcher};
use crate::host::{Proc, Readable, descriptor_limit};
use crate::model::{Id, Kind, WitnessMeans};

/// The most descriptors that are used if no option says otherwise.
const MOST_DESCRIPTORS: u64 = 1024;

/// A process to follow, or a container whose process is no longer to be followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Follow {
    /// The container.
    pub id: Id,
    /// Container or sandbox. Sandboxes are the first to be given up.
    pub kind: Kind,
    /// Pid and start time, in clock ticks since boot; `None`: follow it no more.
    pub process: Option<(i32, u64)>,
}

/// What a watched folder contains.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Folder {
    /// The folders of all containers.
    All,
    /// The place where the folder of all containers, or a folder on the path to it, will be made.
    Above,
    /// CRI-O's exit files.
    Exits(PathBuf),
    /// The files of a container that is being made.
    Of(Id),
    /// In a hierarchy of cgroups: pods, containers, or more such folders.
    Inner(PathBuf),
}

#[derive(Debug)]
pub(super) struct Held {
    pub(super) place: Place,
    pub(super) process: (i32, u64),
    pub(super) rank: (bool, u64),
    /// The process has ended, and nobody has waited for it. A shim that hangs never will.
    pub(super) is_zombie: bool,
}

/// What is used in place of the engine's folders, and why nothing better is.
#[derive(Debug, Default)]
pub(super) struct FallBack {
    /// `fanotify`, `cgroups`, or nothing.
    pub used: Option<&'static str>,
    pub lacks: Vec<(&'static str, String)>,
}

/// The hints about one engine's containers.
#[derive(Debug)]
pub struct Witness {
    pub(super) inotify: Option<Readable>,
    pub(super) pidfds: Option<Readable>,
    pub(super) watcher: Watcher,
    pub(super) watches: HashMap<Watch, Folder>,
    pub(super) births: usize,
    pub(super) processes: Set,
    pub(super) held: HashMap<Id, Held>,
    pub(super) by_place: HashMap<Place, Id>,
    /// The followed processes in the order in which they are given up: sandboxes first, then the oldest.
    pub(super) order: BTreeSet<((bool, u64), Id)>,
    pub(super) opened: u64,
    pub(super) wanted: VecDeque<Follow>,
    /// The search for processes while the engine makes its first lists.
    pub(super) unlisted: Option<Proofs>,
    /// The folders of that search, which may have ended.
    pub(super) searched: Option<Arc<Folders>>,
    /// Whether the search waits for the engine's first reply, and makes no hints yet.
    pub(super) is_ahead: bool,
    pub(super) hints: VecDeque<Hint>,
    pub(super) proc: Proc,
    pub(super) pids: Option<(Arc<PidResolver>, Arc<Folders>)>,
    pub(super) budget: usize,
    pub(super) is_off: bool,
    pub(super) can_exit: bool,
    /// Whether the result of [`Witness::means`] may have changed.
    pub(super) news: bool,
    pub(super) no_folders: Option<String>,
    pub(super) marks: Marks,
    pub(super) marked: Option<Readable>,
    pub(super) fall_back: FallBack,
    pub(super) root: PathBuf,
    pub(super) no_pidfds: Option<String>,
}

impl Witness {
    /// A witness that waits for nothing yet.
    pub fn new(config: &Config) -> Self {
        let usual = descriptor_limit().map_or(MOST_DESCRIPTORS, |limit| (limit / 4).min(MOST_DESCRIPTORS));
        let budget = if config.max_descriptors == 0 { usual as usize } else { config.max_descriptors };
        Witness {
            inotify: None,
            pidfds: None,
            watcher: Watcher::new(),
            watches: HashMap::new(),
            births: 0,
            processes: Set::new(),
            held: HashMap::new(),
            by_place: HashMap::new(),
            order: BTreeSet::new(),
            opened: 0,
            wanted: VecDeque::new(),
            unlisted: None,
            searched: None,
            is_ahead: false,
            hints: VecDeque::new(),
            proc: Proc::new(&config.host_root),
            pids: None,
            budget,
            is_off: config.witness == WitnessUse::Off,
            can_exit: false,
            news: false,
            no_folders: None,
            marks: Marks::new(),
            marked: None,
            fall_back: FallBack::default(),
            root: config.host_root.clone(),
            no_pidfds: None,
        }
    }

    /// The folders that are watched, or were wanted to be.
    pub fn folders(&self) -> Option<&Arc<Folders>> {
        self.pids.as_ref().map(|(_, folders)| folders)
    }

    /// The means that are used, and why no others are.
    pub fn means(&self) -> WitnessMeans {
        let mut means = WitnessMeans::default();
        if self.is_off {
            means.lacks.push(("all", "the option host.witness=off asks for it".into()));
            return means;
        }
        match (&self.no_folders, &self.pids) {
            (None, Some((pids, _))) => {
                means.used.push("folders");
                if pids.reads_files() {
                    means.used.push("pidFiles");
                }
            }
            (Some(why), _) => means.lacks.push(("folders", why.as_str().into())),
            (None, None) => means.lacks.push(("folders", "this engine's folders are not known".into())),
        }
        means.used.extend(self.fall_back.used);
        means.lacks.extend(self.fall_back.lacks.iter().map(|(what, why)| (*what, why.as_str().into())));
        match &self.no_pidfds {
            Some(why) => means.lacks.push(("pidfds", why.as_str().into())),
            None if self.held.is_empty() => {
                means.lacks.extend(self.sees_no_process().map(|why| ("pidfds", why.into())));
            }
            None => {
                means.used.push("pidfds");
                match Abilities::get().exit {
                    ability if ability.is_yes() => means.used.push("exitCodes"),
                    ability => {
                        let why =
                            format!("{ability}: the watcher can read the exit code only while the process is a zombie");
                        means.lacks.push(("exitCodes", why.into()));
                    }
                }
            }
        }
        means
    }

    /// Why no container's process can be opened, if that is so.
    fn sees_no_process(&self) -> Option<&'static str> {
        let is_seen = self.pids.as_ref().is_none_or(|(pids, _)| pids.sees_engine());
        let own = || whose_namespace(Path::new("/proc"), "self", NamespaceKind::Pid);
        (!is_seen && own() == Whose::Own).then_some(
            "this program is in a pid namespace of its own, and neither the engine nor its containers are in it",
        )
    }

    pub(super) fn wait_for_inotify(&mut self) {
        if self.inotify.is_none() {
            self.inotify = self.watcher.borrowed().and_then(|fd| Readable::of(fd).ok());
        }
    }

    /// Follows these processes, or stops following them. Their ends become hints.
    pub fn follow(&mut self, follows: Vec<Follow>) {
        if !self.is_off {
            self.wanted.extend(follows);
        }
    }

    /// Whether this process is followed, so that its end becomes a hint.
    pub fn is_followed(&self, id: &Id, process: (i32, u64)) -> bool {
        self.held.get(id).is_some_and(|held| held.process == process && !held.is_zombie)
    }

    /// Waits for the next hints. They are empty if only the result of [`Witness::means`] has changed. Dropping the
    /// future loses nothing.
    pub async fn next(&mut self) -> Vec<Hint> {
        loop {
            if !self.hints.is_empty() || std::mem::take(&mut self.news) {
                return self.hints.drain(..).collect();
            }
            if !self.wanted.is_empty() {
                tokio::task::yield_now().await;
                self.open_some();
                continue;
            }
            if let Some(unlisted) = self.unlisted.as_mut().filter(|_| !self.is_ahead) {
                let found = unlisted.next().await;
                self.found_unlisted(found);
                continue;
            }
            let (was_empty, waited) = tokio::select! {
                () = until_readable(self.pidfds.as_ref()) => (self.read_ends(), &self.pidfds),
                () = until_readable(self.inotify.as_ref()) => (self.read_notices(), &self.inotify),
                () = until_readable(self.marked.as_ref()) => (self.read_marks(), &self.marked),
            };
            if let Some(fd) = waited.as_ref().filter(|_| was_empty) {
                fd.clear().await;
            }
        }
    }
}

/// Waits until the descriptor is readable; for ever if there is none.
async fn until_readable(fd: Option<&Readable>) {
    match fd {
        Some(fd) => fd.wait().await,
        None => std::future::pending().await,
    }
}
