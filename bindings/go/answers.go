package criwatch

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// Meta is what every answer begins with: whose word it is, and how fresh.
type Meta struct {
	// Schema is what this is, e.g. "criwatch.containers/1".
	Schema string `json:"schema"`
	// Generation grows with every change of the picture.
	Generation uint64 `json:"generation"`
	// State is what the watcher is doing.
	State WatcherState `json:"state"`
	// AsOf is when the newest full list began: older news is in it for sure.
	AsOf time.Time `json:"asOf,omitzero"`
	// Engine is whose word it is.
	Engine EngineInfo `json:"engine"`
}

// EngineInfo is the engine. What is not known yet is the zero value.
type EngineInfo struct {
	// RuntimeName is who it is, e.g. "containerd".
	RuntimeName string `json:"runtimeName,omitempty"`
	// RuntimeVersion is its version, e.g. "2.1.9".
	RuntimeVersion string `json:"runtimeVersion,omitempty"`
	// RuntimeAPIVersion is the CRI version it speaks.
	RuntimeAPIVersion string `json:"runtimeApiVersion,omitempty"`
	// Version is all three in one line.
	Version string `json:"version,omitempty"`
	// Type is the kind of engine: [EngineType].
	Type string `json:"type"`
	// API is where it is reached; "" while none was found.
	API string `json:"api"`
	// ID is who it is on this machine: the host name of its UTS namespace, or the option engine.id.
	ID string `json:"id,omitempty"`
	// PID is its process, in this process's pid namespace.
	PID int `json:"pid,omitempty"`
	// Events is how changes are noticed: "stream", by its event stream; "poll", by listing again and again; "" while
	// nothing is watched.
	Events string `json:"events,omitempty"`
	// EventsReason is why so.
	EventsReason string `json:"eventsReason,omitempty"`
}

// ContainerList is what [Watcher.List] answers.
type ContainerList struct {
	Meta
	// Containers are containers and sandboxes.
	Containers []*Container `json:"containers"`
}

// PodList is what [Watcher.Pods] answers.
type PodList struct {
	Meta
	// Pods are the pods, each with its containers.
	Pods []*PodContainers `json:"pods"`
}

// PodContainers is a pod with those of its containers that a query selects, the sandbox among them.
type PodContainers struct {
	Pod
	// Containers are the pod's; the Pod of each is this one.
	Containers []*Container `json:"containers"`
}

// Inspection is what [Watcher.Inspect] answers: all that the engine says of one container or sandbox.
type Inspection struct {
	Meta
	// Container is the container or sandbox.
	Container *Container `json:"container"`
	// Status is the engine's status of it, as CRI has it, in the canonical JSON of protocol buffers: logPath, mounts, resources,
	// user and so on; nil in a library without calls.
	Status json.RawMessage `json:"status"`
	// Info is the engine's verbose information: an object whose keys are the engine's own.
	Info json.RawMessage `json:"info"`
}

// Stats is what [Watcher.Stats] answers: what the watcher did since it was made, in numbers.
type Stats struct {
	Meta
	// Counts are counts by name, e.g. "connects", "lists", "eventsPublished". Names are only added.
	Counts map[string]uint64 `json:"stats"`
	// Requests are the requests to the engine, by RPC.
	Requests map[string]RequestStats `json:"requests"`
	// EventLag is how late the engine's events come; nil until one came.
	EventLag *EventLag `json:"eventLag,omitempty"`
}

// RequestStats are the numbers of one RPC.
type RequestStats struct {
	// Count is how many there were.
	Count uint64 `json:"count"`
	// Failures is how many of them ended with an error; that something does not exist is one, too.
	Failures uint64 `json:"failures"`
	// TotalMicros is how long all took together, in microseconds.
	TotalMicros uint64 `json:"totalMicros"`
	// MaxMicros is how long the longest took, in microseconds.
	MaxMicros uint64 `json:"maxMicros"`
}

// EventLag is the time from what an event of the engine bears, by the engine's clock, until it was noticed here.
type EventLag struct {
	// LastMicros is that of the last event, in microseconds.
	LastMicros int64 `json:"lastMicros"`
	// MaxMicros is the longest so far, in microseconds.
	MaxMicros int64 `json:"maxMicros"`
}

// List lists what the query selects: containers and sandboxes. nil: everything that runs. ErrNone for Query.IfGeneration;
// ErrNotReady; ErrQuery.
func (w *Watcher) List(query *Query) (*ContainerList, error) {
	text, err := query.text()
	if err == nil {
		text, err = w.Raw().List(string(text))
	}
	return decode[ContainerList]("list", text, err)
}

// Pods lists pods, each with those of its containers that the query selects. A pod without any is not shown, nor is a
// container whose pod is not known yet. It answers errors as List does.
func (w *Watcher) Pods(query *Query) (*PodList, error) {
	text, err := query.text()
	if err == nil {
		text, err = w.Raw().Pods(string(text))
	}
	list, err := decode[PodList]("pods", text, err)
	if err != nil {
		return nil, err
	}
	for _, pod := range list.Pods {
		for _, container := range pod.Containers {
			container.Pod = &pod.Pod
		}
	}
	return list, nil
}

// Get shows one container or sandbox, in whatever state, also of the remembered dead, by its id, "namespace/pod/container" (of a
// sandbox "namespace/pod"), a container's name, a pod's name, or at least 6 hex digits that an id begins with: the first of
// these that finds anything. Of the attempts under one name the running one is meant, else the newest. ErrNotFound; ErrAmbiguous, with the
// candidates in the message; ErrNotReady.
func (w *Watcher) Get(idOrName string) (*Container, error) {
	text, err := w.Raw().Get(idOrName)
	answer, err := decode[struct{ Container *Container }]("get", text, err)
	if err != nil {
		return nil, err
	}
	return answer.Container, nil
}

// Engine tells which engine this is, and how changes are noticed. ErrNotReady.
func (w *Watcher) Engine() (*EngineInfo, error) {
	text, err := w.Raw().Engine()
	answer, err := decode[Meta]("engine", text, err)
	if err != nil {
		return nil, err
	}
	return &answer.Engine, nil
}

// Stats tells what the watcher did so far.
func (w *Watcher) Stats() (*Stats, error) {
	text, err := w.Raw().Stats()
	return decode[Stats]("stats", text, err)
}

// Inspect asks the engine for everything it knows of one container or sandbox (named as for Get), in whatever state it is.
// It works on a watcher that was never started, too.
func (w *Watcher) Inspect(ctx context.Context, idOrName string, flags InspectFlags) (*Inspection, error) {
	text, err := w.Raw().Inspect(ctx, idOrName, flags)
	return decode[Inspection]("inspect", text, err)
}

func (q *Query) text() ([]byte, error) {
	if q == nil {
		return nil, nil
	}
	return json.Marshal(q)
}

// decode is the end of every typed answer.
func decode[T any](op string, text []byte, err error) (*T, error) {
	if err != nil {
		return nil, err
	}
	answer := new(T)
	if err := json.Unmarshal(text, answer); err != nil {
		return nil, fmt.Errorf("criwatch: %s: the library's answer is not what this binding expects: %w", op, err)
	}
	return answer, nil
}
