// Made from the library's table of options by options_test.go; CRI_BLESS=1 go test rewrites it. DO NOT EDIT.

package criwatch

import (
	"strconv"
	"time"
)

// WithConnectTimeout sets the option connect.timeout_ms, from 1ms to 1h0m0s; default 5s.
// How long reaching the engine's socket and its first answer (Version) may take.
func WithConnectTimeout(value time.Duration) Option {
	return WithOption("connect.timeout_ms", milliseconds(value))
}

// WithRequestTimeout sets the option request.timeout_ms, from 1ms to 1h0m0s; default 10s.
// How long any later request of the watcher to the engine may take.
func WithRequestTimeout(value time.Duration) Option {
	return WithOption("request.timeout_ms", milliseconds(value))
}

// WithReconnectMinDelay sets the option reconnect.min_delay_ms, from 1ms to 1h0m0s; default 100ms.
// How long to wait before the first new attempt when the engine is lost; doubles with each failure.
func WithReconnectMinDelay(value time.Duration) Option {
	return WithOption("reconnect.min_delay_ms", milliseconds(value))
}

// WithReconnectMaxDelay sets the option reconnect.max_delay_ms, from 1ms to 1h0m0s; default 3s.
// The longest wait between two attempts to reach the engine.
func WithReconnectMaxDelay(value time.Duration) Option {
	return WithOption("reconnect.max_delay_ms", milliseconds(value))
}

// WithRelistInterval sets the option relist.interval_ms, from 100ms to 24h0m0s; default 1m0s.
// How often everything is listed while events stream. The list finds changes for which the engine sent no event.
func WithRelistInterval(value time.Duration) Option {
	return WithOption("relist.interval_ms", milliseconds(value))
}

// WithPollInterval sets the option poll.interval_ms, from 10ms to 24h0m0s; default 1s.
// How often everything is listed when the watcher polls.
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
// How changes are noticed: the engine's event stream where that works well, always, or never.
func WithEvents(value EventsOption) Option { return WithOption("events", string(value)) }

// WithReadyPIDWait sets the option ready.pid_wait_ms, from 0s to 1h0m0s; default 5s.
// How long becoming ready may wait for the pids of the containers in the first lists.
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
// Where pids come from. auto: the engine's pid files, otherwise its verbose status. engine: the verbose status alone. Each pid is checked against the host.
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
// What is asked of the engine of a run whose pid is known from a pid file: nothing (no command, user, limits, and no start time of what lists show; on containerd 1.7, an image with several tags may be shown under another of them until the next list); one verbose status at a time, when nothing else is to be asked; or one at once.
func WithDetails(value DetailsOption) Option { return WithOption("details", string(value)) }

// WithEnginePID sets the option engine.pid, from 0 to 2147483647; default 0.
// The engine's pid, where it cannot be learnt from the socket (socket activation, proxies); 0: learn it.
func WithEnginePID(value uint64) Option {
	return WithOption("engine.pid", strconv.FormatUint(value, 10))
}

// WithEngineID sets the option engine.id; default "".
// The engine's id; empty: its host's name, as the option engine.id_source says.
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
// Where the engine's id comes from: its host's name (the kernel's in the engine's own UTS namespace, else the engine's /etc/hostname), the same after entering that namespace (setns, CAP_SYS_ADMIN), or nowhere.
func WithEngineIDSource(value EngineIDSourceOption) Option {
	return WithOption("engine.id_source", string(value))
}

// WithHostRoot sets the option host.root; default /.
// Where the host's root directory is mounted, when this process has its own: an absolute path to a directory that exists; its proc/ is read.
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
// Whether the watcher also learns from the host which containers are made and which processes end: by the engine's folders (inotify) and by pidfds, as far as the kernel and the process's rights allow; or not at all.
func WithHostWitness(value HostWitnessOption) Option {
	return WithOption("host.witness", string(value))
}

// WithHostMaxDescriptors sets the option host.max_descriptors, from 0 to 1048576; default 0.
// How many processes of containers are followed by a pidfd each, the newest first; 0: a quarter of the soft limit of open files, at most 1024.
func WithHostMaxDescriptors(value uint64) Option {
	return WithOption("host.max_descriptors", strconv.FormatUint(value, 10))
}

// WithDiscoverNested sets the option discover.nested; default false.
// Whether engines are also looked for inside containers (kind, nested nodes), through proc/PID/root below host.root.
func WithDiscoverNested(value bool) Option {
	return WithOption("discover.nested", strconv.FormatBool(value))
}

// WithDiscoverSockets sets the option discover.sockets; default "".
// More sockets at which engines may listen, as this process sees them, with colons in between: those of a user's own engines in `$XDG_RUNTIME_DIR`, for example. The library itself reads no environment variable.
func WithDiscoverSockets(value string) Option { return WithOption("discover.sockets", value) }

// WithDiscoverInterval sets the option discover.interval_ms, from 100ms to 24h0m0s; default 5s.
// How often engines are looked for: by a finder, and by a watcher without an endpoint whose engine is empty or lost. A socket that appears is noticed at once.
func WithDiscoverInterval(value time.Duration) Option {
	return WithOption("discover.interval_ms", milliseconds(value))
}

// WithMessageMaxBytes sets the option message.max_bytes, from 65536 to 1073741824; default 83886080.
// The largest message accepted from the engine, in bytes; decoded, it takes at most 16 times that in memory. CRI-O sends up to 80 MiB, containerd up to 16 MiB.
func WithMessageMaxBytes(value uint64) Option {
	return WithOption("message.max_bytes", strconv.FormatUint(value, 10))
}

// WithTombstonesKeep sets the option tombstones.keep_ms, from 0s to 24h0m0s; default 5m0s.
// How long containers that are gone can still be looked up.
func WithTombstonesKeep(value time.Duration) Option {
	return WithOption("tombstones.keep_ms", milliseconds(value))
}

// WithTombstonesMax sets the option tombstones.max, from 0 to 1000000; default 1024.
// How many containers that are gone can still be looked up.
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
// In JSON: annotations among the labels, under io.kubernetes.annotation/, or apart.
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
// In JSON: an object "attributes" of each container, with the names of OpenTelemetry, Falco or ECS. A query's key "attributes" overrides it.
func WithAttributes(value AttributesOption) Option { return WithOption("attributes", string(value)) }

// WithLabelsMaxBytes sets the option labels.max_bytes, from 0 to 16777216; default 1048576.
// How many bytes of labels are kept of one container or pod, and as many of annotations. What is longer is cut, and flagged as cut.
func WithLabelsMaxBytes(value uint64) Option {
	return WithOption("labels.max_bytes", strconv.FormatUint(value, 10))
}

// WithQueueCapacity sets the option queue.capacity, from 1 to 16777216; default 8192.
// How many events wait for one consumer before it gets OVERFLOW and a replay.
func WithQueueCapacity(value uint64) Option {
	return WithOption("queue.capacity", strconv.FormatUint(value, 10))
}

// WithCallAllowMutations sets the option call.allow_mutations; default false.
// Whether calls may do more than read: stop containers, run commands in them, pull images.
func WithCallAllowMutations(value bool) Option {
	return WithOption("call.allow_mutations", strconv.FormatBool(value))
}

// WithCallShowEnv sets the option call.show_env; default false.
// Whether the verbose info in replies to calls shows the values of environment variables.
func WithCallShowEnv(value bool) Option {
	return WithOption("call.show_env", strconv.FormatBool(value))
}

// WithThreadsStackBytes sets the option threads.stack_bytes, from 524288 to 1073741824; default 2097152.
// The stack of each thread of the library, callbacks included; the process's thread-local variables come on top.
func WithThreadsStackBytes(value uint64) Option {
	return WithOption("threads.stack_bytes", strconv.FormatUint(value, 10))
}
