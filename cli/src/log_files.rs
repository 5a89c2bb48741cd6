//! The files of one run's log. The kubelet rotates them: `0.log` becomes `0.log.20260101-000000`, and the engine
//! continues in a new `0.log`. All rotated files except the newest are compressed, as `0.log.20260101-000000.gz`.

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
