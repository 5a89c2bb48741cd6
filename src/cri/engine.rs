//! Quirks of particular engines, in one table, with the evidence for each.

use super::client::Version;

/// A peculiarity of some versions of some engine that decides how it is watched.
#[derive(Debug)]
#[non_exhaustive]
pub struct Quirk {
    /// The engine, as it names itself in Version.
    pub runtime: &'static str,
    /// The first version that has it, as (major, minor).
    pub from: (u32, u32),
    /// The first version that no longer has it.
    pub until: (u32, u32),
    /// How the engine is watched because of it.
    pub capability: Capability,
    /// How we know about it.
    pub evidence: &'static str,
}

/// Whether an engine's event stream is to be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Capability {
    /// The event stream is used.
    Stream,
    /// The event stream is used, with a limitation: the reason says which.
    StreamWithCaveat(&'static str),
    /// The engine is polled, for this reason.
    Poll(&'static str),
}

const ALWAYS: (u32, u32) = (0, 0);

/// All quirks. The first one that matches counts.
pub static QUIRKS: &[Quirk] = &[
    Quirk {
        runtime: "containerd",
        from: ALWAYS,
        until: (1, 7),
        capability: Capability::Poll("containerd before 1.7 has no container events"),
        evidence: "containerd v1.6.38 pkg/cri/server/container_events.go answers UNIMPLEMENTED; seen on 1.6.20",
    },
    Quirk {
        runtime: "containerd",
        from: (1, 7),
        until: (2, 0),
        capability: Capability::StreamWithCaveat(
            "containerd 1.7 sends each event to one subscriber only: another one (a kubelet with EventedPLEG) takes \
             events from this watcher, and this watcher from it; the next list finds what another subscriber has taken",
        ),
        evidence: "containerd 1.7 pkg/cri/server/container_events.go ranges over one shared channel; seen on 1.7.24: \
                   strict alternation between two subscribers",
    },
    Quirk {
        runtime: "cri-o",
        from: (1, 26),
        until: (1, 28),
        capability: Capability::StreamWithCaveat(
            "CRI-O 1.26 and 1.27 send each event to one subscriber only; the next list finds what another subscriber has taken",
        ),
        evidence: "CRI-O v1.27.8 server/container_events.go reads one shared channel",
    },
    Quirk {
        runtime: "cri-o",
        from: (1, 28),
        until: (1, 33),
        capability: Capability::Poll("CRI-O 1.28 to 1.32 can crash when a subscriber leaves"),
        evidence: "CRI-O issue 9004, \"sync: negative WaitGroup counter\", fixed by pull request 9014 in 1.33",
    },
];

/// How to watch the engine with this version.
pub fn capability(version: &Version) -> Capability {
    let Some(number) = major_minor(&version.runtime_version) else {
        return Capability::Stream;
    };
    let fits = |q: &&Quirk| q.runtime == version.runtime_name && (q.from..q.until).contains(&number);
    QUIRKS.iter().find(fits).map_or(Capability::Stream, |q| q.capability)
}

/// Whether the engine can stream its lists (KEP-5825), as far as we know: containerd since 2.4, CRI-O since 1.36.
/// Others are not asked, because most would refuse.
pub fn streams_lists(version: &Version) -> bool {
    let since = match version.runtime_name.as_str() {
        "containerd" => (2, 4),
        "cri-o" => (1, 36),
        _ => return false,
    };
    major_minor(&version.runtime_version).is_some_and(|number| number >= since)
}

/// Whether this engine's OCI specifications have the image's name as the pod's author wrote it. containerd before 2.0
/// writes the first of the image's names instead (seen on 1.6.20 and 1.7.24).
pub(super) fn specs_name_images(version: &Version) -> bool {
    version.runtime_name != "containerd" || major_minor(&version.runtime_version).is_none_or(|number| number >= (2, 0))
}

fn major_minor(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.split(|c: char| !c.is_ascii_digit()).map(|part| part.parse().ok());
    Some((parts.next()??, parts.next()??))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str, version: &str) -> Capability {
        let version = Version { runtime_name: name.into(), runtime_version: version.into(), ..Version::default() };
        capability(&version)
    }

    #[test]
    fn each_engine_is_watched_as_it_can_bear() {
        assert!(matches!(of("containerd", "1.6.20~ds1"), Capability::Poll(_)));
        assert!(matches!(of("containerd", "1.7.24"), Capability::StreamWithCaveat(_)));
        assert_eq!(of("containerd", "2.0.0-rc.1"), Capability::Stream);
        assert_eq!(of("containerd", "2.3.4"), Capability::Stream);
        assert!(matches!(of("cri-o", "1.27.8"), Capability::StreamWithCaveat(_)));
        assert!(matches!(of("cri-o", "1.28.0"), Capability::Poll(_)));
        assert!(matches!(of("cri-o", "1.32.13"), Capability::Poll(_)));
        assert_eq!(of("cri-o", "1.33.0"), Capability::Stream);
        assert_eq!(of("docker", "27.1"), Capability::Stream);
        assert_eq!(of("containerd", "unknown"), Capability::Stream);
    }
}
