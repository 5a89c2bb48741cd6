//! Reads how a container was made, from its status and from the verbose information. Pure.

use std::sync::Arc;

use prost::bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::observed as wire;
use super::text::Reader;
use crate::model::*;

/// The fields that any status has, verbose or not.
pub(super) fn of_status(
    read: &mut Reader,
    log_path: Bytes,
    mounts: Vec<wire::Mount>,
    resources: Option<wire::ContainerResources>,
    user: Option<wire::ContainerUser>,
) -> Spec {
    let mount = |m: wire::Mount, read: &mut Reader| {
        let mut mount = Mount::default();
        (mount.container_path, mount.host_path) = (read.text(m.container_path), read.text(m.host_path));
        mount.read_only = m.readonly;
        mount
    };
    Spec {
        log_path: read.text(log_path),
        mounts: mounts.into_iter().map(|m| mount(m, read)).collect(),
        resources: resources.and_then(|r| r.linux).map(|r| limits(read, r)),
        user: user.and_then(|u| u.linux).map(|u| User { uid: u.uid, gid: u.gid, groups: u.supplemental_groups.into() }),
        ..Spec::default()
    }
}

/// A limit; 0 means that there is none.
fn given(limit: Option<i64>) -> Option<i64> {
    limit.filter(|limit| *limit != 0)
}

/// The OOM score, if it is in the kernel's range.
fn score(oom_score_adj: Option<i64>) -> Option<i64> {
    oom_score_adj.filter(|score| (-1000..=1000).contains(score))
}

fn limits(read: &mut Reader, r: wire::LinuxContainerResources) -> Resources {
    Resources {
        cpu_shares: given(Some(r.cpu_shares)),
        cpu_quota: given(Some(r.cpu_quota)),
        cpu_period: given(Some(r.cpu_period)),
        cpuset_cpus: read.text(r.cpuset_cpus),
        cpuset_mems: read.text(r.cpuset_mems),
        memory_limit: given(Some(r.memory_limit_in_bytes)),
        swap_limit: given(Some(r.memory_swap_limit_in_bytes)),
        oom_score_adj: score(Some(r.oom_score_adj)),
    }
}

/// `config` of containerd's information: the CRI request with which the container was made. Each key is read on its
/// own: a malformed one does not affect the others.
#[derive(Deserialize, Default)]
pub(super) struct ConfigInfo<'a> {
    #[serde(borrow, default)]
    image: Option<&'a RawValue>,
    #[serde(borrow, default)]
    command: Option<&'a RawValue>,
    #[serde(borrow, default)]
    args: Option<&'a RawValue>,
    #[serde(borrow, default)]
    working_dir: Option<&'a RawValue>,
    #[serde(borrow, default)]
    linux: Option<&'a RawValue>,
}

/// `runtimeSpec`: the OCI runtime specification.
#[derive(Deserialize, Default)]
pub(super) struct RuntimeSpec<'a> {
    #[serde(borrow, default)]
    process: Option<&'a RawValue>,
    #[serde(borrow, default)]
    annotations: Option<&'a RawValue>,
    #[serde(borrow, default)]
    linux: Option<&'a RawValue>,
}

/// Reads a JSON text, if it is there and as expected.
pub(super) fn part<'a, T: Deserialize<'a>>(text: Option<&'a RawValue>) -> Option<T> {
    serde_json::from_str(text?.get()).ok()
}

impl ConfigInfo<'_> {
    /// The image's name as the pod's author wrote it. containerd before 1.7 has only the name that was requested, which
    /// is the author's unless it is a digest.
    pub fn author_image(&self) -> Option<String> {
        #[derive(Deserialize, Default)]
        #[serde(default)]
        struct Image {
            user_specified_image: String,
            image: String,
        }
        let Image { user_specified_image, image } = part(self.image)?;
        [user_specified_image, image].into_iter().find(|name| !name.is_empty() && !is_bare_digest(name))
    }

    fn privileged(&self) -> Option<bool> {
        #[derive(Deserialize)]
        struct Linux {
            security_context: Option<SecurityContext>,
        }
        #[derive(Deserialize)]
        struct SecurityContext {
            #[serde(default)]
            privileged: bool,
        }
        part::<Linux>(self.linux).map(|linux| linux.security_context.is_some_and(|s| s.privileged))
    }
}

impl RuntimeSpec<'_> {
    /// The image's name in the annotations: the requested one; otherwise, with CRI-O, any name of that image.
    pub fn annotated_image(&self) -> Option<String> {
        let names = part::<ImageAnnotations>(self.annotations)?;
        names.requested().or(names.crio_any).filter(|name| !name.is_empty())
    }

    /// The image's name in the annotations, as it was requested.
    pub fn requested_image(&self) -> Option<String> {
        part::<ImageAnnotations>(self.annotations)?.requested()
    }
}

/// Where containerd and CRI-O put the image's name.
#[derive(Deserialize)]
struct ImageAnnotations {
    #[serde(rename = "io.kubernetes.cri.image-name")]
    containerd: Option<String>,
    #[serde(rename = "io.kubernetes.cri-o.Image")]
    crio: Option<String>,
    #[serde(rename = "io.kubernetes.cri-o.ImageName")]
    crio_any: Option<String>,
}

impl ImageAnnotations {
    /// The requested name, if it is not a digest: kubelets request digests, too.
    fn requested(&self) -> Option<String> {
        let is_name = |name: &&String| !name.is_empty() && !is_bare_digest(name);
        [&self.containerd, &self.crio].into_iter().flatten().find(is_name).cloned()
    }
}

/// The fields that the verbose information has; `privileged` is CRI-O's own key.
pub(super) fn of_info(config: &ConfigInfo, runtime: &RuntimeSpec, privileged: Option<bool>) -> Spec {
    #[derive(Deserialize, Default)]
    #[serde(default)]
    struct Process {
        args: Vec<String>,
        cwd: String,
        user: Option<ProcessUser>,
        #[serde(rename = "oomScoreAdj")]
        oom_score_adj: Option<i64>,
    }
    #[derive(Deserialize, Default)]
    #[serde(default)]
    struct ProcessUser {
        uid: i64,
        gid: i64,
        #[serde(rename = "additionalGids")]
        groups: Vec<i64>,
    }
    let process: Process = part(runtime.process).unwrap_or_default();
    let list = |list: Option<Vec<String>>| list.unwrap_or_default();
    let (mut command, mut args) = (list(part(config.command)), list(part(config.args)));
    if command.is_empty() && args.is_empty() {
        let split = process.args.len().min(1);
        args = process.args[split..].to_vec();
        command = process.args[..split].to_vec();
    }
    let mut spec = Spec::default();
    (spec.command, spec.args) = (shared(command), shared(args));
    let working_dir = part::<String>(config.working_dir).filter(|dir| !dir.is_empty());
    spec.working_dir = working_dir.unwrap_or(process.cwd).into();
    spec.privileged = config.privileged().or(privileged);
    spec.user = process.user.map(|u| {
        let mut user = User::default();
        (user.uid, user.gid, user.groups) = (u.uid, u.gid, u.groups.into());
        user
    });
    spec.resources = oci_limits(runtime.linux, process.oom_score_adj);
    spec
}

fn oci_limits(linux: Option<&RawValue>, oom_score_adj: Option<i64>) -> Option<Resources> {
    #[derive(Deserialize)]
    struct Linux {
        resources: OciResources,
    }
    #[derive(Deserialize, Default)]
    #[serde(default)]
    struct OciResources {
        cpu: Cpu,
        memory: Memory,
    }
    #[derive(Deserialize, Default)]
    #[serde(default)]
    struct Cpu {
        shares: Option<i64>,
        quota: Option<i64>,
        period: Option<i64>,
        cpus: String,
        mems: String,
    }
    #[derive(Deserialize, Default)]
    #[serde(default)]
    struct Memory {
        limit: Option<i64>,
        swap: Option<i64>,
    }
    let OciResources { cpu, memory } = part::<Linux>(linux)?.resources;
    let mut limits = Resources::default();
    (limits.cpu_shares, limits.cpu_quota, limits.cpu_period) = (given(cpu.shares), given(cpu.quota), given(cpu.period));
    (limits.cpuset_cpus, limits.cpuset_mems) = (cpu.cpus.into(), cpu.mems.into());
    (limits.memory_limit, limits.swap_limit) = (given(memory.limit), given(memory.swap));
    limits.oom_score_adj = score(oom_score_adj);
    Some(limits)
}

fn shared(texts: Vec<String>) -> Arc<[Arc<str>]> {
    texts.into_iter().map(Arc::from).collect()
}
