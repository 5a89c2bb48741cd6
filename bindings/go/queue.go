package criwatch

import (
	"context"
	"errors"
	"fmt"
	"runtime"

	"github.com/criwatch/criwatch/bindings/go/internal/capi"
)

// Queue is a queue of events. It begins with a replay: an EventReplayBegin, an EventStarted with EventFlagInitial for
// each run, and an EventReplayEnd. Live events follow without a gap. Its size is limited: if it is not read in time, it
// gets an EventOverflow and a new replay, and containers that the replay does not show are gone. So the same code
// handles the beginning and an overflow.
//
// Any number of goroutines may take from one queue; each event goes to one of them.
type Queue struct {
	handle handle[queueBackend]
	// Keeps the watcher from being finalized while the queue is in use.
	watcher *Watcher
}

// QueueOptions are the options of a queue.
type QueueOptions struct {
	// Types are the wanted events; empty: EventStarted, EventExited, EventUpdated and EventState.
	Types []EventType
	// Flags are further options.
	Flags SubscribeFlags
	// Capacity is how many events may wait; 0: the option queue.capacity.
	Capacity uint
}

// NewQueue makes a queue of events, before or after Start. With nil options, it uses the defaults. Close it after use.
func (w *Watcher) NewQueue(options *QueueOptions) (*Queue, error) {
	queue, err := newQueue(w, options)
	if err == nil {
		queue.watcher = w
	}
	return queue, err
}

func newQueue(w *Watcher, options *QueueOptions) (*Queue, error) {
	if options == nil {
		options = &QueueOptions{}
	}
	mask, err := maskOf(options.Types)
	if err != nil {
		return nil, err
	}
	var queue *Queue
	err = w.do("queue", func(c watcherBackend) *capi.Failure {
		object, failure := c.NewQueue(mask, uint32(options.Flags), options.Capacity)
		if failure == nil {
			queue = &Queue{handle: handle[queueBackend]{object: object, free: queueBackend.Free}}
			runtime.SetFinalizer(queue, (*Queue).Close)
		}
		return failure
	})
	return queue, err
}

func maskOf(types []EventType) (mask uint32, err error) {
	for _, eventType := range types {
		if eventType >= 32 {
			message := fmt.Sprintf("event type %d: the library has none above 31", uint32(eventType))
			return 0, &Error{Op: "queue", Status: ErrInvalidArgument, Message: message, GRPCCode: -1}
		}
		mask |= capi.EventMask(uint32(eventType))
	}
	return mask, nil
}

// Next takes the next event, and waits for it as long as the context allows; then it returns the context's error.
// ErrClosed if no more will come: the watcher has stopped and all events were taken, or the queue was closed.
func (q *Queue) Next(ctx context.Context) (*Event, error) {
	return next(ctx, q, queueBackend.TryNext)
}

// NextJSON is Next with the library's JSON of the event: "criwatch.event/1".
func (q *Queue) NextJSON(ctx context.Context) ([]byte, error) {
	return next(ctx, q, queueBackend.TryNextJSON)
}

// TryNext takes the next event without waiting. ErrAgain if there is none yet; other errors as for Next.
func (q *Queue) TryNext() (*Event, error) {
	return tryNext(q, queueBackend.TryNext)
}

// Wait waits until Next would return at once: there is an event, or no more will come. If that is so already, the
// context does not matter.
func (q *Queue) Wait(ctx context.Context) error {
	if q == nil {
		return closed("wait", "the queue", true)
	}
	// After Close, the result of poll decides.
	ready := func() (ready bool) {
		q.handle.use(func(c queueBackend) { ready = c.Ready() })
		return ready
	}
	if ready() {
		return nil
	}
	return q.poll(ctx, "wait", ready)
}

// Chan returns a channel of the queue's events. It is closed when the context ends or no more will come. An event that
// was taken for the channel, and not received from it when the context ends, is lost.
func (q *Queue) Chan(ctx context.Context) <-chan *Event {
	events := make(chan *Event)
	go func() {
		defer close(events)
		for {
			event, err := q.Next(ctx)
			if err != nil {
				return
			}
			select {
			case events <- event:
			case <-ctx.Done():
				return
			}
		}
	}()
	return events
}

// Close frees the queue. Waiting calls return ErrClosed. It always returns nil, and may be called again.
func (q *Queue) Close() error {
	if q != nil && q.handle.close() {
		runtime.SetFinalizer(q, nil)
		q.handle.object.End()
	}
	return nil
}

func next[T any](ctx context.Context, q *Queue, read func(queueBackend) (T, *capi.Failure)) (event T, err error) {
	waited := q.poll(ctx, "next", func() bool {
		event, err = tryNext(q, read)
		return !errors.Is(err, ErrAgain)
	})
	if waited != nil {
		return event, waited
	}
	return event, err
}

func tryNext[T any](q *Queue, read func(queueBackend) (T, *capi.Failure)) (event T, err error) {
	var failure *capi.Failure
	if q == nil || !q.handle.use(func(c queueBackend) { event, failure = read(c) }) {
		return event, closed("next", "the queue", q == nil)
	}
	return event, failed("next", failure)
}

func (q *Queue) poll(ctx context.Context, op string, attempt func() bool) error {
	if q == nil || q.handle.object == nil {
		return closed(op, "the queue", q == nil)
	}
	return waited(op, "the queue", q.handle.object.Wait(ctx, attempt))
}

// startedQueue is NewQueue for calls that keep their queue to themselves, so that nobody could start the watcher
// meanwhile.
func (w *Watcher) startedQueue(op string, options *QueueOptions) (*Queue, error) {
	queue, err := w.NewQueue(options)
	if err == nil && !w.started.Load() && w.State() != WatcherStopped {
		queue.Close()
		message := "the watcher was not started (call Start first, or make a queue with NewQueue)"
		return nil, &Error{Op: op, Status: ErrState, Message: message, GRPCCode: -1}
	}
	return queue, err
}
