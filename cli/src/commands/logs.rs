//! criwatch logs: what a container wrote, over its restarts.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use clap_complete::engine::ArgValueCompleter;
use criwatch::error::CRI_E_NOT_FOUND;
use criwatch::model::Kind;
use criwatch::watcher::Watcher;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fd::AsFd;
use rustix::fs::inotify;

use super::{Example, inspect};
use crate::args::{Global, containers};
use crate::cri_log::{Assembler, Entry, Tail};
use crate::duration;
use crate::engine::look;
use crate::exit::{Exit, Failure};
use crate::log_files;
use crate::output::parsed;
use crate::select::unknown_name;
use crate::terminal::{Out, complain};

pub const EXAMPLES: &[Example] = &[
    (
        "the last lines of a container, and then new lines, also after restarts",
        "criwatch logs -f --tail 20 shop/web-5d9c7b6f4-x2x7q/nginx",
    ),
    ("the log of the previous run", "criwatch logs --previous nginx"),
    ("the last ten minutes, with times", "criwatch logs --since 10m --timestamps nginx"),
];

/// Print what a container wrote
///
/// Prints the log of a container, from the files that the engine writes for the kubelet, including rotated ones, the oldest
/// first. It does not read compressed files, but prints their names. It needs the right to read these files, which usually
/// only root has. With -f, it goes on with the logs of the next runs in the same pod, until Ctrl-C.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The container: its name, namespace/pod/container, an id, or the beginning of an id
    #[arg(value_name = "NAME", add = names())]
    name: String,
    /// Go on with new lines, also after restarts
    #[arg(short, long, conflicts_with = "previous")]
    follow: bool,
    /// The log of the previous run
    #[arg(long)]
    previous: bool,
    /// Only the last N lines
    #[arg(long, value_name = "N")]
    tail: Option<usize>,
    /// Only lines that are not older than this: 90s, 10m, 2h, or a time, e.g. 2026-02-03T04:05:06Z
    #[arg(long, value_name = "TIME", value_parser = since)]
    since: Option<i64>,
    /// Print the time of each line before the line
    #[arg(short, long)]
    timestamps: bool,
}

fn names() -> ArgValueCompleter {
    containers()
}

fn since(text: &str) -> Result<i64, String> {
    let ago = duration::parse(text).and_then(|ago| i64::try_from(ago.as_nanos()).ok());
    ago.map(|ago| duration::now() - ago)
        .or_else(|| duration::nanoseconds(text))
        .ok_or_else(|| "no time such as 90s, 10m, 2h, 2026-02-03T04:05:06Z".into())
}

pub fn run(args: &Args, global: &Global, out: &mut Out) -> Result<Exit, Failure> {
    let watcher = look(global, "logs")?;
    let path = path(&watcher, &args.name, global)?;
    let path = if args.previous { before(&path)? } else { path };
    drop(watcher);
    let mut reader = Reader::open(path, Tail::new(args.tail, args.since), args.timestamps)?;
    reader.read_all(out)?;
    let wants_older = reader.tail.wants_older();
    reader.end(out)?;
    if wants_older {
        reader.name_compressed(out)?;
    }
    if args.follow {
        reader.follow(out)?;
    }
    if reader.assembler.unreadable > 0 {
        out.flush()?;
        complain(&format!("{}: {} lines are none of a CRI log", reader.path.display(), reader.assembler.unreadable));
    }
    Ok(Exit::Ok)
}

/// The path of a container's log on this host.
fn path(watcher: &Watcher, name: &str, global: &Global) -> Result<PathBuf, Failure> {
    let snapshot = watcher.snapshot()?;
    let container = match snapshot.find(name) {
        Ok(container) if container.kind == Kind::Sandbox => {
            // A pod with one container stands for that container.
            let members = crate::select::Picker {
                pod: Some(container.id.to_string()),
                kind: Some(Kind::Container),
                ..Default::default()
            };
            let members = members.of_all().pick(&snapshot)?;
            let names: std::collections::BTreeSet<String> = members.iter().map(|one| one.path()).collect();
            match (members.iter().max_by_key(|one| (one.attempt, one.created_at)), names.len()) {
                (Some(only), 1) => (*only).clone(),
                (None, _) => return Err(Failure::nothing(format!("{} has no containers", container.path()))),
                _ => {
                    let names = names.into_iter().collect::<Vec<_>>().join(", ");
                    return Err(Failure::nothing(format!(
                        "{} has several containers: name one of {names}",
                        container.path()
                    )));
                }
            }
        }
        Ok(container) => container.clone(),
        Err(error) if error.status() == CRI_E_NOT_FOUND => return Err(unknown_name(&snapshot, name, &error)),
        Err(error) => return Err(error.into()),
    };
    let mut path = container.spec.log_path.to_string();
    if path.is_empty() {
        let document = parsed(&inspect::document(watcher, &container.id, 0, global)?)?;
        path = document["status"]["logPath"].as_str().unwrap_or_default().to_owned();
    }
    if path.is_empty() {
        return Err(Failure::nothing(format!("{} has no log: the engine names no file", container.path())));
    }
    Ok(Path::new(global.host_root()).join(path.trim_start_matches('/')))
}

/// The log of the previous run. The kubelet names the files by the number of the restart: N.log.
fn before(path: &Path) -> Result<PathBuf, Failure> {
    let none = || Failure::nothing(format!("{}: there was no run before", path.display()));
    let number = number_of(path).and_then(|number| number.checked_sub(1)).ok_or_else(none)?;
    let path = path.with_file_name(format!("{number}.log"));
    let is_there = log_files::of(&path).is_ok_and(|files| !files.readable.is_empty());
    if is_there { Ok(path) } else { Err(none()) }
}

fn number_of(path: &Path) -> Option<u64> {
    path.file_name()?.to_str()?.strip_suffix(".log")?.parse().ok()
}

/// The failure for a log file that is not there, with what to do.
fn absent(Failure { exit, message }: &Failure) -> Failure {
    let hint = "the engine names this file; if the node's root is elsewhere: --option host.root=PATH";
    Failure { exit: *exit, message: format!("{message} ({hint})") }
}

/// Reads one log file after the other.
struct Reader {
    /// The path at which the log is written. The open file may be an older one from there.
    path: PathBuf,
    file: File,
    assembler: Assembler,
    tail: Tail,
    timestamps: bool,
}

impl Reader {
    fn open(path: PathBuf, tail: Tail, timestamps: bool) -> Result<Self, Failure> {
        let failed = |error: io::Error| Failure::system(path.display(), &error);
        let file = match File::open(&path) {
            // During a rotation, the file does not exist for a moment.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                match log_files::of(&path).ok().and_then(|files| files.readable.last().cloned()) {
                    Some(rotated) => File::open(rotated).map_err(failed)?,
                    None => return Err(absent(&failed(error))),
                }
            }
            opened => opened.map_err(failed)?,
        };
        Ok(Reader { path, file, assembler: Assembler::default(), tail, timestamps })
    }

    /// Prints everything that exists, beginning with the oldest file.
    fn read_all(&mut self, out: &mut Out) -> Result<(), Failure> {
        // The file was opened before the others are searched for. If it is rotated now, it is found by its inode, so
        // none is missed.
        let own = self.inode(&self.file)?;
        for (_, file) in self.files()? {
            let about = file.metadata().map_err(|error| self.failed(&error))?;
            if about.ino() == own {
                break;
            }
            if self.tail.passes_over(about.mtime() * 1_000_000_000 + about.mtime_nsec()) {
                continue;
            }
            let last = std::mem::replace(&mut self.file, file);
            self.read(out)?;
            self.file = last;
        }
        self.read(out)
    }

    /// Prints the names of compressed files that are left out although they may contain what was asked for.
    fn name_compressed(&self, out: &mut Out) -> Result<(), Failure> {
        let compressed = log_files::of(&self.path).map_err(|error| self.failed(&error))?.compressed;
        if let [first, ..] = &compressed[..] {
            out.flush()?;
            let count = compressed.len();
            let files = if count == 1 { "file is" } else { "files are" };
            complain(&format!("{count} older {files} compressed, and not read: zcat {}", first.display()));
        }
        Ok(())
    }

    /// The files of this log, opened, the oldest first.
    fn files(&self) -> Result<Vec<(PathBuf, File)>, Failure> {
        log_files::open(&self.path).map_err(|(path, error)| Failure::system(path.display(), &error))
    }

    fn failed(&self, error: &io::Error) -> Failure {
        Failure::system(self.path.display(), error)
    }

    fn inode(&self, file: &File) -> Result<u64, Failure> {
        Ok(file.metadata().map_err(|error| self.failed(&error))?.ino())
    }

    /// Prints the rest of the file.
    fn read(&mut self, out: &mut Out) -> Result<(), Failure> {
        let mut portion = [0; 64 << 10];
        loop {
            let count = match self.file.read(&mut portion) {
                Ok(0) => return Ok(()),
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(self.failed(&error)),
            };
            let entries = self.assembler.feed(&portion[..count]);
            for entry in self.tail.take(entries) {
                self.print(&entry, out)?;
            }
        }
    }

    fn end(&mut self, out: &mut Out) -> Result<(), Failure> {
        self.tail.end().iter().try_for_each(|entry| self.print(entry, out))
    }

    fn print(&self, entry: &Entry, out: &mut Out) -> Result<(), Failure> {
        if self.timestamps {
            out.raw(&entry.time)?;
            out.raw(" ")?;
        }
        // As the container wrote it, including colours.
        out.bytes(&entry.message)?;
        out.raw("\n")
    }

    /// Prints what is added: to this file, to one that replaces it (the kubelet rotates logs), and to those of the runs
    /// that follow.
    fn follow(&mut self, out: &mut Out) -> Result<(), Failure> {
        let folder = self.path.parent().map(Path::to_owned).unwrap_or_default();
        let failed = |error: rustix::io::Errno| Failure::system(folder.display(), &error.into());
        let changes = inotify::init(inotify::CreateFlags::CLOEXEC | inotify::CreateFlags::NONBLOCK).map_err(failed)?;
        let wanted = inotify::WatchFlags::MODIFY | inotify::WatchFlags::CREATE | inotify::WatchFlags::MOVED_TO;
        inotify::add_watch(&changes, &folder, wanted).map_err(failed)?;
        loop {
            self.read(out)?;
            if let Some((path, file)) = self.next_file()? {
                // This was added between the end and the change.
                self.read(out)?;
                (self.path, self.file) = (path, file);
                continue;
            }
            out.flush()?;
            let stdout = io::stdout();
            let mut watched =
                [PollFd::new(&changes, PollFlags::IN), PollFd::from_borrowed_fd(stdout.as_fd(), PollFlags::empty())];
            match poll(&mut watched, None) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(failed(error)),
            }
            if watched[1].revents().intersects(PollFlags::ERR | PollFlags::HUP) {
                return Err(Failure::output(&io::ErrorKind::BrokenPipe.into()));
            }
            // The notices only wake the loop, so their content does not matter.
            let mut names = [std::mem::MaybeUninit::uninit(); 4096];
            let mut reader = inotify::Reader::new(&changes, &mut names);
            while reader.next().is_ok() {}
        }
    }

    /// The file that continues where this one ends: the next one of a rotation, or the first one of the next run.
    fn next_file(&self) -> Result<Option<(PathBuf, File)>, Failure> {
        let own = self.inode(&self.file)?;
        let mut is_after = false;
        for (path, file) in self.files()? {
            let is_own = self.inode(&file)? == own;
            // The present file itself may be gone meanwhile.
            if !is_own && (is_after || path == self.path) {
                return Ok(Some((self.path.clone(), file)));
            }
            is_after |= is_own;
        }
        let Some(number) = number_of(&self.path) else { return Ok(None) };
        let next = self.path.with_file_name(format!("{}.log", number + 1));
        let files = log_files::of(&next).map_err(|error| self.failed(&error))?.readable;
        // Usually it does not exist.
        Ok(files.first().and_then(|first| Some((next, File::open(first).ok()?))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_run_before_has_the_number_before() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("2.log"), "").unwrap();
        assert_eq!(before(&folder.path().join("3.log")).unwrap(), folder.path().join("2.log"));
        for path in ["2.log", "0.log", "x.log", "3"] {
            assert!(before(&folder.path().join(path)).is_err(), "{path}");
        }
    }

    #[test]
    fn moments() {
        assert_eq!(since("1970-01-01T00:00:01Z"), Ok(1_000_000_000));
        let ago = duration::now() - since("10m").unwrap();
        assert!((599_000_000_000..=601_000_000_000).contains(&ago) || ago > 600_000_000_000);
        assert!(since("soon").is_err());
    }
}
