//! Pods: run, stop, remove.

use std::sync::Arc;
use std::time::Duration;

use super::{Engine, Kind, Running};
use crate::command;
use crate::kubelet::CONTAINER_NAME;
use crate::pb;
use crate::profile::SandboxDeleted;
use crate::store::{Error, Result, cgroups_path};

impl Engine {
    pub async fn run_pod(self: &Arc<Self>, mut config: pb::PodSandboxConfig, handler: &str) -> Result<String> {
        let id = self.new_id();
        if self.profile.labels_sandboxes {
            config.labels.insert(CONTAINER_NAME.into(), "POD".into());
        }
        self.store().reserve_sandbox(&id, &config, handler)?;
        if !self.profile.infra_process {
            self.store().add_sandbox(&id, config, handler, 0, self.now());
            self.announce_pod(&id).await;
            return Ok(id);
        }
        let spawned = match self.host.processes().spawn(command::Plan::FOR_EVER) {
            Ok(spawned) => spawned,
            Err(e) => {
                self.store().release_sandbox(&id);
                return Err(Error::unknown(format!("failed to start sandbox {id:?}: {e}")));
            }
        };
        let parent = config.linux.as_ref().map_or("", |l| l.cgroup_parent.as_str());
        let cgroup = cgroups_path(self.profile.family, parent, &id);
        let pid = spawned.pid;
        let running = self.register(&id, spawned, &cgroup);
        self.let_go(&id);
        self.store().add_sandbox(&id, config, handler, pid, self.now());
        if self.profile.sends_sandbox_created {
            self.emit(&id, &id, Kind::ContainerCreatedEvent).await;
        }
        tokio::spawn(Arc::clone(self).watch_sandbox(running));
        self.emit(&id, &id, Kind::ContainerStartedEvent).await;
        Ok(id)
    }

    async fn announce_pod(&self, id: &str) {
        if self.profile.sends_sandbox_created {
            self.emit(id, id, Kind::ContainerCreatedEvent).await;
        }
        self.emit(id, id, Kind::ContainerStartedEvent).await;
    }

    /// The sandbox's exit monitor. It updates the controller first, then the CRI store, then sends the event.
    async fn watch_sandbox(self: Arc<Self>, running: Running) {
        let Running { id, process, gone } = running;
        process.ended().await;
        self.unregister(&id);
        self.store().sandbox_controller_exited(&id);
        gone.send_replace(true);
        if self.store().sandbox_exited(&id) {
            self.emit(&id, &id, Kind::ContainerStoppedEvent).await;
        }
    }

    pub async fn stop_pod(&self, id: &str) -> Result<()> {
        match self.find_sandbox(id)? {
            Some(id) => self.stop_sandbox(&id).await,
            None => Ok(()), // idempotent
        }
    }

    async fn stop_sandbox(&self, id: &str) -> Result<()> {
        for container in self.container_ids(id) {
            self.stop(&container, Duration::ZERO, libc::SIGTERM)
                .await
                .map_err(|e| e.context(format!("failed to stop container {container:?}")))?;
        }
        if self.profile.infra_process {
            // Returns when the controller knows of the exit; the monitor updates the store and sends STOPPED later.
            self.end(id, libc::SIGKILL, None).await?;
            self.store().close_netns(id);
        } else if self.store().stop_without_process(id) {
            self.emit(id, id, Kind::ContainerStoppedEvent).await;
        }
        Ok(())
    }

    pub async fn remove_pod(&self, id: &str) -> Result<()> {
        let Some(id) = self.find_sandbox(id)? else {
            return Ok(());
        };
        self.stop_sandbox(&id).await.map_err(|e| e.context(format!("failed to forcibly stop sandbox {id:?}")))?;
        for container in self.container_ids(&id) {
            self.take_away(&container, self.profile.sends_containers_of_removed_pod)
                .await
                .map_err(|e| e.context(format!("failed to remove container {container:?}")))?;
        }
        self.store().forget_sandbox(&id);
        match self.profile.sandbox_deleted {
            SandboxDeleted::BeforeRemoval => {
                self.emit(&id, &id, Kind::ContainerDeletedEvent).await;
                self.store().delete_sandbox(&id);
            }
            SandboxDeleted::AfterRemoval => {
                self.store().delete_sandbox(&id);
                self.emit(&id, &id, Kind::ContainerDeletedEvent).await;
            }
            SandboxDeleted::Never => self.store().delete_sandbox(&id),
        }
        self.touch();
        Ok(())
    }
}
