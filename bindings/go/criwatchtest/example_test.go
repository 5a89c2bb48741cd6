package criwatchtest_test

import (
	"context"
	"errors"
	"fmt"

	criwatch "github.com/criwatch/criwatch/bindings/go"
	"github.com/criwatch/criwatch/bindings/go/criwatchtest"
)

// restarts is an agent: it counts how many containers have failed, until the watcher is stopped.
func restarts(ctx context.Context, watcher *criwatch.Watcher) (failed map[string]int, err error) {
	if err := watcher.Start(); err != nil {
		return nil, err
	}
	queue, err := watcher.NewQueue(&criwatch.QueueOptions{Types: []criwatch.EventType{criwatch.EventExited}})
	if err != nil {
		return nil, err
	}
	defer queue.Close()
	failed = map[string]int{}
	for {
		event, err := queue.Next(ctx)
		switch {
		case errors.Is(err, criwatch.ErrClosed):
			return failed, nil
		case err != nil:
			return failed, err
		case event.Type == criwatch.EventExited && event.Container.ExitCode != 0:
			failed[event.Container.Path()]++
		}
	}
}

// The agent gets the fake's watcher in place of one of criwatch.New.
func Example() {
	fake := criwatchtest.New()
	watcher := fake.Watcher()
	defer watcher.Close()

	done := make(chan map[string]int)
	go func() {
		failed, err := restarts(context.Background(), watcher)
		if err != nil {
			fmt.Println(err)
		}
		done <- failed
	}()
	fake.WaitForQueue(context.Background())

	nginx := fake.Run(criwatchtest.Container("shop/web/nginx"))
	fake.Exit("shop/web/nginx", 137, "OOMKilled")
	nginx.Attempt, nginx.ID = 1, "" // Another attempt is another container.
	fake.Run(nginx)
	fake.Exit("shop/web/nginx", 0, "Completed")
	watcher.Stop()
	fmt.Println(<-done)
	// Output: map[shop/web/nginx:1]
}

// What a test sets is what every read shows.
func ExampleFake_Run() {
	fake := criwatchtest.New()
	watcher := fake.Watcher()
	defer watcher.Close()
	fake.Run(criwatchtest.Container("shop/web"))
	nginx := criwatchtest.Container("shop/web/nginx")
	nginx.PID, nginx.Pod.Labels["app"] = 4671, "web"
	fake.Run(nginx)

	watcher.Start()
	list, err := watcher.List(&criwatch.Query{Selector: "app in (web, api)"})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, container := range list.Containers {
		fmt.Println(container)
	}
	// Output:
	// sandbox shop/web running
	// container shop/web/nginx running pid=4671
}

// How an agent bears an engine that cannot be reached.
func ExampleFake_Fail() {
	fake := criwatchtest.New()
	watcher := fake.Watcher()
	defer watcher.Close()
	fake.Fail(criwatchtest.OpResync, &criwatch.Error{Status: criwatch.ErrConnect, Message: "the engine is away", Retriable: true})

	err := watcher.Resync(context.Background())
	fmt.Println(errors.Is(err, criwatch.ErrConnect), err)
	fake.Fail(criwatchtest.OpResync, nil)
	fmt.Println(watcher.Resync(context.Background()))
	// Output:
	// true criwatch: resync: the engine is away
	// <nil>
}
