//! The paths of cgroups whose containers were not known yet. The kernel never reuses a cgroup's id, so the path still
//! names the container when the cgroup is gone: a short run may be over before the engine reports it.

use std::collections::{HashMap, VecDeque};
use std::sync::Mutex;

/// The most paths that are kept; the oldest are dropped first.
const MOST: usize = 1024;

/// The kept paths. No thread waits for another one here: if the lock is taken, the kernel is asked instead.
#[derive(Debug, Default)]
pub(super) struct CgroupPaths(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    paths: HashMap<u64, Box<str>>,
    order: VecDeque<u64>,
}

impl CgroupPaths {
    pub fn keep(&self, id: u64, path: &str) {
        let Ok(mut kept) = self.0.try_lock() else {
            return;
        };
        if kept.paths.insert(id, path.into()).is_some() {
            return;
        }
        kept.order.push_back(id);
        if kept.order.len() > MOST
            && let Some(oldest) = kept.order.pop_front()
        {
            kept.paths.remove(&oldest);
        }
    }

    pub fn get(&self, id: u64) -> Option<String> {
        Some(self.0.try_lock().ok()?.paths.get(&id)?.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_are_kept() {
        let paths = CgroupPaths::default();
        for id in 0..=MOST as u64 {
            paths.keep(id, &format!("/kubepods/{id}"));
            paths.keep(id, &format!("/kubepods/{id}"));
        }
        assert_eq!(paths.get(0), None);
        assert_eq!(paths.get(1).as_deref(), Some("/kubepods/1"));
        assert_eq!(paths.get(MOST as u64).as_deref(), Some("/kubepods/1024"));
    }
}
