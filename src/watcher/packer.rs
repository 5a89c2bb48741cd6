//! Rucksacks: JSON that the program adds to containers.

use std::sync::Arc;

use tokio::sync::oneshot;

use super::thread::THREAD_REFUSED;
use super::{Run, Watcher};
use crate::error::{CRI_E_OS, CRI_E_STATE, Error, Result};
use crate::host::spawn;
use crate::model::JsonText;
use crate::sync::{Command, PackerQueue};

impl Watcher {
    /// Gives every container a rucksack: JSON of the program's own, which becomes part of the container's record.
    /// `pack` is called for each run that begins, on a thread of its own ("cri-pack"), with the container's JSON and
    /// with everything the engine reports of it (`criwatch.inspect/1`). STARTED waits for the rucksack, at most for the
    /// option `packer.timeout_ms`; a later one comes with an UPDATED. Call it before `start`. It costs a verbose status
    /// request for each container. Errors: `CRI_E_STATE` after the start or if there is a packer already; `CRI_E_OS` if
    /// no thread can be made.
    ///
    /// ```
    /// use criwatch::{config::Config, watcher::Watcher};
    ///
    /// let watcher = Watcher::new(Some("/run/containerd/containerd.sock"), Config::default())?;
    /// watcher.set_packer(|_container, inspection| Some(format!(r#"{{"bytes": {} }}"#, inspection.len())))?;
    /// # Ok::<(), criwatch::error::Error>(())
    /// ```
    pub fn set_packer(&self, mut pack: impl FnMut(&str, &str) -> Option<String> + Send + 'static) -> Result<()> {
        let packer_queue = self.packer_queue()?;
        let work = move || {
            while let Some(job) = packer_queue.next() {
                let rucksack = pack(job.container.as_str(), job.inspection.as_str());
                job.done(rucksack.map(|text| JsonText::checked(&text)).transpose());
            }
        };
        // The thread ends when the watcher closes the queue.
        let thread = spawn("cri-pack", self.stack_bytes(), work);
        thread.map(drop).map_err(|e| Error::os(CRI_E_OS, format!("set_packer: {THREAD_REFUSED}"), &e).retriable())
    }

    /// The packer's queue, for the one packer that a watcher can have.
    pub(crate) fn packer_queue(&self) -> Result<Arc<PackerQueue>> {
        self.refuse_started("set_packer")?;
        self.packer_queue.set_packer()?;
        Ok(self.packer_queue.clone())
    }

    /// Fails once the watcher was started.
    pub(crate) fn refuse_started(&self, what: &str) -> Result<()> {
        self.check_fork()?;
        match self.run() {
            Run::New => Ok(()),
            Run::Started => {
                Err(Error::new(CRI_E_STATE, format!("{what}: the watcher was started already (do this before)")))
            }
            Run::Stopped => Err(self.ended()),
        }
    }

    /// Sets a container's rucksack without a packer: JSON that becomes part of its record. `None` removes it. An
    /// UPDATED reports the change. Once this has returned, all reads show it.
    pub fn attach(&self, id_or_name: &str, json: Option<&str>) -> Result<()> {
        let rucksack = json.map(JsonText::checked).transpose()?;
        let id = self.find(id_or_name)?.id.clone();
        let (reply, answer) = oneshot::channel();
        self.live_io()?.send(Command::Attach { id, rucksack, reply })?;
        // The `cri-io` thread answers this without the engine.
        self.in_time("attach", None, self.answer(answer, "attach"))
    }
}
