package criwatch

import (
	"context"
	"log/slog"
	"runtime"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/criwatch/criwatch/bindings/go/internal/capi"
)

// Watcher follows one engine: New, Start, Stop, Close. It reconnects for ever; the cache stays readable meanwhile, and
// State returns its state.
type Watcher struct {
	handle handle[watcherBackend]
	// The waits inside C: WaitReady and lookups apart, because they may last while the engine can well be asked.
	ready, requests, lookups places
	log                      *logger
	shown                    shown
	started                  atomic.Bool
}

// Option is a setting of a watcher to come.
type Option func(*settings)

type settings struct {
	options []capi.Option
	logger  *slog.Logger
}

// WithOption sets an option of the library, e.g. "relist.interval_ms" to "30000"; DescribeOptions lists them all. An unknown key
// or a value that is not allowed makes New answer ErrOption.
func WithOption(key, value string) Option {
	return func(s *settings) { s.options = append(s.options, capi.Option{Key: key, Value: value}) }
}

// WithLogger has the watcher say what it does to a logger: connections and their loss, how changes are noticed, lists
// that failed, contradictions of the engine. Each message has the attributes "state" (WatcherState), "generation" and, where
// New was given one, "endpoint". The handler runs on a goroutine of the watcher's own until Close, which waits for it: it
// must not call Close itself. Without this the watcher is silent.
func WithLogger(to *slog.Logger) Option {
	return func(s *settings) { s.logger = to }
}

// value is what an option is set to; "" if it is not.
func (s *settings) value(key string) (value string) {
	for _, option := range s.options {
		if option.Key == key {
			value = option.Value
		}
	}
	return value
}

// New makes a watcher. Nothing is read, written or connected yet. Endpoint is the engine's socket, e.g.
// "unix:///run/containerd/containerd.sock", or its path, which may be relative; "": the best engine of the node, see [Discover]. ErrUnsupported
// in a program that was built without cgo, or for another system than Linux.
func New(endpoint string, options ...Option) (*Watcher, error) {
	set := settingsOf(options)
	shown := shown{
		separate:   set.value("labels.annotations") == "separate",
		attributes: AttributesOption(set.value("attributes")),
	}
	object, failure := openWatcher(endpoint, set.options, shown)
	if failure != nil {
		return nil, failed("new", failure)
	}
	watcher := newWatcher(object)
	watcher.shown = shown
	if set.logger != nil {
		log, err := watcher.startLogger(set.logger, endpoint)
		if err != nil {
			watcher.Close()
			return nil, err
		}
		watcher.log = log
	}
	return watcher, nil
}

func newWatcher(object watcherBackend) *Watcher {
	watcher := &Watcher{
		handle:   handle[watcherBackend]{object: object, free: watcherBackend.Free},
		ready:    make(places, 4),
		requests: make(places, 16),
		lookups:  make(places, 16),
	}
	runtime.SetFinalizer(watcher, (*Watcher).forgotten)
	return watcher
}

// Start starts to follow the engine, in the background. An engine that cannot be reached is no error here.
func (w *Watcher) Start() error {
	err := w.do("start", watcherBackend.Start)
	if err == nil {
		w.started.Store(true)
	}
	return err
}

// WaitReady waits until the first lists are in and the pid of each entry was asked for. It answers at once, whatever the
// context, what waiting will not mend: ErrPermission, ErrUnsupported, ErrState before Start, ErrStopped.
func (w *Watcher) WaitReady(ctx context.Context) error {
	if w == nil {
		return closed("wait ready", "the watcher", true)
	}
	_, err := await(ctx, "wait ready", w.ready, func(timeoutMS int64) (struct{}, error) {
		return struct{}{}, w.do("wait ready", func(c watcherBackend) *capi.Failure { return c.WaitReady(timeoutMS) })
	})
	return err
}

// Resync is a barrier: once it has succeeded, all answers from memory are at least as new as a list that was begun
// after the call. It works on a watcher that was never started, too.
func (w *Watcher) Resync(ctx context.Context) error {
	if w == nil {
		return closed("resync", "the watcher", true)
	}
	_, err := await(ctx, "resync", w.requests, func(timeoutMS int64) (struct{}, error) {
		return struct{}{}, w.do("resync", func(c watcherBackend) *capi.Failure { return c.Resync(timeoutMS) })
	})
	return err
}

// State is what the watcher is doing; WatcherStopped after Close.
func (w *Watcher) State() WatcherState {
	state := WatcherStopped
	if w == nil {
		return state
	}
	w.handle.use(func(c watcherBackend) { state = WatcherState(c.State()) })
	return state
}

// Generation is a number that grows whenever the cache changes: while it stays, a list stays the same. 0 before the cache
// is filled, and after Close.
func (w *Watcher) Generation() (generation uint64) {
	if w == nil {
		return 0
	}
	w.handle.use(func(c watcherBackend) { generation = c.Generation() })
	return generation
}

// Attach gives a container (named as for Get) a rucksack: any JSON, which its record carries from then on; nil takes away what
// is there. An EventUpdated with ChangedRucksack reports it, and everybody who reads after this has returned sees it.
func (w *Watcher) Attach(idOrName string, rucksack []byte) error {
	return w.do("attach", func(c watcherBackend) *capi.Failure { return c.Attach(idOrName, rucksack) })
}

// Stop stops for good: it ends every wait and, once their events are taken, every queue. What was seen last stays readable until
// Close.
func (w *Watcher) Stop() error { return w.do("stop", watcherBackend.Stop) }

// Close stops the watcher and frees it; its logger is through when this returns. Queues and snapshots outlive it: a queue is closed
// once its events are taken. More than once is fine.
func (w *Watcher) Close() error {
	if w == nil {
		return nil
	}
	// The waits inside C end by this, so that the last of their goroutines frees the object soon.
	err := w.Stop()
	if !w.handle.close() {
		return nil
	}
	runtime.SetFinalizer(w, nil)
	w.log.wait()
	return err
}

// forgotten is the finalizer. It must not hold up other finalizers, as stopping and a slow log handler would.
func (w *Watcher) forgotten() {
	go w.handle.close()
}

// do runs a call with the C object.
func (w *Watcher) do(op string, call func(watcherBackend) *capi.Failure) error {
	var failure *capi.Failure
	if w == nil || !w.handle.use(func(c watcherBackend) { failure = call(c) }) {
		return closed(op, "the watcher", w == nil)
	}
	return failed(op, failure)
}

// milliseconds is a duration as the library's options have it: rounded up, so that a short one is not none.
func milliseconds(value time.Duration) string {
	whole := value.Milliseconds()
	if value > 0 && value%time.Millisecond != 0 {
		whole++
	}
	return strconv.FormatInt(whole, 10)
}
