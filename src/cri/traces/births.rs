//! Watches the engine's folders with inotify: for new containers, their pid files, and CRI-O's exit files.

use std::fs;
use std::io;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::folders::Folders;
use super::hint::Hint;
use super::witness::{FallBack, Folder, Witness};
use crate::cri::client::Version;
use crate::cri::pid::{PidResolver, Wanted};
use crate::cri::proofs::{Proof, Proofs};
use crate::host::below::{descriptor_path, open_file_below, open_path_below};
use crate::host::watch::{Marks, NoHints, Notice, Watch, What};
use crate::model::{Id, IdSet, Kind};

/// How many folders of containers that are being created are watched at a time.
const MOST_BIRTHS: usize = 256;
/// For how many containers the processes are looked for before the first lists. No more are kept until then.
const MOST_UNLISTED: usize = 1000;

impl Witness {
    /// Watches the folders of this engine, and no longer those of the previous connection.
    pub fn watch_folders(&mut self, pids: &Arc<PidResolver>, folders: Option<Arc<Folders>>) {
        for (watch, _) in self.watches.drain() {
            self.watcher.remove(watch);
        }
        (self.births, self.pids, self.no_folders, self.fall_back) = (0, None, None, FallBack::default());
        if !folders.as_deref().is_some_and(|folders| self.has_searched(folders)) {
            self.forget_search();
        }
        (self.marked, self.marks) = (None, Marks::new());
        if self.is_off {
            return;
        }
        let Some(folders) = folders else {
            let asked = !pids.reads_files();
            self.no_folders = asked.then(|| "the option pid.source=engine asks for it".into());
            return self.fall_back();
        };
        let root = pids.engine_root().to_owned();
        let mut refusals = Vec::new();
        for dir in folders.births() {
            let watched = self.watch_or_above(&root, &dir);
            refusals.extend(watched.err().map(|why| format!("{}: {why}", dir.display())));
        }
        if let Some(dir) = folders.exits() {
            // CRI-O makes this folder when it starts. Without it, pidfds and the engine show the exits.
            let _ = self.watch_folder(&root, dir, Folder::Exits(dir.to_owned()));
        }
        self.pids = Some((pids.clone(), folders));
        if self.watches.is_empty() {
            self.no_folders = Some(refusals.join("; "));
            return self.fall_back();
        }
        self.wait_for_inotify();
    }

    /// Watches a folder, or the nearest one above it that exists. An engine that has run nothing yet has no folder for
    /// containers; a watch above shows when it is made.
    fn watch_or_above(&mut self, root: &Path, dir: &Path) -> Result<(), NoHints> {
        match self.watch_folder(root, dir, Folder::All) {
            Err(NoHints::NotThere) => {}
            done => return done,
        }
        // The engine makes its own folder when it starts. The folders above that one belong to the system, and exist without
        // an engine, too.
        let is_own = |above: &&Path| !above.ends_with("run");
        for above in dir.ancestors().skip(1).take(2).take_while(is_own) {
            match self.watch_folder(root, above, Folder::Above) {
                Err(NoHints::NotThere) => {}
                done => return done,
            }
        }
        Err(NoHints::NotThere)
    }

    /// A folder above the folder of all containers was made. Watches again, and takes everything in the folder as new.
    fn come_closer(&mut self) {
        let Some((pids, folders)) = self.pids.clone() else { return };
        self.watch_folders(&pids, Some(folders.clone()));
        for id in ids_in(&pids, &folders).collect::<Vec<Id>>() {
            self.of_container(What::Created, &id);
        }
    }

    /// Begins to look for the processes of containers that already have folders, before the engine has replied to anything.
    /// A second thread looks. What it finds becomes hints after [`Witness::take_up_search`]; then this thread looks, too.
    ///
    /// `likely` are folders to try: a wrong one costs an open at most, because each pid is proven. The search goes on if
    /// `watch_folders` is then called with the folders that it looks in.
    pub fn look_ahead(&mut self, pids: &Arc<PidResolver>, likely: Vec<Folders>) {
        self.forget_search();
        self.is_ahead = true;
        for folders in likely {
            self.search(pids, &Arc::new(folders));
            if self.unlisted.is_some() {
                return;
            }
        }
    }

    /// Goes on with the search that `look_ahead` began, now that the engine's version is known. Returns its folders. If an
    /// engine of this version does not use them, the search ends.
    pub fn take_up_search(&mut self, version: &Version) -> Option<Arc<Folders>> {
        self.is_ahead = false;
        let used = self.searched.as_ref().and_then(|searched| searched.used_by(version));
        if used.is_none() {
            self.forget_search();
        }
        used.map(Arc::new)
    }

    /// Looks in the folders that the engine has named, while it makes its first lists, unless those were searched already.
    pub fn look_around(&mut self) {
        if let Some((pids, folders)) = self.pids.clone().filter(|(_, folders)| !self.has_searched(folders)) {
            self.search(&pids, &folders);
        }
    }

    fn has_searched(&self, folders: &Folders) -> bool {
        self.searched.as_ref().is_some_and(|searched| searched.have_files_of(folders))
    }

    /// Ends the search, and drops what it found.
    pub fn forget_search(&mut self) {
        (self.unlisted, self.searched, self.is_ahead) = (None, None, false);
    }

    /// Begins a search, if there is any container in these folders.
    fn search(&mut self, pids: &Arc<PidResolver>, folders: &Arc<Folders>) {
        // CRI-O has two folders for each container.
        let mut seen = IdSet::default();
        let is_new = |id: &Id| seen.insert(id.clone());
        // The lists will name the images.
        let wanted = |id| Wanted { id, image_name: false };
        let most = if self.is_off { 0 } else { MOST_UNLISTED };
        let wanted: Vec<_> = ids_in(pids, folders).filter(is_new).take(most).map(wanted).collect();
        if !wanted.is_empty() {
            self.unlisted = Some(Proofs::begin(pids.clone(), folders.clone(), wanted));
            self.searched = Some(folders.clone());
        }
    }

    /// Ends this search, because the lists came: they show which processes are still to be looked for. Returns what was
    /// found and has not become a hint yet.
    pub fn look_no_more(&mut self) -> Vec<Proof> {
        self.unlisted.take().map_or_else(Vec::new, Proofs::stop)
    }

    /// Makes hints of what was found; `None` is the end of the search.
    pub(super) fn found_unlisted(&mut self, found: Option<Vec<Proof>>) {
        match found {
            Some(found) => self.hints.extend(found.into_iter().filter_map(pid_hint)),
            None => self.unlisted = None,
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

    /// Reads the notices of inotify. Returns whether there were none.
    pub(super) fn read_notices(&mut self) -> bool {
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
                        Folder::Inner(dir) if is_dir => self.of_cgroup(what, &dir, &name),
                        Folder::Inner(_) => {}
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

    /// Handles the folder of a new container. Its pid file comes a moment later, or is there already.
    fn watch_birth(&mut self, id: &Id) {
        let Some((pids, folders)) = self.pids.clone().filter(|_| self.births < MOST_BIRTHS) else {
            return;
        };
        for dir in folders.births_of(id) {
            // The folder may be gone by now, or come later. The status requests that follow show it.
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
        let Some((pids, folders)) = &self.pids else { return false };
        let Some(Ok(details)) = pids.find_in_files(folders, &[wanted]).pop() else {
            return false;
        };
        if let Some(process) = details.pid.zip(details.pid_start_ticks) {
            self.hold(id.clone(), Kind::Container, process);
        }
        self.hints.push_back(Hint::Pid(id.clone(), details));
        true
    }

    /// Reads the exit code that CRI-O's monitor writes to a file. CRI-O reads and removes this file 0.2 s later.
    fn exit_file(&mut self, dir: &Path, name: &str) {
        let Some((pids, _)) = &self.pids else { return };
        let text = open_file_below(pids.engine_root(), &dir.join(name)).and_then(io::read_to_string);
        let code = text.ok().and_then(|text| text.trim().parse().ok());
        self.hints.push_back(Hint::Exited { id: name.into(), process: None, code });
    }
}

fn pid_hint((wanted, found): Proof) -> Option<Hint> {
    found.ok().map(|details| Hint::Pid(wanted.id, details))
}

/// The ids of the containers that have folders.
fn ids_in(pids: &PidResolver, folders: &Folders) -> impl Iterator<Item = Id> {
    let entries = |dir: PathBuf| {
        let open = open_path_below(pids.engine_root(), &dir);
        open.and_then(|open| fs::read_dir(descriptor_path(open.as_fd()))).into_iter().flatten().flatten()
    };
    let id = |entry: fs::DirEntry| entry.file_name().to_str().filter(|name| is_id(name)).map(Id::from);
    folders.births().into_iter().flat_map(entries).filter_map(id)
}

/// Whether the name of a folder is an id, which is at least 32 hexadecimal digits. Other folders are not containers'.
fn is_id(name: &str) -> bool {
    name.len() >= 32 && name.bytes().all(|byte| byte.is_ascii_hexdigit())
}
