package criwatch

import "github.com/criwatch/criwatch/bindings/go/internal/capi"

// What this program was compiled against; [LibraryVersion] and its like return what it has loaded.
const (
	// VersionMajor is the major version.
	VersionMajor = capi.VersionMajor
	// VersionMinor is the minor version.
	VersionMinor = capi.VersionMinor
	// VersionPatch is the patch level.
	VersionPatch = capi.VersionPatch
	// VersionNumber is the version as one number that can be compared.
	VersionNumber = capi.VersionNumber
	// ABIVersion is the version of the binary interface. A library of another one is refused when the program starts.
	ABIVersion = capi.ABIVersion
)

// LibraryABIVersion is the ABIVersion of the loaded library.
func LibraryABIVersion() uint32 { return capi.LoadedABIVersion() }

// LibraryVersionNumber is the VersionNumber of the loaded library.
func LibraryVersionNumber() uint32 { return capi.LoadedVersionNumber() }

// LibraryVersion is the version of the loaded library as a text, e.g. "0.1.0".
func LibraryVersion() string { return capi.LoadedVersion() }

// EventType says what happened. Types that a program does not know are to be ignored.
type EventType uint32

// The event types.
const (
	// EventStarted: a run has begun: a container was started, or a sandbox is ready. Reported once for each run.
	EventStarted EventType = 1
	// EventExited: a run has ended. Reported exactly once for each run, after its EventStarted.
	EventExited EventType = 2
	// EventUpdated: something about a container has become known or has changed; Event.Changed says what.
	EventUpdated EventType = 3
	// EventState: the watcher's own state has changed.
	EventState EventType = 4
	// EventReplayBegin: a replay begins: an EventStarted with EventFlagInitial for each run follows. Cannot be masked.
	EventReplayBegin EventType = 5
	// EventReplayEnd: the replay is complete: a container that it did not show does not run. Cannot be masked.
	EventReplayEnd EventType = 6
	// EventOverflow: this queue was emptied too slowly and lost events; a replay follows. Cannot be masked.
	EventOverflow EventType = 7
	// EventCreated: a container was created, and has not been started yet. Only for those who ask for it; where a list
	// or an event shows it only later, there is none.
	EventCreated EventType = 8
	// EventRemoved: the engine no longer has the container or sandbox. Only for those who ask for it.
	EventRemoved EventType = 9
	// EventLog: the watcher reports about its own work; Event.Level is the level. Only for those who ask for it; see also
	// [WithLogger].
	EventLog EventType = 10
)

// EventFlags say how an event is known, and what is special about it.
type EventFlags uint32

// The bits of EventFlags.
const (
	// EventFlagSynthetic: concluded from a list or a status; the engine's event stream did not report it.
	EventFlagSynthetic EventFlags = 1
	// EventFlagInitial: part of a replay: the run began before the replay.
	EventFlagInitial EventFlags = 2
	// EventFlagReappeared: it was reported as exited before, and the engine shows it running again.
	EventFlagReappeared EventFlags = 4
	// EventFlagNeverStarted: it was created but could not be started: an EventExited without an EventStarted.
	EventFlagNeverStarted EventFlags = 8
	// EventFlagProvisional: the exit's reason may still change (an OOM kill can be noticed late); then an EventUpdated
	// follows.
	EventFlagProvisional EventFlags = 16
	// EventFlagWitnessed: the watcher saw the process end on the host while the engine was away. The time and the exit code
	// come from the host. An EventUpdated follows if the engine corrects them when it is back.
	EventFlagWitnessed EventFlags = 32
	// EventFlagConfirmed: this EventUpdated makes a provisional exit final. To count exits by reason, count each run once: at
	// an EventExited without EventFlagProvisional, or at an EventUpdated with this flag.
	EventFlagConfirmed EventFlags = 64
)

// SubscribeFlags say how a queue is to be.
type SubscribeFlags uint32

// The bits of SubscribeFlags.
const (
	// SubscribeLiveOnly: live events only: no replay at the beginning, none after an overflow. An EventExited without
	// its EventStarted is possible then.
	SubscribeLiveOnly SubscribeFlags = 1
)

// InspectFlags say what an inspection is to do.
type InspectFlags uint32

// The bits of InspectFlags.
const (
	// InspectRequireProcess: a container without a process is an error: ErrProcessless.
	InspectRequireProcess InspectFlags = 1
	// InspectShowEnv: show the values of environment variables, which may hold secrets; they are redacted otherwise.
	InspectShowEnv InspectFlags = 2
	// InspectSeparateAnnotations: show labels and annotations apart in [Raw.Inspect], as records do, whatever the
	// option labels.annotations says. [Watcher.Inspect] always sets it.
	InspectSeparateAnnotations InspectFlags = 4
)

// Kind says what a Container is.
type Kind uint32

// The kinds.
const (
	// KindContainer: a container.
	KindContainer Kind = 1
	// KindSandbox: a pod's sandbox ("pause" container), which is a container, too.
	KindSandbox Kind = 2
)

// State is the state of a container or sandbox that the engine last reported.
type State uint32

// The states.
const (
	// StateUnknown: the engine does not know the state, or has not reported it. This is not an exit.
	StateUnknown State = 0
	// StateCreated: created, not yet started.
	StateCreated State = 1
	// StateRunning: running (a sandbox: ready).
	StateRunning State = 2
	// StateExited: exited (a sandbox: not ready).
	StateExited State = 3
)

// PodState says whether a pod's sandbox is ready.
type PodState uint32

// The states of pods.
const (
	// PodUnknown: the engine has not reported the state.
	PodUnknown PodState = 0
	// PodReady: the pod's sandbox is ready.
	PodReady PodState = 1
	// PodNotReady: the pod's sandbox is not ready (any more).
	PodNotReady PodState = 2
)

// PodFlags are what is known of a pod to be true or false. Each such fact has two flags; while it is unknown, neither is set.
type PodFlags uint32

// The bits of PodFlags.
const (
	// PodFlagHostNetwork: the pod shares the node's network namespace.
	PodFlagHostNetwork PodFlags = 1
	// PodFlagOwnNetwork: the pod has a network namespace of its own.
	PodFlagOwnNetwork PodFlags = 2
	// PodFlagHostPID: the pod shares the node's process ids.
	PodFlagHostPID PodFlags = 4
	// PodFlagOwnPID: the pod does not share the node's process ids.
	PodFlagOwnPID PodFlags = 8
	// PodFlagHostIPC: the pod shares the node's IPC namespace.
	PodFlagHostIPC PodFlags = 16
	// PodFlagOwnIPC: the pod does not share the node's IPC namespace.
	PodFlagOwnIPC PodFlags = 32
	// PodFlagStatic: the kubelet made the pod from a file or a URL, without the API server.
	PodFlagStatic PodFlags = 64
	// PodFlagNotStatic: the pod came from the API server.
	PodFlagNotStatic PodFlags = 128
)

// NamespaceKind is a kind of namespace.
type NamespaceKind uint32

// The kinds of namespaces.
const (
	// NamespaceCgroup: cgroups.
	NamespaceCgroup NamespaceKind = 1
	// NamespaceIPC: System V IPC and POSIX message queues.
	NamespaceIPC NamespaceKind = 2
	// NamespaceMnt: mounts.
	NamespaceMnt NamespaceKind = 3
	// NamespaceNet: network.
	NamespaceNet NamespaceKind = 4
	// NamespacePID: process ids.
	NamespacePID NamespaceKind = 5
	// NamespaceUser: users.
	NamespaceUser NamespaceKind = 6
	// NamespaceUTS: host name.
	NamespaceUTS NamespaceKind = 7
)

// Missing says what is unknown of a container and may become known.
type Missing uint64

// The bits of Missing.
const (
	// MissingPID: the pid (and what comes with it: the process's start time and cgroup).
	MissingPID Missing = 1
	// MissingPod: the pod that the container is in.
	MissingPod Missing = 2
	// MissingStartedAt: when it was started.
	MissingStartedAt Missing = 4
	// MissingExit: how it ended: exit code, reason, message and time.
	MissingExit Missing = 8
)

// Changed says what an EventUpdated is about.
type Changed uint64

// The bits of Changed.
const (
	// ChangedPID: the pid has become known or has changed.
	ChangedPID Changed = 1
	// ChangedPod: the pod, or something of the pod, has become known or has changed.
	ChangedPod Changed = 2
	// ChangedStartedAt: the time of start has become known.
	ChangedStartedAt Changed = 4
	// ChangedExit: how it ended has become known or has changed.
	ChangedExit Changed = 8
	// ChangedState: the state has changed without a start or an exit (between running and unknown).
	ChangedState Changed = 16
	// ChangedLabels: labels or annotations.
	ChangedLabels Changed = 32
	// ChangedRucksack: the rucksack: the program has attached one.
	ChangedRucksack Changed = 64
	// ChangedImage: a better name, reference or id of the image has become known.
	ChangedImage Changed = 128
	// ChangedDetails: how it was made has become known or has changed: command, user, mounts, limits, log path; or how
	// the run before it ended.
	ChangedDetails Changed = 256
)

// ContainerFlags say what of a container had to be repaired or cut, and whether it is privileged.
type ContainerFlags uint32

// The bits of ContainerFlags.
const (
	// ContainerFlagTextRepaired: a text of the engine was not UTF-8: each bad byte was replaced with U+FFFD.
	ContainerFlagTextRepaired ContainerFlags = 1
	// ContainerFlagLabelsCut: labels or annotations are longer than the option labels.max_bytes allows, and were cut.
	ContainerFlagLabelsCut ContainerFlags = 2
	// ContainerFlagUnreadable: an entry of a list could not be decoded: only the id is sure to be right.
	ContainerFlagUnreadable ContainerFlags = 4
	// ContainerFlagPrivileged: the container is privileged.
	ContainerFlagPrivileged ContainerFlags = 8
	// ContainerFlagUnprivileged: the container is not privileged. Neither of the two: the engine has not reported it yet.
	ContainerFlagUnprivileged ContainerFlags = 16
)

// MountFlags say what is special about a mount.
type MountFlags uint32

// The bits of MountFlags.
const (
	// MountFlagReadOnly: the container cannot write to the mount.
	MountFlagReadOnly MountFlags = 1
)

// WatcherState is what a watcher is doing.
type WatcherState uint32

// The states of watchers.
const (
	// WatcherNew: not started.
	WatcherNew WatcherState = 0
	// WatcherConnecting: trying to reach the engine.
	WatcherConnecting WatcherState = 1
	// WatcherSyncing: reached; the first lists are under way.
	WatcherSyncing WatcherState = 2
	// WatcherWatching: in sync, and following the engine's event stream.
	WatcherWatching WatcherState = 3
	// WatcherPolling: in sync, and listing again and again, because this engine has no usable event stream.
	WatcherPolling WatcherState = 4
	// WatcherBackoff: the engine cannot be reached; the cache shows the last known state. Retried for ever.
	WatcherBackoff WatcherState = 5
	// WatcherStopped: stopped.
	WatcherStopped WatcherState = 6
)

// LogLevel is the level of a message of the watcher.
type LogLevel uint32

// The levels.
const (
	// LogError: the watcher cannot do its work.
	LogError LogLevel = 1
	// LogWarn: something is wrong, and may need the attention of an operator.
	LogWarn LogLevel = 2
	// LogInfo: useful to know: connections, and how changes are noticed.
	LogInfo LogLevel = 3
	// LogDebug: of use only when something is looked for.
	LogDebug LogLevel = 4
)

// EngineNewsType says what happened to an engine.
type EngineNewsType uint32

// What happens to engines.
const (
	// EngineFound: a finder has found it.
	EngineFound EngineNewsType = 1
	// EngineChanged: something about it has become known or has changed: its version, its process, the evidence for it, or
	// whether it has sandboxes.
	EngineChanged EngineNewsType = 2
	// EngineLost: it has failed to answer several times. The finder may find it again.
	EngineLost EngineNewsType = 3
)

// Texts that labels and engines bear.
const (
	// EngineType is this kind of engine, as EngineInfo.Type names it.
	EngineType = "k8s.io/cri-api"
	// LabelPodName is the label with the pod's name.
	LabelPodName = "io.kubernetes.pod.name"
	// LabelPodNamespace is the label with the pod's namespace.
	LabelPodNamespace = "io.kubernetes.pod.namespace"
	// LabelPodUID is the label with the pod's uid.
	LabelPodUID = "io.kubernetes.pod.uid"
	// LabelContainerName is the label with the container's name inside its pod.
	LabelContainerName = "io.kubernetes.container.name"
	// LabelSandbox is a label that only sandboxes have; its value is "".
	LabelSandbox = "io.kubernetes.sandbox"
	// AnnotationKeyPrefix is what the key of every annotation begins with in the merged view of labels.
	AnnotationKeyPrefix = "io.kubernetes.annotation/"
)
