package criwatchtest

import (
	"encoding/json"

	criwatch "github.com/criwatch/criwatch/bindings/go"
	"github.com/criwatch/criwatch/bindings/go/internal/capi"
)

// What the watcher answers as JSON.

func (f *Fake) meta(schema string) criwatch.Meta {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	return criwatch.Meta{
		Schema: schema, Generation: f.generation, State: f.state, AsOf: f.asOf, Engine: f.engine,
	}
}

// text is the JSON of an answer.
func text(answer any) ([]byte, *capi.Failure) {
	json, err := json.Marshal(answer)
	return json, failureOf(err)
}

// selected is what a query as JSON selects.
func (w *watcher) selected(query string) (*snapshot, *capi.Failure) {
	taken, failure := w.taken()
	if failure != nil {
		return nil, failure
	}
	return taken.selection(query)
}

func (w *watcher) List(query string) ([]byte, *capi.Failure) {
	selected, failure := w.selected(query)
	if failure != nil {
		return nil, failure
	}
	containers, _ := selected.Containers()
	return text(criwatch.ContainerList{Meta: w.fake.meta("criwatch.containers/1"), Containers: containers})
}

func (w *watcher) Pods(query string) ([]byte, *capi.Failure) {
	selected, failure := w.selected(query)
	if failure != nil {
		return nil, failure
	}
	list := criwatch.PodList{Meta: w.fake.meta("criwatch.pods/1"), Pods: []*criwatch.PodContainers{}}
	pods := map[string]*criwatch.PodContainers{}
	containers, _ := selected.Containers()
	for _, container := range containers {
		if container.Pod == nil {
			continue
		}
		pod := pods[container.Pod.ID]
		if pod == nil {
			pod = &criwatch.PodContainers{Pod: *container.Pod}
			pods[container.Pod.ID] = pod
			list.Pods = append(list.Pods, pod)
		}
		pod.Containers = append(pod.Containers, container)
	}
	return text(list)
}

func (w *watcher) Get(idOrName string) ([]byte, *capi.Failure) {
	container, failure := w.Find(idOrName)
	if failure != nil {
		return nil, failure
	}
	return text(container)
}

func (w *watcher) EngineInfo() ([]byte, *capi.Failure) {
	return text(struct {
		criwatch.Meta
		Ready criwatch.Readiness `json:"ready"`
	}{w.fake.meta("criwatch.engine/1"), criwatch.Readiness{Complete: true}})
}

// Stats are none: a fake has no engine that it asks.
func (w *watcher) Stats() ([]byte, *capi.Failure) {
	return text(criwatch.Stats{
		Meta: w.fake.meta("criwatch.stats/1"), Counts: map[string]uint64{}, BucketMicros: []uint64{},
		Requests: map[string]criwatch.RequestStats{},
	})
}

func (w *watcher) Metrics() ([]byte, *capi.Failure) { return []byte("# EOF\n"), nil }

func (w *watcher) Inspect(idOrName string, _ uint32, _ int64) ([]byte, *capi.Failure) {
	f := w.fake
	f.mutex.Lock()
	failure, info := f.refuses(OpRequest), f.inspect
	entry, absent := find(f.entries, idOrName)
	f.mutex.Unlock()
	switch {
	case failure != nil:
		return nil, failure
	case absent != nil:
		return nil, absent
	}
	inspection := struct {
		criwatch.Meta
		Container json.RawMessage `json:"container"`
		Info      json.RawMessage `json:"info"`
	}{Meta: f.meta("criwatch.inspect/1"), Info: json.RawMessage("{}")}
	if inspection.Container, failure = separate(entry); failure != nil {
		return nil, failure
	}
	if info != nil {
		told, err := info(cloned(entry))
		if err != nil {
			return nil, failureOf(err)
		}
		inspection.Info = json.RawMessage(told)
	}
	return text(inspection)
}

// separate is a container's JSON with labels and annotations apart, which the merged view could not be taken apart into.
func separate(container *criwatch.Container) (json.RawMessage, *capi.Failure) {
	merged, failure := text(container)
	if failure != nil {
		return nil, failure
	}
	fields := map[string]any{}
	if err := json.Unmarshal(merged, &fields); err != nil {
		return nil, failureOf(err)
	}
	fields["labels"], fields["annotations"] = container.Labels, container.Annotations
	return text(fields)
}

func (w *watcher) Call(method, request string, _ int64) ([]byte, *capi.Failure) {
	w.fake.mutex.Lock()
	failure, reply := w.fake.refuses(OpRequest), w.fake.calls[method]
	w.fake.mutex.Unlock()
	switch {
	case failure != nil:
		return nil, failure
	case reply == nil:
		return nil, refused(criwatch.ErrUnsupported, "the fake has no reply to %s: give it one with OnCall", method)
	}
	told, err := reply(request)
	return []byte(told), failureOf(err)
}
