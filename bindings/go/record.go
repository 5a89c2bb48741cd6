package criwatch

import (
	"encoding/json"
	"time"

	"github.com/criwatch/criwatch/bindings/go/internal/capi"
)

// Container is a container or sandbox, as it was at one moment. It is a copy: it stays as it is, and nothing has to be
// freed. What is unknown is the zero value (an exit code: -1); what the engine may yet tell stands in Missing.
//
// A few fields are filled only where the library tells them: in snapshots and events ("records"), or in what [Watcher.List],
// [Watcher.Pods], [Watcher.Get] and [Watcher.Inspect] answer ("JSON").
type Container struct {
	// ID is the engine's id: 64 hex digits.
	ID string `json:"id"`
	// Name is the name inside the pod; of a sandbox, the pod's name.
	Name string `json:"name"`
	// Kind says whether this is a container or the sandbox of a pod.
	Kind Kind `json:"kind"`
	// State is the engine's word.
	State State `json:"state"`
	// Attempt is how often it was made anew under this name.
	Attempt uint32 `json:"attempt"`
	// PID is the first process, in this process's pid namespace; 0: none, or unknown.
	PID int `json:"pid,omitempty"`
	// EnginePID is the pid in the engine's words, where that differs. JSON only.
	EnginePID int `json:"enginePid,omitempty"`
	// PIDStartTicks is when the first process began, in clock ticks since boot: with it, a pid is unique. 0: unknown.
	// Records only.
	PIDStartTicks uint64 `json:"-"`
	// Pod is the pod; nil while it is unknown.
	Pod *Pod `json:"pod,omitempty"`
	// Labels are the container's own in records. In JSON they are the merged view, with the names of pod and container, and
	// annotations with AnnotationKeyPrefix before their keys, unless the option labels.annotations is separate.
	Labels map[string]string `json:"labels"`
	// Annotations are the container's own. In JSON they are there only with the option labels.annotations=separate.
	Annotations map[string]string `json:"annotations,omitempty"`
	// Image is the image; of containers only.
	Image Image `json:"image"`
	// CreatedAt is when it was created.
	CreatedAt time.Time `json:"createdAt,omitzero"`
	// StartedAt is when it was started; sandboxes have no such time.
	StartedAt time.Time `json:"startedAt,omitzero"`
	// FinishedAt is when it ended.
	FinishedAt time.Time `json:"finishedAt,omitzero"`
	// ExitCode is the exit code; -1: none, or unknown.
	ExitCode int `json:"exitCode"`
	// Reason is how it ended, in one word: "Completed", "Error", "OOMKilled"; "gone" when it merely vanished.
	Reason string `json:"reason,omitempty"`
	// Message is how it ended, in more words; often "".
	Message string `json:"message,omitempty"`
	// CgroupPath is the cgroup, as the file system shows it.
	CgroupPath string `json:"cgroupPath,omitempty"`
	// Rucksack is what the program itself has added with [Watcher.Attach]: any JSON.
	Rucksack json.RawMessage `json:"rucksack,omitempty"`
	// Missing is what is unknown and still asked for.
	Missing Missing `json:"missing,omitempty"`
}

// UnmarshalJSON reads a container of the library's JSON.
func (c *Container) UnmarshalJSON(data []byte) error {
	type plain Container
	container := plain{ExitCode: -1}
	err := json.Unmarshal(data, &container)
	*c = Container(container)
	return err
}

// Image is the image that a container was made from, in the engine's three spellings.
type Image struct {
	// Name is the image as the pod's author wrote it.
	Name string `json:"name,omitempty"`
	// Ref is what the engine resolved that to.
	Ref string `json:"ref,omitempty"`
	// ID is the engine's id of the image.
	ID string `json:"id,omitempty"`
}

// Pod is a pod, as its sandbox shows it.
type Pod struct {
	// ID is the sandbox's id.
	ID string `json:"id"`
	// Name is the pod's name.
	Name string `json:"name"`
	// Namespace is the pod's namespace.
	Namespace string `json:"namespace"`
	// UID is the pod's uid, as Kubernetes gives it.
	UID string `json:"uid"`
	// Attempt is how often the sandbox was made anew.
	Attempt uint32 `json:"attempt"`
	// State says whether the sandbox is ready.
	State PodState `json:"state"`
	// HostNetwork tells whether the pod shares the node's network namespace.
	HostNetwork bool `json:"hostNetwork"`
	// IPs are the pod's addresses, the primary one first.
	IPs []string `json:"ips,omitempty"`
	// Labels are the pod's labels.
	Labels map[string]string `json:"labels"`
	// Annotations are the pod's annotations.
	Annotations map[string]string `json:"annotations"`
	// RuntimeHandler is the runtime class's handler; "" for the default one. JSON only.
	RuntimeHandler string `json:"runtimeHandler,omitempty"`
	// CreatedAt is when the sandbox was created. JSON only.
	CreatedAt time.Time `json:"createdAt,omitzero"`
	// CgroupPath is the pod's cgroup, as the file system shows it; "" until a process in it was seen, and where no cgroup
	// is named by the pod's uid.
	CgroupPath string `json:"cgroupPath,omitempty"`
}

// Path is "NAMESPACE/POD/NAME", of a sandbox "NAMESPACE/POD"; while the pod is unknown, only the name.
func (c *Container) Path() string {
	switch {
	case c.Pod == nil:
		return c.Name
	case c.Kind == KindSandbox:
		return c.Pod.Namespace + "/" + c.Pod.Name
	}
	return c.Pod.Namespace + "/" + c.Pod.Name + "/" + c.Name
}

// Event is something that happened. It is a copy, as its Container is.
type Event struct {
	// Type says what happened.
	Type EventType `json:"type"`
	// Flags say how it is known, and what is special about it.
	Flags EventFlags `json:"flags,omitempty"`
	// Seq grows from event to event; gaps mean nothing.
	Seq uint64 `json:"seq"`
	// Generation is that of the picture that shows this.
	Generation uint64 `json:"generation"`
	// Lost is, of an EventOverflow, how many events this queue lost.
	Lost uint64 `json:"lost,omitempty"`
	// Changed is, of an EventUpdated, what has changed.
	Changed Changed `json:"changed,omitempty"`
	// Time is when it happened, as far as the engine says.
	Time time.Time `json:"time"`
	// Observed is when the watcher noticed.
	Observed time.Time `json:"observed"`
	// Container is the container or sandbox; nil where the event is not about one.
	Container *Container `json:"container,omitempty"`
	// State is what the watcher was doing when it told this.
	State WatcherState `json:"state"`
	// Message is, of an EventState, why; of an EventLog, what it says.
	Message string `json:"message,omitempty"`
	// Level is, of an EventLog, how much it matters; otherwise 0.
	Level LogLevel `json:"level,omitempty"`
}

// String is for people: "started shop/web/nginx", "state watching: the engine tells events".
func (e *Event) String() string {
	said := e.Type.String()
	switch {
	case e.Container != nil:
		said += " " + e.Container.Path()
	case e.Type == EventState:
		said += " " + e.State.String()
	}
	if e.Message != "" {
		said += ": " + e.Message
	}
	return said
}

func newEvent(view capi.EventView) *Event {
	event := &Event{
		Type:       EventType(view.Type()),
		Flags:      EventFlags(view.Flags()),
		Seq:        view.Seq(),
		Generation: view.Generation(),
		Lost:       view.Lost(),
		Changed:    Changed(view.Changed()),
		Time:       instant(view.Time()),
		Observed:   instant(view.Observed()),
		State:      WatcherState(view.WatcherState()),
		Message:    view.Message(),
		Level:      LogLevel(view.LogLevel()),
	}
	if container, is := view.Container(); is {
		event.Container = newContainer(container, newPod)
	}
	return event
}

// newContainer copies a record. A snapshot's containers share their pods, which podOf takes care of.
func newContainer(view capi.ContainerView, podOf func(capi.PodView) *Pod) *Container {
	container := &Container{
		ID:            view.ID(),
		Name:          view.Name(),
		Kind:          Kind(view.Kind()),
		State:         State(view.State()),
		Attempt:       view.Attempt(),
		PID:           int(view.PID()),
		PIDStartTicks: view.PIDStartTicks(),
		Labels:        view.Labels(),
		Annotations:   view.Annotations(),
		Image:         Image{Name: view.Image(), Ref: view.ImageRef(), ID: view.ImageID()},
		CreatedAt:     instant(view.Created()),
		StartedAt:     instant(view.Started()),
		FinishedAt:    instant(view.Finished()),
		ExitCode:      int(view.ExitCode()),
		Reason:        view.Reason(),
		Message:       view.Message(),
		CgroupPath:    view.CgroupPath(),
		Missing:       Missing(view.Missing()),
	}
	if rucksack := view.Rucksack(); rucksack != "" {
		container.Rucksack = json.RawMessage(rucksack)
	}
	if pod, is := view.Pod(); is {
		container.Pod = podOf(pod)
	}
	return container
}

func newPod(view capi.PodView) *Pod {
	return &Pod{
		ID:          view.ID(),
		Name:        view.Name(),
		Namespace:   view.Namespace(),
		UID:         view.UID(),
		Attempt:     view.Attempt(),
		State:       PodState(view.State()),
		HostNetwork: PodFlags(view.Flags())&PodFlagHostNetwork != 0,
		IPs:         view.IPs(),
		Labels:      view.Labels(),
		Annotations: view.Annotations(),
		CgroupPath:  view.CgroupPath(),
	}
}

// instant is a time of the library: nanoseconds since 1970, 0 for none.
func instant(unixNano int64) time.Time {
	if unixNano == 0 {
		return time.Time{}
	}
	return time.Unix(0, unixNano).UTC()
}
