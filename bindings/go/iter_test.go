//go:build go1.23

package criwatch_test

import (
	"context"
	"errors"
	"testing"

	criwatch "github.com/criwatch/criwatch/bindings/go"
)

func TestRangeOverEvents(t *testing.T) {
	engine := startSim(t)
	engine.tell(t, "pod web ns=shop nginx")
	watcher := follow(t, engine.endpoint)
	names := []string{}
	for event, err := range watcher.Events(within(t, patience), nil) {
		must(t, err)
		if event.Container != nil {
			names = append(names, event.Container.Name)
		}
		if event.Type == criwatch.EventReplayEnd {
			break
		}
	}
	if len(names) != 2 {
		t.Errorf("seen: %q", names)
	}

	ctx, cancel := context.WithCancel(context.Background())
	var last error
	for event, err := range watcher.Events(ctx, nil) {
		if last = err; event != nil && event.Type == criwatch.EventReplayEnd {
			cancel()
		}
	}
	if cancel(); !errors.Is(last, context.Canceled) {
		t.Errorf("a cancelled loop ends with %v", last)
	}

	queue := newQueue(t, watcher, nil)
	must(t, watcher.Close())
	for _, err := range queue.All(context.Background()) {
		must(t, err)
	}
	for _, err := range watcher.Events(context.Background(), nil) {
		if !errors.Is(err, criwatch.ErrClosed) {
			t.Errorf("events of a closed watcher: %v", err)
		}
	}
}
