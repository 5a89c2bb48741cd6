//! Outages: the engine ends and comes back, the node reboots, ids get lost.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::{Engine, lock};
use crate::events::Queue;
use crate::pb;
use crate::store::{Result, Store};

impl Engine {
    pub(super) fn is_down(&self) -> bool {
        self.down.load(Ordering::Relaxed)
    }

    /// Ends the engine's process. Its containers run on, and what happens to them sends no event (§8).
    pub fn go_down(&self) {
        self.down.store(true, Ordering::Relaxed);
        self.forget_events();
    }

    pub fn come_up(&self) {
        self.down.store(false, Ordering::Relaxed);
    }

    /// Starts the engine again. The event queue starts empty: earlier events are never replayed.
    pub fn forget_events(&self) {
        *lock(&self.queue) = Queue::start(self.profile.delivery);
    }

    /// Reboots the node while the engine is down: no container survives, and the same pods run again under new ids.
    /// Returns the number of pods.
    pub async fn reboot(self: &Arc<Self>) -> Result<usize> {
        let old = {
            let mut store = self.store();
            std::mem::take(&mut *store)
        };
        self.kill_all().await;
        let ready: Vec<_> = old.sandboxes.values().filter(|s| s.ready).collect();
        for sandbox in &ready {
            let id = self.run_pod(sandbox.config.clone(), &sandbox.runtime_handler).await?;
            for container in old.containers_of(&sandbox.id) {
                if container.status.state() != pb::ContainerState::ContainerRunning {
                    continue;
                }
                let request = pb::CreateContainerRequest {
                    pod_sandbox_id: id.clone(),
                    config: Some(container.config.clone()),
                    sandbox_config: Some(sandbox.config.clone()),
                };
                let container = self.create_container(request).await?;
                self.start_container(&container).await?;
            }
        }
        Ok(ready.len())
    }

    /// Removes an id from the lists without an event; its process stays.
    pub fn lose(&self, id: &str) {
        self.change(|store| store.lose(id));
    }

    /// Shows a lost id again, and returns the whole id. `None`: no lost id begins with this prefix.
    pub fn find(&self, prefix: &str) -> Option<String> {
        self.change(|store| store.find(prefix))
    }

    fn change<T>(&self, by: impl FnOnce(&mut Store) -> T) -> T {
        let result = by(&mut self.store());
        self.touch();
        result
    }
}
