package criwatch

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/criwatch/criwatch/bindings/go/internal/capi"
)

// Meta is what every answer begins with: the engine that it comes from, and how fresh it is.
type Meta struct {
	// Schema is the kind of answer, e.g. "criwatch.containers/1".
	Schema string `json:"schema"`
	// Generation grows with every change of the cache.
	Generation uint64 `json:"generation"`
	// State is the watcher's state.
	State WatcherState `json:"state"`
	// AsOf is when the newest full list began. It shows everything that happened before.
	AsOf time.Time `json:"asOf"`
	// Engine is the engine that the answer comes from.
	Engine EngineInfo `json:"engine"`
}

// EngineInfo is the engine. What is not known yet is the zero value.
type EngineInfo struct {
	// RuntimeName is its name, e.g. "containerd".
	RuntimeName string `json:"runtimeName,omitempty"`
	// RuntimeVersion is its version, e.g. "2.1.9".
	RuntimeVersion string `json:"runtimeVersion,omitempty"`
	// RuntimeAPIVersion is the CRI version it speaks.
	RuntimeAPIVersion string `json:"runtimeApiVersion,omitempty"`
	// Version is all three in one line.
	Version string `json:"version,omitempty"`
	// Type is the kind of engine: [EngineType].
	Type string `json:"type"`
	// API is the endpoint at which it is reached; "" while none was found.
	API string `json:"api"`
	// ID is its id on this machine: the host name of its UTS namespace, or the option engine.id.
	ID string `json:"id,omitempty"`
	// PID is its process, in this process's pid namespace.
	PID int `json:"pid,omitempty"`
	// Events is how changes are noticed: "stream", by its event stream; "poll", by listing again and again; "" while
	// nothing is watched.
	Events string `json:"events,omitempty"`
	// EventsReason is why changes are noticed in this way.
	EventsReason string `json:"eventsReason,omitempty"`
	// Witness is what the watcher learns from the host; nil while nothing is watched.
	Witness *Witness `json:"witness,omitempty"`
	// NotTold are the keys that this engine does not give, although it was asked several times, and for how many
	// containers.
	NotTold map[string]uint64 `json:"notTold,omitempty"`
	// Candidates are the other engines that were found when this one was chosen, best first; empty if the program named
	// its engine. Only [Watcher.Engine] has them.
	Candidates []Candidate `json:"candidates,omitempty"`
	// Ready is how complete the cache is; nil while there is no cache. Only [Watcher.Engine] has it.
	Ready *Readiness `json:"ready,omitempty"`
}

// Readiness is how complete the cache is.
type Readiness struct {
	// Complete is whether no status request waits for its first answer: for a pid, a contradiction or an exit.
	Complete bool `json:"complete"`
	// Open is how many status requests wait for their first answer now.
	Open uint64 `json:"open"`
}

// Witness is what the watcher learns from the host: docs/witness.md.
type Witness struct {
	// Means are the means that are used: "folders" (the engine's, by inotify), otherwise "fanotify" or "cgroups" (those of
	// its containers); "pidFiles", "pidfds", "exitCodes".
	Means []string `json:"means"`
	// Lacks are the means that are not used, and why; "all": none is used.
	Lacks map[string]string `json:"lacks,omitempty"`
}

// String describes the engine for people: "containerd 2.1.9 [API v1] at unix:///run/containerd/containerd.sock".
func (e EngineInfo) String() string {
	name, where := e.Version, e.API
	if name == "" {
		name = "an engine that has not answered yet"
	}
	if where == "" {
		return name
	}
	return name + " at " + where
}

// ContainerList is the answer of [Watcher.List].
type ContainerList struct {
	Meta
	// Containers are containers and sandboxes.
	Containers []*Container `json:"containers"`
}

// PodList is the answer of [Watcher.Pods].
type PodList struct {
	Meta
	// Pods are the pods, each with its containers.
	Pods []*PodContainers `json:"pods"`
}

// Inspection is the answer of [Watcher.Inspect]: everything that the engine gives for one container or sandbox.
type Inspection struct {
	Meta
	// Container is the container or sandbox.
	Container *Container `json:"container"`
	// Status is the engine's status of it, in the canonical JSON of protocol buffers: logPath, mounts, resources, user and
	// so on; nil if the library was built without calls.
	Status json.RawMessage `json:"status"`
	// Info is the engine's verbose information: an object whose keys are the engine's own.
	Info json.RawMessage `json:"info"`
}

// Stats is the answer of [Watcher.Stats]: the watcher's counters since it was made.
type Stats struct {
	Meta
	// Counts are counts by name, e.g. "connects", "lists", "eventsPublished". Names are only added.
	Counts map[string]uint64 `json:"stats"`
	// BucketMicros are the upper bounds of all Buckets, in microseconds. The last bucket has no bound: it contains
	// everything longer.
	BucketMicros []uint64 `json:"bucketMicros"`
	// Requests are the requests to the engine, by RPC.
	Requests map[string]RequestStats `json:"requests"`
	// EventLag is how late the engine's events come; nil before the first one.
	EventLag *EventLag `json:"eventLag,omitempty"`
}

// RequestStats are the numbers of one RPC.
type RequestStats struct {
	// Count is the number of requests.
	Count uint64 `json:"count"`
	// Failures is how many of them ended with an error, without those in NotFound.
	Failures uint64 `json:"failures"`
	// NotFound is how many of them the engine answered with "not found".
	NotFound uint64 `json:"notFound"`
	// TotalMicros is how long all took together, in microseconds.
	TotalMicros uint64 `json:"totalMicros"`
	// MaxMicros is how long the longest took, in microseconds.
	MaxMicros uint64 `json:"maxMicros"`
	// Buckets are the numbers of requests by their duration, with the bounds of Stats.BucketMicros. Each request is in the
	// first bucket whose bound it does not exceed.
	Buckets []uint64 `json:"buckets"`
}

// EventLag is the delay between the time in an engine's event, by the engine's clock, and its arrival here.
type EventLag struct {
	// LastMicros is the delay of the last event, in microseconds.
	LastMicros int64 `json:"lastMicros"`
	// MaxMicros is the longest delay so far, in microseconds.
	MaxMicros int64 `json:"maxMicros"`
	// Count is how many delays were measured.
	Count uint64 `json:"count"`
	// TotalMicros is all delays together, in microseconds.
	TotalMicros uint64 `json:"totalMicros"`
	// Buckets are the numbers of events by their delay, with the bounds of Stats.BucketMicros. Each event is in the first
	// bucket whose bound it does not exceed.
	Buckets []uint64 `json:"buckets"`
}

// List lists the containers and sandboxes that the query selects; with nil, everything that runs. It costs no more than
// a [Snapshot]. Errors: ErrNone for Query.IfGeneration; ErrNotReady; ErrQuery.
func (w *Watcher) List(query *Query) (*ContainerList, error) {
	list := &ContainerList{}
	selection, err := w.selection("list", "criwatch.containers/1", query, &list.Meta)
	if err != nil {
		return nil, err
	}
	defer selection.Close()
	list.Containers, err = selection.Containers()
	return list, err
}

// Pods lists pods, each with those of its containers that the query selects. A pod without any is left out, as is a
// container whose pod is not known yet. Errors: as for List.
func (w *Watcher) Pods(query *Query) (*PodList, error) {
	list := &PodList{}
	selection, err := w.selection("pods", "criwatch.pods/1", query, &list.Meta)
	if err != nil {
		return nil, err
	}
	defer selection.Close()
	pods, err := selection.Pods()
	if err != nil {
		return nil, err
	}
	containers, err := selection.Containers()
	if err != nil {
		return nil, err
	}
	list.Pods = groups(pods, containers)
	return list, nil
}

// groups puts containers under their pods.
func groups(pods []*Pod, containers []*Container) []*PodContainers {
	list, byID := make([]*PodContainers, len(pods)), make(map[string]*PodContainers, len(pods))
	for i, pod := range pods {
		list[i] = &PodContainers{Pod: *pod, Containers: []*Container{}}
		byID[pod.ID] = list[i]
	}
	for _, container := range containers {
		if container.Pod == nil {
			continue
		}
		if pod := byID[container.Pod.ID]; pod != nil {
			container.Pod = &pod.Pod
			pod.Containers = append(pod.Containers, container)
		}
	}
	return list
}

// selection returns what a list shows, and sets meta to the engine it comes from. It asks about the engine first, so
// that the records are at least as new as meta says.
func (w *Watcher) selection(op, schema string, query *Query, meta *Meta) (*Snapshot, error) {
	text, err := w.Raw().ask(op, watcherBackend.EngineInfo)
	decoded, err := decode[Meta](op, text, err)
	if err != nil {
		return nil, err
	}
	selection, err := w.snapshot(op)
	if err != nil {
		return nil, err
	}
	if query != nil {
		whole := selection
		selection, err = whole.selection(op, query)
		whole.Close()
		if err != nil {
			return nil, err
		}
	}
	*meta = *decoded
	meta.Schema, meta.Generation = schema, selection.Generation()
	return selection, nil
}

// Get returns one container or sandbox, in any state. It also finds containers that the engine no longer has, as long as the
// watcher remembers them. idOrName is an id, "namespace/pod/container" (for a sandbox "namespace/pod"), a container name, a
// pod name, or an id prefix of at least 6 hex digits: the first of these that finds anything. If several attempts have the
// same name, Get returns the running one, otherwise the newest one. Errors: ErrNotFound; ErrAmbiguous, with the candidates
// in the message; ErrNotReady.
func (w *Watcher) Get(idOrName string) (*Container, error) {
	return w.owned("get", func(c watcherBackend) (*Container, *capi.Failure) { return c.Find(idOrName) })
}

// Engine returns which engine this is, how changes are noticed, and how complete the cache is. Before the first
// connection, most of it is empty; that is no error.
func (w *Watcher) Engine() (*EngineInfo, error) {
	text, err := w.Raw().Engine()
	answer, err := decode[struct {
		Engine     EngineInfo  `json:"engine"`
		Candidates []Candidate `json:"candidates"`
		Ready      *Readiness  `json:"ready"`
	}]("engine", text, err)
	if err != nil {
		return nil, err
	}
	answer.Engine.Candidates, answer.Engine.Ready = answer.Candidates, answer.Ready
	return &answer.Engine, nil
}

// Stats returns the watcher's counters.
func (w *Watcher) Stats() (*Stats, error) {
	text, err := w.Raw().Stats()
	return decode[Stats]("stats", text, err)
}

// Metrics returns the watcher's counters for a scraper, in the text format of OpenMetrics, to be served as
// [MetricsContentType]. docs/metrics.md lists the names, and [Metrics] has them as a table.
func (w *Watcher) Metrics() ([]byte, error) { return w.Raw().ask("metrics", watcherBackend.Metrics) }

// Inspect asks the engine for everything about one container or sandbox (named as for Get), in any state. It also works
// on a watcher that was never started.
func (w *Watcher) Inspect(ctx context.Context, idOrName string, flags InspectFlags) (*Inspection, error) {
	text, err := w.Raw().Inspect(ctx, idOrName, flags|InspectSeparateAnnotations)
	inspection, err := decode[Inspection]("inspect", text, err)
	if err != nil {
		return nil, err
	}
	inspection.Container.separate = w.shown.separate
	return inspection, nil
}

// decode is the last step of every typed answer.
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
