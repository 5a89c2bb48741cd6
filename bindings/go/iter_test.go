//go:build go1.23

package criwatch_test

import (
	"context"
	"errors"
	"testing"

	criwatch "github.com/criwatch/criwatch/bindings/go"
	"github.com/criwatch/criwatch/bindings/go/criwatchtest"
)

// Nobody could start the watcher while a loop over its own queue waits. A wait on a queue of the program ends with a
// start.
func TestEventsOfAWatcherThatWasNotStarted(t *testing.T) {
	engine := criwatchtest.StartSim(t)
	engine.Tell(t, "pod web ns=shop nginx")
	watcher := newWatcher(t, engine.Endpoint())
	refused := func(when string) {
		t.Helper()
		count := 0
		for event, err := range watcher.Events(context.Background(), nil) {
			if count++; event != nil || !errors.Is(err, criwatch.ErrState) {
				t.Errorf("%s: %v, %v", when, event, err)
			}
		}
		if count != 1 {
			t.Errorf("%s: %d answers", when, count)
		}
	}
	refused("new")
	must(t, watcher.Resync(within(t, patience)))
	refused("after a resync")
	queue := newQueue(t, watcher, nil)
	seen := make(chan error, 1)
	go func() {
		for event, err := range queue.All(context.Background()) {
			if err != nil || event.Type == criwatch.EventReplayEnd {
				seen <- err
				return
			}
		}
		seen <- errors.New("the queue has ended")
	}()
	must(t, watcher.Start())
	must(t, <-seen)
	for event, err := range watcher.Events(within(t, patience), nil) {
		if must(t, err); event.Type == criwatch.EventReplayEnd {
			break
		}
	}
	stopped := newWatcher(t, engine.Endpoint())
	must(t, stopped.Stop())
	for _, err := range stopped.Events(context.Background(), nil) {
		if !errors.Is(err, criwatch.ErrStopped) {
			t.Errorf("stopped before the start: %v", err)
		}
	}
	for _, err := range (*criwatch.Watcher)(nil).Events(context.Background(), nil) {
		if !errors.Is(err, criwatch.ErrClosed) {
			t.Errorf("a nil watcher: %v", err)
		}
	}
}

func TestRangeOverEvents(t *testing.T) {
	engine := criwatchtest.StartSim(t)
	engine.Tell(t, "pod web ns=shop nginx")
	watcher := follow(t, engine.Endpoint())
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
