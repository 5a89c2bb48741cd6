package main

import (
	"fmt"
	"strings"

	criwatch "github.com/criwatch/criwatch/bindings/go"
)

// constant is one of the header's constants, by its name there.
type constant struct {
	name  string
	value any
}

// The header's order.
var constants = []constant{
	{"CRI_ABI_VERSION", criwatch.ABIVersion},
	{"CRI_OK", criwatch.OK},
	{"CRI_AGAIN", criwatch.ErrAgain},
	{"CRI_CLOSED", criwatch.ErrClosed},
	{"CRI_NONE", criwatch.ErrNone},
	{"CRI_E_INVALID_ARGUMENT", criwatch.ErrInvalidArgument},
	{"CRI_E_NOT_FOUND", criwatch.ErrNotFound},
	{"CRI_E_TIMEOUT", criwatch.ErrTimeout},
	{"CRI_E_NOT_READY", criwatch.ErrNotReady},
	{"CRI_E_STOPPED", criwatch.ErrStopped},
	{"CRI_E_CONNECT", criwatch.ErrConnect},
	{"CRI_E_PERMISSION", criwatch.ErrPermission},
	{"CRI_E_RPC", criwatch.ErrRPC},
	{"CRI_E_UNSUPPORTED", criwatch.ErrUnsupported},
	{"CRI_E_PROTOCOL", criwatch.ErrProtocol},
	{"CRI_E_OPTION", criwatch.ErrOption},
	{"CRI_E_QUERY", criwatch.ErrQuery},
	{"CRI_E_AMBIGUOUS", criwatch.ErrAmbiguous},
	{"CRI_E_PROCESSLESS", criwatch.ErrProcessless},
	{"CRI_E_WOULD_DEADLOCK", criwatch.ErrWouldDeadlock},
	{"CRI_E_FORKED", criwatch.ErrForked},
	{"CRI_E_OS", criwatch.ErrOS},
	{"CRI_E_STATE", criwatch.ErrState},
	{"CRI_E_INTERNAL", criwatch.ErrInternal},
	{"CRI_E_PANIC", criwatch.ErrPanic},
	{"CRI_EVENT_STARTED", criwatch.EventStarted},
	{"CRI_EVENT_EXITED", criwatch.EventExited},
	{"CRI_EVENT_UPDATED", criwatch.EventUpdated},
	{"CRI_EVENT_STATE", criwatch.EventState},
	{"CRI_EVENT_REPLAY_BEGIN", criwatch.EventReplayBegin},
	{"CRI_EVENT_REPLAY_END", criwatch.EventReplayEnd},
	{"CRI_EVENT_OVERFLOW", criwatch.EventOverflow},
	{"CRI_EVENT_CREATED", criwatch.EventCreated},
	{"CRI_EVENT_REMOVED", criwatch.EventRemoved},
	{"CRI_EVENT_LOG", criwatch.EventLog},
	{"CRI_EVENT_FLAG_SYNTHETIC", criwatch.EventFlagSynthetic},
	{"CRI_EVENT_FLAG_INITIAL", criwatch.EventFlagInitial},
	{"CRI_EVENT_FLAG_REAPPEARED", criwatch.EventFlagReappeared},
	{"CRI_EVENT_FLAG_NEVER_STARTED", criwatch.EventFlagNeverStarted},
	{"CRI_EVENT_FLAG_PROVISIONAL", criwatch.EventFlagProvisional},
	{"CRI_EVENT_FLAG_WITNESSED", criwatch.EventFlagWitnessed},
	{"CRI_EVENT_FLAG_CONFIRMED", criwatch.EventFlagConfirmed},
	{"CRI_SUBSCRIBE_LIVE_ONLY", criwatch.SubscribeLiveOnly},
	{"CRI_INSPECT_REQUIRE_PROCESS", criwatch.InspectRequireProcess},
	{"CRI_INSPECT_SHOW_ENV", criwatch.InspectShowEnv},
	{"CRI_INSPECT_SEPARATE_ANNOTATIONS", criwatch.InspectSeparateAnnotations},
	{"CRI_KIND_CONTAINER", criwatch.KindContainer},
	{"CRI_KIND_SANDBOX", criwatch.KindSandbox},
	{"CRI_STATE_UNKNOWN", criwatch.StateUnknown},
	{"CRI_STATE_CREATED", criwatch.StateCreated},
	{"CRI_STATE_RUNNING", criwatch.StateRunning},
	{"CRI_STATE_EXITED", criwatch.StateExited},
	{"CRI_POD_UNKNOWN", criwatch.PodUnknown},
	{"CRI_POD_READY", criwatch.PodReady},
	{"CRI_POD_NOT_READY", criwatch.PodNotReady},
	{"CRI_POD_FLAG_HOST_NETWORK", criwatch.PodFlagHostNetwork},
	{"CRI_POD_FLAG_OWN_NETWORK", criwatch.PodFlagOwnNetwork},
	{"CRI_POD_FLAG_HOST_PID", criwatch.PodFlagHostPID},
	{"CRI_POD_FLAG_OWN_PID", criwatch.PodFlagOwnPID},
	{"CRI_POD_FLAG_HOST_IPC", criwatch.PodFlagHostIPC},
	{"CRI_POD_FLAG_OWN_IPC", criwatch.PodFlagOwnIPC},
	{"CRI_POD_FLAG_STATIC", criwatch.PodFlagStatic},
	{"CRI_POD_FLAG_NOT_STATIC", criwatch.PodFlagNotStatic},
	{"CRI_MISSING_PID", criwatch.MissingPID},
	{"CRI_MISSING_POD", criwatch.MissingPod},
	{"CRI_MISSING_STARTED_AT", criwatch.MissingStartedAt},
	{"CRI_MISSING_EXIT", criwatch.MissingExit},
	{"CRI_CHANGED_PID", criwatch.ChangedPID},
	{"CRI_CHANGED_POD", criwatch.ChangedPod},
	{"CRI_CHANGED_STARTED_AT", criwatch.ChangedStartedAt},
	{"CRI_CHANGED_EXIT", criwatch.ChangedExit},
	{"CRI_CHANGED_STATE", criwatch.ChangedState},
	{"CRI_CHANGED_LABELS", criwatch.ChangedLabels},
	{"CRI_CHANGED_RUCKSACK", criwatch.ChangedRucksack},
	{"CRI_CHANGED_IMAGE", criwatch.ChangedImage},
	{"CRI_CHANGED_DETAILS", criwatch.ChangedDetails},
	{"CRI_CONTAINER_FLAG_TEXT_REPAIRED", criwatch.ContainerFlagTextRepaired},
	{"CRI_CONTAINER_FLAG_LABELS_CUT", criwatch.ContainerFlagLabelsCut},
	{"CRI_CONTAINER_FLAG_UNREADABLE", criwatch.ContainerFlagUnreadable},
	{"CRI_CONTAINER_FLAG_PRIVILEGED", criwatch.ContainerFlagPrivileged},
	{"CRI_CONTAINER_FLAG_UNPRIVILEGED", criwatch.ContainerFlagUnprivileged},
	{"CRI_MOUNT_FLAG_READ_ONLY", criwatch.MountFlagReadOnly},
	{"CRI_WATCHER_NEW", criwatch.WatcherNew},
	{"CRI_WATCHER_CONNECTING", criwatch.WatcherConnecting},
	{"CRI_WATCHER_SYNCING", criwatch.WatcherSyncing},
	{"CRI_WATCHER_WATCHING", criwatch.WatcherWatching},
	{"CRI_WATCHER_POLLING", criwatch.WatcherPolling},
	{"CRI_WATCHER_BACKOFF", criwatch.WatcherBackoff},
	{"CRI_WATCHER_STOPPED", criwatch.WatcherStopped},
	{"CRI_ENGINE_FOUND", criwatch.EngineFound},
	{"CRI_ENGINE_CHANGED", criwatch.EngineChanged},
	{"CRI_ENGINE_LOST", criwatch.EngineLost},
	{"CRI_LOG_ERROR", criwatch.LogError},
	{"CRI_LOG_WARN", criwatch.LogWarn},
	{"CRI_LOG_INFO", criwatch.LogInfo},
	{"CRI_LOG_DEBUG", criwatch.LogDebug},
	{"CRI_NAMESPACE_CGROUP", criwatch.NamespaceCgroup},
	{"CRI_NAMESPACE_IPC", criwatch.NamespaceIPC},
	{"CRI_NAMESPACE_MNT", criwatch.NamespaceMnt},
	{"CRI_NAMESPACE_NET", criwatch.NamespaceNet},
	{"CRI_NAMESPACE_PID", criwatch.NamespacePID},
	{"CRI_NAMESPACE_USER", criwatch.NamespaceUser},
	{"CRI_NAMESPACE_UTS", criwatch.NamespaceUTS},
	{"CRI_ENGINE_TYPE", criwatch.EngineType},
	{"CRI_LABEL_POD_NAME", criwatch.LabelPodName},
	{"CRI_LABEL_POD_NAMESPACE", criwatch.LabelPodNamespace},
	{"CRI_LABEL_POD_UID", criwatch.LabelPodUID},
	{"CRI_LABEL_CONTAINER_NAME", criwatch.LabelContainerName},
	{"CRI_LABEL_SANDBOX", criwatch.LabelSandbox},
	{"CRI_ANNOTATION_KEY_PREFIX", criwatch.AnnotationKeyPrefix},
}

func (p *programme) constants([]string) (string, error) {
	for _, constant := range constants {
		if text, is := constant.value.(string); is {
			p.line("  %s=%s", constant.name, quoted(text))
		} else {
			p.line("  %s=%d", constant.name, constant.value)
		}
	}
	return "", nil
}

func (p *programme) statuses([]string) (string, error) {
	for _, constant := range constants {
		if status, is := constant.value.(criwatch.Status); is {
			p.line("  %d %s", int32(status), status)
		}
	}
	return "", nil
}

func (p *programme) names([]string) (string, error) {
	numbers(p, criwatch.EventStarted, criwatch.EventLog)
	bits(p, criwatch.EventFlagSynthetic, criwatch.EventFlagConfirmed)
	numbers(p, criwatch.KindContainer, criwatch.KindSandbox)
	numbers(p, criwatch.StateUnknown, criwatch.StateExited)
	numbers(p, criwatch.PodUnknown, criwatch.PodNotReady)
	bits(p, criwatch.PodFlagHostNetwork, criwatch.PodFlagNotStatic)
	bits(p, criwatch.MissingPID, criwatch.MissingExit)
	bits(p, criwatch.ChangedPID, criwatch.ChangedDetails)
	bits(p, criwatch.ContainerFlagTextRepaired, criwatch.ContainerFlagUnprivileged)
	bits(p, criwatch.MountFlagReadOnly, criwatch.MountFlagReadOnly)
	numbers(p, criwatch.WatcherNew, criwatch.WatcherStopped)
	numbers(p, criwatch.EngineFound, criwatch.EngineLost)
	numbers(p, criwatch.LogError, criwatch.LogDebug)
	numbers(p, criwatch.NamespaceCgroup, criwatch.NamespaceUTS)
	return "", nil
}

type named interface {
	~uint32 | ~uint64
	fmt.Stringer
}

// numbers shows the names from first to last.
func numbers[N named](p *programme, first, last N) {
	var names []string
	for number := first; number <= last; number++ {
		names = append(names, number.String())
	}
	p.line("  %s", strings.Join(names, " "))
}

// bits shows the names of the bits from first to last, by way of a set of them.
func bits[N named](p *programme, first, last N) {
	p.line("  %s", strings.ReplaceAll((last<<1-first).String(), "|", " "))
}
