// Made from the library's table of options by options_test.go; CRI_BLESS=1 go test rewrites it. DO NOT EDIT.

package criwatch

import (
	"strconv"
	"time"
)

// WithConnectTimeout sets the option connect.timeout_ms, from 1ms to 1h0m0s; default 5s.
// The longest time to connect to the engine's socket and to get its first answer (Version), both together.
func WithConnectTimeout(value time.Duration) Option {
	return WithOption("connect.timeout_ms", milliseconds(value))
}

// WithRequestTimeout sets the option request.timeout_ms, from 1ms to 1h0m0s; default 10s.
// The longest time for each later request of the watcher to the engine.
func WithRequestTimeout(value time.Duration) Option {
	return WithOption("request.timeout_ms", milliseconds(value))
}

// WithReconnectMinDelay sets the option reconnect.min_delay_ms, from 1ms to 1h0m0s; default 100ms.
// How long the watcher waits before it first tries to reach a lost engine again. The wait doubles with each failure.
func WithReconnectMinDelay(value time.Duration) Option {
	return WithOption("reconnect.min_delay_ms", milliseconds(value))
}

// WithReconnectMaxDelay sets the option reconnect.max_delay_ms, from 1ms to 1h0m0s; default 3s.
// The longest wait between two attempts to reach the engine.
func WithReconnectMaxDelay(value time.Duration) Option {
	return WithOption("reconnect.max_delay_ms", milliseconds(value))
}

// WithRelistInterval sets the option relist.interval_ms, from 100ms to 24h0m0s; default 1m0s.
// How often the watcher lists everything while it follows the event stream. A list finds changes for which the engine sent no event.
func WithRelistInterval(value time.Duration) Option {
	return WithOption("relist.interval_ms", milliseconds(value))
}

// WithPollInterval sets the option poll.interval_ms, from 10ms to 24h0m0s; default 1s.
// How often the watcher lists everything while it polls.
func WithPollInterval(value time.Duration) Option {
	return WithOption("poll.interval_ms", milliseconds(value))
}

// WithProbeInterval sets the option probe.interval_ms, from 100ms to 24h0m0s; default 5m0s.
// How often the watcher tries the event stream again on an engine without one.
func WithProbeInterval(value time.Duration) Option {
	return WithOption("probe.interval_ms", milliseconds(value))
}

// EventsOption is a value of the option events.
type EventsOption string

// The values of EventsOption; [WithEvents] says what they do.
const (
	// EventsAuto is "auto".
	EventsAuto EventsOption = "auto"
	// EventsStream is "stream".
	EventsStream EventsOption = "stream"
	// EventsPoll is "poll".
	EventsPoll EventsOption = "poll"
)

// WithEvents sets the option events; default auto.
// How the watcher notices changes. auto: by the engine's event stream, or by polling if the stream does not work well. stream: always by the event stream. poll: always by polling.
func WithEvents(value EventsOption) Option { return WithOption("events", string(value)) }

// WithReadyPIDWait sets the option ready.pid_wait_ms, from 0s to 1h0m0s; default 5s.
// How long the watcher waits for the pids of the containers in the first lists before it becomes ready. Later pids come in UPDATED events.
func WithReadyPIDWait(value time.Duration) Option {
	return WithOption("ready.pid_wait_ms", milliseconds(value))
}

// PIDSourceOption is a value of the option pid.source.
type PIDSourceOption string

// The values of PIDSourceOption; [WithPIDSource] says what they do.
const (
	// PIDSourceAuto is "auto".
	PIDSourceAuto PIDSourceOption = "auto"
	// PIDSourceEngine is "engine".
	PIDSourceEngine PIDSourceOption = "engine"
)

// WithPIDSource sets the option pid.source; default auto.
// Where the watcher gets pids from. auto: from the engine's pid files, otherwise from its verbose status; it checks each pid against the host. engine: from the verbose status only, without a check.
func WithPIDSource(value PIDSourceOption) Option { return WithOption("pid.source", string(value)) }

// DetailsOption is a value of the option details.
type DetailsOption string

// The values of DetailsOption; [WithDetails] says what they do.
const (
	// DetailsNone is "none".
	DetailsNone DetailsOption = "none"
	// DetailsLazy is "lazy".
	DetailsLazy DetailsOption = "lazy"
	// DetailsFull is "full".
	DetailsFull DetailsOption = "full"
)

// WithDetails sets the option details; default lazy.
// What the watcher still asks the engine about a run whose pid it knows from a pid file. none: nothing, so command, user and limits stay unknown, and also the start time of a run that the watcher first saw in a list; on containerd 1.7, an image with several tags may be shown under another of them until the next list. lazy: one verbose status, one run at a time, when the watcher has no other request to make. full: one verbose status, at once.
func WithDetails(value DetailsOption) Option { return WithOption("details", string(value)) }

// WithEnginePID sets the option engine.pid, from 0 to 2147483647; default 0.
// The engine's pid. Set it if the socket does not show the right one, as with socket activation and proxies. 0: the watcher reads it from the socket.
func WithEnginePID(value uint64) Option {
	return WithOption("engine.pid", strconv.FormatUint(value, 10))
}

// WithEngineID sets the option engine.id; default "".
// The engine's id. Empty: the name of the engine's host, found as the option engine.id_source says.
func WithEngineID(value string) Option { return WithOption("engine.id", value) }

// EngineIDSourceOption is a value of the option engine.id_source.
type EngineIDSourceOption string

// The values of EngineIDSourceOption; [WithEngineIDSource] says what they do.
const (
	// EngineIDSourceAuto is "auto".
	EngineIDSourceAuto EngineIDSourceOption = "auto"
	// EngineIDSourceUts is "uts".
	EngineIDSourceUts EngineIDSourceOption = "uts"
	// EngineIDSourceNone is "none".
	EngineIDSourceNone EngineIDSourceOption = "none"
)

// WithEngineIDSource sets the option engine.id_source; default auto.
// Where the engine's id comes from. auto: the name of the engine's host, which is the kernel's if this process is in the engine's UTS namespace, otherwise that in the engine's /etc/hostname. uts: the kernel's name, read after entering that namespace (setns, needs CAP_SYS_ADMIN). none: the engine has no id.
func WithEngineIDSource(value EngineIDSourceOption) Option {
	return WithOption("engine.id_source", string(value))
}

// WithHostRoot sets the option host.root; default /.
// Where the host's root directory is mounted, for a process that has a root directory of its own, such as a container. It is an absolute path to a directory that exists. The library reads the proc/ in it.
func WithHostRoot(value string) Option { return WithOption("host.root", value) }

// HostWitnessOption is a value of the option host.witness.
type HostWitnessOption string

// The values of HostWitnessOption; [WithHostWitness] says what they do.
const (
	// HostWitnessAuto is "auto".
	HostWitnessAuto HostWitnessOption = "auto"
	// HostWitnessOff is "off".
	HostWitnessOff HostWitnessOption = "off"
)

// WithHostWitness sets the option host.witness; default auto.
// Whether the watcher also learns from the host which containers are made and which processes end. auto: by inotify on the engine's folders and by pidfds, as far as the kernel and the rights of this process allow. off: not at all.
func WithHostWitness(value HostWitnessOption) Option {
	return WithOption("host.witness", string(value))
}

// WithHostMaxDescriptors sets the option host.max_descriptors, from 0 to 1048576; default 0.
// How many processes of containers the watcher follows with a pidfd (one file descriptor each), the newest processes first. 0: a quarter of the soft limit of open files, at most 1024.
func WithHostMaxDescriptors(value uint64) Option {
	return WithOption("host.max_descriptors", strconv.FormatUint(value, 10))
}

// WithDiscoverNested sets the option discover.nested; default false.
// Whether the library also looks for engines inside containers (kind, nested nodes), through proc/PID/root below host.root.
func WithDiscoverNested(value bool) Option {
	return WithOption("discover.nested", strconv.FormatBool(value))
}

// WithDiscoverSockets sets the option discover.sockets; default "".
// More sockets at which engines may listen, separated by colons, as paths that this process can open. Use it for example for a user's own engines in `$XDG_RUNTIME_DIR`: the library itself reads no environment variable.
func WithDiscoverSockets(value string) Option { return WithOption("discover.sockets", value) }

// WithDiscoverInterval sets the option discover.interval_ms, from 100ms to 24h0m0s; default 5s.
// How often a finder looks for engines. A watcher without an endpoint does so, too, while its engine has no sandbox or is lost. A socket that appears is noticed at once.
func WithDiscoverInterval(value time.Duration) Option {
	return WithOption("discover.interval_ms", milliseconds(value))
}

// WithMessageMaxBytes sets the option message.max_bytes, from 65536 to 1073741824; default 83886080.
// The largest message that the library accepts from the engine, in bytes. A decoded message takes at most 16 times as much memory. CRI-O sends up to 80 MiB, containerd up to 16 MiB.
func WithMessageMaxBytes(value uint64) Option {
	return WithOption("message.max_bytes", strconv.FormatUint(value, 10))
}

// WithTombstonesKeep sets the option tombstones.keep_ms, from 0s to 24h0m0s; default 5m0s.
// How long the watcher remembers a container that the engine no longer has, so that it can still be looked up.
func WithTombstonesKeep(value time.Duration) Option {
	return WithOption("tombstones.keep_ms", milliseconds(value))
}

// WithTombstonesMax sets the option tombstones.max, from 0 to 1000000; default 1024.
// How many containers that the engine no longer has the watcher remembers, so that they can still be looked up.
func WithTombstonesMax(value uint64) Option {
	return WithOption("tombstones.max", strconv.FormatUint(value, 10))
}

// LabelsAnnotationsOption is a value of the option labels.annotations.
type LabelsAnnotationsOption string

// The values of LabelsAnnotationsOption; [WithLabelsAnnotations] says what they do.
const (
	// LabelsAnnotationsMerged is "merged".
	LabelsAnnotationsMerged LabelsAnnotationsOption = "merged"
	// LabelsAnnotationsSeparate is "separate".
	LabelsAnnotationsSeparate LabelsAnnotationsOption = "separate"
)

// WithLabelsAnnotations sets the option labels.annotations; default merged.
// Where JSON shows annotations. merged: among the labels, with io.kubernetes.annotation/ before their keys. separate: under the key annotations.
func WithLabelsAnnotations(value LabelsAnnotationsOption) Option {
	return WithOption("labels.annotations", string(value))
}

// AttributesOption is a value of the option attributes.
type AttributesOption string

// The values of AttributesOption; [WithAttributes] says what they do.
const (
	// AttributesNone is "none".
	AttributesNone AttributesOption = "none"
	// AttributesOtel is "otel".
	AttributesOtel AttributesOption = "otel"
	// AttributesFalco is "falco".
	AttributesFalco AttributesOption = "falco"
	// AttributesEcs is "ecs".
	AttributesEcs AttributesOption = "ecs"
)

// WithAttributes sets the option attributes; default none.
// Whether JSON shows each container with an object "attributes", which has the names of OpenTelemetry, Falco or ECS. The key "attributes" of a query overrides this option.
func WithAttributes(value AttributesOption) Option { return WithOption("attributes", string(value)) }

// WithLabelsMaxBytes sets the option labels.max_bytes, from 0 to 16777216; default 1048576.
// How many bytes of labels the watcher keeps for one container or pod, and how many bytes of annotations. It cuts what is longer, and flags the container.
func WithLabelsMaxBytes(value uint64) Option {
	return WithOption("labels.max_bytes", strconv.FormatUint(value, 10))
}

// WithQueueCapacity sets the option queue.capacity, from 1 to 16777216; default 8192.
// How many events may wait for one consumer. If there are more, they are dropped, and the consumer gets OVERFLOW and a replay.
func WithQueueCapacity(value uint64) Option {
	return WithOption("queue.capacity", strconv.FormatUint(value, 10))
}

// WithCallAllowMutations sets the option call.allow_mutations; default false.
// Whether calls may use RPCs that can change something: stop containers, run commands in them, pull images.
func WithCallAllowMutations(value bool) Option {
	return WithOption("call.allow_mutations", strconv.FormatBool(value))
}

// WithCallShowEnv sets the option call.show_env; default false.
// Whether the verbose info in replies to calls shows the values of environment variables. Otherwise they are redacted.
func WithCallShowEnv(value bool) Option {
	return WithOption("call.show_env", strconv.FormatBool(value))
}

// WithThreadsStackBytes sets the option threads.stack_bytes, from 524288 to 1073741824; default 2097152.
// The stack size of each thread of the library, in bytes. Callbacks run on these stacks. The thread-local variables of the process need memory in addition.
func WithThreadsStackBytes(value uint64) Option {
	return WithOption("threads.stack_bytes", strconv.FormatUint(value, 10))
}
