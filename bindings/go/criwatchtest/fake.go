package criwatchtest

import (
	"crypto/sha256"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"time"

	criwatch "github.com/criwatch/criwatch/bindings/go"
	"github.com/criwatch/criwatch/bindings/go/internal/backend"
)

// Fake is a node that a test makes up, with one watcher. Its methods may be called by any goroutine; when one returns, the
// watcher shows the change, and its events wait in the queues. A mistake of the test, such as the exit of a container that
// does not run, is a panic.
type Fake struct {
	watcher *criwatch.Watcher

	mutex sync.Mutex
	// Records are replaced and never changed: snapshots have them, too.
	entries []*criwatch.Container
	queues  map[*queue]struct{}
	// Closed, and another in its place, when a queue was made or the watcher started.
	made  chan struct{}
	state criwatch.WatcherState
	// Filled: the first list is in, and what is read from memory has an answer.
	filled, started, stopped bool
	asOf                     time.Time
	generation, seq          uint64
	engine                   criwatch.EngineInfo
	failures                 map[Operation]error
	calls                    map[string]func(request string) (string, error)
	inspect                  func(*criwatch.Container) (string, error)
}

// New makes a fake on which nothing runs.
func New() *Fake {
	fake := &Fake{
		queues:   map[*queue]struct{}{},
		made:     make(chan struct{}),
		failures: map[Operation]error{},
		calls:    map[string]func(string) (string, error){},
		engine: criwatch.EngineInfo{
			RuntimeName: "criwatchtest", RuntimeVersion: "1", RuntimeAPIVersion: "v1", Version: "criwatchtest 1 [API v1]",
			Type: criwatch.EngineType, API: "unix:///criwatchtest", ID: "criwatchtest",
		},
	}
	newWatcher := backend.NewWatcher.(func(backend.Watcher[criwatch.Container, criwatch.Pod, criwatch.Event]) *criwatch.Watcher)
	fake.watcher = newWatcher(&watcher{fake})
	return fake
}

// Watcher is the watcher that sees the fake. It is not started: that is the program's to do, as with one of criwatch.New.
func (f *Fake) Watcher() *criwatch.Watcher { return f.watcher }

// Container makes a record for Run: "namespace/pod/name" is a container, "namespace/pod" the pod's sandbox. What else a test
// needs, it sets itself: the image, labels, the pid (0 is unknown).
func Container(path string) *criwatch.Container {
	parts := strings.Split(path, "/")
	if len(parts) != 2 && len(parts) != 3 {
		panic(fmt.Sprintf("criwatchtest: container %q: it has to be namespace/pod/name, or namespace/pod", path))
	}
	container := &criwatch.Container{
		Name: parts[len(parts)-1], Kind: criwatch.KindContainer, ExitCode: -1,
		Labels: map[string]string{}, Annotations: map[string]string{},
		Pod: &criwatch.Pod{
			Name: parts[1], Namespace: parts[0], State: criwatch.PodReady,
			Labels: map[string]string{}, Annotations: map[string]string{},
		},
	}
	if len(parts) == 2 {
		container.Kind = criwatch.KindSandbox
	}
	return container
}

// Create adds a container that was not started yet: an EventCreated, for those who ask for it.
func (f *Fake) Create(container *criwatch.Container) *criwatch.Container {
	return f.add(container, criwatch.StateCreated, criwatch.EventCreated)
}

// Run starts a container, new or created: an EventStarted. It returns the record, in which the fake has filled in what was not
// set: ids, made of the names and the attempt, the pod's uid, and times. What it leaves out of its Pod stays as it is known.
func (f *Fake) Run(container *criwatch.Container) *criwatch.Container {
	return f.add(container, criwatch.StateRunning, criwatch.EventStarted)
}

func (f *Fake) add(container *criwatch.Container, state criwatch.State, eventType criwatch.EventType) *criwatch.Container {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	entry := cloned(container)
	complete(entry)
	entry.State, entry.ExitCode = state, -1
	if state == criwatch.StateRunning && entry.Kind == criwatch.KindContainer && entry.StartedAt.IsZero() {
		entry.StartedAt = time.Now()
	}
	if old := f.byID(entry.ID); old != nil && (old.State != criwatch.StateCreated || state == criwatch.StateCreated) {
		panic(fmt.Sprintf("criwatchtest: %v is there already: give another ID, or another Attempt", old))
	}
	if known := f.pod(entry.Pod); known != nil {
		keep(known, entry.Pod)
	}
	f.put(entry)
	f.publish(&criwatch.Event{Type: eventType, Container: entry, Time: began(entry)})
	return cloned(entry)
}

func began(entry *criwatch.Container) time.Time {
	if !entry.StartedAt.IsZero() {
		return entry.StartedAt
	}
	return entry.CreatedAt
}

// complete fills in what no record of an engine lacks.
func complete(entry *criwatch.Container) {
	if entry.ID == "" {
		entry.ID = madeUp("container", entry.Path(), entry.Attempt)
	}
	if entry.Kind == 0 {
		entry.Kind = criwatch.KindContainer
	}
	if entry.CreatedAt.IsZero() {
		entry.CreatedAt = time.Now()
	}
	if pod := entry.Pod; pod != nil {
		if pod.ID == "" {
			pod.ID = madeUp("pod", pod.Path(), pod.Attempt)
		}
		if entry.Kind == criwatch.KindSandbox {
			entry.ID = pod.ID
		}
		if pod.UID == "" {
			pod.UID = madeUp("uid", pod.Path(), 0)[:32]
		}
		if pod.CreatedAt.IsZero() {
			pod.CreatedAt = entry.CreatedAt
		}
	}
}

// madeUp is an id, the same in each run of the test.
func madeUp(kind, path string, attempt uint32) string {
	return fmt.Sprintf("%x", sha256.Sum256([]byte(fmt.Sprintf("%s %s %d", kind, path, attempt))))
}

// Exit ends a container or sandbox, named as for Watcher.Get: an EventExited.
func (f *Fake) Exit(idOrName string, code int, reason string) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	entry := f.named("exit", idOrName)
	if entry.State == criwatch.StateExited {
		panic(fmt.Sprintf("criwatchtest: exit: %v has ended already", entry))
	}
	entry.State, entry.ExitCode, entry.Reason, entry.FinishedAt = criwatch.StateExited, code, reason, time.Now()
	if entry.Kind == criwatch.KindSandbox && entry.Pod != nil {
		entry.Pod.State = criwatch.PodNotReady
	}
	f.put(entry)
	f.publish(&criwatch.Event{Type: criwatch.EventExited, Container: entry, Time: entry.FinishedAt})
}

// Update changes a record, named as for Watcher.Get, and says what has changed: an EventUpdated. A change of its Pod is one for
// all containers of the pod.
func (f *Fake) Update(idOrName string, changed criwatch.Changed, change func(*criwatch.Container)) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	f.update(f.named("update", idOrName), changed, change)
}

func (f *Fake) update(entry *criwatch.Container, changed criwatch.Changed, change func(*criwatch.Container)) {
	change(entry)
	f.put(entry)
	f.publish(&criwatch.Event{Type: criwatch.EventUpdated, Changed: changed, Container: entry, Time: time.Now()})
}

// Remove takes away a container or sandbox, named as for Watcher.Get: an EventRemoved, for those who ask for it. One that runs
// should Exit first, as with an engine.
func (f *Fake) Remove(idOrName string) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	entry := f.named("remove", idOrName)
	kept := make([]*criwatch.Container, 0, len(f.entries))
	for _, other := range f.entries {
		if other.ID != entry.ID {
			kept = append(kept, other)
		}
	}
	f.entries = kept
	f.generation++
	f.publish(&criwatch.Event{Type: criwatch.EventRemoved, Container: entry, Time: time.Now()})
}

// Emit puts an event as it is into the queues that want its type, while the watcher is started. The cache stays as it is. Seq, Generation, Observed and State
// are filled in where they are zero.
func (f *Fake) Emit(event *criwatch.Event) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	copied := *event
	f.publish(&copied)
}

// Overflow has every queue lose what waits in it, as one that is read too slowly: an EventOverflow, and a new replay.
func (f *Fake) Overflow() {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	for queue := range f.queues {
		lost := uint64(len(queue.pending))
		queue.pending = nil
		f.deliver(queue, &criwatch.Event{Type: criwatch.EventOverflow, Lost: lost})
		f.replay(queue)
	}
}

// SetState has the watcher be in a state, e.g. criwatch.WatcherBackoff while the engine is away: an EventState with this message. The
// cache stays readable.
func (f *Fake) SetState(state criwatch.WatcherState, message string) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	f.state = state
	f.publish(&criwatch.Event{Type: criwatch.EventState, Message: message, Time: time.Now()})
}

// SetEngine says which engine it is.
func (f *Fake) SetEngine(engine criwatch.EngineInfo) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	f.engine = engine
}

// byID finds an entry; nil if there is none.
func (f *Fake) byID(id string) *criwatch.Container {
	for _, entry := range f.entries {
		if entry.ID == id {
			return entry
		}
	}
	return nil
}

// pod is what is known of a pod; nil if that is nothing.
func (f *Fake) pod(told *criwatch.Pod) *criwatch.Pod {
	for _, entry := range f.entries {
		if told != nil && entry.Pod != nil && entry.Pod.ID == told.ID {
			return entry.Pod
		}
	}
	return nil
}

// keep fills in what was told of a pod where it leaves something out.
func keep(known, told *criwatch.Pod) {
	from, to := reflect.ValueOf(clonedPod(known)).Elem(), reflect.ValueOf(told).Elem()
	for i := 0; i < to.NumField(); i++ {
		field := to.Field(i)
		if field.IsZero() || (field.Kind() == reflect.Map || field.Kind() == reflect.Slice) && field.Len() == 0 {
			field.Set(from.Field(i))
		}
	}
}

// named is a copy of an entry, to be changed and put back.
func (f *Fake) named(op, idOrName string) *criwatch.Container {
	entry, failure := find(f.entries, idOrName)
	if failure != nil {
		panic(fmt.Sprintf("criwatchtest: %s: %s", op, failure.Message))
	}
	return cloned(entry)
}

// put adds a record, or puts it in the place of the one with its id. Its pod is the pod of all that are in it.
func (f *Fake) put(entry *criwatch.Container) {
	entries, is := make([]*criwatch.Container, 0, len(f.entries)+1), false
	for _, other := range f.entries {
		switch {
		case other.ID == entry.ID:
			other, is = entry, true
		case entry.Pod != nil && other.Pod != nil && other.Pod.ID == entry.Pod.ID:
			beside := *other
			beside.Pod = entry.Pod
			other = &beside
		}
		entries = append(entries, other)
	}
	if !is {
		entries = append(entries, entry)
	}
	sortByPath(entries)
	f.entries = entries
	f.generation++
}
