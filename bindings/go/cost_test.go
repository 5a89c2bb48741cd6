package criwatch_test

import (
	"fmt"
	"testing"

	criwatch "github.com/criwatch/criwatch/bindings/go"
	"github.com/criwatch/criwatch/bindings/go/criwatchtest"
)

// A list costs as much as a snapshot's records, plus reading who the engine is. It reads no containers from JSON.
func TestListCostsWhatASnapshotCosts(t *testing.T) {
	watcher := crowd(t, 30)
	list := testing.AllocsPerRun(5, func() { listAll(t, watcher) })
	records := testing.AllocsPerRun(5, func() { recordsOfASnapshot(t, watcher) })
	if list > records+200 {
		t.Errorf("a list allocates %.0f times, the records of a snapshot %.0f", list, records)
	}
}

func BenchmarkList(b *testing.B) {
	watcher := crowd(b, 100)
	b.ResetTimer()
	for i := 0; i < b.N; i++ {
		listAll(b, watcher)
	}
}

func BenchmarkSnapshot(b *testing.B) {
	watcher := crowd(b, 100)
	b.ResetTimer()
	for i := 0; i < b.N; i++ {
		recordsOfASnapshot(b, watcher)
	}
}

// crowd follows an engine with so many pods of one container each.
func crowd(t testing.TB, pods int) *criwatch.Watcher {
	t.Helper()
	engine := criwatchtest.StartSim(t)
	for i := 0; i < pods; i++ {
		engine.Tell(t, fmt.Sprintf("pod web-%d ns=shop label=app=web nginx", i))
	}
	return follow(t, engine.Endpoint())
}

func listAll(t testing.TB, watcher *criwatch.Watcher) {
	list, err := watcher.List(&criwatch.Query{Namespace: "shop"})
	must(t, err)
	if len(list.Containers) < 60 {
		t.Errorf("%d containers", len(list.Containers))
	}
}

func recordsOfASnapshot(t testing.TB, watcher *criwatch.Watcher) {
	snapshot, err := watcher.Snapshot()
	must(t, err)
	defer snapshot.Close()
	_, err = snapshot.Containers()
	must(t, err)
}
