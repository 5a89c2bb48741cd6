//! The transitions of a container: add (CREATED), start or failed start, exit, remove.

use super::{Container, Error, Result, Status, Store, full_id, names};
use crate::pb;
use crate::profile::Family;

/// How a process ended, as far as the engine knows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Exit {
    Code(i32),
    /// It ended while the engine was down: this code stands for "unknown".
    Unknown(i32),
}

/// What StartContainer needs when the container is in its starting state.
#[derive(Debug, PartialEq)]
pub struct Started {
    pub id: String,
    pub sandbox_id: String,
    pub command: Vec<String>,
    pub args: Vec<String>,
    pub cgroups_path: String,
    pub sandbox_ready: bool,
}

impl Store {
    pub fn add_container(
        &mut self,
        id: &str,
        request: pb::CreateContainerRequest,
        family: Family,
        now: i64,
    ) -> Result<()> {
        let find = || format!("failed to find sandbox id {:?}", request.pod_sandbox_id);
        let sandbox_id = full_id(&self.sandboxes, &request.pod_sandbox_id).map_err(|e| e.context(find()))?;
        let config = request.config.unwrap_or_default();
        let pod = request.sandbox_config.unwrap_or_default();
        let metadata =
            config.metadata.as_ref().ok_or_else(|| Error::unknown("container config must include metadata"))?;
        let pod_metadata =
            pod.metadata.as_ref().ok_or_else(|| Error::unknown("pod sandbox config must include metadata"))?;
        let name = names::of_container(metadata, pod_metadata);
        self.container_names.reserve(&name, id).map_err(|e| {
            let hint = "check if another CreateContainer request is in progress";
            e.context(format!("failed to reserve container name {name:?}; {hint}"))
        })?;
        let image_id = self.images.of(config.image.as_ref().map_or("", |i| i.image.as_str()));
        let parent = pod.linux.as_ref().map_or("", |l| l.cgroup_parent.as_str());
        let container = Container {
            id: id.to_owned(),
            image_ref: self.images.reference(&image_id),
            tag: self.images.first_tag(&image_id).map(str::to_owned),
            image_id,
            log_path: match (pod.log_directory.as_str(), config.log_path.as_str()) {
                ("", _) | (_, "") => String::new(),
                (folder, file) => format!("{}/{file}", folder.trim_end_matches('/')),
            },
            cgroups_path: cgroups_path(family, parent, id),
            sandbox_id: sandbox_id.clone(),
            config,
            status: Status { created_at: now, ..Status::default() },
        };
        self.containers.insert(id.to_owned(), container);
        if let Some(sandbox) = self.sandbox_mut(&sandbox_id) {
            sandbox.containers.push(id.to_owned());
        }
        Ok(())
    }

    /// Begins a start. From here on, other starts and removals fail.
    pub fn begin_start(&mut self, id: &str) -> Result<Started> {
        let find = || format!("an error occurred when try to find container {id:?}");
        let id = full_id(&self.containers, id).map_err(|e| e.context(find()))?;
        let refuse = |why: String| Error::unknown(format!("failed to set starting state for container {id:?}: {why}"));
        let container = self.containers.get_mut(&id).ok_or_else(|| Error::NotFound("not found".into()))?;
        let status = &mut container.status;
        if status.state() != pb::ContainerState::ContainerCreated {
            return Err(refuse(format!("container is in {} state", status.state().as_str_name())));
        }
        if status.removing {
            return Err(refuse("container is in removing state, can't be started".into()));
        }
        if status.starting {
            return Err(refuse("container is already in starting state".into()));
        }
        status.starting = true;
        let (command, args) = (container.config.command.clone(), container.config.args.clone());
        let cgroups_path = container.cgroups_path.clone();
        let sandbox_id = container.sandbox_id.clone();
        let sandbox_ready = self.sandboxes.get(&sandbox_id).is_some_and(|s| s.ready);
        Ok(Started { id, sandbox_id, command, args, cgroups_path, sandbox_ready })
    }

    /// Ends a failed start: the container is EXITED, without an event (engine-facts §1.4).
    pub fn start_failed(&mut self, id: &str, message: &str, now: i64) {
        if let Some(container) = self.container_mut(id) {
            let status = &mut container.status;
            status.pid = 0;
            status.finished_at = now;
            status.exit_code = 128;
            status.reason = "StartError".into();
            status.message = message.into();
            status.starting = false;
        }
    }

    pub fn set_reason(&mut self, id: &str, reason: &str) {
        if let Some(container) = self.container_mut(id) {
            container.status.reason = reason.into();
        }
    }

    pub fn set_pid(&mut self, id: &str, pid: u32) {
        if let Some(container) = self.container_mut(id) {
            container.status.pid = pid;
        }
    }

    pub fn started(&mut self, id: &str, now: i64) {
        if let Some(container) = self.container_mut(id) {
            container.status.started_at = now;
        }
    }

    /// Ends a start, when StartContainer returns.
    pub fn end_start(&mut self, id: &str) {
        if let Some(container) = self.container_mut(id) {
            container.status.starting = false;
        }
    }

    /// Applies the exit monitor's update. The pid stays; the profile decides whether it is shown. Returns the sandbox's
    /// id, or `None` if the container is gone or was never started, so that there is no event.
    pub fn container_exited(&mut self, id: &str, exit: Exit, now: i64) -> Option<String> {
        let lost = self.lost_containers.contains_key(id);
        let container = self.containers.get_mut(id).or_else(|| self.lost_containers.get_mut(id))?;
        let status = &mut container.status;
        if status.started_at == 0 {
            return None;
        }
        if status.finished_at == 0 {
            status.finished_at = now;
            match exit {
                Exit::Code(code) => status.exit_code = code,
                Exit::Unknown(code) => {
                    status.exit_code = code;
                    status.reason = "Unknown".into();
                }
            }
        }
        if lost { None } else { Some(container.sandbox_id.clone()) }
    }

    /// Begins RemoveContainer, after a running container was stopped. From here on, other starts and removals fail.
    pub fn begin_remove(&mut self, id: &str) -> Result<()> {
        let Some(container) = self.container_mut(id) else {
            return Err(Error::NotFound("not found".into()));
        };
        let status = &mut container.status;
        let why = match status.state() {
            pb::ContainerState::ContainerRunning => "container is still running, to stop first",
            _ if status.starting => "container is in starting state, can't be removed",
            _ if status.removing => "container is already in removing state",
            _ => {
                status.removing = true;
                return Ok(());
            }
        };
        Err(Error::unknown(format!("failed to set removing state for container {id:?}: {why}")))
    }

    pub fn delete_container(&mut self, id: &str) -> Option<Container> {
        let container = self.containers.remove(id)?;
        self.container_names.release(id);
        if let Some(sandbox) = self.sandbox_mut(&container.sandbox_id) {
            sandbox.containers.retain(|c| c != id);
        }
        Some(container)
    }
}

/// The OCI spec's cgroupsPath, as the engine's family makes it for systemd (a slice) and cgroupfs.
pub fn cgroups_path(family: Family, parent: &str, id: &str) -> String {
    let base = parent.rsplit('/').next().unwrap_or(parent);
    let parent = parent.trim_end_matches('/');
    match (family, parent) {
        (Family::Containerd, "") => format!("/k8s.io/{id}"),
        (Family::Containerd, _) if base.ends_with(".slice") => format!("{base}:cri-containerd:{id}"),
        (Family::Crio, "") => format!("/crio/crio-{id}"),
        (Family::Crio, _) if base.ends_with(".slice") => format!("{base}:crio:{id}"),
        (Family::Crio, _) => format!("{parent}/crio-{id}"),
        (Family::Dockerd, "") => format!("/docker/{id}"),
        (Family::Dockerd, _) if base.ends_with(".slice") => format!("{base}:docker:{id}"),
        (Family::Containerd | Family::Dockerd, _) => format!("{parent}/{id}"),
    }
}

/// An image's name without its tag or digest.
pub fn repository(image: &str) -> &str {
    let name = image.split('@').next().unwrap_or(image);
    match name.rfind(':') {
        Some(at) if !name[at..].contains('/') => &name[..at],
        _ => name,
    }
}
