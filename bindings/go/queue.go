package criwatch

import (
	"context"
	"errors"
	"fmt"
	"runtime"

	"github.com/criwatch/criwatch/bindings/go/internal/capi"
)

// Queue is a queue of events. It begins with a replay: an EventReplayBegin, an EventStarted with EventFlagInitial for each run,
// an EventReplayEnd; live events follow without a gap. It is bounded: one that is not emptied in time gets an EventOverflow and a
// new replay; what that does not show is gone. One code path is thus enough for everything.
//
// Any number of goroutines may take from one queue; each event goes to one of them.
type Queue struct {
	handle handle[queueBackend]
	// Keeps the watcher from its finalizer while somebody takes events.
	watcher *Watcher
}

// QueueOptions say what a queue is to give.
type QueueOptions struct {
	// Types are the events that are wanted; none: EventStarted, EventExited, EventUpdated and EventState.
	Types []EventType
	// Flags say how.
	Flags SubscribeFlags
	// Capacity is how many events may wait; 0: the option queue.capacity.
	Capacity uint
}

// NewQueue makes a queue of events. Allowed before Start and after it. Options nil: the defaults. Close it when it is no longer of
// use.
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

// Next takes the next event, and waits for it as long as the context allows: then it gives the context's error. ErrClosed when no
// more will come: the watcher has stopped and all events were taken, or the queue was closed.
func (q *Queue) Next(ctx context.Context) (*Event, error) {
	return next(ctx, q, queueBackend.TryNext)
}

// NextJSON is Next that gives the library's JSON as it is: "criwatch.event/1".
func (q *Queue) NextJSON(ctx context.Context) ([]byte, error) {
	return next(ctx, q, queueBackend.TryNextJSON)
}

// TryNext takes the next event if there is one now. ErrAgain when there is none yet, else as Next.
func (q *Queue) TryNext() (*Event, error) {
	return tryNext(q, queueBackend.TryNext)
}

// Wait waits until Next would not have to: an event waits, or no more will come. If that is so already, the context does not
// matter.
func (q *Queue) Wait(ctx context.Context) error {
	if q == nil {
		return closed("wait", "the queue", true)
	}
	// After Close the answer is that of poll.
	ready := func() (ready bool) {
		q.handle.use(func(c queueBackend) { ready = c.Ready() })
		return ready
	}
	if ready() {
		return nil
	}
	return q.poll(ctx, "wait", ready)
}

// Chan is a channel of the queue's events. It is closed when the context ends or no more will come. An event that was taken
// for the channel, but not received from it when the context ends, is lost.
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

// Close frees the queue. Who waits for its next event gets ErrClosed. Always nil; more than once is fine.
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

// startedQueue is NewQueue for calls that keep their queue to themselves: nobody could start the watcher meanwhile.
func (w *Watcher) startedQueue(op string, options *QueueOptions) (*Queue, error) {
	queue, err := w.NewQueue(options)
	if err == nil && !w.started.Load() && w.State() != WatcherStopped {
		queue.Close()
		message := "the watcher was not started (call Start first, or make a queue with NewQueue)"
		return nil, &Error{Op: op, Status: ErrState, Message: message, GRPCCode: -1}
	}
	return queue, err
}
