package criwatch_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"testing"

	criwatch "github.com/criwatch/criwatch/bindings/go"
	"github.com/criwatch/criwatch/bindings/go/criwatchtest"
)

// variedEngine has containers of all kinds: running, exited, with annotations, in host and own networks.
func variedEngine(t *testing.T) *criwatchtest.Sim {
	engine := criwatchtest.StartSim(t)
	engine.Tell(t, "pod web ns=shop label=app=web annotation=why=because nginx proxy")
	engine.Tell(t, "pod db ns=shop postgres")
	return engine
}

// settled follows a varied engine until everything that is missing of its containers, and how each was made, was
// reported.
func settled(t *testing.T, options ...criwatch.Option) *criwatch.Watcher {
	t.Helper()
	engine := variedEngine(t)
	watcher := newWatcher(t, engine.Endpoint(), options...)
	queue := newQueue(t, watcher, nil)
	must(t, watcher.Start())
	ctx := within(t, patience)
	must(t, watcher.WaitReady(ctx))
	must(t, watcher.Attach("postgres", []byte(`{"port":5432}`)))
	// A container that the first list shows as exited has fewer details.
	engine.Tell(t, "pod job ns=batch label=tier=night run -- exit 3")
	for {
		_, err := queue.Next(ctx)
		must(t, err)
		list, err := watcher.List(&criwatch.Query{All: true})
		must(t, err)
		complete := 0
		for _, container := range list.Containers {
			isMade := container.WorkingDir != "" && container.User != nil && container.Pod.Flags&criwatch.PodFlagNotStatic != 0
			if container.Missing == 0 && isMade && (container.Name != "run" || container.State == criwatch.StateExited) {
				complete++
			}
		}
		if complete == 7 {
			return watcher
		}
	}
}

var views = map[string][]criwatch.Option{
	"merged":   nil,
	"separate": {criwatch.WithLabelsAnnotations(criwatch.LabelsAnnotationsSeparate)},
}

// A field means the same, and is filled in the same way, whichever call fills it.
func TestEveryCallFillsTheSameFields(t *testing.T) {
	for view, options := range views {
		watcher := settled(t, options...)
		byCall := map[string]map[string]*criwatch.Container{}
		add := func(call string, container *criwatch.Container) {
			if byCall[container.ID] == nil {
				byCall[container.ID] = map[string]*criwatch.Container{}
			}
			byCall[container.ID][call] = container
		}
		collect(t, watcher, add)
		if len(byCall) != 7 {
			t.Errorf("%s: %d containers", view, len(byCall))
		}
		for _, calls := range byCall {
			want := calls["get"]
			if want.CreatedAt.IsZero() || want.Pod.CreatedAt.IsZero() || want.Pod.Flags&criwatch.PodFlagOwnNetwork == 0 {
				t.Errorf("%s: lacks what the engine tells: %+v %+v", view, want, want.Pod)
			}
			if want.State == criwatch.StateRunning && want.PIDStartTicks == 0 {
				t.Errorf("%s: no start ticks: %+v", view, want)
			}
			if want.Pod.Name == "web" && want.Pod.Annotations["why"] != "because" {
				t.Errorf("%s: annotations: %+v", view, want.Pod)
			}
			for call, got := range calls {
				if !reflect.DeepEqual(got, want) {
					t.Errorf("%s: %s and get differ:\n%s\n%s", view, call, plainJSON(t, got), plainJSON(t, want))
				}
			}
		}
	}
}

// collect gets every container from every call.
func collect(t *testing.T, watcher *criwatch.Watcher, add func(call string, container *criwatch.Container)) {
	t.Helper()
	everything := &criwatch.Query{All: true}
	list, err := watcher.List(everything)
	must(t, err)
	snapshot, err := watcher.Snapshot()
	must(t, err)
	defer snapshot.Close()
	for _, container := range list.Containers {
		add("list", container)
		got, err := watcher.Get(container.ID)
		must(t, err)
		add("get", got)
		found, err := snapshot.Find(container.ID)
		must(t, err)
		add("find", found)
		inspection, err := watcher.Inspect(within(t, patience), container.ID, 0)
		must(t, err)
		add("inspect", inspection.Container)
		text, err := watcher.Raw().Inspect(within(t, patience), container.ID, criwatch.InspectSeparateAnnotations)
		must(t, err)
		var reported struct{ Container *criwatch.Container }
		must(t, json.Unmarshal(text, &reported))
		if !reflect.DeepEqual(reported.Container.Labels, container.Labels) {
			t.Errorf("an inspection with labels apart: %q, not %q", reported.Container.Labels, container.Labels)
		}
	}
	pods, err := watcher.Pods(everything)
	must(t, err)
	for _, pod := range pods.Pods {
		for _, container := range pod.Containers {
			if container.Pod != &pod.Pod {
				t.Errorf("%v stands in another pod than its own", container)
			}
			add("pods", container)
		}
	}
	running, err := snapshot.Containers()
	must(t, err)
	for _, container := range running {
		add("containers", container)
	}
	queue := newQueue(t, watcher, nil)
	for event := until(t, queue, criwatch.EventReplayBegin, ""); event.Type != criwatch.EventReplayEnd; {
		event, err = queue.Next(within(t, patience))
		must(t, err)
		if event.Container != nil {
			add("event", event.Container)
		}
	}
}

// What json.Marshal makes of a record is the library's text, byte for byte, and it can be read again.
func TestJSONIsTheLibrarys(t *testing.T) {
	for view, options := range views {
		watcher := settled(t, options...)
		record, text := sameMoment(t, func() (any, error) {
			return watcher.List(&criwatch.Query{All: true})
		}, func() ([]byte, error) { return watcher.Raw().List(`{"all":true}`) })
		same(t, view+" list", record, text)
		again(t, text, new(criwatch.ContainerList))
		for _, listed := range record.(*criwatch.ContainerList).Containers {
			record, text = sameMoment(t, func() (any, error) {
				return watcher.Get(listed.ID)
			}, func() ([]byte, error) { return watcher.Raw().Get(listed.ID) })
			var answer struct{ Container json.RawMessage }
			must(t, json.Unmarshal(text, &answer))
			same(t, view+" get", record, answer.Container)
			same(t, view+" value", *record.(*criwatch.Container), answer.Container)
			again(t, answer.Container, new(criwatch.Container))
		}
		record, text = sameMoment(t, func() (any, error) {
			return watcher.Pods(nil)
		}, func() ([]byte, error) { return watcher.Raw().Pods("") })
		same(t, view+" pods", record, text)
		again(t, text, new(criwatch.PodList))
		record, text = sameMoment(t, func() (any, error) {
			return watcher.Inspect(within(t, patience), "nginx", 0)
		}, func() ([]byte, error) { return watcher.Raw().Inspect(within(t, patience), "nginx", 0) })
		same(t, view+" inspection", record, text)
		again(t, text, new(criwatch.Inspection))
		engineIsTheSame(t, watcher)
		eventsAreTheSame(t, watcher)
	}
}

// sameMoment returns a record and a text of the same moment: the text was the same before and after the record was made.
// Even a list that changes nothing moves asOf, so two answers in a row may differ.
func sameMoment(t *testing.T, typed func() (any, error), raw func() ([]byte, error)) (any, []byte) {
	t.Helper()
	ctx := within(t, patience)
	for {
		before, err := raw()
		must(t, err)
		record, err := typed()
		must(t, err)
		after, err := raw()
		must(t, err)
		if bytes.Equal(before, after) {
			return record, after
		}
		if err := ctx.Err(); err != nil {
			t.Fatalf("two answers in a row were never the same:\n%s\n%s", before, after)
		}
	}
}

// An engine's JSON is that of the library's answer, with the keys beside it.
func engineIsTheSame(t *testing.T, watcher *criwatch.Watcher) {
	t.Helper()
	info, text := sameMoment(t, func() (any, error) { return watcher.Engine() }, watcher.Raw().Engine)
	var answer map[string]any
	must(t, json.Unmarshal(text, &answer))
	want := answer["engine"].(map[string]any)
	for _, key := range []string{"candidates", "ready"} {
		if value, is := answer[key]; is {
			want[key] = value
		}
	}
	var made map[string]any
	must(t, json.Unmarshal([]byte(plainJSON(t, info)), &made))
	if !reflect.DeepEqual(made, want) || made["ready"] == nil {
		t.Errorf("an engine: %v\nlibrary's: %v", made, want)
	}
}

func eventsAreTheSame(t *testing.T, watcher *criwatch.Watcher) {
	t.Helper()
	typed, raw := newQueue(t, watcher, nil), newQueue(t, watcher, nil)
	ctx := within(t, patience)
	for is := criwatch.EventType(0); is != criwatch.EventReplayEnd; {
		event, err := typed.Next(ctx)
		must(t, err)
		text, err := raw.NextJSON(ctx)
		must(t, err)
		again(t, text, new(criwatch.Event))
		var reported criwatch.Event
		must(t, json.Unmarshal(text, &reported))
		// Each queue has a replay of its own.
		event.Seq, event.Time, event.Observed = reported.Seq, reported.Time, reported.Observed
		same(t, "event", event, text)
		is = event.Type
	}
}

func same(t *testing.T, what string, record any, text []byte) {
	t.Helper()
	made, at := plainJSON(t, record), 0
	for at < len(made) && at < len(text) && made[at] == text[at] {
		at++
	}
	if at < len(made) || at < len(text) {
		t.Errorf("%s: after %.200s\nmade      %.200s\nlibrary's %.200s", what, made[max(0, at-200):at], made[at:], text[at:])
	}
}

// again reads a text into a record, and writes the record as text.
func again(t *testing.T, text []byte, record any) {
	t.Helper()
	must(t, json.Unmarshal(text, record))
	same(t, "read and written again", record, text)
}

// plainJSON is json.Marshal without the escapes for HTML, as in the library.
func plainJSON(t *testing.T, record any) string {
	t.Helper()
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	must(t, encoder.Encode(record))
	return string(bytes.TrimSuffix(text.Bytes(), []byte("\n")))
}

func TestSelectIsASnapshot(t *testing.T) {
	watcher := settled(t)
	whole, err := watcher.Snapshot()
	must(t, err)
	defer whole.Close()
	ended, err := whole.Select(&criwatch.Query{States: []criwatch.State{criwatch.StateExited}})
	must(t, err)
	containers, err := ended.Containers()
	must(t, err)
	pods, err := ended.Pods()
	must(t, err)
	if len(containers) != 1 || containers[0].Name != "run" || len(pods) != 1 || pods[0].Path() != "batch/job" {
		t.Errorf("selected: %v in %v", containers, pods)
	}
	must(t, whole.Close())
	if _, err := ended.Find("nginx"); !errors.Is(err, criwatch.ErrNotFound) {
		t.Errorf("what was not selected: %v", err)
	}
	if _, err := ended.Select(&criwatch.Query{Selector: "=="}); !errors.Is(err, criwatch.ErrQuery) {
		t.Errorf("an odd selector: %v", err)
	}
	must(t, ended.Close())
	if _, err := ended.Select(nil); !errors.Is(err, criwatch.ErrClosed) {
		t.Errorf("a closed snapshot: %v", err)
	}
}
