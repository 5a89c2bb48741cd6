//! The one table of options. Documentation and `cri_options_describe` are made from it.

use std::time::Duration;

use super::{Config, DetailRequests, EventSource, IdSource, PidSource, WitnessUse};

/// One option.
#[non_exhaustive]
pub struct OptionSpec {
    /// Its name, e.g. `relist.interval_ms`.
    pub key: &'static str,
    /// The type and the range of its values.
    pub value_type: ValueType,
    /// Its default, as text.
    pub default: &'static str,
    /// Its description.
    pub doc: &'static str,
    pub(super) set: fn(&mut Config, Value),
}

/// The type and the range of an option's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ValueType {
    /// A whole number of milliseconds.
    Milliseconds {
        /// The least.
        min: u64,
        /// The greatest.
        max: u64,
    },
    /// A whole number.
    Integer {
        /// The least.
        min: u64,
        /// The greatest.
        max: u64,
    },
    /// One of these values.
    Choice(&'static [&'static str]),
    /// Any text.
    Text,
}

/// An option's value, of the type that its `ValueType` says.
pub(super) enum Value {
    Duration(Duration),
    Number(u64),
    Choice(usize),
    Text(String),
}

impl ValueType {
    /// The value, or what is allowed.
    pub(super) fn parse(self, text: &str) -> Result<Value, String> {
        let in_range = |min, max| {
            let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
            text.parse::<u64>().ok().filter(|n| digits && (min..=max).contains(n))
        };
        match self {
            ValueType::Milliseconds { min, max } => {
                in_range(min, max).map(|n| Value::Duration(Duration::from_millis(n)))
            }
            ValueType::Integer { min, max } => in_range(min, max).map(Value::Number),
            ValueType::Choice(choices) => choices.iter().position(|c| *c == text).map(Value::Choice),
            ValueType::Text => Some(Value::Text(text.to_owned())),
        }
        .ok_or_else(|| self.allowed())
    }

    /// The allowed values, as a text for an error message.
    pub fn allowed(self) -> String {
        match self {
            ValueType::Milliseconds { min, max } => {
                format!("a whole number of milliseconds from {min} to {max}")
            }
            ValueType::Integer { min, max } => format!("a whole number from {min} to {max}"),
            ValueType::Choice(choices) => format!("one of {}", choices.join(", ")),
            ValueType::Text => "any text".into(),
        }
    }
}

impl Value {
    fn duration(self) -> Duration {
        match self {
            Value::Duration(d) => d,
            _ => unreachable!("parsed as milliseconds"),
        }
    }

    fn number(self) -> u64 {
        match self {
            Value::Number(n) => n,
            _ => unreachable!("parsed as a number"),
        }
    }

    fn choice(self) -> usize {
        match self {
            Value::Choice(i) => i,
            _ => unreachable!("parsed as a choice"),
        }
    }

    fn yes(self) -> bool {
        self.choice() == 1
    }

    fn text(self) -> String {
        match self {
            Value::Text(t) => t,
            _ => unreachable!("parsed as text"),
        }
    }
}

const fn millis(min: u64, max: u64) -> ValueType {
    ValueType::Milliseconds { min, max }
}

const fn integer(min: u64, max: u64) -> ValueType {
    ValueType::Integer { min, max }
}

const NO_YES: ValueType = ValueType::Choice(&["false", "true"]);

const HOUR: u64 = 3_600_000;
const DAY: u64 = 24 * HOUR;

/// All options.
pub static OPTIONS: &[OptionSpec] = &[
    OptionSpec {
        key: "connect.timeout_ms",
        value_type: millis(1, HOUR),
        default: "5000",
        doc: "How long reaching the engine's socket and its first answer (Version) may take.",
        set: |c, v| c.connect_timeout = v.duration(),
    },
    OptionSpec {
        key: "request.timeout_ms",
        value_type: millis(1, HOUR),
        default: "10000",
        doc: "How long any later request of the watcher to the engine may take.",
        set: |c, v| c.request_timeout = v.duration(),
    },
    OptionSpec {
        key: "reconnect.min_delay_ms",
        value_type: millis(1, HOUR),
        default: "100",
        doc: "How long to wait before the first new attempt when the engine is lost; doubles with each failure.",
        set: |c, v| c.reconnect_min = v.duration(),
    },
    OptionSpec {
        key: "reconnect.max_delay_ms",
        value_type: millis(1, HOUR),
        default: "3000",
        doc: "The longest wait between two attempts to reach the engine.",
        set: |c, v| c.reconnect_max = v.duration(),
    },
    OptionSpec {
        key: "relist.interval_ms",
        value_type: millis(100, DAY),
        default: "60000",
        doc: "How often everything is listed while events stream. The list finds changes for which the engine sent no event.",
        set: |c, v| c.relist_interval = v.duration(),
    },
    OptionSpec {
        key: "poll.interval_ms",
        value_type: millis(10, DAY),
        default: "1000",
        doc: "How often everything is listed when the watcher polls.",
        set: |c, v| c.poll_interval = v.duration(),
    },
    OptionSpec {
        key: "probe.interval_ms",
        value_type: millis(100, DAY),
        default: "300000",
        doc: "How often the watcher tries the event stream again on an engine without one.",
        set: |c, v| c.probe_interval = v.duration(),
    },
    OptionSpec {
        key: "events",
        value_type: ValueType::Choice(&["auto", "stream", "poll"]),
        default: "auto",
        doc: "How changes are noticed: the engine's event stream where that works well, always, or never.",
        set: |c, v| c.events = [EventSource::Auto, EventSource::Stream, EventSource::Poll][v.choice()],
    },
    OptionSpec {
        key: "ready.pid_wait_ms",
        value_type: millis(0, HOUR),
        default: "5000",
        doc: "How long becoming ready may wait for the pids of the containers in the first lists.",
        set: |c, v| c.ready_pid_wait = v.duration(),
    },
    OptionSpec {
        key: "pid.source",
        value_type: ValueType::Choice(&["auto", "engine"]),
        default: "auto",
        doc: "Where pids come from. auto: the engine's pid files, otherwise its verbose status. engine: the verbose status alone. \
              Each pid is checked against the host.",
        set: |c, v| c.pid_source = [PidSource::Auto, PidSource::Engine][v.choice()],
    },
    OptionSpec {
        key: "details",
        value_type: ValueType::Choice(&["none", "lazy", "full"]),
        default: "lazy",
        doc: "What is asked of the engine of a run whose pid is known from a pid file: nothing (no command, user, limits, \
              and no start time of what lists show; on containerd 1.7, an image with several tags may be shown under another \
              of them until the next list); one verbose status at a time, when nothing else is to be asked; or one at once.",
        set: |c, v| c.details = [DetailRequests::None, DetailRequests::Lazy, DetailRequests::Full][v.choice()],
    },
    OptionSpec {
        key: "engine.pid",
        value_type: integer(0, i32::MAX as u64),
        default: "0",
        doc: "The engine's pid, where it cannot be learnt from the socket (socket activation, proxies); 0: learn it.",
        set: |c, v| c.engine_pid = Some(v.number() as i32).filter(|pid| *pid != 0),
    },
    OptionSpec {
        key: "engine.id",
        value_type: ValueType::Text,
        default: "",
        doc: "The engine's id; empty: its host's name, as the option engine.id_source says.",
        set: |c, v| c.engine_id = Some(v.text()).filter(|id| !id.is_empty()),
    },
    OptionSpec {
        key: "engine.id_source",
        value_type: ValueType::Choice(&["auto", "uts", "none"]),
        default: "auto",
        doc: "Where the engine's id comes from: its host's name (the kernel's in the engine's own UTS namespace, else \
              the engine's /etc/hostname), the same after entering that namespace (setns, CAP_SYS_ADMIN), or nowhere.",
        set: |c, v| c.engine_id_source = [IdSource::Auto, IdSource::Uts, IdSource::None][v.choice()],
    },
    OptionSpec {
        key: "host.root",
        value_type: ValueType::Text,
        default: "/",
        doc: "Where the host's root directory is mounted, when this process has its own: an absolute path to a \
              directory that exists; its proc/ is read.",
        set: |c, v| c.host_root = v.text().into(),
    },
    OptionSpec {
        key: "host.witness",
        value_type: ValueType::Choice(&["auto", "off"]),
        default: "auto",
        doc: "Whether the watcher also learns from the host which containers are made and which processes end: by \
              the engine's folders (inotify) and by pidfds, as far as the kernel and the process's rights allow; or not at \
              all.",
        set: |c, v| c.witness = [WitnessUse::Auto, WitnessUse::Off][v.choice()],
    },
    OptionSpec {
        key: "host.max_descriptors",
        value_type: integer(0, 1 << 20),
        default: "0",
        doc: "How many processes of containers are followed by a pidfd each, the newest first; 0: a quarter of the soft limit \
              of open files, at most 1024.",
        set: |c, v| c.max_descriptors = v.number() as usize,
    },
    OptionSpec {
        key: "discover.nested",
        value_type: NO_YES,
        default: "false",
        doc: "Whether engines are also looked for inside containers (kind, nested nodes), through proc/PID/root below host.root.",
        set: |c, v| c.discover_nested = v.yes(),
    },
    OptionSpec {
        key: "discover.sockets",
        value_type: ValueType::Text,
        default: "",
        doc: "More sockets at which engines may listen, as this process sees them, with colons in between: those of a user's own \
              engines in `$XDG_RUNTIME_DIR`, for example. The library itself reads no environment variable.",
        set: |c, v| c.discover_sockets = v.text().split(':').filter(|s| !s.is_empty()).map(Into::into).collect(),
    },
    OptionSpec {
        key: "discover.interval_ms",
        value_type: millis(100, DAY),
        default: "5000",
        doc: "How often engines are looked for: by a finder, and by a watcher without an endpoint whose engine is empty or lost. \
              A socket that appears is noticed at once.",
        set: |c, v| c.discover_interval = v.duration(),
    },
    OptionSpec {
        key: "message.max_bytes",
        value_type: integer(65_536, 1 << 30),
        default: "83886080",
        doc: "The largest message accepted from the engine, in bytes; decoded, it takes at most 16 times that in memory. \
              CRI-O sends up to 80 MiB, containerd up to 16 MiB.",
        set: |c, v| c.message_max_bytes = v.number() as usize,
    },
    OptionSpec {
        key: "tombstones.keep_ms",
        value_type: millis(0, DAY),
        default: "300000",
        doc: "How long containers that are gone can still be looked up.",
        set: |c, v| c.tombstones_keep = v.duration(),
    },
    OptionSpec {
        key: "tombstones.max",
        value_type: integer(0, 1_000_000),
        default: "1024",
        doc: "How many containers that are gone can still be looked up.",
        set: |c, v| c.tombstones_max = v.number() as usize,
    },
    OptionSpec {
        key: "labels.annotations",
        value_type: ValueType::Choice(&["merged", "separate"]),
        default: "merged",
        doc: "In JSON: annotations among the labels, under io.kubernetes.annotation/, or apart.",
        set: |c, v| c.merge_annotations = [true, false][v.choice()],
    },
    OptionSpec {
        key: "attributes",
        value_type: ValueType::Choice(&["none", "otel", "falco", "ecs"]),
        default: "none",
        doc: "In JSON: an object \"attributes\" of each container, with the names of OpenTelemetry, Falco or ECS. A query's key \"attributes\" overrides it.",
        set: |c, v| c.attributes = [None, Some("otel"), Some("falco"), Some("ecs")][v.choice()],
    },
    OptionSpec {
        key: "labels.max_bytes",
        value_type: integer(0, 16 << 20),
        default: "1048576",
        doc: "How many bytes of labels are kept of one container or pod, and as many of annotations. What is longer is cut, and flagged as cut.",
        set: |c, v| c.labels_max_bytes = v.number() as usize,
    },
    OptionSpec {
        key: "queue.capacity",
        value_type: integer(1, 1 << 24),
        default: "8192",
        doc: "How many events wait for one consumer before it gets OVERFLOW and a replay.",
        set: |c, v| c.queue_capacity = v.number() as usize,
    },
    OptionSpec {
        key: "call.allow_mutations",
        value_type: NO_YES,
        default: "false",
        doc: "Whether calls may do more than read: stop containers, run commands in them, pull images.",
        set: |c, v| c.call_allow_mutations = v.yes(),
    },
    OptionSpec {
        key: "call.show_env",
        value_type: NO_YES,
        default: "false",
        doc: "Whether the verbose info in replies to calls shows the values of environment variables.",
        set: |c, v| c.call_show_env = v.yes(),
    },
    OptionSpec {
        key: "packer.timeout_ms",
        value_type: millis(0, HOUR),
        default: "100",
        doc: "How long the STARTED of a container waits for its rucksack.",
        set: |c, v| c.packer_timeout = v.duration(),
    },
    OptionSpec {
        key: "packer.show_env",
        value_type: NO_YES,
        default: "false",
        doc: "Whether the packer is shown the values of environment variables.",
        set: |c, v| c.packer_show_env = v.yes(),
    },
    OptionSpec {
        key: "threads.stack_bytes",
        value_type: integer(512 << 10, 1 << 30),
        default: "2097152",
        doc: "The stack of each thread of the library, callbacks included; the process's thread-local variables come on top.",
        set: |c, v| c.threads_stack_bytes = v.number() as usize,
    },
];
