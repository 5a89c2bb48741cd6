package criwatch

import (
	"runtime"

	"github.com/criwatch/criwatch/bindings/go/internal/capi"
)

// Snapshot is a copy of the cache at one moment: it never changes. It costs the library no more than a pointer while
// the cache does not change; Containers, Pods and Find copy what they return.
type Snapshot struct{ handle handle[snapshotBackend] }

// Snapshot takes a snapshot, without waiting. Before the first lists are complete it returns ErrNotReady, never an
// empty snapshot. Close it after use; it outlives the watcher.
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

// Select returns a snapshot of what a query selects from this one. Its Containers are the selected ones, in any state;
// its Pods are theirs; and Find finds nothing else. With nil it selects everything that runs. Close it, too. Errors:
// ErrNone for Query.IfGeneration; ErrQuery.
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

// Generation is the generation that it shows. While Watcher.Generation returns the same, there is nothing newer. 0
// after Close.
func (s *Snapshot) Generation() (generation uint64) {
	if s == nil {
		return 0
	}
	s.handle.use(func(c snapshotBackend) { generation = c.Generation() })
	return generation
}

// Containers returns everything that runs, or that was selected: containers and sandboxes, sorted by namespace, pod and
// name; in a pod the sandbox comes first. Containers whose pod is not known yet come before all others. Those of one
// pod share their Pod.
func (s *Snapshot) Containers() ([]*Container, error) {
	var containers []*Container
	err := s.do("containers", func(c snapshotBackend) (failure *capi.Failure) {
		containers, failure = c.Containers()
		return failure
	})
	return containers, err
}

// Pods returns the pods in which anything runs, even only the sandbox, sorted by namespace and name.
func (s *Snapshot) Pods() ([]*Pod, error) {
	var pods []*Pod
	err := s.do("pods", func(c snapshotBackend) (failure *capi.Failure) {
		pods, failure = c.Pods()
		return failure
	})
	return pods, err
}

// Find finds one container or sandbox, in any state, even if it is gone and still remembered. Its argument is as for
// [Watcher.Get]. Errors: ErrNotFound; ErrAmbiguous, with the candidates in the message.
func (s *Snapshot) Find(idOrName string) (*Container, error) {
	return s.findBy("find", func(c snapshotBackend) (*Container, *capi.Failure) { return c.Find(idOrName) })
}

// Attributes returns what is known of one container or sandbox, named as for Find, as flat keys and values under
// another project's names. docs/lookups.md lists them. Any other schema, including "none", is ErrInvalidArgument.
func (s *Snapshot) Attributes(idOrName string, schema AttributesOption) (map[string]string, error) {
	var attributes map[string]string
	err := s.do("attributes", func(c snapshotBackend) (failure *capi.Failure) {
		attributes, failure = c.Attributes(idOrName, string(schema))
		return failure
	})
	return attributes, err
}

// Close frees the snapshot. What it has returned stays valid. It always returns nil, and may be called again.
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
