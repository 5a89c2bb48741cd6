package criwatchprocessor

import (
	"context"
	"sync"

	criwatch "github.com/criwatch/criwatch/bindings/go"
	"go.opentelemetry.io/collector/pdata/pcommon"
)

// match is what was found for a resource.
type match struct {
	podUID, podName string
	// written are the attributes that the resource gets. Shared: never changed.
	written pcommon.Map
}

// finder finds containers in the newest snapshot of the cache. What it finds by an id it remembers as long as the cache does
// not change.
type finder struct {
	watcher *criwatch.Watcher
	config  *Config

	// Held for reading while the snapshot is used.
	mu         sync.RWMutex
	generation uint64
	snapshot   *criwatch.Snapshot
	found      *sync.Map // of match, by the way and the value
	addresses  func() map[string]string
}

func newFinder(watcher *criwatch.Watcher, config *Config) *finder {
	return &finder{watcher: watcher, config: config}
}

func (f *finder) close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.snapshot.Close()
	f.snapshot = nil
}

// find goes through the associations in their order.
func (f *finder) find(ctx context.Context, resource pcommon.Map) (match, bool) {
	f.refresh()
	f.mu.RLock()
	defer f.mu.RUnlock()
	if f.snapshot == nil {
		return match{}, false
	}
	for _, way := range f.config.Associations {
		if found, is := f.by(ctx, way, resource); is {
			return found, true
		}
	}
	return match{}, false
}

// refresh takes a new snapshot if the cache has changed.
func (f *finder) refresh() {
	generation := f.watcher.Generation()
	f.mu.RLock()
	isNew := f.snapshot != nil && generation == f.generation
	f.mu.RUnlock()
	if isNew {
		return
	}
	snapshot, err := f.watcher.Snapshot()
	if err != nil {
		// Not ready yet, or stopped: what is there goes on to be used.
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.snapshot != nil && snapshot.Generation() <= f.generation {
		snapshot.Close()
		return
	}
	f.snapshot.Close()
	f.snapshot, f.generation = snapshot, snapshot.Generation()
	f.found = &sync.Map{}
	f.addresses = sync.OnceValue(func() map[string]string { return addresses(snapshot) })
}

// addresses are the ids of sandboxes by their pods' addresses. A pod in the node's own network has none of its own.
func addresses(of *criwatch.Snapshot) map[string]string {
	pods, err := of.Pods()
	if err != nil {
		return nil
	}
	ids := map[string]string{}
	for _, pod := range pods {
		for _, address := range pod.IPs {
			// A pod that has ended may have had an address that another has by now.
			if _, isTaken := ids[address]; !isTaken || pod.State == criwatch.PodReady {
				ids[address] = pod.ID
			}
		}
	}
	return ids
}

// remembered looks a value up once for each state of the cache. Only what was found is kept: the number of those has an end.
func (f *finder) remembered(way, value string, look func() (match, bool)) (match, bool) {
	key := way + "\x00" + value
	if known, is := f.found.Load(key); is {
		return known.(match), true
	}
	found, is := look()
	if is {
		f.found.Store(key, found)
	}
	return found, is
}

func (f *finder) container(container *criwatch.Container, err error) (match, bool) {
	if err != nil {
		return match{}, false
	}
	return matchOf(container, f.config.Extract.Of(container)), true
}

func (f *finder) pod(container *criwatch.Container, err error) (match, bool) {
	if err != nil {
		return match{}, false
	}
	return matchOf(container, f.config.Extract.OfPod(container)), true
}

func matchOf(container *criwatch.Container, written pcommon.Map) match {
	found := match{written: written}
	if container.Pod != nil {
		found.podUID, found.podName = container.Pod.UID, container.Pod.Name
	}
	return found
}
