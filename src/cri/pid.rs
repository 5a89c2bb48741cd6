//! From the pid that an engine says to the process that we see.

use std::path::Path;
use std::sync::Arc;

use super::info::Info;
use crate::config::{Config, PidSource};
use crate::host::{PidView, Proc};
use crate::model::{Details, Id, Namespaces};

/// Checks the engine's pids against the host.
#[derive(Debug, Clone)]
pub struct PidResolver {
    proc: Proc,
    view: PidView,
    source: PidSource,
}

impl PidResolver {
    /// For the engine with this pid (`None`: unknown).
    pub fn new(config: &Config, engine_pid: Option<i32>) -> Self {
        let proc = Proc::new(Path::new(&config.host_root));
        let view = proc.pid_view(engine_pid);
        PidResolver { proc, view, source: config.pid_source }
    }

    /// What a verbose reply tells of the process of `id`. `running` as of that reply: CRI-O names a pid for what is
    /// not started yet, and the pid of long ago for what has exited.
    pub(super) fn details(&self, id: &str, info: &Info, running: bool) -> Details {
        let made = Details { spec: info.given.then(|| info.spec.clone().into()), ..Details::default() };
        if !running {
            return made;
        }
        let Some(said) = info.pid else {
            // Nothing to ask for again: this engine tells no pid of this one. (pid 0 may become a pid.)
            return Details { no_pid: !info.names_pid, ..made };
        };
        if self.source == PidSource::Engine {
            return Details { pid: Some(said), ..made };
        }
        let pid = self.proc.translate(self.view, said, id);
        let start = pid.and_then(|pid| self.proc.start_ticks(pid));
        // A process that is not there has just ended; its pid may be another process's in a moment.
        let pid = pid.filter(|_| start.is_some());
        Details {
            pid,
            pid_start_ticks: start,
            engine_pid: Some(said).filter(|said| pid != Some(*said)),
            cgroup_path: pid.and_then(|pid| self.proc.cgroup_naming(pid, id)).map(Arc::from),
            namespaces: pid.map(|pid| self.namespaces(pid)).unwrap_or_default(),
            ..made
        }
    }

    /// Which of these processes are no longer there. Others on this thread get their turn in between.
    pub async fn gone(&self, processes: Vec<(Id, i32, u64)>) -> Vec<(Id, i32, u64)> {
        const BATCH: usize = 128;
        let mut gone = Vec::new();
        for batch in processes.chunks(BATCH) {
            let is_gone = |(_, pid, start): &&(Id, i32, u64)| self.proc.start_ticks(*pid) != Some(*start);
            gone.extend(batch.iter().filter(is_gone).cloned());
            tokio::task::yield_now().await;
        }
        gone
    }

    fn namespaces(&self, pid: i32) -> Namespaces {
        let of = |kind| self.proc.namespace(pid, kind).unwrap_or_default();
        let mut all = Namespaces::default();
        (all.net, all.mnt, all.pid, all.ipc) = (of("net"), of("mnt"), of("pid"), of("ipc"));
        (all.uts, all.user, all.cgroup) = (of("uts"), of("user"), of("cgroup"));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolver(source: PidSource) -> PidResolver {
        PidResolver { proc: Proc::new(Path::new("/")), view: PidView::Same, source }
    }

    fn says(pid: Option<i32>) -> Info {
        Info { pid, given: true, names_pid: true, ..Info::default() }
    }

    #[test]
    fn only_what_runs_has_a_pid() {
        let own = std::process::id() as i32;
        let it = resolver(PidSource::Auto).details("x", &says(Some(own)), true);
        assert_eq!((it.pid, it.engine_pid), (Some(own), None));
        assert!(it.pid_start_ticks.is_some());
        assert_eq!(resolver(PidSource::Auto).details("x", &says(Some(own)), false).pid, None);
    }

    #[test]
    fn a_process_that_is_gone_has_none_unless_the_engines_word_is_asked_for() {
        let never = i32::MAX;
        let it = resolver(PidSource::Auto).details("x", &says(Some(never)), true);
        assert_eq!((it.pid, it.engine_pid, it.no_pid), (None, Some(never), false));
        assert_eq!(resolver(PidSource::Engine).details("x", &says(Some(never)), true).pid, Some(never));
    }

    #[test]
    fn a_pod_without_a_process_is_not_asked_again() {
        let spoofed = Info { given: true, ..Info::default() };
        assert!(resolver(PidSource::Auto).details("x", &spoofed, true).no_pid);
        assert!(!resolver(PidSource::Auto).details("x", &says(None), true).no_pid);
    }
}
