//! The options of a watcher: one table of keys, types, defaults and allowed values, and the values that were set.

mod describe;
mod table;

use std::path::PathBuf;
use std::time::Duration;

use crate::error::{CRI_E_OPTION, Error, Result};

pub use describe::describe;
pub use table::{OPTIONS, OptionSpec, ValueType};

/// How changes are noticed (option `events`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum EventSource {
    /// The engine's stream where it works, else polling.
    #[default]
    Auto,
    /// The engine's stream, also on engines that have problems with it.
    Stream,
    /// Polling only.
    Poll,
}

/// Which source of pids is used (option `pid.source`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum PidSource {
    /// The engine's pid files, otherwise its verbose status. Each pid is checked against the host's /proc.
    #[default]
    Auto,
    /// The pids in the engine's verbose status, unchecked.
    Engine,
}

/// Whether the host is a second source of changes (option `host.witness`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum WitnessUse {
    /// The host is used as far as the kernel and our rights allow.
    #[default]
    Auto,
    /// Only the engine is used.
    Off,
}

/// What the engine is asked for besides pids and states (option `details`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum DetailRequests {
    /// Nothing: only what lists, events and pid files give.
    None,
    /// A verbose status of each run, one at a time, when there is nothing else to ask.
    #[default]
    Lazy,
    /// A verbose status of each run, at once.
    Full,
}

/// Where the engine's id comes from, if it is not given (option `engine.id_source`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum IdSource {
    /// The host name, without entering another namespace.
    #[default]
    Auto,
    /// The host name in the engine's UTS namespace, which a thread enters to read it.
    Uts,
    /// None: the engine has no id.
    None,
}

/// The values of all options.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    pub(crate) connect_timeout: Duration,
    pub(crate) request_timeout: Duration,
    pub(crate) reconnect_min: Duration,
    pub(crate) reconnect_max: Duration,
    pub(crate) relist_interval: Duration,
    pub(crate) poll_interval: Duration,
    pub(crate) probe_interval: Duration,
    pub(crate) events: EventSource,
    pub(crate) ready_pid_wait: Duration,
    pub(crate) pid_source: PidSource,
    pub(crate) details: DetailRequests,
    pub(crate) engine_pid: Option<i32>,
    pub(crate) engine_id: Option<String>,
    pub(crate) engine_id_source: IdSource,
    pub(crate) host_root: PathBuf,
    pub(crate) witness: WitnessUse,
    pub(crate) max_descriptors: usize,
    pub(crate) discover_nested: bool,
    pub(crate) discover_sockets: Vec<PathBuf>,
    pub(crate) discover_interval: Duration,
    pub(crate) message_max_bytes: usize,
    pub(crate) tombstones_keep: Duration,
    pub(crate) tombstones_max: usize,
    pub(crate) merge_annotations: bool,
    /// The schema of the attributes that JSON shows.
    pub(crate) attributes: Option<&'static str>,
    pub(crate) labels_max_bytes: usize,
    pub(crate) queue_capacity: usize,
    pub(crate) call_allow_mutations: bool,
    pub(crate) call_show_env: bool,
    pub(crate) packer_timeout: Duration,
    pub(crate) packer_show_env: bool,
    pub(crate) threads_stack_bytes: usize,
}

impl Default for Config {
    fn default() -> Self {
        let mut config = Config {
            connect_timeout: Duration::ZERO,
            request_timeout: Duration::ZERO,
            reconnect_min: Duration::ZERO,
            reconnect_max: Duration::ZERO,
            relist_interval: Duration::ZERO,
            poll_interval: Duration::ZERO,
            probe_interval: Duration::ZERO,
            events: EventSource::Auto,
            ready_pid_wait: Duration::ZERO,
            pid_source: PidSource::Auto,
            details: DetailRequests::Lazy,
            engine_pid: None,
            engine_id: None,
            engine_id_source: IdSource::Auto,
            host_root: PathBuf::new(),
            witness: WitnessUse::Auto,
            max_descriptors: 0,
            discover_nested: false,
            discover_sockets: Vec::new(),
            discover_interval: Duration::ZERO,
            message_max_bytes: 0,
            tombstones_keep: Duration::ZERO,
            tombstones_max: 0,
            merge_annotations: false,
            attributes: None,
            labels_max_bytes: 0,
            queue_capacity: 0,
            call_allow_mutations: false,
            call_show_env: false,
            packer_timeout: Duration::ZERO,
            packer_show_env: false,
            threads_stack_bytes: 0,
        };
        for option in OPTIONS {
            config.set(option.key, option.default).expect("every default is allowed");
        }
        config
    }
}

impl Config {
    /// Sets one option from its text. The error names the key, the value and what is allowed.
    pub fn set(&mut self, key: &str, value: &str) -> Result<()> {
        let option = OPTIONS.iter().find(|o| o.key == key).ok_or_else(|| unknown(key))?;
        let value = option.value_type.parse(value).map_err(|allowed| {
            Error::new(CRI_E_OPTION, format!("option {key}: {value:?} is not allowed ({allowed})"))
        })?;
        (option.set)(self, value);
        Ok(())
    }
}

fn unknown(key: &str) -> Error {
    let known: Vec<_> = OPTIONS.iter().map(|o| o.key).collect();
    Error::new(CRI_E_OPTION, format!("option {key:?} is unknown (known are: {})", known.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_the_tables() {
        let config = Config::default();
        assert_eq!(config.relist_interval, Duration::from_secs(60));
        assert_eq!(config.host_root, PathBuf::from("/"));
        assert_eq!(config.engine_pid, None);
    }

    #[test]
    fn errors_name_key_value_and_range() {
        let mut config = Config::default();
        let e = config.set("relist.interval_ms", "1").unwrap_err();
        assert_eq!(e.status(), CRI_E_OPTION);
        assert_eq!(
            e.message(),
            "option relist.interval_ms: \"1\" is not allowed (a whole number of milliseconds from 100 to 86400000)"
        );
        let e = config.set("event", "auto").unwrap_err();
        assert!(e.message().starts_with("option \"event\" is unknown (known are: connect.timeout_ms, "), "{e}");
        let e = config.set("events", "push").unwrap_err();
        assert_eq!(e.message(), "option events: \"push\" is not allowed (one of auto, stream, poll)");
        assert_eq!(config, Config::default(), "a refused value changes nothing");
    }

    #[test]
    fn every_bound_is_allowed_and_what_lies_beyond_is_not() {
        for option in OPTIONS {
            let mut config = Config::default();
            let (ValueType::Milliseconds { min, max } | ValueType::Integer { min, max }) = option.value_type else {
                continue;
            };
            config.set(option.key, &min.to_string()).unwrap();
            config.set(option.key, &max.to_string()).unwrap();
            for beyond in [min as i128 - 1, max as i128 + 1] {
                config.set(option.key, &beyond.to_string()).unwrap_err();
            }
            for nonsense in ["", " 5", "5 ", "0x10", "1e3", "+5"] {
                config.set(option.key, nonsense).unwrap_err();
            }
        }
    }
}
