//! The means where the engine's folders cannot be seen: the cgroups of its containers, by one fanotify mark for each
//! hierarchy, or by inotify on the folders of pods.
//!
//! They show containers that are made and removed, but no pid, because the first process in a new cgroup is the
//! runtime's.

use std::fs;
use std::path::{Path, PathBuf};

use super::hint::Hint;
use super::witness::{FallBack, Folder, Witness};
use crate::host::Readable;
use crate::host::cgroup::Cgroups;
use crate::host::cgroup_name::{CgroupName, Role};
use crate::host::watch::{CgroupNotice, NoHints, Watch, What};
use crate::model::Id;

/// How many folders of pods are watched at most. A node has some hundreds.
const MOST_FOLDERS: usize = 4096;

/// What a directory in a hierarchy of cgroups is, by its name.
#[derive(Debug, PartialEq, Eq)]
enum Meaning {
    Container(Id),
    /// A folder that contains pods, containers, or more such folders.
    Inner,
    Nothing,
}

fn meaning(name: &str) -> Meaning {
    let path = format!("/{name}");
    let part = CgroupName::new(&path).parts().next();
    match part.map(|part| part.role) {
        Some(Role::Container(id)) => Meaning::Container(id.into()),
        Some(Role::Parent | Role::Pod) => Meaning::Inner,
        // The kubelet's own root, as in kind.
        Some(_) if matches!(name, "kubelet" | "kubelet.slice") => Meaning::Inner,
        _ => Meaning::Nothing,
    }
}

impl Witness {
    /// Uses the next best means: a mark on each hierarchy, otherwise a watch on each folder of pods, otherwise nothing.
    pub(super) fn fall_back(&mut self) {
        self.news = true;
        let mut fall_back = FallBack::default();
        let cgroups = Cgroups::read(&self.root);
        let mounts: Vec<PathBuf> =
            cgroups.iter().flat_map(|all| all.witnesses().map(|mount| mount.dir.clone())).collect();
        if mounts.is_empty() {
            fall_back.lacks.push(("cgroups", "no cgroup file system is mounted below host.root".into()));
            self.fall_back = fall_back;
            return;
        }
        match self.mark(&mounts) {
            Ok(()) => fall_back.used = Some("fanotify"),
            Err(why) => {
                fall_back.lacks.push(("fanotify", why.to_string()));
                match self.watch_pods(&mounts) {
                    Ok(()) => fall_back.used = Some("cgroups"),
                    Err(why) => fall_back.lacks.push(("cgroups", why.to_string())),
                }
            }
        }
        self.fall_back = fall_back;
    }

    fn mark(&mut self, mounts: &[PathBuf]) -> Result<(), NoHints> {
        mounts.iter().try_for_each(|mount| self.marks.add(mount))?;
        if self.marked.is_none() {
            self.marked = self.marks.borrowed().and_then(|fd| Readable::of(fd).ok());
        }
        if self.marked.is_some() { Ok(()) } else { Err(NoHints::Descriptors) }
    }

    fn watch_pods(&mut self, mounts: &[PathBuf]) -> Result<(), NoHints> {
        mounts.iter().try_for_each(|mount| self.watch_inner(mount, false))?;
        self.wait_for_inotify();
        if self.inotify.is_some() { Ok(()) } else { Err(NoHints::Descriptors) }
    }

    /// Watches this folder, and the folders of pods in it. `is_news`: containers that are in it already become hints;
    /// otherwise the engine's lists show them.
    fn watch_inner(&mut self, dir: &Path, is_news: bool) -> Result<(), NoHints> {
        if self.watches.len() >= MOST_FOLDERS {
            return Err(NoHints::Watches);
        }
        let watch = self.watcher.add_dir(dir)?;
        self.watches.insert(watch, Folder::Inner(dir.to_owned()));
        // The folder is read after the watch begins, so what is made meanwhile is found by reading, by a notice, or by
        // both.
        for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
            let name = entry.file_name();
            match meaning(&name.to_string_lossy()) {
                Meaning::Container(id) if is_news => self.hints.push_back(Hint::Created(id)),
                Meaning::Inner => match self.watch_inner(&entry.path(), is_news) {
                    // It has gone meanwhile, or is a file.
                    Err(NoHints::NotThere) | Ok(()) => {}
                    Err(why) => return Err(why),
                },
                _ => {}
            }
        }
        Ok(())
    }

    /// Handles a notice about a folder with pods or containers.
    pub(super) fn of_cgroup(&mut self, what: What, dir: &Path, name: &str) {
        match (meaning(name), what) {
            (Meaning::Container(id), What::Created | What::MovedIn) => self.hints.push_back(Hint::Created(id)),
            (Meaning::Container(id), What::Deleted | What::MovedOut) => self.hints.push_back(Hint::Gone(id)),
            (Meaning::Inner, What::Created | What::MovedIn) => match self.watch_inner(&dir.join(name), true) {
                Ok(()) | Err(NoHints::NotThere) => {}
                Err(why) => {
                    // The watches stay, and the engine's lists show the rest.
                    self.fall_back.lacks = vec![("fanotify", "not used".into()), ("cgroups", why.to_string())];
                    self.news = true;
                }
            },
            (Meaning::Inner, What::Deleted | What::MovedOut) => self.end_inner(&dir.join(name)),
            _ => {}
        }
    }

    /// Ends the watch on a cgroup that was removed. The kernel does not report the end of such a watch, and would keep
    /// it.
    fn end_inner(&mut self, dir: &Path) {
        let below = |of: &Folder| matches!(of, Folder::Inner(inner) if inner.starts_with(dir));
        let ended: Vec<Watch> = self.watches.iter().filter(|(_, of)| below(of)).map(|(watch, _)| *watch).collect();
        for watch in ended {
            self.watcher.remove(watch);
            self.watches.remove(&watch);
        }
    }

    /// Reads the notices of the marks. Returns whether there were none.
    pub(super) fn read_marks(&mut self) -> bool {
        let notices = self.marks.read().unwrap_or_default();
        let was_empty = notices.is_empty();
        for notice in notices {
            match notice {
                CgroupNotice::Overflow => self.hints.push_back(Hint::Lost),
                CgroupNotice::Of { name, made, removed } => {
                    if let Meaning::Container(id) = meaning(&name.to_string_lossy()) {
                        // If both are true, the status shows what became of it.
                        self.hints.extend(made.then(|| Hint::Created(id.clone())));
                        self.hints.extend(removed.then_some(Hint::Gone(id)));
                    }
                }
            }
        }
        was_empty
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "72e0b85d6a1472e0b85d6a1472e0b85d6a1472e0b85d6a1472e0b85d6a14aaaa";

    #[test]
    fn trap_monitors_and_mount_units_carry_ids_and_are_no_containers() {
        for name in
            [ID.to_owned(), format!("cri-containerd-{ID}.scope"), format!("crio-{ID}"), format!("docker-{ID}.scope")]
        {
            assert_eq!(meaning(&name), Meaning::Container(ID.into()), "{name}");
        }
        let pod = "kubepods-burstable-pod0c5e2d6e_7c8f_4d5c_9a0b_1f2e3d4c5b6a.slice";
        for name in ["kubepods", "kubepods.slice", "kubepods-besteffort.slice", "k8s.io", "crio", "kubelet.slice", pod]
        {
            assert_eq!(meaning(name), Meaning::Inner, "{name}");
        }
        let conmon = format!("crio-conmon-{ID}.scope");
        let mount = format!("run-containerd-{ID}-rootfs.mount");
        for name in ["", "system.slice", "init.scope", "besteffort2", &conmon, &mount, &format!("kata_{ID}")] {
            assert_eq!(meaning(name), Meaning::Nothing, "{name}");
        }
    }
}
