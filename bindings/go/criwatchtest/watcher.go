package criwatchtest

import (
	"encoding/json"
	"time"

	criwatch "github.com/criwatch/criwatch/bindings/go"
	"github.com/criwatch/criwatch/bindings/go/internal/backend"
	"github.com/criwatch/criwatch/bindings/go/internal/capi"
)

type (
	snapshotBackend = backend.Snapshot[criwatch.Container, criwatch.Pod]
	queueBackend    = backend.Queue[criwatch.Event]
)

// watcher is the fake as what criwatch.Watcher asks.
type watcher struct{ fake *Fake }

// OnCall has Watcher.Call answer a method, e.g. "RuntimeService/Status", with what a function makes of the request.
func (f *Fake) OnCall(method string, reply func(request string) (string, error)) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	f.calls[method] = reply
}

// OnInspect has Watcher.Inspect give what a function makes of the container as Inspection.Info: a JSON object. Without it, that
// is {}.
func (f *Fake) OnInspect(info func(*criwatch.Container) (string, error)) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	f.inspect = info
}

func (w *watcher) Start() *capi.Failure {
	f := w.fake
	f.mutex.Lock()
	defer f.mutex.Unlock()
	if failure := f.refuses(OpStart); failure != nil {
		return failure
	}
	if f.started {
		return nil
	}
	f.fill()
	f.started = true
	f.announce()
	f.state = criwatch.WatcherWatching
	f.publish(&criwatch.Event{Type: criwatch.EventState, Message: "the fake streams events", Time: time.Now()})
	for queue := range f.queues {
		f.replay(queue)
	}
	return nil
}

// refuses is why a call cannot be done: because of the test, or because the watcher was stopped.
func (f *Fake) refuses(operation Operation) *capi.Failure {
	if failure := f.fails(operation); failure != nil {
		return failure
	}
	if f.stopped {
		return refused(criwatch.ErrStopped, "the watcher has been stopped")
	}
	return nil
}

// fill is what the first list does.
func (f *Fake) fill() {
	f.filled, f.asOf = true, time.Now()
}

func (w *watcher) WaitReady(int64) *capi.Failure {
	w.fake.mutex.Lock()
	defer w.fake.mutex.Unlock()
	if failure := w.fake.refuses(OpWaitReady); failure != nil {
		return failure
	}
	if !w.fake.started {
		return refused(criwatch.ErrState, "the watcher was not started")
	}
	return nil
}

func (w *watcher) Resync(int64) *capi.Failure {
	w.fake.mutex.Lock()
	defer w.fake.mutex.Unlock()
	if failure := w.fake.refuses(OpResync); failure != nil {
		return failure
	}
	w.fake.fill()
	return nil
}

func (w *watcher) State() uint32 {
	w.fake.mutex.Lock()
	defer w.fake.mutex.Unlock()
	return uint32(w.fake.state)
}

func (w *watcher) Generation() uint64 {
	w.fake.mutex.Lock()
	defer w.fake.mutex.Unlock()
	if !w.fake.filled {
		return 0
	}
	return w.fake.generation
}

func (w *watcher) Stop() *capi.Failure {
	f := w.fake
	f.mutex.Lock()
	defer f.mutex.Unlock()
	if f.stopped {
		return nil
	}
	f.state = criwatch.WatcherStopped
	f.publish(&criwatch.Event{Type: criwatch.EventState, Message: "stopped", Time: time.Now()})
	f.stopped = true
	for queue := range f.queues {
		queue.wake()
	}
	return nil
}

func (w *watcher) Free() {}

func (w *watcher) Attach(idOrName string, rucksack []byte) *capi.Failure {
	f := w.fake
	f.mutex.Lock()
	defer f.mutex.Unlock()
	if failure := f.refuses(OpAttach); failure != nil {
		return failure
	}
	if rucksack != nil && !json.Valid(rucksack) {
		return refused(criwatch.ErrInvalidArgument, "the rucksack is no JSON: %s", rucksack)
	}
	entry, failure := find(f.entries, idOrName)
	if failure != nil {
		return failure
	}
	f.update(cloned(entry), criwatch.ChangedRucksack, func(entry *criwatch.Container) { entry.Rucksack = rucksack })
	return nil
}

func (w *watcher) NewQueue(mask, flags uint32, _ uint) (queueBackend, *capi.Failure) {
	w.fake.mutex.Lock()
	defer w.fake.mutex.Unlock()
	if failure := w.fake.refuses(OpQueue); failure != nil {
		return nil, failure
	}
	return w.fake.newQueue(mask, flags), nil
}

func (w *watcher) Snapshot() (snapshotBackend, *capi.Failure) {
	taken, failure := w.taken()
	return taken, failure
}

func (w *watcher) taken() (*snapshot, *capi.Failure) {
	f := w.fake
	f.mutex.Lock()
	defer f.mutex.Unlock()
	if failure := f.fails(OpRead); failure != nil {
		return nil, failure
	}
	if !f.filled {
		return nil, refused(criwatch.ErrNotReady, "the cache is not filled yet: start the watcher, or resync")
	}
	return &snapshot{all: f.entries, generation: f.generation}, nil
}

func (w *watcher) Find(idOrName string) (*criwatch.Container, *capi.Failure) {
	taken, failure := w.taken()
	if failure != nil {
		return nil, failure
	}
	return taken.Find(idOrName)
}

func (w *watcher) LookupPID(pid int32, startTicks uint64, _ int64) (*criwatch.Container, *capi.Failure) {
	taken, failure := w.taken()
	if failure != nil {
		return nil, failure
	}
	return taken.FindPID(pid, startTicks)
}

func (w *watcher) LookupCgroup(id uint64, _ int64) (*criwatch.Container, *capi.Failure) {
	taken, failure := w.taken()
	if failure != nil {
		return nil, failure
	}
	return taken.FindCgroup(id)
}
