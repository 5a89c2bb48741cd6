package criwatch

import "github.com/criwatch/criwatch/bindings/go/internal/backend"

// What the types of this package stand on: library.go has the library, package criwatchtest a fake.
type (
	watcherBackend  = backend.Watcher[Container, Pod, Event]
	snapshotBackend = backend.Snapshot[Container, Pod]
	queueBackend    = backend.Queue[Event]
)

// The fake's package may be imported by tests alone, so that this one cannot ask it.
func init() {
	backend.NewWatcher = newWatcher
}
