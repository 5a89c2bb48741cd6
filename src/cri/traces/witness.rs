//! Waits for what the host tells: inotify on the engine's folders, pidfds of the containers' first processes.
//!
//! Two descriptors, each made when it is needed, and one for each process that is followed, as many as the budget has. What cannot
//! be had is said in [`Witness::means`], once, and is otherwise no error: the engine is asked instead.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::fs;
use std::io;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::folders::Folders;
use super::hint::Hint;
use crate::config::{Config, WitnessUse};
use crate::cri::pid::{PidResolver, Wanted};
use crate::host::below::{descriptor_path, open_file_below, open_path_below};
use crate::host::pidfd::{Abilities, Expected, Place, Process, ProcessState, Set};
use crate::host::watch::{NoHints, Notice, Watch, Watcher, What};
use crate::host::{Proc, Readable, Refusal, descriptor_limit};
use crate::model::{Id, Kind, WitnessMeans};

/// How many processes are opened before others on this thread get their turn: half a millisecond.
const BATCH: usize = 32;
/// How many folders of containers that are being made are watched at a time.
const MOST_BIRTHS: usize = 256;
/// The most descriptors that are used without being asked for.
const MOST_DESCRIPTORS: u64 = 1024;

/// A process that is to be followed, or no more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Follow {
    /// Whose.
    pub id: Id,
    /// Container or sandbox: sandboxes are the first that are given up.
    pub kind: Kind,
    /// Pid and start, in clock ticks since boot; `None`: no more.
    pub process: Option<(i32, u64)>,
}

/// What a watched folder is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Folder {
    /// That of all containers.
    All,
    /// One in which that of all containers, or a folder on the way to it, will be made.
    Above,
    /// That of CRI-O's exit files.
    Exits(PathBuf),
    /// That of a container that is being made.
    Of(Id),
}

#[derive(Debug)]
struct Held {
    place: Place,
    process: (i32, u64),
    rank: (bool, u64),
}

/// The host's traces of one engine's containers.
#[derive(Debug)]
pub struct Witness {
    inotify: Option<Readable>,
    pidfds: Option<Readable>,
    watcher: Watcher,
    watches: HashMap<Watch, Folder>,
    births: usize,
    processes: Set,
    held: HashMap<Id, Held>,
    by_place: HashMap<Place, Id>,
    /// The first is the first to be given up: sandboxes, then the oldest.
    order: BTreeSet<((bool, u64), Id)>,
    opened: u64,
    wanted: VecDeque<Follow>,
    hints: VecDeque<Hint>,
    proc: Proc,
    pids: Option<(Arc<PidResolver>, Arc<Folders>)>,
    budget: usize,
    is_off: bool,
    can_exit: bool,
    /// Whether what [`Witness::means`] says may have changed.
    news: bool,
    no_folders: Option<String>,
    no_pidfds: Option<String>,
}

impl Witness {
    /// One that waits for nothing yet.
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
            hints: VecDeque::new(),
            proc: Proc::new(&config.host_root),
            pids: None,
            budget,
            is_off: config.witness == WitnessUse::Off,
            can_exit: false,
            news: false,
            no_folders: None,
            no_pidfds: None,
        }
    }

    /// What is used, and why not more.
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
        match &self.no_pidfds {
            Some(why) => means.lacks.push(("pidfds", why.as_str().into())),
            None if self.held.is_empty() => {}
            None => {
                means.used.push("pidfds");
                match Abilities::get().exit {
                    ability if ability.is_yes() => means.used.push("exitCodes"),
                    ability => {
                        let why =
                            format!("{ability}: the exit code is read before the process is waited for, if at all");
                        means.lacks.push(("exitCodes", why.into()));
                    }
                }
            }
        }
        means
    }

    /// Watches the folders of this engine; those of the connection before, no more.
    pub fn watch_folders(&mut self, pids: &Arc<PidResolver>, folders: Option<Arc<Folders>>) {
        for (watch, _) in self.watches.drain() {
            self.watcher.remove(watch);
        }
        (self.births, self.pids, self.no_folders) = (0, None, None);
        let Some(folders) = folders.filter(|_| !self.is_off) else {
            return;
        };
        let root = pids.engine_root().to_owned();
        let mut refusals = Vec::new();
        for dir in folders.births() {
            let watched = self.watch_or_above(&root, &dir);
            refusals.extend(watched.err().map(|why| format!("{}: {why}", dir.display())));
        }
        if let Some(dir) = folders.exits() {
            // CRI-O makes it when it starts; without it exits come otherwise.
            let _ = self.watch_folder(&root, dir, Folder::Exits(dir.to_owned()));
        }
        if self.watches.is_empty() {
            self.no_folders = Some(refusals.join("; "));
        }
        self.pids = Some((pids.clone(), folders));
        self.wait_for_inotify();
    }

    /// An engine that has run nothing yet has no folder; what is above it tells when it comes.
    fn watch_or_above(&mut self, root: &Path, dir: &Path) -> Result<(), NoHints> {
        match self.watch_folder(root, dir, Folder::All) {
            Err(NoHints::NotThere) => {}
            done => return done,
        }
        for above in dir.ancestors().skip(1).take(3) {
            match self.watch_folder(root, above, Folder::Above) {
                Err(NoHints::NotThere) => {}
                done => return done,
            }
        }
        Err(NoHints::NotThere)
    }

    /// A folder on the way to that of all containers was made: what is in there by now is new.
    fn come_closer(&mut self) {
        let Some((pids, folders)) = self.pids.clone() else { return };
        self.watch_folders(&pids, Some(folders.clone()));
        for dir in folders.births() {
            let open = open_path_below(pids.engine_root(), &dir);
            let entries = open.and_then(|open| fs::read_dir(descriptor_path(open.as_fd())));
            for entry in entries.into_iter().flatten().flatten() {
                let name = entry.file_name();
                if is_id(&name.to_string_lossy()) {
                    self.of_container(What::Created, &name.to_string_lossy());
                }
            }
        }
    }

    fn watch_folder(&mut self, root: &Path, dir: &Path, folder: Folder) -> Result<(), NoHints> {
        let open = open_path_below(root, dir).map_err(|error| match error.raw_os_error() {
            Some(libc::ENOENT | libc::ENOTDIR) => NoHints::NotThere,
            Some(libc::EACCES | libc::EPERM) => NoHints::NoRight,
            Some(libc::EMFILE | libc::ENFILE) => NoHints::Descriptors,
            errno => NoHints::Failed(errno.unwrap_or(libc::EIO)),
        })?;
        let watch = self.watcher.add_dir(&descriptor_path(open.as_fd()))?;
        self.births += usize::from(matches!(folder, Folder::Of(_)));
        self.watches.insert(watch, folder);
        Ok(())
    }

    fn wait_for_inotify(&mut self) {
        if self.inotify.is_none() {
            self.inotify = self.watcher.borrowed().and_then(|fd| Readable::of(fd).ok());
        }
    }

    /// Follows these processes, or no more; their ends become hints.
    pub fn follow(&mut self, follows: Vec<Follow>) {
        if !self.is_off {
            self.wanted.extend(follows);
        }
    }

    /// The next hints; none where only what [`Witness::means`] says has changed. Waits until there are some; nothing is lost where the caller does not wait to the end.
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
            let is_notice = tokio::select! {
                () = until_readable(self.pidfds.as_ref()) => false,
                () = until_readable(self.inotify.as_ref()) => true,
            };
            let was_empty = if is_notice { self.read_notices() } else { self.read_ends() };
            if was_empty {
                let waited = if is_notice { &self.inotify } else { &self.pidfds };
                if let Some(fd) = waited {
                    fd.clear().await;
                }
            }
        }
    }

    fn open_some(&mut self) {
        for _ in 0..BATCH {
            let Some(Follow { id, kind, process }) = self.wanted.pop_front() else {
                return;
            };
            match process {
                Some(process) => self.hold(id, kind, process),
                None => self.release(&id),
            }
        }
    }

    fn hold(&mut self, id: Id, kind: Kind, process: (i32, u64)) {
        if let Some(held) = self.held.get_mut(&id).filter(|held| held.process == process) {
            // What it is comes to be known later than its process.
            self.order.remove(&(held.rank, id.clone()));
            held.rank.0 = kind == Kind::Container;
            self.order.insert((held.rank, id));
            return;
        }
        if self.no_pidfds.is_some() {
            return;
        }
        self.release(&id);
        let expected = Expected { id: None, start_ticks: Some(process.1) };
        let opened = match Process::open(&self.proc, process.0, expected) {
            Ok(opened) => opened,
            Err(Refusal::NoProcess(_) | Refusal::Reused { .. } | Refusal::Ended(_)) => {
                self.hints.push_back(Hint::Exited { id, process: Some(process), code: None });
                return;
            }
            Err(refusal) => return self.no_more_pidfds(&refusal),
        };
        if self.held.len() >= self.budget {
            let Some((_, first)) = self.order.first().cloned() else { return };
            self.release(&first);
        }
        match self.processes.add(opened) {
            Ok(place) => {
                self.opened += 1;
                let rank = (kind == Kind::Container, self.opened);
                self.order.insert((rank, id.clone()));
                self.by_place.insert(place, id.clone());
                self.held.insert(id, Held { place, process, rank });
            }
            Err(error) => self.no_more_pidfds(&error),
        }
        if self.pidfds.is_none() {
            self.news = true;
            self.can_exit = Abilities::get().exit.is_yes();
            self.pidfds = self.processes.fd().and_then(|fd| Readable::of(fd).ok());
        }
    }

    /// Those that are held stay.
    fn no_more_pidfds(&mut self, why: &dyn std::fmt::Display) {
        self.news = true;
        self.no_pidfds = Some(format!("{} processes are followed, and no more: {why}", self.held.len()));
        self.wanted.retain(|follow| follow.process.is_none());
    }

    fn release(&mut self, id: &Id) {
        if let Some(held) = self.held.remove(id) {
            self.order.remove(&(held.rank, id.clone()));
            self.by_place.remove(&held.place);
            self.processes.remove(held.place);
        }
    }

    /// Whether nothing had ended.
    fn read_ends(&mut self) -> bool {
        let woken = self.processes.woken();
        for place in &woken {
            let Some((id, process)) = self.by_place.get(place).zip(self.processes.get(*place)) else { continue };
            let state = process.state().unwrap_or(ProcessState::Alive);
            let exit = process.exit(&self.proc);
            // Its parent will wait for it in a moment, and then the code can be had.
            if state == ProcessState::Alive || state == ProcessState::Ended && exit.is_none() && self.can_exit {
                continue;
            }
            let (id, process) = (id.clone(), (process.pid(), process.start_ticks()));
            self.release(&id);
            self.hints.push_back(Hint::Exited { id, process: Some(process), code: exit.map(|exit| exit.code) });
        }
        woken.is_empty()
    }

    /// Whether there was no notice.
    fn read_notices(&mut self) -> bool {
        let notices = self.watcher.read().unwrap_or_default();
        let was_empty = notices.is_empty();
        for notice in notices {
            match notice {
                Notice::Overflow => self.hints.push_back(Hint::Lost),
                Notice::Of { watch, what, name, is_dir } => {
                    let Some(folder) = self.watches.get(&watch).cloned() else { continue };
                    let name = name.to_string_lossy();
                    match folder {
                        Folder::Above if is_dir && what == What::Created => self.come_closer(),
                        Folder::Above => {}
                        Folder::All if is_dir && is_id(&name) => self.of_container(what, &name),
                        Folder::All => {}
                        Folder::Exits(dir) if is_id(&name) && what == What::MovedIn => self.exit_file(&dir, &name),
                        Folder::Exits(_) => {}
                        Folder::Of(_) if what == What::Gone => drop(self.watches.remove(&watch)),
                        Folder::Of(id) => {
                            let is_there = matches!(what, What::Created | What::MovedIn);
                            if is_there && self.look_for_pid(&id) {
                                self.end_birth(watch);
                            }
                        }
                    }
                }
            }
        }
        was_empty
    }

    fn of_container(&mut self, what: What, name: &str) {
        let id = Id::from(name);
        match what {
            What::Created | What::MovedIn => {
                self.hints.push_back(Hint::Created(id.clone()));
                self.watch_birth(&id);
            }
            What::Deleted | What::MovedOut => {
                let birth = self.watches.iter().find(|(_, folder)| **folder == Folder::Of(id.clone()));
                if let Some(watch) = birth.map(|(watch, _)| *watch) {
                    self.end_birth(watch);
                }
                self.hints.push_back(Hint::Gone(id));
            }
            What::Modified | What::Gone => {}
        }
    }

    /// The pid comes a moment after the folder, or has come already.
    fn watch_birth(&mut self, id: &Id) {
        let Some((pids, folders)) = self.pids.clone().filter(|_| self.births < MOST_BIRTHS) else {
            return;
        };
        for dir in folders.births_of(id) {
            // It may be gone by now, or come later: the status requests that follow find out.
            let _ = self.watch_folder(pids.engine_root(), &dir, Folder::Of(id.clone()));
        }
        if self.look_for_pid(id) {
            let ended: Vec<Watch> =
                self.watches.iter().filter(|(_, of)| **of == Folder::Of(id.clone())).map(|(watch, _)| *watch).collect();
            ended.into_iter().for_each(|watch| self.end_birth(watch));
        }
    }

    fn end_birth(&mut self, watch: Watch) {
        self.watcher.remove(watch);
        if self.watches.remove(&watch).is_some() {
            self.births = self.births.saturating_sub(1);
        }
    }

    fn look_for_pid(&mut self, id: &Id) -> bool {
        let wanted = Wanted { id: id.clone(), image_name: true };
        let Some(Ok(details)) = self.pids.as_ref().map(|(pids, folders)| pids.find_in_files(folders, &wanted)) else {
            return false;
        };
        if let Some(process) = details.pid.zip(details.pid_start_ticks) {
            self.hold(id.clone(), Kind::Container, process);
        }
        self.hints.push_back(Hint::Pid(id.clone(), details));
        true
    }

    /// CRI-O's monitor leaves the exit code in a file, which CRI-O removes when it has read it: 0.2 s later.
    fn exit_file(&mut self, dir: &Path, name: &str) {
        let Some((pids, _)) = &self.pids else { return };
        let text = open_file_below(pids.engine_root(), &dir.join(name)).and_then(io::read_to_string);
        let code = text.ok().and_then(|text| text.trim().parse().ok());
        self.hints.push_back(Hint::Exited { id: name.into(), process: None, code });
    }
}

/// Engines' ids are hexadecimal digits; other names in their folders are not about containers.
fn is_id(name: &str) -> bool {
    name.len() >= 32 && name.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Waits for ever where there is no descriptor.
async fn until_readable(fd: Option<&Readable>) {
    match fd {
        Some(fd) => fd.wait().await,
        None => std::future::pending().await,
    }
}
