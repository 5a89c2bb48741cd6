//! What CRI shows of the store: list items, statuses, events.

use super::{Container, Controller, Sandbox, Store};
use crate::kubelet::POD_UID;
use crate::pb;
use crate::profile::{Family, Profile};

pub fn sandbox_item(s: &Sandbox, profile: &Profile) -> pb::PodSandbox {
    pb::PodSandbox {
        id: s.id.clone(),
        metadata: s.config.metadata.clone(),
        state: sandbox_state(s.ready).into(),
        created_at: profile.created_at(s.created_at),
        labels: s.config.labels.clone(),
        annotations: s.config.annotations.clone(),
        runtime_handler: s.runtime_handler.clone(),
    }
}

pub fn container_item(c: &Container, profile: &Profile) -> pb::Container {
    pb::Container {
        id: c.id.clone(),
        pod_sandbox_id: c.sandbox_id.clone(),
        metadata: c.config.metadata.clone(),
        image: listed_image(c, profile),
        image_ref: c.image_id.clone(),
        state: c.status.state().into(),
        created_at: profile.created_at(c.status.created_at),
        labels: c.config.labels.clone(),
        annotations: c.config.annotations.clone(),
        image_id: c.image_id.clone(),
    }
}

/// The image in a list. containerd shows the name that the container was made with, CRI-O the present name of the
/// image.
fn listed_image(c: &Container, profile: &Profile) -> Option<pb::ImageSpec> {
    let made_with = c.config.image.clone()?;
    Some(match profile.family {
        Family::Crio => pb::ImageSpec { image: c.tag.clone().unwrap_or_else(|| c.image_id.clone()), ..made_with },
        Family::Containerd | Family::Dockerd => made_with,
    })
}

fn sandbox_state(ready: bool) -> pb::PodSandboxState {
    if ready { pb::PodSandboxState::SandboxReady } else { pb::PodSandboxState::SandboxNotready }
}

impl Sandbox {
    /// The status of a sandbox. containerd 2.x asks the sandbox controller for it, not the CRI store (engine-facts §6).
    pub fn status(&self, profile: &Profile) -> pb::PodSandboxStatus {
        let forgotten = self.controller == Controller::Forgotten;
        let options = self.config.linux.as_ref().and_then(|l| l.security_context.as_ref()?.namespace_options.clone());
        pb::PodSandboxStatus {
            id: self.id.clone(),
            metadata: self.config.metadata.clone(),
            state: sandbox_state(self.controller == Controller::Ready).into(),
            created_at: if forgotten { profile.forgotten_created_at } else { self.created_at },
            network: Some(pb::PodSandboxNetworkStatus {
                ip: if self.netns_closed { String::new() } else { self.ip.clone() },
                additional_ips: Vec::new(),
            }),
            linux: Some(pb::LinuxPodSandboxStatus { namespaces: Some(pb::Namespace { options }) }),
            labels: self.config.labels.clone(),
            annotations: self.config.annotations.clone(),
            runtime_handler: self.runtime_handler.clone(),
        }
    }
}

impl Container {
    /// The pid as the engine shows it.
    pub fn shown_pid(&self, profile: &Profile) -> u32 {
        let running = self.status.state() == pb::ContainerState::ContainerRunning;
        if running || profile.pid_in_every_state { self.status.pid } else { 0 }
    }

    /// The image's name in a status: its first tag, whatever the container was made with. Without a tag, CRI-O shows
    /// the id.
    fn status_image(&self, profile: &Profile) -> String {
        let made_with = self.config.image.as_ref().map_or("", |image| image.image.as_str());
        let untagged = if profile.family == Family::Crio { &self.image_id } else { made_with };
        self.tag.as_deref().unwrap_or(untagged).to_owned()
    }

    /// The OCI specification's annotations about the image.
    pub fn image_annotations(&self, profile: &Profile) -> Vec<(&'static str, String)> {
        let image = self.config.image.clone().unwrap_or_default();
        let author = if image.user_specified_image.is_empty() { &image.image } else { &image.user_specified_image };
        match profile.family {
            Family::Crio => vec![
                ("io.kubernetes.cri-o.Image", image.image),
                ("io.kubernetes.cri-o.ImageName", self.status_image(profile)),
            ],
            _ if profile.specs_name_images => vec![("io.kubernetes.cri.image-name", author.clone())],
            _ => vec![("io.kubernetes.cri.image-name", self.status_image(profile))],
        }
    }

    pub fn status(&self, profile: &Profile) -> pb::ContainerStatus {
        use pb::ContainerState::{ContainerCreated, ContainerExited, ContainerRunning};
        let status = &self.status;
        let reason = match (status.state(), status.reason.as_str(), status.exit_code) {
            (ContainerExited, "", 0) => "Completed".into(),
            (ContainerExited, "", _) => "Error".into(),
            (_, reason, _) => reason.into(),
        };
        let (started_at, finished_at) = match status.state() {
            ContainerCreated => (profile.unset_time, profile.unset_time),
            ContainerRunning => (status.started_at, profile.unset_time),
            _ => (status.started_at, status.finished_at),
        };
        let stop_signal = match self.config.stop_signal() {
            pb::Signal::RuntimeDefault => pb::Signal::Sigterm,
            own => own,
        };
        pb::ContainerStatus {
            id: self.id.clone(),
            metadata: self.config.metadata.clone(),
            state: status.state().into(),
            created_at: profile.created_at(status.created_at),
            started_at,
            finished_at,
            exit_code: status.exit_code,
            image: Some(pb::ImageSpec { image: self.status_image(profile), ..Default::default() }),
            image_ref: self.image_ref.clone(),
            reason,
            message: status.message.clone(),
            labels: self.config.labels.clone(),
            annotations: self.config.annotations.clone(),
            mounts: self.config.mounts.clone(),
            log_path: self.log_path.clone(),
            resources: None,
            image_id: self.image_id.clone(),
            user: Some(pb::ContainerUser { linux: Some(pb::LinuxContainerUser::default()) }),
            stop_signal: stop_signal.into(),
        }
    }
}

impl Store {
    /// An event with the sandbox's status (absent if it is unknown), the statuses of its containers, and the time
    /// (§1.1). CRI-O takes the containers with the pod's uid, and sends no event for an unknown sandbox: `None` (§1.2).
    pub fn event(
        &self,
        id: &str,
        sandbox_id: &str,
        kind: pb::ContainerEventType,
        profile: &Profile,
        now: i64,
    ) -> Option<pb::ContainerEventResponse> {
        let sandbox = self.sandboxes.get(sandbox_id);
        let containers_statuses = if profile.statuses_by_uid_label {
            let uid = sandbox?.config.metadata.as_ref().map_or("", |m| m.uid.as_str());
            let of_pod = |c: &&Container| c.config.labels.get(POD_UID).map_or("", String::as_str) == uid;
            self.containers.values().filter(of_pod).map(|c| c.status(profile)).collect()
        } else {
            self.containers_of(sandbox_id).map(|c| c.status(profile)).collect()
        };
        Some(pb::ContainerEventResponse {
            container_id: id.to_owned(),
            container_event_type: kind.into(),
            created_at: now,
            pod_sandbox_status: sandbox.map(|s| s.status(profile)),
            containers_statuses,
        })
    }
}
