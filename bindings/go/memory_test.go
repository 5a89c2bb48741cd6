package criwatch_test

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"testing"

	criwatch "github.com/criwatch/criwatch/bindings/go"
	"github.com/criwatch/criwatch/bindings/go/criwatchtest"
)

// Records are Go's own. They do not change when their snapshot, event, queue and watcher are closed, or forgotten and
// collected, while other goroutines do the same. The tests run this with the collector always on, and with an allocator
// that overwrites what is freed.
func TestRecordsOutliveWhatGaveThem(t *testing.T) {
	engine := criwatchtest.StartSim(t)
	engine.Tell(t, "pod web ns=shop label=app=web annotation=why=because nginx proxy")
	engine.Tell(t, "pod db ns=shop label=app=db postgres")
	watcher := follow(t, engine.Endpoint())
	must(t, watcher.Attach("postgres", []byte(`{"port":5432}`)))

	ctx, cancel := context.WithCancel(context.Background())
	var collector, everybody sync.WaitGroup
	collector.Add(1)
	go func() {
		defer collector.Done()
		for ctx.Err() == nil {
			runtime.GC()
		}
	}()
	kept := make([][]*criwatch.Container, 4)
	for worker := range kept {
		worker := worker
		everybody.Add(1)
		go func() {
			defer everybody.Done()
			for round := 0; round < 25; round++ {
				kept[worker] = append(kept[worker], takeRecords(t, watcher, round%2 == 0)...)
			}
		}()
	}
	// Every change makes new records, and frees the old ones.
	for i := 0; i < 20; i++ {
		must(t, watcher.Attach("nginx", []byte(fmt.Sprintf(`{"round":%d}`, i))))
	}
	everybody.Wait()
	must(t, watcher.Close())
	cancel()
	collector.Wait()
	runtime.GC()
	for _, containers := range kept {
		for _, container := range containers {
			checkRecord(t, container)
		}
	}
}

// takeRecords takes records of all kinds, and closes or forgets the objects that returned them.
func takeRecords(t *testing.T, watcher *criwatch.Watcher, closes bool) []*criwatch.Container {
	snapshot, err := watcher.Snapshot()
	if err != nil {
		t.Error(err)
		return nil
	}
	selection, err := snapshot.Select(&criwatch.Query{Selector: "app=db"})
	if err != nil {
		t.Error(err)
		return nil
	}
	records, err := selection.Containers()
	if err != nil {
		t.Error(err)
	}
	found, err := snapshot.Find("shop/web/nginx")
	if err != nil {
		t.Error(err)
		return nil
	}
	records = append(records, found)
	queue, err := watcher.NewQueue(nil)
	if err != nil {
		t.Error(err)
		return nil
	}
	for {
		event, err := queue.Next(context.Background())
		if err != nil {
			t.Error(err)
			return nil
		}
		if event.Container != nil {
			records = append(records, event.Container)
		}
		if event.Type == criwatch.EventReplayEnd {
			break
		}
	}
	if closes {
		snapshot.Close()
		selection.Close()
		queue.Close()
	}
	return records
}

func checkRecord(t *testing.T, c *criwatch.Container) {
	t.Helper()
	fine := len(c.ID) == 64 && c.Pod != nil && c.Pod.Namespace == "shop" && (c.Pod.Name == "web" || c.Pod.Name == "db")
	if !fine || c.Pod.Labels["app"] != c.Pod.Name || c.Kind == criwatch.KindContainer && c.Image.Name != "registry.example/"+c.Name+":1.0" {
		t.Errorf("a record has changed: %+v %+v", c, c.Pod)
	}
}
