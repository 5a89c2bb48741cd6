//! Containers: create, start, stop, remove, and the monitor that notices their exits.

use std::sync::Arc;
use std::time::Duration;

use super::{Engine, Kind, Running};
use crate::command;
use crate::pb;
use crate::process::{self, Spawned};
use crate::store::{Container, Error, Exit, Result, Started, Store};

/// CRI-O reads its monitor's exit file, and then removes it (measured on CRI-O 1.37: after 178 ms).
const EXIT_FILE_STAYS: Duration = Duration::from_millis(180);

impl Engine {
    pub async fn create_container(self: &Arc<Self>, request: pb::CreateContainerRequest) -> Result<String> {
        let id = self.new_id();
        // In a profile that makes the process now, a missing program fails here, and no event reports it (§1.2).
        let spawned = if self.profile.pid_in_every_state {
            let none = pb::ContainerConfig::default();
            let config = request.config.as_ref().unwrap_or(&none);
            Some(self.spawn(&id, &config.command, &config.args).map_err(Error::Unknown)?)
        } else {
            None
        };
        let (sandbox_id, cgroup) = {
            let mut store = self.store();
            store.add_container(&id, request, self.profile.family, self.now())?;
            let container = store.container(&id)?;
            (container.sandbox_id.clone(), container.cgroups_path.clone())
        };
        if let Some(spawned) = spawned {
            let pid = spawned.pid;
            let running = self.register(&id, spawned, &cgroup);
            self.store().set_pid(&id, pid);
            tokio::spawn(Arc::clone(self).watch_container(running));
        }
        self.emit(&id, &sandbox_id, Kind::ContainerCreatedEvent).await;
        Ok(id)
    }

    pub async fn start_container(self: &Arc<Self>, id: &str) -> Result<()> {
        let start = self.store().begin_start(id)?;
        let running = if !start.sandbox_ready {
            Err(format!("sandbox container {:?} is not running", start.sandbox_id))
        } else if self.profile.pid_in_every_state {
            Ok(None)
        } else {
            self.spawn(&start.id, &start.command, &start.args).map(Some)
        };
        match running {
            Ok(spawned) => self.begin_run(&start, spawned).await,
            Err(message) => {
                self.store().start_failed(&start.id, &message, self.now());
                self.touch();
                Err(Error::Unknown(message))
            }
        }
    }

    /// Begins the run. `spawned` is `None` if CreateContainer has made the process, which waits since then.
    async fn begin_run(self: &Arc<Self>, start: &Started, spawned: Option<Spawned>) -> Result<()> {
        let id = &start.id;
        if let Some(spawned) = spawned {
            let pid = spawned.pid;
            let running = self.register(id, spawned, &start.cgroups_path);
            self.store().set_pid(id, pid);
            // The monitor starts before the event: STOPPED may overtake STARTED.
            tokio::spawn(Arc::clone(self).watch_container(running));
        }
        self.store().started(id, self.now());
        if !self.let_go(id) {
            let message = format!("the process of container {id:?} is gone");
            self.store().start_failed(id, &message, self.now());
            return Err(Error::Unknown(message));
        }
        self.emit(id, &start.sandbox_id, Kind::ContainerStartedEvent).await;
        self.store().end_start(id);
        Ok(())
    }

    fn spawn(&self, id: &str, command: &[String], args: &[String]) -> std::result::Result<Spawned, String> {
        let plan = command::plan(command, args).map_err(|program| no_such_program(&program))?;
        self.host.processes().spawn(plan).map_err(|e| format!("failed to start containerd task {id:?}: {e}"))
    }

    async fn watch_container(self: Arc<Self>, running: Running) {
        let Running { id, process, gone } = running;
        let code = process.ended().await;
        self.unregister(&id);
        if self.is_unnoticed(&id) {
            gone.send_replace(true);
            return;
        }
        let unseen = self.is_down();
        self.host.leave_exit(&id, code);
        if !unseen {
            let (engine, id) = (Arc::clone(&self), id.clone());
            tokio::spawn(async move {
                tokio::time::sleep(EXIT_FILE_STAYS).await;
                engine.host.collect_exit(&id);
            });
        }
        let exit = match self.profile.exit_code_while_down {
            Some(code) if unseen => Exit::Unknown(code),
            _ => Exit::Code(code),
        };
        let sandbox_id = self.store().container_exited(&id, exit, self.now());
        self.touch();
        // This wakes StopContainer before the event is queued.
        gone.send_replace(true);
        let Some(sandbox_id) = sandbox_id.filter(|_| !unseen) else { return };
        if !self.profile.sends_exit_after.is_zero() {
            tokio::time::sleep(self.profile.sends_exit_after).await;
            if !self.store().containers.contains_key(&id) {
                return; // removed before the exit file was read: no event
            }
        }
        self.emit(&id, &sandbox_id, Kind::ContainerStoppedEvent).await;
    }

    /// Kills the container as the kernel's OOM killer does, and returns the pid. containerd learns of the OOM kill later than
    /// of the exit: the reason changes then, without an event (engine-facts §11).
    pub fn kill_for_memory(self: &Arc<Self>, id: &str, noticed_after: Duration) -> Result<u32> {
        let pid = self.signal(id, libc::SIGKILL)?;
        let (engine, id) = (Arc::clone(self), id.to_owned());
        tokio::spawn(async move {
            let is_over = |c: &Container| c.status.state() == pb::ContainerState::ContainerExited;
            let over = |store: &Store| store.containers.get(&id).is_none_or(is_over).then_some(());
            engine.until(over).await;
            tokio::time::sleep(noticed_after).await;
            engine.store().set_reason(&id, "OOMKilled");
            engine.touch();
        });
        Ok(pid)
    }

    /// Ends the container's process; the engine goes on saying that it runs. Returns the pid.
    pub async fn end_unnoticed(&self, id: &str) -> Result<u32> {
        self.overlook(id);
        let pid = self.signal(id, libc::SIGKILL)?;
        self.end(id, libc::SIGKILL, None).await?;
        Ok(pid)
    }

    /// Sends the stop signal, and SIGKILL after `timeout`. A zero timeout sends SIGKILL at once.
    pub async fn stop_container(&self, id: &str, timeout: Duration) -> Result<()> {
        let Some(id) = self.find_container(id)? else {
            return Ok(());
        }; // idempotent
        let signal = self.store().container(&id).map_or(libc::SIGTERM, |c| stop_signal(c.config.stop_signal()));
        self.stop(&id, timeout, signal).await
    }

    pub(super) async fn stop(&self, id: &str, timeout: Duration, signal: i32) -> Result<()> {
        if !timeout.is_zero() && self.end(id, signal, Some(timeout)).await? {
            return Ok(());
        }
        self.end(id, libc::SIGKILL, None).await?;
        Ok(())
    }

    pub async fn remove_container(&self, id: &str) -> Result<()> {
        let Some(id) = self.find_container(id)? else {
            return Ok(());
        };
        self.take_away(&id, true).await
    }

    /// Removes the container; `with_event` sends a DELETED event.
    pub(super) async fn take_away(&self, id: &str, with_event: bool) -> Result<()> {
        let forcibly = |e: Error| e.context(format!("failed to forcibly stop container {id:?}"));
        self.stop(id, Duration::ZERO, libc::SIGTERM).await.map_err(forcibly)?;
        let removed = {
            let mut store = self.store();
            store.begin_remove(id)?;
            store.delete_container(id)
        };
        if let Some(container) = removed.filter(|_| with_event) {
            self.emit(id, &container.sandbox_id, Kind::ContainerDeletedEvent).await;
        }
        self.touch();
        Ok(())
    }
}

fn stop_signal(signal: pb::Signal) -> i32 {
    match signal {
        pb::Signal::RuntimeDefault => libc::SIGTERM,
        other => process::signal_number(other.as_str_name().trim_start_matches("SIGNAL_")).unwrap_or(libc::SIGTERM),
    }
}

fn no_such_program(program: &str) -> String {
    format!(
        "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: \
         unable to start container process: error during container init: exec: {program:?}: \
         executable file not found in $PATH: unknown"
    )
}
