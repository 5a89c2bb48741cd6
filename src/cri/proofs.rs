//! Looks for the processes of many containers on two threads: the caller's thread, whenever it has nothing else to do, and
//! a short-lived one.

use std::collections::VecDeque;
use std::panic::resume_unwind;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::pid::{PidResolver, Wanted};
use super::traces::folders::Folders;
use crate::host::{Refusal, SHORT_LIVED, move_away, spawn};
use crate::model::Details;

/// For so few processes, a second thread does not pay.
const FEW: usize = 32;
/// How many processes the caller's thread reads before other tasks on it get their turn, such as the lists that the engine
/// has sent meanwhile. Takes 0.2 to 0.5 ms.
const BATCH: usize = 8;
/// How many processes the second thread takes at a time. `stop` and a drop wait until it has read these.
const HELPERS_BATCH: usize = 4;

/// A container, and its process or why none was found.
pub type Proof = (Wanted, Result<Details, Refusal>);

/// A search for processes. Dropping it ends the second thread, and waits for that.
#[derive(Debug)]
pub struct Proofs {
    search: Arc<Search>,
    helper: Option<JoinHandle<()>>,
    /// What the second thread has found; closed when it has ended.
    found: UnboundedReceiver<Vec<Proof>>,
}

/// What both threads share.
#[derive(Debug)]
struct Search {
    pids: Arc<PidResolver>,
    folders: Arc<Folders>,
    wanted: Mutex<VecDeque<Wanted>>,
}

impl Proofs {
    /// Begins a search for these processes. A second thread begins at once if there are many. If the system refuses it, the
    /// caller's thread finds them all.
    pub fn begin(pids: Arc<PidResolver>, folders: Arc<Folders>, wanted: Vec<Wanted>) -> Self {
        let are_many = wanted.len() > FEW;
        let search = Arc::new(Search { pids, folders, wanted: Mutex::new(wanted.into()) });
        let (to, found) = unbounded_channel();
        let helper = are_many.then(|| {
            let search = search.clone();
            spawn("cri-proofs", SHORT_LIVED, move || search.help(&to)).inspect(move_away).ok()
        });
        Proofs { search, helper: helper.flatten(), found }
    }

    /// The next results, in any order; `None` after the last. Other tasks on this thread get their turn first. No result is
    /// lost if the caller drops the future.
    pub async fn next(&mut self) -> Option<Vec<Proof>> {
        tokio::task::yield_now().await;
        let found = self.found_so_far();
        if !found.is_empty() {
            return Some(found);
        }
        if let Some(found) = self.search.some(BATCH) {
            return Some(found);
        }
        let found = self.found.recv().await;
        if found.is_none() {
            self.join();
        }
        found
    }

    /// Ends the search. Returns the results that `next` has not returned yet. Blocks until the second thread has ended.
    pub fn stop(mut self) -> Vec<Proof> {
        self.search.wanted().clear();
        self.join();
        self.found_so_far()
    }

    /// What the second thread has found since the last call.
    fn found_so_far(&mut self) -> Vec<Proof> {
        std::iter::from_fn(|| self.found.try_recv().ok()).flatten().collect()
    }

    /// Waits for the second thread, and passes its panic on.
    fn join(&mut self) {
        if let Some(Err(panic)) = self.helper.take().map(JoinHandle::join) {
            resume_unwind(panic);
        }
    }
}

impl Drop for Proofs {
    fn drop(&mut self) {
        self.search.wanted().clear();
        // A panic of the second thread is ignored, because nobody wants its results any more.
        let _ = self.helper.take().map(JoinHandle::join);
    }
}

impl Search {
    fn wanted(&self) -> MutexGuard<'_, VecDeque<Wanted>> {
        // Poisoning does not matter, because no code between lock and unlock can leave the queue half changed.
        self.wanted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks for at most `most` of the processes that are left; `None` if none is left.
    fn some(&self, most: usize) -> Option<Vec<Proof>> {
        let taken: Vec<Wanted> = {
            let mut wanted = self.wanted();
            let count = wanted.len().min(most);
            wanted.drain(..count).collect()
        };
        if taken.is_empty() {
            return None;
        }
        let found = self.pids.find_in_files(&self.folders, &taken);
        Some(taken.into_iter().zip(found).collect())
    }

    fn help(&self, to: &UnboundedSender<Vec<Proof>>) {
        while let Some(found) = self.some(HELPERS_BATCH) {
            if to.send(found).is_err() {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::pid::tests::Host;
    use super::*;
    use crate::config::PidSource;
    use crate::model::Id;

    /// Enough processes for the second thread to pay.
    const MANY: i32 = 20 * BATCH as i32;

    fn id(n: i32) -> String {
        format!("{n:064x}")
    }

    fn begin(pids: Arc<PidResolver>, ids: impl Iterator<Item = i32>) -> Proofs {
        let folders = Folders::Containerd { tasks: "/run/tasks".into(), names_images: false };
        let wanted = ids.map(|n| Wanted { id: Id::from(id(n).as_str()), image_name: false });
        Proofs::begin(pids, folders.into(), wanted.collect())
    }

    fn all(mut proofs: Proofs) -> Vec<Proof> {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let mut all = Vec::new();
            while let Some(found) = proofs.next().await {
                assert!(!found.is_empty());
                all.extend(found);
            }
            all
        })
    }

    #[test]
    fn each_is_found_once_whichever_thread_looks_for_it() {
        let host = Host::new();
        for n in 1..MANY {
            host.process(n, 4711, &format!("0::/k8s.io/{}\n", id(n)));
            host.write(&format!("run/tasks/{}/init.pid", id(n)), &n.to_string());
        }
        let pids = Arc::new(host.resolver(PidSource::Auto));
        let found = all(begin(pids.clone(), 1..=MANY));
        assert_eq!(found.len(), MANY as usize);
        let found: BTreeMap<String, _> = found.into_iter().map(|(it, found)| (it.id.to_string(), found)).collect();
        for n in 1..MANY {
            assert_eq!(found[&id(n)].as_ref().unwrap().pid, Some(n));
        }
        assert_eq!(found[&id(MANY)], Err(Refusal::NoFile));
        assert_eq!(Arc::strong_count(&pids), 1, "the second thread has ended");
    }

    #[test]
    fn a_few_are_found_without_a_second_thread() {
        let host = Host::new();
        let few = begin(Arc::new(host.resolver(PidSource::Auto)), 0..FEW as i32);
        assert!(few.helper.is_none());
        assert_eq!(all(few).len(), FEW);
        assert_eq!(all(begin(Arc::new(host.resolver(PidSource::Auto)), 0..0)).len(), 0);
    }

    #[test]
    fn a_search_that_is_given_up_leaves_no_thread() {
        let host = Host::new();
        let pids = Arc::new(host.resolver(PidSource::Auto));
        let mut proofs = begin(pids.clone(), 0..MANY);
        assert_eq!(proofs.helper.as_ref().unwrap().thread().name(), Some("cri-proofs"));
        proofs.found_so_far();
        drop(proofs);
        assert_eq!(Arc::strong_count(&pids), 1);
    }

    #[test]
    fn what_the_second_thread_has_found_is_not_lost_with_the_search() {
        let host = Host::new();
        for n in 0..MANY {
            host.process(n + 1, 4711, &format!("0::/k8s.io/{}\n", id(n)));
            host.write(&format!("run/tasks/{}/init.pid", id(n)), &(n + 1).to_string());
        }
        let pids = Arc::new(host.resolver(PidSource::Auto));
        let proofs = begin(pids.clone(), 0..MANY);
        while !proofs.search.wanted().is_empty() {
            std::thread::yield_now();
        }
        let found = proofs.stop();
        assert_eq!(found.len(), MANY as usize);
        assert!(found.iter().all(|(_, found)| found.is_ok()));
        assert_eq!(Arc::strong_count(&pids), 1);
    }

    #[test]
    fn trap_a_panic_of_the_second_thread_is_not_lost() {
        let host = Host::new();
        let proofs = begin(Arc::new(host.resolver(PidSource::Auto)), 0..0);
        let panicked = std::thread::spawn(|| resume_unwind(Box::new("defect")));
        let proofs = Proofs { helper: Some(panicked), search: proofs.search.clone(), found: unbounded_channel().1 };
        let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| all(proofs))).unwrap_err();
        assert_eq!(caught.downcast_ref::<&str>(), Some(&"defect"));
    }
}
