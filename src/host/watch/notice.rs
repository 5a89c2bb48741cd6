//! Parses the bytes that inotify returns.

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use super::Watch;

/// A notice of inotify.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// A change of what is watched.
    Of {
        /// The watch.
        watch: Watch,
        /// The kind of change.
        what: What,
        /// The name in the directory; empty for the watched file or directory itself.
        name: OsString,
        /// Whether that is a directory.
        is_dir: bool,
    },
    /// The kernel's queue was full and events of any watch are lost. Everything has to be looked at again.
    Overflow,
}

/// The kind of change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum What {
    /// It was made there.
    Created,
    /// It was moved there. A file that is written elsewhere and renamed is complete by then.
    MovedIn,
    /// It was removed.
    Deleted,
    /// It was moved away.
    MovedOut,
    /// It was written to.
    Modified,
    /// The watched file or directory is gone, and the watch has ended. Most kernels do not send this for a cgroup: use
    /// the notices of its parent's watch.
    Gone,
}

/// `struct inotify_event`: wd, mask, cookie, length of the name that follows, padded with NULs.
const HEADER: usize = 16;

/// The notices in these bytes. Watches that have ended are removed from `live`. Notices of watches that are not in it
/// are skipped, because the caller has ended those.
pub(super) fn parse(mut bytes: &[u8], live: &mut HashSet<Watch>) -> Vec<Notice> {
    let mut notices = Vec::new();
    while let Some((header, rest)) = bytes.split_at_checked(HEADER) {
        let word = |at: usize| u32::from_ne_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
        let (watch, mask, length) = (Watch(word(0) as i32), word(4), word(12) as usize);
        let Some((name, rest)) = rest.split_at_checked(length) else { break };
        bytes = rest;
        if mask & libc::IN_Q_OVERFLOW != 0 {
            notices.push(Notice::Overflow);
            continue;
        }
        if !live.contains(&watch) {
            continue;
        }
        if mask & libc::IN_IGNORED != 0 {
            live.remove(&watch);
        }
        let end = name.iter().position(|byte| *byte == 0).unwrap_or(name.len());
        if let Some(what) = what(mask) {
            let name = OsStr::from_bytes(&name[..end]).to_owned();
            notices.push(Notice::Of { watch, what, name, is_dir: mask & libc::IN_ISDIR != 0 });
        }
    }
    notices
}

fn what(mask: u32) -> Option<What> {
    let table = [
        (libc::IN_CREATE, What::Created),
        (libc::IN_MOVED_TO, What::MovedIn),
        (libc::IN_DELETE, What::Deleted),
        (libc::IN_MOVED_FROM, What::MovedOut),
        (libc::IN_MODIFY, What::Modified),
        // IN_IGNORED comes last, whatever ends a watch. IN_DELETE_SELF and IN_UNMOUNT before it add nothing.
        (libc::IN_IGNORED, What::Gone),
        // The watched file is no longer at its path, so it counts as moved out.
        (libc::IN_MOVE_SELF, What::MovedOut),
    ];
    table.iter().find(|(bit, _)| mask & bit != 0).map(|(_, what)| *what)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(watch: i32, mask: u32, name: &str) -> Vec<u8> {
        let length = if name.is_empty() { 0 } else { name.len().next_multiple_of(16).max(16) };
        let mut bytes = Vec::new();
        for word in [watch as u32, mask, 0, length as u32] {
            bytes.extend(word.to_ne_bytes());
        }
        bytes.extend(name.as_bytes());
        bytes.resize(HEADER + length, 0);
        bytes
    }

    fn of(watch: i32, what: What, name: &str, is_dir: bool) -> Notice {
        Notice::Of { watch: Watch(watch), what, name: name.into(), is_dir }
    }

    #[test]
    fn a_batch_is_taken_apart() {
        let mut live = HashSet::from([Watch(1), Watch(2)]);
        let bytes = [
            event(1, libc::IN_CREATE | libc::IN_ISDIR, "abc"),
            event(2, libc::IN_MODIFY, ""),
            event(1, libc::IN_MOVED_TO, "init.pid"),
            event(9, libc::IN_CREATE, "of a watch that was ended"),
            event(1, libc::IN_DELETE_SELF, ""),
            event(1, libc::IN_IGNORED, ""),
            event(1, libc::IN_CREATE, "too late"),
        ]
        .concat();
        let want = [
            of(1, What::Created, "abc", true),
            of(2, What::Modified, "", false),
            of(1, What::MovedIn, "init.pid", false),
            of(1, What::Gone, "", false),
        ];
        assert_eq!(parse(&bytes, &mut live), want);
        assert_eq!(live, HashSet::from([Watch(2)]));
        assert_eq!(parse(&bytes[..HEADER + 3], &mut live), [], "half an event is none");
    }

    #[test]
    fn an_overflow_belongs_to_no_watch() {
        assert_eq!(parse(&event(-1, libc::IN_Q_OVERFLOW, ""), &mut HashSet::new()), [Notice::Overflow]);
    }
}
