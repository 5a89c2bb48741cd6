//! The files of one run's log. The kubelet rotates them: `0.log` becomes `0.log.20260101-000000`, and the engine
//! continues in a new `0.log`. All rotated files except the newest are compressed, as `0.log.20260101-000000.gz`.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

/// The files of one log.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct LogFiles {
    /// The readable files, the oldest first. The last one is the one being written, unless it is missing for a moment
    /// during a rotation.
    pub readable: Vec<PathBuf>,
    /// The compressed files, the oldest first. All are older than the readable ones.
    pub compressed: Vec<PathBuf>,
}

/// The files of the log that is being written at `path`.
pub fn of(path: &Path) -> io::Result<LogFiles> {
    let (Some(folder), Some(current)) = (path.parent(), path.file_name().and_then(|name| name.to_str())) else {
        return Ok(LogFiles::default());
    };
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        names.extend(entry?.file_name().into_string());
    }
    Ok(among(names, current, folder))
}

/// Opens the readable files of the log that is being written at `path`, the oldest first. An error comes with the path that
/// it is about.
pub fn open(path: &Path) -> Result<Vec<(PathBuf, File)>, (PathBuf, io::Error)> {
    open_with(path, |path| File::open(path))
}

fn open_with(
    path: &Path,
    open: impl Fn(&Path) -> io::Result<File>,
) -> Result<Vec<(PathBuf, File)>, (PathBuf, io::Error)> {
    let list = || of(path).map_err(|error| (path.to_owned(), error));
    let mut before = list()?;
    loop {
        let mut opened = Vec::new();
        for path in &before.readable {
            match open(path) {
                Ok(file) => opened.push((path.clone(), file)),
                // It has just been compressed or removed.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err((path.clone(), error)),
            }
        }
        // A rotation gives the name of one file to the next. If no name has changed meanwhile, each is what it seems.
        let after = list()?;
        if after == before {
            return Ok(opened);
        }
        before = after;
    }
}

fn among(mut names: Vec<String>, current: &str, folder: &Path) -> LogFiles {
    // The names contain the times in such a form that this puts them in order.
    names.sort();
    let rotated = |name: &str| name.strip_prefix(current)?.strip_prefix('.').map(str::to_owned);
    let (mut readable, mut compressed) = (Vec::new(), Vec::new());
    for name in &names {
        match rotated(name) {
            Some(when) if is_time(&when) => readable.push(folder.join(name)),
            // While a file is being compressed, both exist.
            Some(when)
                if when.strip_suffix(".gz").is_some_and(is_time) && !names.contains(&name.replace(".gz", "")) =>
            {
                compressed.push(folder.join(name));
            }
            _ => {}
        }
    }
    readable.extend(names.iter().any(|name| name == current).then(|| folder.join(current)));
    LogFiles { readable, compressed }
}

/// Whether the text is a time like 20260101-000000.
fn is_time(text: &str) -> bool {
    text.len() == 15
        && text.bytes().enumerate().all(|(at, byte)| if at == 8 { byte == b'-' } else { byte.is_ascii_digit() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rotation_while_files_are_opened_mixes_up_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("0.log");
        std::fs::write(&path, "0").unwrap();
        let rotations = std::cell::Cell::new(0);
        let opened = open_with(&path, |it| {
            // The file that was listed under this name has another name by now.
            if rotations.get() < 3 {
                rotations.set(rotations.get() + 1);
                std::fs::rename(&path, folder.path().join(format!("0.log.20260101-00000{}", rotations.get()))).unwrap();
                std::fs::write(&path, rotations.get().to_string()).unwrap();
            }
            File::open(it)
        });
        let contents = opened.unwrap().into_iter().map(|(_, file)| io::read_to_string(file).unwrap());
        assert_eq!(contents.collect::<Vec<_>>(), ["0", "1", "2", "3"]);
    }

    #[test]
    fn only_what_the_kubelet_makes_belongs_to_a_log() {
        let names = [
            "0.log",
            "0.log.20260103-000000",
            "0.log.20260102-000000",
            "0.log.20260102-000000.gz",
            "0.log.20260101-000000.gz",
            "0.log.20260102-000000.gz.tmp",
            "0.log.20260104-000000.tmp",
            "0.log.old",
            "10.log.20260101-000000",
            "1.log",
        ];
        let names =
            |left_out: &str| names.iter().filter(|name| **name != left_out).map(|name| (*name).to_owned()).collect();
        let in_folder =
            |names: &[&str]| -> Vec<PathBuf> { names.iter().map(|name| Path::new("f").join(name)).collect() };
        let files = among(names(""), "0.log", Path::new("f"));
        assert_eq!(files.readable, in_folder(&["0.log.20260102-000000", "0.log.20260103-000000", "0.log"]));
        assert_eq!(files.compressed, in_folder(&["0.log.20260101-000000.gz"]));
        let between = among(names("0.log"), "0.log", Path::new("f"));
        assert_eq!(between.readable, in_folder(&["0.log.20260102-000000", "0.log.20260103-000000"]));
    }
}
