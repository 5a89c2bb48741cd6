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
// State returns the watcher's state.
type Watcher struct {
	handle handle[watcherBackend]
	// The waits inside C. WaitReady and lookups have places of their own, because they may last long while the engine can
	// be asked.
	ready, requests, lookups places
	log                      *logger
	shown                    shown
	started                  atomic.Bool
}

// Option is a setting for a new watcher.
type Option func(*settings)

type settings struct {
	options []capi.Option
	logger  *slog.Logger
}

// WithOption sets an option of the library, e.g. "relist.interval_ms" to "30000"; DescribeOptions lists them all. For
// an unknown key, or a value that is not allowed, New returns ErrOption.
func WithOption(key, value string) Option {
	return func(s *settings) { s.options = append(s.options, capi.Option{Key: key, Value: value}) }
}

// WithLogger makes the watcher log its work: connections and their loss, how changes are noticed, lists that failed,
// contradictions of the engine. Each message has the attributes "state" (WatcherState), "generation" and, if New was
// given one, "endpoint". The handler runs on a goroutine of the watcher until Close, which waits for it: it must not
// call Close itself. Without this option, the watcher logs nothing.
func WithLogger(to *slog.Logger) Option {
	return func(s *settings) { s.logger = to }
}

// value is the value that an option is set to; "" if it is not set.
func (s *settings) value(key string) (value string) {
	for _, option := range s.options {
		if option.Key == key {
			value = option.Value
		}
	}
	return value
}

// New makes a watcher. It does not read, write or connect yet. Endpoint is the engine's socket, e.g.
// "unix:///run/containerd/containerd.sock", or its path, which may be relative; "" stands for the best engine of the
// node, see [Discover]. Errors: ErrUnsupported in a program that was built without cgo, or for another system than
// Linux.
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

// Start begins to follow the engine, in the background. An engine that cannot be reached is not an error.
func (w *Watcher) Start() error {
	err := w.do("start", watcherBackend.Start)
	if err == nil {
		w.started.Store(true)
	}
	return err
}

// WaitReady waits until the first lists are complete and the pid of each entry was asked for. It returns at once,
// whatever the context, if waiting cannot help: ErrPermission, ErrUnsupported, ErrState before Start, ErrStopped.
func (w *Watcher) WaitReady(ctx context.Context) error {
	if w == nil {
		return closed("wait ready", "the watcher", true)
	}
	_, err := await(ctx, "wait ready", w.ready, func(timeoutMS int64) (struct{}, error) {
		return struct{}{}, w.do("wait ready", func(c watcherBackend) *capi.Failure { return c.WaitReady(timeoutMS) })
	})
	return err
}

// Resync is a barrier: once it has succeeded, all answers from memory are at least as new as a list that began after
// the call. It also works on a watcher that was never started.
func (w *Watcher) Resync(ctx context.Context) error {
	if w == nil {
		return closed("resync", "the watcher", true)
	}
	_, err := await(ctx, "resync", w.requests, func(timeoutMS int64) (struct{}, error) {
		return struct{}{}, w.do("resync", func(c watcherBackend) *capi.Failure { return c.Resync(timeoutMS) })
	})
	return err
}

// State is the watcher's state; WatcherStopped after Close.
func (w *Watcher) State() WatcherState {
	state := WatcherStopped
	if w == nil {
		return state
	}
	w.handle.use(func(c watcherBackend) { state = WatcherState(c.State()) })
	return state
}

// Generation is a number that grows whenever the cache changes: while it is the same, a list is the same. 0 before the
// cache is filled, and after Close.
func (w *Watcher) Generation() (generation uint64) {
	if w == nil {
		return 0
	}
	w.handle.use(func(c watcherBackend) { generation = c.Generation() })
	return generation
}

// Attach gives a container (named as for Get) a rucksack: any JSON, which becomes part of its record; nil removes it.
// An EventUpdated with ChangedRucksack reports the change. Once Attach has returned, all reads show it.
func (w *Watcher) Attach(idOrName string, rucksack []byte) error {
	return w.do("attach", func(c watcherBackend) *capi.Failure { return c.Attach(idOrName, rucksack) })
}

// Stop stops the watcher for good. It ends every wait and, once its events are taken, every queue. The last state of
// the cache stays readable until Close.
func (w *Watcher) Stop() error { return w.do("stop", watcherBackend.Stop) }

// Close stops the watcher and frees it. Its logger has finished when this returns. Queues and snapshots outlive the
// watcher: a queue ends once its events are taken. It may be called again.
func (w *Watcher) Close() error {
	if w == nil {
		return nil
	}
	// This ends the waits inside C, so that the last of their goroutines soon frees the object.
	err := w.Stop()
	if !w.handle.close() {
		return nil
	}
	runtime.SetFinalizer(w, nil)
	w.log.wait()
	return err
}

// forgotten is the finalizer. It must not delay other finalizers, as stopping and a slow log handler would.
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

// milliseconds is a duration as a value of the library's options. It is rounded up, so that a short one does not become
// 0.
func milliseconds(value time.Duration) string {
	whole := value.Milliseconds()
	if value > 0 && value%time.Millisecond != 0 {
		whole++
	}
	return strconv.FormatInt(whole, 10)
}
