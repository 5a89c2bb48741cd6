//! The user of this process, for messages that say which right is missing.

use std::fs;

/// The effective user of this thread, and whether file permissions apply to it. `None` if that is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct User {
    /// The effective uid.
    pub id: Option<u32>,
    /// Whether it has CAP_DAC_OVERRIDE, so that file permissions do not apply.
    pub overrides_permissions: Option<bool>,
}

impl User {
    /// The user of this thread.
    pub fn current() -> User {
        let status = fs::read_to_string("/proc/thread-self/status").unwrap_or_default();
        User { id: effective_uid(&status), overrides_permissions: overrides_permissions(&status) }
    }
}

/// The effective uid: the second of the real, the effective, the saved and the file system's.
fn effective_uid(status: &str) -> Option<u32> {
    let line = status.lines().find_map(|line| line.strip_prefix("Uid:"))?;
    line.split_ascii_whitespace().nth(1)?.parse().ok()
}

fn overrides_permissions(status: &str) -> Option<bool> {
    const CAP_DAC_OVERRIDE: u32 = 1;
    let effective = status.lines().find_map(|line| line.strip_prefix("CapEff:"))?;
    let effective = u64::from_str_radix(effective.trim(), 16).ok()?;
    Some(effective & (1 << CAP_DAC_OVERRIDE) != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_effective_capabilities_count() {
        assert_eq!(overrides_permissions("CapPrm:\t0000000000000002\nCapEff:\t0000000000000000\n"), Some(false));
        assert_eq!(overrides_permissions("CapEff:\t000001ffffffffff\n"), Some(true));
        assert_eq!(overrides_permissions("CapEff:\t00000000a80425f9\n"), Some(false));
        assert_eq!(overrides_permissions(""), None);
        assert_eq!(effective_uid("Name:\tx\nUid:\t1000\t0\t1000\t0\n"), Some(0));
        assert_eq!(effective_uid(""), None);
        assert!(User::current().overrides_permissions.is_some());
    }
}
