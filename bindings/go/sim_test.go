package criwatch_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"testing"
	"time"

	criwatch "github.com/criwatch/criwatch/bindings/go"
	"github.com/criwatch/criwatch/bindings/go/criwatchtest"
)

// How long anything on a slow, busy machine may take before a test gives up on it.
const patience = 60 * time.Second

func TestMain(m *testing.M) {
	flag.Parse()
	var err error
	switch exampleEngine, err = newExampleEngine(); {
	case errors.Is(err, criwatchtest.ErrNoSim):
		// An example cannot skip itself.
		fmt.Println("skipping all examples:", err)
		flag.Set("test.skip", "^Example")
	case err != nil:
		log.Fatal(err)
	}
	code := m.Run()
	if exampleEngine != nil {
		if err := exampleEngine.Stop(); err != nil {
			log.Fatal(err)
		}
	}
	os.Exit(code)
}

// within is a context that ends a test which hangs.
func within(t testing.TB, limit time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	t.Cleanup(cancel)
	return ctx
}

func newWatcher(t testing.TB, endpoint string, options ...criwatch.Option) *criwatch.Watcher {
	t.Helper()
	watcher, err := criwatch.New(endpoint, options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { watcher.Close() })
	return watcher
}

// follow starts a watcher, and waits until it is ready.
func follow(t testing.TB, endpoint string, options ...criwatch.Option) *criwatch.Watcher {
	t.Helper()
	watcher := newWatcher(t, endpoint, options...)
	must(t, watcher.Start())
	must(t, watcher.WaitReady(within(t, patience)))
	return watcher
}

func newQueue(t testing.TB, watcher *criwatch.Watcher, options *criwatch.QueueOptions) *criwatch.Queue {
	t.Helper()
	queue, err := watcher.NewQueue(options)
	must(t, err)
	t.Cleanup(func() { queue.Close() })
	return queue
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// until takes events until one is of a type and about a container or sandbox of a name.
func until(t testing.TB, queue *criwatch.Queue, eventType criwatch.EventType, name string) *criwatch.Event {
	t.Helper()
	for ctx := within(t, patience); ; {
		event, err := queue.Next(ctx)
		if err != nil {
			t.Fatalf("waiting for %v %s: %v", eventType, name, err)
		}
		if event.Type == eventType && (name == "" || event.Container != nil && event.Container.Name == name) {
			return event
		}
	}
}
