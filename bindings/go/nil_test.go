package criwatch_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	criwatch "github.com/criwatch/criwatch/bindings/go"
)

// Every method of a nil pointer and of a zero value returns. One that can fail returns that the object is closed.
func TestNilAndZeroValuesAnswer(t *testing.T) {
	called := 0
	for _, receiver := range []any{
		(*criwatch.Watcher)(nil), (*criwatch.Queue)(nil), (*criwatch.Snapshot)(nil), (*criwatch.Finder)(nil),
		new(criwatch.Watcher), new(criwatch.Queue), new(criwatch.Snapshot), new(criwatch.Finder), criwatch.Raw{},
	} {
		value := reflect.ValueOf(receiver)
		for i := 0; i < value.NumMethod(); i++ {
			name := fmt.Sprintf("%T.%s (nil: %t)", receiver, value.Type().Method(i).Name, value.Kind() == reflect.Pointer && value.IsNil())
			err, canFail := callWithNothing(t, name, value.Method(i))
			called++
			switch value.Type().Method(i).Name {
			case "Close":
				if err != nil {
					t.Errorf("%s: %v", name, err)
				}
			default:
				if canFail && !errors.Is(err, criwatch.ErrClosed) {
					t.Errorf("%s: %v", name, err)
				}
			}
		}
	}
	if called < 50 {
		t.Errorf("%d calls only", called)
	}
}

// callWithNothing calls a method with zero values and a context that never ends, and returns its error.
func callWithNothing(t *testing.T, name string, method reflect.Value) (err error, canFail bool) {
	t.Helper()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		defer func() {
			if panicked := recover(); panicked != nil {
				t.Errorf("%s panics: %v", name, panicked)
			}
		}()
		parameters := make([]reflect.Value, method.Type().NumIn())
		for i := range parameters {
			if parameters[i] = reflect.Zero(method.Type().In(i)); method.Type().In(i).String() == "context.Context" {
				parameters[i] = reflect.ValueOf(context.Background())
			}
		}
		for _, result := range method.Call(parameters) {
			if result.Type().String() == "error" {
				canFail = true
				err, _ = result.Interface().(error)
			} else if events, is := result.Interface().(<-chan *criwatch.Event); is {
				for range events {
				}
			}
		}
	}()
	select {
	case <-ended:
	case <-time.After(patience):
		t.Fatalf("%s hangs", name)
	}
	return err, canFail
}

func TestNilRecordsAreShown(t *testing.T) {
	var container *criwatch.Container
	var pod *criwatch.Pod
	var event *criwatch.Event
	var failure *criwatch.Error
	if container.Path() != "" || pod.Path() != "" || failure.Error() != "<nil>" || (*criwatch.CandidateError)(nil).Error() != "<nil>" || failure.Unwrap() != nil {
		t.Error("a nil record has a path")
	}
	shown := fmt.Sprint(container, pod, event, (*criwatch.PodContainers)(nil), (*criwatch.EngineNews)(nil))
	if shown != "<nil> <nil> <nil> <nil> <nil>" {
		t.Errorf("nil records: %s", shown)
	}
	if container.LogValue().Any() != nil || pod.LogValue().Any() != nil || event.LogValue().Any() != nil || failure.LogValue().Any() != nil {
		t.Error("a nil record has attributes")
	}
}

func TestRecordsAreShownToPeople(t *testing.T) {
	pod := &criwatch.Pod{Name: "web", Namespace: "shop", State: criwatch.PodReady}
	nginx := &criwatch.Container{Name: "nginx", Kind: criwatch.KindContainer, State: criwatch.StateRunning, PID: 7, Pod: pod, ExitCode: -1}
	killed := &criwatch.Container{Name: "db", Kind: criwatch.KindContainer, State: criwatch.StateExited, ExitCode: 137, Reason: "OOMKilled"}
	for _, is := range []struct {
		record fmt.Stringer
		text   string
	}{
		{nginx, "container shop/web/nginx running pid=7"},
		{killed, "container db exited code=137 OOMKilled"},
		{pod, "pod shop/web ready"},
		{&criwatch.PodContainers{Pod: *pod, Containers: []*criwatch.Container{nginx}}, "pod shop/web ready: nginx"},
		{&criwatch.Event{Type: criwatch.EventStarted, Container: nginx}, "started shop/web/nginx"},
		{&criwatch.Event{Type: criwatch.EventState, State: criwatch.WatcherBackoff, Message: "why"}, "state backoff: why"},
		{criwatch.Image{Name: "nginx:1.27", ID: "sha256:1"}, "nginx:1.27"},
		{criwatch.Image{ID: "sha256:1"}, "sha256:1"},
		{criwatch.EngineInfo{Version: "containerd 2.1.9 [API v1]", API: "unix:///x"}, "containerd 2.1.9 [API v1] at unix:///x"},
		{criwatch.EngineInfo{}, "an engine that has not answered yet"},
		{criwatch.Candidate{API: "unix:///x", Error: &criwatch.CandidateError{Message: "why"}}, "no engine at unix:///x: why"},
		{&criwatch.EngineNews{Type: criwatch.EngineFound, Engine: &criwatch.Candidate{API: "unix:///x", RuntimeName: "cri-o"}},
			"found cri-o at unix:///x"},
	} {
		if is.record.String() != is.text {
			t.Errorf("%q is not %q", is.record, is.text)
		}
	}
}
