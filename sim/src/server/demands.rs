//! What CRI-O requires of CreateContainer and containerd does not. A kubelet gives all of it; other clients may not.
//! Scripts get it from `kubelet`.

use tonic::Status;

use crate::pb::{ContainerConfig, NamespaceMode};

/// Refuses the request with an error like CRI-O's.
pub fn check(config: Option<&ContainerConfig>) -> Result<(), Status> {
    let none = ContainerConfig::default();
    let config = config.unwrap_or(&none);
    if config.image.as_ref().is_none_or(|image| image.user_specified_image.is_empty()) {
        return Err(Status::unknown("user specified image not specified, cannot verify image signature"));
    }
    let security = config.linux.as_ref().and_then(|linux| linux.security_context.as_ref());
    let options = security.and_then(|security| security.namespace_options.as_ref());
    // Without options of its own, the container wants its pod's pid namespace, which is that of the infra container.
    if options.is_none_or(|options| options.pid() == NamespaceMode::Pod) {
        return Err(Status::unknown("PID namespace requested, but sandbox has no infra container"));
    }
    // In this simulation, the image's environment has no PATH.
    match config.command.first() {
        Some(program) if !program.starts_with('/') => Err(Status::unknown(format!(
            "container create failed: executable file `{program}` not found in $PATH: No such file or directory"
        ))),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pb;

    #[test]
    fn each_demand_is_named() {
        let mut config = ContainerConfig { command: vec!["sleep".into()], ..Default::default() };
        let mut refused = |change: &dyn Fn(&mut ContainerConfig)| {
            change(&mut config);
            check(Some(&config)).map_err(|status| status.message().to_owned())
        };
        assert!(refused(&|_| {}).unwrap_err().contains("user specified image"));
        let image = pb::ImageSpec { user_specified_image: "app:1".into(), ..Default::default() };
        assert!(refused(&|c| c.image = Some(image.clone())).unwrap_err().contains("PID namespace"));
        let options = pb::NamespaceOption { pid: NamespaceMode::Container.into(), ..Default::default() };
        let security = pb::LinuxContainerSecurityContext { namespace_options: Some(options), ..Default::default() };
        let linux = pb::LinuxContainerConfig { security_context: Some(security), ..Default::default() };
        assert!(refused(&|c| c.linux = Some(linux.clone())).unwrap_err().contains("`sleep` not found"));
        assert_eq!(refused(&|c| c.command[0] = "/bin/sleep".into()), Ok(()));
    }
}
