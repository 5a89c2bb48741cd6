//! The lines of /proc/PID/cgroup, and which line names a container.

use super::CgroupName;

/// One line of /proc/PID/cgroup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line<'a> {
    /// The controllers of a v1 hierarchy, or `name=systemd` and the like; empty for cgroup v2.
    pub controllers: &'a str,
    /// The path below the root of the hierarchy, or of our cgroup namespace.
    pub path: CgroupName<'a>,
}

impl Line<'_> {
    /// Whether it is cgroup v2's.
    pub fn is_v2(&self) -> bool {
        self.controllers.is_empty()
    }
}

/// The lines of the file, in order; that of cgroup v2 is the last. A malformed line is skipped.
pub fn lines(text: &str) -> impl DoubleEndedIterator<Item = Line<'_>> {
    text.lines().filter_map(|line| {
        let mut fields = line.splitn(3, ':');
        let (_, controllers, path) = (fields.next()?, fields.next()?, fields.next()?);
        Some(Line { controllers, path: CgroupName::new(path) })
    })
}

/// The line and the path in which a container's id was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Naming<'a> {
    /// The line.
    pub line: Line<'a>,
    /// The path of the container's cgroup, without what the container made below it (crun's `container`, systemd's
    /// `init.scope`).
    pub path: &'a str,
}

/// The line whose path names the whole id as a container; that of cgroup v2 if several do. The container's monitor or
/// mount unit does not count.
pub fn naming<'a>(text: &'a str, id: &str) -> Option<Naming<'a>> {
    lines(text).rev().find_map(|line| Some(Naming { line, path: line.path.container(id)? }))
}

/// As [`naming`], for a process that should be the container's first: the deepest container of the path has to be this
/// one. A process of a container in the container does not count.
pub fn init_names<'a>(text: &'a str, id: &str) -> Option<Naming<'a>> {
    naming(text, id).filter(|naming| {
        let beneath = &naming.line.path.path()[naming.path.len()..];
        CgroupName::new(beneath).containers().next().is_none()
    })
}
