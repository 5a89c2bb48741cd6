//! The identity of an engine on this machine, because CRI has no engine ids.

use crate::config::{Config, IdSource};
use crate::host::{Proc, host_name};

/// The pid of the engine's process in our pid namespace, from that of the process that made its socket; `None` if an init
/// system made the socket.
pub fn engine_of_socket(peer_pid: Option<i32>, config: &Config) -> Option<i32> {
    let proc = Proc::new(&config.host_root);
    peer_pid.filter(|pid| !proc.is_init_system(*pid))
}

/// The engine's id: the option `engine.id`, otherwise the name of its host.
pub fn engine_id(config: &Config, pid: Option<i32>) -> String {
    let name = || match config.engine_id_source {
        IdSource::Auto => host_name(&config.host_root, pid, false),
        IdSource::Uts => host_name(&config.host_root, pid, true),
        IdSource::None => None,
    };
    config.engine_id.clone().or_else(name).unwrap_or_default()
}
