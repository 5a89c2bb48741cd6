package criwatch_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"testing"

	criwatch "github.com/criwatch/criwatch/bindings/go"
	"github.com/criwatch/criwatch/bindings/go/criwatchtest"
)

func TestQueueReportsRuns(t *testing.T) {
	engine := criwatchtest.StartSim(t)
	engine.Tell(t, "pod web ns=shop nginx")
	// With all details at once, no later updates come between the events.
	watcher := follow(t, engine.Endpoint(), criwatch.WithDetails(criwatch.DetailsFull))
	queue := newQueue(t, watcher, nil)
	until(t, queue, criwatch.EventReplayBegin, "")
	if event := until(t, queue, criwatch.EventStarted, "nginx"); event.Flags&criwatch.EventFlagInitial == 0 {
		t.Errorf("a replayed start: %+v", event)
	}
	until(t, queue, criwatch.EventReplayEnd, "")
	if event, err := queue.TryNext(); !errors.Is(err, criwatch.ErrAgain) {
		t.Errorf("an empty queue gave %+v, %v", event, err)
	}
	started := engine.Tell(t, "pod job ns=batch run -- exit 3")
	event := until(t, queue, criwatch.EventStarted, "run")
	if event.Container.Pod == nil || event.Container.Pod.ID != started.Field("id") || event.Time.IsZero() {
		t.Errorf("started: %+v", event)
	}
	exited := until(t, queue, criwatch.EventExited, "run")
	if exited.Container.ExitCode != 3 || exited.Seq <= event.Seq || exited.State != criwatch.WatcherWatching {
		t.Errorf("exited: %+v", exited)
	}
	must(t, watcher.Attach("nginx", []byte(`{"owner":"us"}`)))
	updated := until(t, queue, criwatch.EventUpdated, "nginx")
	if updated.Changed != criwatch.ChangedRucksack || string(updated.Container.Rucksack) != `{"owner":"us"}` {
		t.Errorf("updated: %+v", updated)
	}
	must(t, watcher.Stop())
	for {
		if _, err := queue.Next(within(t, patience)); errors.Is(err, criwatch.ErrClosed) {
			break
		} else {
			must(t, err)
		}
	}
}

func TestNextJSONIsTheLibrarysText(t *testing.T) {
	engine := criwatchtest.StartSim(t)
	engine.Tell(t, "pod web ns=shop nginx")
	watcher := follow(t, engine.Endpoint())
	typed, raw := newQueue(t, watcher, nil), newQueue(t, watcher, nil)
	ctx := within(t, patience)
	for is := criwatch.EventType(0); is != criwatch.EventReplayEnd; {
		event, err := typed.Next(ctx)
		must(t, err)
		text, err := raw.NextJSON(ctx)
		must(t, err)
		var reported criwatch.Event
		must(t, json.Unmarshal(text, &reported))
		is = event.Type
		if reported.Type != event.Type || reported.Flags != event.Flags || reported.State != event.State ||
			(reported.Container == nil) != (event.Container == nil) {
			t.Errorf("%+v is not %s", event, text)
		}
		if reported.Container != nil && reported.Container.ID != event.Container.ID {
			t.Errorf("%+v is not %s", event.Container, text)
		}
	}
}

func TestWaitTakesNothing(t *testing.T) {
	engine := criwatchtest.StartSim(t)
	queue := newQueue(t, follow(t, engine.Endpoint()), nil)
	until(t, queue, criwatch.EventReplayEnd, "")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := queue.Wait(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled wait: %v", err)
	}
	engine.Tell(t, "run-pod web")
	must(t, queue.Wait(within(t, patience)))
	must(t, queue.Wait(ctx))
	if event, err := queue.TryNext(); err != nil {
		t.Errorf("after Wait: %+v, %v", event, err)
	}
}

// A wait that was cancelled leaves the queue as it was: the next one gets every event.
func TestCancelledNextLosesNothing(t *testing.T) {
	engine := criwatchtest.StartSim(t)
	queue := newQueue(t, follow(t, engine.Endpoint()), nil)
	until(t, queue, criwatch.EventReplayEnd, "")
	for round := 0; round < 20; round++ {
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan error, 1)
		var taken *criwatch.Event
		go func() {
			event, err := queue.Next(ctx)
			taken = event
			ended <- err
		}()
		engine.Tell(t, fmt.Sprintf("run-pod pod-%d", round))
		cancel()
		name := fmt.Sprintf("pod-%d", round)
		if err := <-ended; err == nil && taken.Type == criwatch.EventStarted && taken.Container.Name == name {
			continue
		} else if err != nil && !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		until(t, queue, criwatch.EventStarted, name)
	}
}

func TestChannelEnds(t *testing.T) {
	engine := criwatchtest.StartSim(t)
	engine.Tell(t, "pod web ns=shop nginx")
	watcher := follow(t, engine.Endpoint())
	ctx, cancel := context.WithCancel(context.Background())
	seen := 0
	for event := range newQueue(t, watcher, nil).Chan(ctx) {
		if seen++; event.Type == criwatch.EventReplayEnd {
			cancel()
		}
	}
	if cancel(); seen < 4 {
		t.Errorf("%d events", seen)
	}
	events := newQueue(t, watcher, nil).Chan(context.Background())
	must(t, watcher.Close())
	for range events {
	}
}

func TestOverflowIsReported(t *testing.T) {
	engine := criwatchtest.StartSim(t)
	watcher := follow(t, engine.Endpoint())
	queue := newQueue(t, watcher, &criwatch.QueueOptions{Capacity: 1})
	for i := 0; i < 10; i++ {
		engine.Tell(t, fmt.Sprintf("run-pod pod-%d", i))
	}
	must(t, watcher.Resync(within(t, patience)))
	if event := until(t, queue, criwatch.EventOverflow, ""); event.Lost == 0 {
		t.Errorf("an overflow: %+v", event)
	}
	until(t, queue, criwatch.EventReplayEnd, "")
}

func TestMaskOfTypes(t *testing.T) {
	engine := criwatchtest.StartSim(t)
	watcher := follow(t, engine.Endpoint())
	if _, err := watcher.NewQueue(&criwatch.QueueOptions{Types: []criwatch.EventType{32}}); !errors.Is(err, criwatch.ErrInvalidArgument) {
		t.Errorf("an event type that cannot be: %v", err)
	}
	options := criwatch.QueueOptions{Types: []criwatch.EventType{criwatch.EventRemoved}, Flags: criwatch.SubscribeLiveOnly}
	queue := newQueue(t, watcher, &options)
	engine.Tell(t, "pod web app")
	engine.Tell(t, "rm-pod web")
	event, err := queue.Next(within(t, patience))
	must(t, err)
	if event.Type != criwatch.EventRemoved {
		t.Errorf("not asked for: %+v", event)
	}
}

// This runs in a process of its own, in which nobody else has made threads.
func TestWaitingGoroutinesTakeNoThreads(t *testing.T) {
	if os.Getenv("CRIWATCH_COUNT_THREADS") == "" {
		if exampleEngine == nil {
			t.Skip(criwatchtest.ErrNoSim)
		}
		command := exec.Command(os.Args[0], "-test.run", "^TestWaitingGoroutinesTakeNoThreads$", "-test.v")
		command.Env = append(os.Environ(), "CRIWATCH_COUNT_THREADS=1", "GOMAXPROCS=2")
		output, err := command.CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, output)
		}
		t.Logf("%s", output)
		return
	}
	engine := criwatchtest.StartSim(t)
	watcher := follow(t, engine.Endpoint())
	const many = 64
	shared := newQueue(t, watcher, nil)
	until(t, shared, criwatch.EventReplayEnd, "")
	var ready, waiting sync.WaitGroup
	reported := make(chan string, 2*many)
	wait := func(queue *criwatch.Queue) {
		defer waiting.Done()
		ready.Done()
		event, err := queue.Next(context.Background())
		for err == nil && event.Type != criwatch.EventStarted {
			event, err = queue.Next(context.Background())
		}
		if err != nil {
			reported <- err.Error()
		} else {
			reported <- event.Type.String()
		}
	}
	for i := 0; i < many; i++ {
		own := newQueue(t, watcher, nil)
		until(t, own, criwatch.EventReplayEnd, "")
		ready.Add(2)
		waiting.Add(2)
		go wait(own)
		go wait(shared)
	}
	ready.Wait()
	// The library's own thread is one of them.
	count := threads(t)
	t.Logf("%d goroutines wait, %d threads", 2*many, count)
	if count >= 10 {
		t.Errorf("%d threads", count)
	}
	// Each of them is woken; on the shared queue, each event wakes one.
	for i := 0; i < many; i++ {
		engine.Tell(t, fmt.Sprintf("run-pod pod-%d", i))
	}
	waiting.Wait()
	if count = threads(t); count >= 10 {
		t.Errorf("%d threads after it", count)
	}
	for i := 0; i < 2*many; i++ {
		if got := <-reported; got != "started" {
			t.Errorf("a goroutine got %q", got)
		}
	}
}
