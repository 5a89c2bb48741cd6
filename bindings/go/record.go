package criwatch

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// Container is a container or sandbox, as it was at one moment. It is a copy: it never changes, and nothing has to be
// freed. Unknown fields have the zero value (an exit code: -1); Missing says which may still become known.
//
// Every field has the same meaning and the same source, whichever call returns it: events, snapshots, [Watcher.List],
// [Watcher.Pods], [Watcher.Get] and [Watcher.Inspect]. Its JSON is the library's ("criwatch.container/1",
// docs/json.md).
type Container struct {
	// ID is the engine's id: 64 hex digits.
	ID string
	// Name is the name inside the pod; of a sandbox, the pod's name.
	Name string
	// Kind says whether this is a container or the sandbox of a pod.
	Kind Kind
	// State is what the engine reports.
	State State
	// Flags say which texts had to be repaired or cut, and whether it is privileged. JSON shows the latter as
	// "privileged".
	Flags ContainerFlags
	// Attempt is the attempt number; 0 for the first container of this name in the pod.
	Attempt uint32
	// PID is the first process, in this process's pid namespace; 0: none, or unknown. After the exit it is still the pid
	// that the process had.
	PID int
	// EnginePID is the pid that the engine reports, if it differs from PID; otherwise 0.
	EnginePID int
	// PIDStartTicks is when the first process began, in clock ticks since boot: with it, a pid is unique. 0: unknown.
	PIDStartTicks uint64
	// Pod is the pod; nil while it is unknown.
	Pod *Pod
	// Labels are the container's own; the pod has labels of its own. The library's JSON merges them with the names of pod
	// and container and with the annotations, unless the option labels.annotations is separate.
	Labels map[string]string
	// Annotations are the container's own.
	Annotations map[string]string
	// Image is the image; sandboxes have none.
	Image Image
	// CreatedAt is when it was created.
	CreatedAt time.Time
	// StartedAt is when it was started; sandboxes have no such time.
	StartedAt time.Time
	// FinishedAt is when it ended.
	FinishedAt time.Time
	// ExitCode is the exit code; -1: none, or unknown.
	ExitCode int
	// Reason is how it ended, in one word: "Completed", "Error", "OOMKilled"; "gone" if it vanished without an exit.
	Reason string
	// Message is a longer explanation of the end; often "".
	Message string
	// Previous is how the previous run ended: the run of the last attempt with the same name in the same pod. nil: there was
	// none, or nothing is known about it.
	Previous *Previous
	// CgroupPath is the cgroup: a path below the mount of the cgroup file system.
	CgroupPath string
	// CgroupID is the id of that cgroup in cgroup v2, as eBPF programs see it; 0: unknown.
	CgroupID uint64
	// Namespaces are those of the first process.
	Namespaces Namespaces
	// LogPath is the file that the engine writes the container's output to, as the engine sees the file system.
	LogPath string
	// Command is the entry point: what the pod's author set, otherwise the first word of the command line that the engine
	// starts.
	Command []string
	// Args are the arguments: what the pod's author set, otherwise the rest of the command line.
	Args []string
	// WorkingDir is the working directory inside the container.
	WorkingDir string
	// User is the user of the first process; nil while it is unknown.
	User *User
	// Mounts are what the pod's author and the kubelet asked to mount.
	Mounts []Mount
	// Resources are the limits; nil while they are unknown.
	Resources *Resources
	// Rucksack is any JSON that the program itself has added with [Watcher.Attach].
	Rucksack json.RawMessage
	// Missing says what is unknown and is still asked for.
	Missing Missing

	// Attributes are the container's facts under another project's names, if the option attributes ([WithAttributes]) or
	// Query.Attributes asks for them. [Snapshot.Attributes] gives them for any container.
	Attributes map[string]string

	// How the watcher's JSON shows labels and annotations: the option labels.annotations.
	separate bool
}

// shown says how a watcher's containers are shown.
type shown struct {
	// As in Container.separate.
	separate bool
	// The schema of Container.Attributes.
	attributes AttributesOption
}

// Image is the image that a container was made from. Each field has one meaning on every engine.
type Image struct {
	// Name is the image as the pod's author wrote it.
	Name string `json:"name,omitempty"`
	// Ref is the repository with the digest of the manifest.
	Ref string `json:"ref,omitempty"`
	// ID is the digest of the image's configuration.
	ID string `json:"id,omitempty"`
	// Repository is the name without tag and digest.
	Repository string `json:"repository,omitempty"`
	// Tag is the tag; "" where the name has none.
	Tag string `json:"tag,omitempty"`
	// Digest is the digest of the manifest.
	Digest string `json:"digest,omitempty"`
}

// Pod is a pod, as its sandbox shows it.
type Pod struct {
	// ID is the sandbox's id.
	ID string
	// Name is the pod's name.
	Name string
	// Namespace is the pod's namespace.
	Namespace string
	// UID is the pod's uid, as Kubernetes gives it.
	UID string
	// Attempt is the attempt number; 0 for the first sandbox of the pod.
	Attempt uint32
	// State says whether the sandbox is ready.
	State PodState
	// Flags tell whether it shares the node's network, process ids and IPC, and whether it is static. JSON shows each as a
	// key of its own: "hostNetwork", "hostPid", "hostIpc", "staticPod".
	Flags PodFlags
	// IPs are the pod's addresses, the primary one first; empty if the pod uses the node's, or while unknown.
	IPs []string
	// Labels are the pod's labels.
	Labels map[string]string
	// Annotations are the pod's annotations.
	Annotations map[string]string
	// RuntimeHandler is the runtime class's handler; "" for the default one.
	RuntimeHandler string
	// CreatedAt is when the sandbox was created.
	CreatedAt time.Time
	// CgroupPath is the pod's cgroup: a path below the mount of the cgroup file system; "" until a process in it was seen,
	// and if no cgroup is named by the pod's uid.
	CgroupPath string
	// NetNamespace is the inode number of the network namespace; 0: unknown.
	NetNamespace uint64
	// Ports are those that its containers declare. A declaration opens nothing; it only shows on what the pod's author
	// expects a container to listen.
	Ports []Port
}

// PodContainers is a pod with those of its containers that a query selects, the sandbox among them.
type PodContainers struct {
	Pod
	// Containers are the pod's containers; their Pod is this one.
	Containers []*Container
}

// Path is "NAMESPACE/POD/NAME"; for a sandbox "NAMESPACE/POD"; while the pod is unknown, only the name; for nil "".
func (c *Container) Path() string {
	switch {
	case c == nil:
		return ""
	case c.Pod == nil:
		return c.Name
	case c.Kind == KindSandbox:
		return c.Pod.Path()
	}
	return c.Pod.Path() + "/" + c.Name
}

// String describes it for people: "container shop/web/nginx running pid=4671", "container batch/job/run exited code=3
// Error".
func (c *Container) String() string {
	if c == nil {
		return "<nil>"
	}
	text := fmt.Sprintf("%v %s %v", c.Kind, c.Path(), c.State)
	if c.State != StateExited {
		if c.PID != 0 {
			text += fmt.Sprintf(" pid=%d", c.PID)
		}
		return text
	}
	if c.ExitCode != -1 {
		text += fmt.Sprintf(" code=%d", c.ExitCode)
	}
	return strings.TrimSuffix(text+" "+c.Reason, " ")
}

// Path is "NAMESPACE/POD"; for nil "".
func (p *Pod) Path() string {
	if p == nil {
		return ""
	}
	return p.Namespace + "/" + p.Name
}

// String describes it for people: "pod shop/web ready".
func (p *Pod) String() string {
	if p == nil {
		return "<nil>"
	}
	return fmt.Sprintf("pod %s %v", p.Path(), p.State)
}

// String describes it for people: "pod shop/web ready: web, nginx".
func (p *PodContainers) String() string {
	if p == nil {
		return "<nil>"
	}
	names := make([]string, len(p.Containers))
	for i, container := range p.Containers {
		names[i] = container.Name
	}
	return p.Pod.String() + ": " + strings.Join(names, ", ")
}

// String is the first of name, reference and id that is known.
func (i Image) String() string {
	switch {
	case i.Name != "":
		return i.Name
	case i.Ref != "":
		return i.Ref
	}
	return i.ID
}

// Event is a change, or news about the watcher. It is a copy, as is its Container. Its JSON is the library's
// ("criwatch.event/1").
type Event struct {
	// Type says what happened.
	Type EventType
	// Flags say how the event is known, and what is special about it.
	Flags EventFlags
	// Seq grows from event to event; gaps have no meaning.
	Seq uint64
	// Generation is the generation of the cache that shows the change.
	Generation uint64
	// Lost is the number of events that this queue lost, for an EventOverflow.
	Lost uint64
	// Changed says what has changed, for an EventUpdated.
	Changed Changed
	// Time is when it happened, as far as the engine reports that.
	Time time.Time
	// Observed is when the watcher noticed.
	Observed time.Time
	// Container is the container or sandbox; nil if the event is not about one.
	Container *Container
	// State is the state of the watcher when it made this event.
	State WatcherState
	// Message is the reason of an EventState, or the text of an EventLog.
	Message string
	// Level is the level of an EventLog; otherwise 0.
	Level LogLevel
}

// String describes the event for people: "started shop/web/nginx", "state watching: the engine streams events".
func (e *Event) String() string {
	if e == nil {
		return "<nil>"
	}
	text := e.Type.String()
	switch {
	case e.Container != nil:
		text += " " + e.Container.Path()
	case e.Type == EventState:
		text += " " + e.State.String()
	}
	if e.Message != "" {
		text += ": " + e.Message
	}
	return text
}
