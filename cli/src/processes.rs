//! Processes as /proc shows them, and their trees. A process's files are only read, never held open.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::{fs, io};

use criwatch::watcher::{Owner, Snapshot};

/// A process as it was at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    pub pid: i32,
    pub parent: i32,
    /// When it began, in clock ticks since boot.
    pub start_ticks: u64,
    /// The command line; if there is none, the process's name in brackets.
    pub command: String,
}

impl Process {
    /// The process with this pid; `None`: there is none.
    pub fn read(proc: &Path, pid: i32) -> Option<Process> {
        let folder = proc.join(pid.to_string());
        let stat = fs::read(folder.join("stat")).ok()?;
        let line = fs::read(folder.join("cmdline")).ok()?;
        Process::parse(pid, &String::from_utf8_lossy(&stat), &line)
    }

    fn parse(pid: i32, stat: &str, command_line: &[u8]) -> Option<Process> {
        // The name may contain anything, even parentheses.
        let (name, rest) = stat.split_once('(')?.1.rsplit_once(')')?;
        let fields: Vec<&str> = rest.split_whitespace().collect();
        let words: Vec<_> = command_line.split(|byte| *byte == 0).map(String::from_utf8_lossy).collect();
        let command = words.join(" ").trim().to_owned();
        let command = if command.is_empty() { format!("[{name}]") } else { command };
        Some(Process { pid, parent: fields.get(1)?.parse().ok()?, start_ticks: fields.get(19)?.parse().ok()?, command })
    }
}

/// All processes of this /proc, by pid.
pub fn processes(proc: &Path) -> io::Result<Vec<Process>> {
    let entries = fs::read_dir(proc)?;
    let pids: BTreeSet<i32> = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect();
    Ok(pids.into_iter().filter_map(|pid| Process::read(proc, pid)).collect())
}

/// The processes of each container, by its id. They are found by their cgroups. Empty without the right to see them.
pub fn by_container(snapshot: &Snapshot, proc: &Path) -> BTreeMap<String, Vec<Process>> {
    let mut found: BTreeMap<String, Vec<Process>> = BTreeMap::new();
    for one in processes(proc).unwrap_or_default() {
        if let Ok(Owner::Container(container)) = snapshot.find_pid(one.pid, one.start_ticks) {
            found.entry(container.id.to_string()).or_default().push(one);
        }
    }
    found
}

/// The processes as a tree, each with the marks to draw before it.
pub fn tree(members: &[Process]) -> Vec<(String, &Process)> {
    let known: BTreeSet<i32> = members.iter().map(|one| one.pid).collect();
    let mut children: BTreeMap<i32, Vec<&Process>> = BTreeMap::new();
    for one in members {
        // The parent of a first process, or of one that was exec'd into the container, is not among them.
        let parent = if known.contains(&one.parent) && one.parent != one.pid { one.parent } else { 0 };
        children.entry(parent).or_default().push(one);
    }
    let mut drawn = Vec::new();
    below(0, "", &children, &mut drawn);
    drawn
}

fn below<'a>(
    parent: i32,
    indent: &str,
    children: &BTreeMap<i32, Vec<&'a Process>>,
    drawn: &mut Vec<(String, &'a Process)>,
) {
    let of_it = children.get(&parent).map_or(&[][..], Vec::as_slice);
    for (number, one) in of_it.iter().enumerate() {
        let (mark, further) = match (parent, number + 1 == of_it.len()) {
            (0, _) => ("", ""),
            (_, true) => ("└─ ", "   "),
            (_, false) => ("├─ ", "│  "),
        };
        drawn.push((format!("{indent}{mark}"), one));
        below(one.pid, &format!("{indent}{further}"), children, drawn);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn children_stand_below_their_parents() {
        let parents = [(7, 1), (8, 7), (9, 8), (10, 8), (11, 7), (12, 3)];
        let members = parents.map(|(pid, parent)| Process { pid, parent, start_ticks: 0, command: String::new() });
        let drawn: Vec<String> = tree(&members).iter().map(|(mark, one)| format!("{mark}{}", one.pid)).collect();
        assert_eq!(drawn, ["7", "├─ 8", "│  ├─ 9", "│  └─ 10", "└─ 11", "12"]);
        assert!(tree(&[]).is_empty());
    }

    #[test]
    fn a_process_is_read() {
        let stat = "42 (a) b (c) S 7 42 42 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 4711 0 0";
        let expected = Process { pid: 42, parent: 7, start_ticks: 4711, command: "sh -c x".into() };
        assert_eq!(Process::parse(42, stat, b"sh\0-c\0x\0"), Some(expected));
        assert_eq!(Process::parse(42, stat, b"").unwrap().command, "[a) b (c]");
        let own = Process::read(Path::new("/proc"), std::process::id() as i32).unwrap();
        assert_eq!(own.parent, std::os::unix::process::parent_id() as i32);
        assert!(processes(Path::new("/proc")).unwrap().iter().any(|one| one.pid == own.pid));
        assert_eq!(Process::read(Path::new("/proc"), 1 << 30), None);
    }
}
