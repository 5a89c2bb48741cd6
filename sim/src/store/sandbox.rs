//! The transitions of a sandbox: reserve, add (READY), controller exit, exit (NOTREADY), forget, delete.

use super::{Controller, Error, Result, Sandbox, Store, names};
use crate::pb;

impl Store {
    /// The first step of RunPodSandbox: takes the name before anything is made.
    pub fn reserve_sandbox(&mut self, id: &str, config: &pb::PodSandboxConfig, runtime_handler: &str) -> Result<()> {
        let metadata =
            config.metadata.as_ref().ok_or_else(|| Error::unknown("sandbox config must include metadata"))?;
        if !matches!(runtime_handler, "" | "runc") {
            let cause = format!("no runtime for {runtime_handler:?} is configured");
            return Err(Error::unknown(cause).context(format!("unable to get OCI runtime for sandbox {id:?}")));
        }
        let name = names::of_sandbox(metadata);
        self.sandbox_names.reserve(&name, id).map_err(|e| e.context(format!("failed to reserve sandbox name {name:?}")))
    }

    /// RunPodSandbox failed: frees the name.
    pub fn release_sandbox(&mut self, id: &str) {
        self.sandbox_names.release(id);
    }

    /// The sandbox's process runs: adds the sandbox to the store, READY at once.
    pub fn add_sandbox(&mut self, id: &str, config: pb::PodSandboxConfig, handler: &str, pid: u32, now: i64) {
        let host_network = on_host_network(&config);
        let (netns, ip) = if host_network { (String::new(), String::new()) } else { (netns_path(id), self.new_ip()) };
        let sandbox = Sandbox {
            id: id.to_owned(),
            config,
            runtime_handler: handler.to_owned(),
            pid,
            ready: true,
            controller: Controller::Ready,
            created_at: now,
            netns,
            netns_closed: false,
            ip,
            containers: Vec::new(),
        };
        self.sandboxes.insert(id.to_owned(), sandbox);
    }

    /// Notes in the sandbox controller, which learns of it first, that the process is gone.
    pub fn sandbox_controller_exited(&mut self, id: &str) {
        if let Some(sandbox) = self.sandbox_mut(id).filter(|s| s.controller == Controller::Ready) {
            sandbox.controller = Controller::NotReady;
        }
    }

    /// Applies the exit monitor's update of the CRI store. False if the sandbox is gone, so that there is no event.
    pub fn sandbox_exited(&mut self, id: &str) -> bool {
        let Some(sandbox) = self.sandbox_mut(id) else {
            return false;
        };
        sandbox.ready = false;
        sandbox.pid = 0;
        true
    }

    /// Stops a sandbox without a process to wait for. False if it was stopped before.
    pub fn stop_without_process(&mut self, id: &str) -> bool {
        let was_ready = self.sandboxes.get(id).is_some_and(|s| s.ready);
        self.sandbox_controller_exited(id);
        self.sandbox_exited(id);
        self.close_netns(id);
        was_ready
    }

    /// Removes the network, and with it the IP, at the end of StopPodSandbox.
    pub fn close_netns(&mut self, id: &str) {
        if let Some(sandbox) = self.sandbox_mut(id) {
            sandbox.netns_closed = true;
        }
    }

    /// Shuts the sandbox down. From here on, its status has Go's zero time (engine-facts §1.1).
    pub fn forget_sandbox(&mut self, id: &str) {
        if let Some(sandbox) = self.sandbox_mut(id) {
            sandbox.controller = Controller::Forgotten;
        }
    }

    /// Removes the sandbox, as the last step of RemovePodSandbox.
    pub fn delete_sandbox(&mut self, id: &str) {
        self.sandboxes.remove(id);
        self.sandbox_names.release(id);
    }

    fn new_ip(&mut self) -> String {
        self.next_ip += 1;
        let n = self.next_ip + 1; // .1 is the bridge
        format!("10.{}.{}.{}", 88 + (n >> 16) % 100, (n >> 8) & 255, n & 255)
    }
}

pub fn on_host_network(config: &pb::PodSandboxConfig) -> bool {
    let options = config.linux.as_ref().and_then(|l| l.security_context.as_ref()?.namespace_options.as_ref());
    options.is_some_and(|o| o.network() == pb::NamespaceMode::Node)
}

/// A path as containerd's netns package makes it, always the same for the same sandbox.
fn netns_path(id: &str) -> String {
    format!("/var/run/netns/cni-{}-{}-{}-{}-{}", &id[..8], &id[8..12], &id[12..16], &id[16..20], &id[20..32])
}
