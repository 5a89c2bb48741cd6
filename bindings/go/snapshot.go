package criwatch

import (
	"runtime"

	"github.com/criwatch/criwatch/bindings/go/internal/capi"
)

// Snapshot is a copy of the cache at one moment: it does not change while it is read. It costs the library no more than a
// pointer while the cache has not changed; Containers, Pods and Find copy what they are asked for.
type Snapshot struct{ handle handle[snapshotBackend] }

// Snapshot takes a snapshot. Never waits: ErrNotReady before the first lists are in, never an empty snapshot. Close it when
// it is no longer of use; it outlives the watcher.
func (w *Watcher) Snapshot() (*Snapshot, error) { return w.snapshot("snapshot") }

func (w *Watcher) snapshot(op string) (*Snapshot, error) {
	var snapshot *Snapshot
	err := w.do(op, func(c watcherBackend) *capi.Failure {
		object, failure := c.Snapshot()
		if failure == nil {
			snapshot = newSnapshot(object)
		}
		return failure
	})
	return snapshot, err
}

func newSnapshot(object snapshotBackend) *Snapshot {
	snapshot := &Snapshot{handle: handle[snapshotBackend]{object: object, free: snapshotBackend.Free}}
	runtime.SetFinalizer(snapshot, (*Snapshot).Close)
	return snapshot
}

// Select gives a snapshot of what a query selects from this one: its Containers are those that were selected, in
// whatever state, its Pods are theirs, and Find finds nothing else. nil: everything that runs. Close it, too. ErrNone for
// Query.IfGeneration; ErrQuery.
func (s *Snapshot) Select(query *Query) (*Snapshot, error) { return s.selection("select", query) }

func (s *Snapshot) selection(op string, query *Query) (*Snapshot, error) {
	text, err := query.text()
	if err != nil {
		return nil, err
	}
	var selection *Snapshot
	err = s.do(op, func(c snapshotBackend) *capi.Failure {
		object, failure := c.Select(string(text), query.attributes())
		if failure == nil {
			selection = newSnapshot(object)
		}
		return failure
	})
	return selection, err
}

// Generation is the generation that it shows: while Watcher.Generation answers the same, there is nothing newer. 0 after
// Close.
func (s *Snapshot) Generation() (generation uint64) {
	if s == nil {
		return 0
	}
	s.handle.use(func(c snapshotBackend) { generation = c.Generation() })
	return generation
}

// Containers are everything that runs, or that was selected: containers and sandboxes, sorted by namespace, pod and name; in a pod the
// sandbox comes first. Containers whose pod is not known yet come before all others. Those of one pod share their Pod.
func (s *Snapshot) Containers() ([]*Container, error) {
	var containers []*Container
	err := s.do("containers", func(c snapshotBackend) (failure *capi.Failure) {
		containers, failure = c.Containers()
		return failure
	})
	return containers, err
}

// Pods are the pods in which something runs, if only the sandbox, sorted by namespace and name.
func (s *Snapshot) Pods() ([]*Pod, error) {
	var pods []*Pod
	err := s.do("pods", func(c snapshotBackend) (failure *capi.Failure) {
		pods, failure = c.Pods()
		return failure
	})
	return pods, err
}

// Find finds one container or sandbox, in whatever state, also one that is gone and still remembered, by what [Watcher.Get] takes.
// ErrNotFound; ErrAmbiguous, with the candidates in the message.
func (s *Snapshot) Find(idOrName string) (*Container, error) {
	return s.findBy("find", func(c snapshotBackend) (*Container, *capi.Failure) { return c.Find(idOrName) })
}

// Attributes are what is known of one container or sandbox, named as for Find, as flat keys and values with exactly the names of
// a third party. docs/lookups.md says which. Any other schema, "none" among them, is ErrInvalidArgument.
func (s *Snapshot) Attributes(idOrName string, schema AttributesOption) (map[string]string, error) {
	var attributes map[string]string
	err := s.do("attributes", func(c snapshotBackend) (failure *capi.Failure) {
		attributes, failure = c.Attributes(idOrName, string(schema))
		return failure
	})
	return attributes, err
}

// Close frees the snapshot. What it has given stays. Always nil; more than once is fine.
func (s *Snapshot) Close() error {
	if s != nil && s.handle.close() {
		runtime.SetFinalizer(s, nil)
	}
	return nil
}

// do runs a call with the C object.
func (s *Snapshot) do(op string, call func(snapshotBackend) *capi.Failure) error {
	var failure *capi.Failure
	if s == nil || !s.handle.use(func(c snapshotBackend) { failure = call(c) }) {
		return closed(op, "the snapshot", s == nil)
	}
	return failed(op, failure)
}
