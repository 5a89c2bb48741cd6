//go:build go1.23

package criwatch_test

import (
	"context"
	"fmt"
	"log"
	"time"

	criwatch "github.com/criwatch/criwatch/bindings/go"
)

// Follows what changes in a range loop.
func ExampleWatcher_Events() {
	watcher, err := criwatch.New(endpoint())
	if err != nil {
		log.Fatal(err)
	}
	defer watcher.Close()
	if err := watcher.Start(); err != nil {
		log.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := watcher.WaitReady(ctx); err != nil {
		log.Fatal(err)
	}
	started := criwatch.QueueOptions{Types: []criwatch.EventType{criwatch.EventStarted}}
	for event, err := range watcher.Events(ctx, &started) {
		if err != nil {
			log.Fatal(err)
		}
		if event.Type == criwatch.EventStarted && event.Container.Kind == criwatch.KindContainer {
			fmt.Println(event.Container.Name)
			break
		}
	}
	// Output: nginx
}
