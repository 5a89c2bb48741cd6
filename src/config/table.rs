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
        doc: "The longest time to connect to the engine's socket and to get its first answer (Version), both together.",
        set: |c, v| c.connect_timeout = v.duration(),
    },
    OptionSpec {
        key: "request.timeout_ms",
        value_type: millis(1, HOUR),
        default: "10000",
        doc: "The longest time for each later request of the watcher to the engine.",
        set: |c, v| c.request_timeout = v.duration(),
    },
    OptionSpec {
        key: "reconnect.min_delay_ms",
        value_type: millis(1, HOUR),
        default: "100",
        doc: "How long the watcher waits before it first tries to reach a lost engine again. The wait doubles with each failure.",
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
        doc: "How often the watcher lists everything while it follows the event stream. A list finds changes for which the \
              engine sent no event.",
        set: |c, v| c.relist_interval = v.duration(),
    },
    OptionSpec {
        key: "poll.interval_ms",
        value_type: millis(10, DAY),
        default: "1000",
        doc: "How often the watcher lists everything while it polls.",
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
        doc: "How the watcher notices changes. auto: by the engine's event stream, or by polling if the stream does not work \
              well. stream: always by the event stream. poll: always by polling.",
        set: |c, v| c.events = [EventSource::Auto, EventSource::Stream, EventSource::Poll][v.choice()],
    },
    OptionSpec {
        key: "ready.pid_wait_ms",
        value_type: millis(0, HOUR),
        default: "5000",
        doc: "How long the watcher waits for the pids of the containers in the first lists before it becomes ready. Later \
              pids come in UPDATED events.",
        set: |c, v| c.ready_pid_wait = v.duration(),
    },
    OptionSpec {
        key: "pid.source",
        value_type: ValueType::Choice(&["auto", "engine"]),
        default: "auto",
        doc: "Where the watcher gets pids from. auto: from the engine's pid files, otherwise from its verbose status; it \
              checks each pid against the host. engine: from the verbose status only, without a check.",
        set: |c, v| c.pid_source = [PidSource::Auto, PidSource::Engine][v.choice()],
    },
    OptionSpec {
        key: "details",
        value_type: ValueType::Choice(&["none", "lazy", "full"]),
        default: "lazy",
        doc: "What the watcher still asks the engine about a run whose pid it knows from a pid file. none: nothing, so command, \
              user and limits stay unknown, and also the start time of a run that the watcher first saw in a list; on \
              containerd 1.7, an image with several tags may be shown under another of them until the next list. lazy: one \
              verbose status, one run at a time, when the watcher has no other request to make. full: one verbose status, \
              at once.",
        set: |c, v| c.details = [DetailRequests::None, DetailRequests::Lazy, DetailRequests::Full][v.choice()],
    },
    OptionSpec {
        key: "engine.pid",
        value_type: integer(0, i32::MAX as u64),
        default: "0",
        doc: "The engine's pid. Set it if the socket does not show the right one, as with socket activation and proxies. \
              0: the watcher reads it from the socket.",
        set: |c, v| c.engine_pid = Some(v.number() as i32).filter(|pid| *pid != 0),
    },
    OptionSpec {
        key: "engine.id",
        value_type: ValueType::Text,
        default: "",
        doc: "The engine's id. Empty: the name of the engine's host, found as the option engine.id_source says.",
        set: |c, v| c.engine_id = Some(v.text()).filter(|id| !id.is_empty()),
    },
    OptionSpec {
        key: "engine.id_source",
        value_type: ValueType::Choice(&["auto", "uts", "none"]),
        default: "auto",
        doc: "Where the engine's id comes from. auto: the name of the engine's host, which is the kernel's if this process \
              is in the engine's UTS namespace, otherwise that in the engine's /etc/hostname. uts: the kernel's name, read \
              after entering that namespace (setns, needs CAP_SYS_ADMIN). none: the engine has no id.",
        set: |c, v| c.engine_id_source = [IdSource::Auto, IdSource::Uts, IdSource::None][v.choice()],
    },
    OptionSpec {
        key: "host.root",
        value_type: ValueType::Text,
        default: "/",
        doc: "Where the host's root directory is mounted, for a process that has a root directory of its own, such as a \
              container. It is an absolute path to a directory that exists. The library reads the proc/ in it.",
        set: |c, v| c.host_root = v.text().into(),
    },
    OptionSpec {
        key: "host.witness",
        value_type: ValueType::Choice(&["auto", "off"]),
        default: "auto",
        doc: "Whether the watcher also learns from the host which containers are made and which processes end. auto: by \
              inotify on the engine's folders and by pidfds, as far as the kernel and the rights of this process allow. \
              off: not at all.",
        set: |c, v| c.witness = [WitnessUse::Auto, WitnessUse::Off][v.choice()],
    },
    OptionSpec {
        key: "host.max_descriptors",
        value_type: integer(0, 1 << 20),
        default: "0",
        doc: "How many processes of containers the watcher follows with a pidfd (one file descriptor each), the newest \
              processes first. 0: a quarter of the soft limit of open files, at most 1024.",
        set: |c, v| c.max_descriptors = v.number() as usize,
    },
    OptionSpec {
        key: "discover.nested",
        value_type: NO_YES,
        default: "false",
        doc: "Whether the library also looks for engines inside containers (kind, nested nodes), through proc/PID/root below \
              host.root.",
        set: |c, v| c.discover_nested = v.yes(),
    },
    OptionSpec {
        key: "discover.sockets",
        value_type: ValueType::Text,
        default: "",
        doc: "More sockets at which engines may listen, separated by colons, as paths that this process can open. Use it for \
              example for a user's own engines in `$XDG_RUNTIME_DIR`: the library itself reads no environment variable.",
        set: |c, v| c.discover_sockets = v.text().split(':').filter(|s| !s.is_empty()).map(Into::into).collect(),
    },
    OptionSpec {
        key: "discover.interval_ms",
        value_type: millis(100, DAY),
        default: "5000",
        doc: "How often a finder looks for engines. A watcher without an endpoint does so, too, while its engine has no \
              sandbox or is lost. A socket that appears is noticed at once.",
        set: |c, v| c.discover_interval = v.duration(),
    },
    OptionSpec {
        key: "message.max_bytes",
        value_type: integer(65_536, 1 << 30),
        default: "83886080",
        doc: "The largest message that the library accepts from the engine, in bytes. A decoded message takes at most 16 \
              times as much memory. CRI-O sends up to 80 MiB, containerd up to 16 MiB.",
        set: |c, v| c.message_max_bytes = v.number() as usize,
    },
    OptionSpec {
        key: "tombstones.keep_ms",
        value_type: millis(0, DAY),
        default: "300000",
        doc: "How long the watcher remembers a container that the engine no longer has, so that it can still be looked up.",
        set: |c, v| c.tombstones_keep = v.duration(),
    },
    OptionSpec {
        key: "tombstones.max",
        value_type: integer(0, 1_000_000),
        default: "1024",
        doc: "How many containers that the engine no longer has the watcher remembers, so that they can still be looked up.",
        set: |c, v| c.tombstones_max = v.number() as usize,
    },
    OptionSpec {
        key: "labels.annotations",
        value_type: ValueType::Choice(&["merged", "separate"]),
        default: "merged",
        doc: "Where JSON shows annotations. merged: among the labels, with io.kubernetes.annotation/ before their keys. \
              separate: under the key annotations.",
        set: |c, v| c.merge_annotations = [true, false][v.choice()],
    },
    OptionSpec {
        key: "attributes",
        value_type: ValueType::Choice(&["none", "otel", "falco", "ecs"]),
        default: "none",
        doc: "Whether JSON shows each container with an object \"attributes\", which has the names of OpenTelemetry, Falco or \
              ECS. The key \"attributes\" of a query overrides this option.",
        set: |c, v| c.attributes = [None, Some("otel"), Some("falco"), Some("ecs")][v.choice()],
    },
    OptionSpec {
        key: "labels.max_bytes",
        value_type: integer(0, 16 << 20),
        default: "1048576",
        doc: "How many bytes of labels the watcher keeps for one container or pod, and how many bytes of annotations. It cuts \
              what is longer, and flags the container.",
        set: |c, v| c.labels_max_bytes = v.number() as usize,
    },
    OptionSpec {
        key: "queue.capacity",
        value_type: integer(1, 1 << 24),
        default: "8192",
        doc: "How many events may wait for one consumer. If there are more, they are dropped, and the consumer gets OVERFLOW \
              and a replay.",
        set: |c, v| c.queue_capacity = v.number() as usize,
    },
    OptionSpec {
        key: "call.allow_mutations",
        value_type: NO_YES,
        default: "false",
        doc: "Whether calls may use RPCs that can change something: stop containers, run commands in them, pull images.",
        set: |c, v| c.call_allow_mutations = v.yes(),
    },
    OptionSpec {
        key: "call.show_env",
        value_type: NO_YES,
        default: "false",
        doc: "Whether the verbose info in replies to calls shows the values of environment variables. Otherwise they are \
              redacted.",
        set: |c, v| c.call_show_env = v.yes(),
    },
    OptionSpec {
        key: "packer.timeout_ms",
        value_type: millis(0, HOUR),
        default: "100",
        doc: "How long the STARTED event of a container waits for its rucksack. A later rucksack comes in an UPDATED event.",
        set: |c, v| c.packer_timeout = v.duration(),
    },
    OptionSpec {
        key: "packer.show_env",
        value_type: NO_YES,
        default: "false",
        doc: "Whether the packer gets the values of environment variables. Otherwise they are redacted.",
        set: |c, v| c.packer_show_env = v.yes(),
    },
    OptionSpec {
        key: "threads.stack_bytes",
        value_type: integer(512 << 10, 1 << 30),
        default: "2097152",
        doc: "The stack size of each thread of the library, in bytes. Callbacks run on these stacks. The thread-local \
              variables of the process need memory in addition.",
        set: |c, v| c.threads_stack_bytes = v.number() as usize,
    },
];
