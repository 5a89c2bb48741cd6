package criwatch

import "github.com/criwatch/criwatch/bindings/go/internal/backend"

// The backends of this package's types: library.go uses the library, package criwatchtest a fake.
type (
	watcherBackend  = backend.Watcher[Container, Pod, Event]
	snapshotBackend = backend.Snapshot[Container, Pod]
	queueBackend    = backend.Queue[Event]
)

// Only tests may import the fake's package, so this package cannot ask it. The fake asks through backend instead.
func init() {
	backend.NewWatcher = newWatcher
}
