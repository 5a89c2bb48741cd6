//go:build go1.23

package criwatch

import (
	"context"
	"errors"
	"iter"
)

// All returns the queue's events, for a range loop. It ends when no more will come. If the context ends first, its
// error comes last, with a nil event.
func (q *Queue) All(ctx context.Context) iter.Seq2[*Event, error] {
	return func(yield func(*Event, error) bool) {
		for {
			event, err := q.Next(ctx)
			if errors.Is(err, ErrClosed) || !yield(event, err) || err != nil {
				return
			}
		}
	}
}

// Events returns the watcher's events, for a range loop. It makes a queue for the loop, and closes it at the end; see
// [Queue.All]. An error of NewQueue is the only item. On a watcher that was never started it returns ErrState at once,
// because the wait would never end. To wait while another goroutine starts the watcher, make a queue and range over
// [Queue.All].
func (w *Watcher) Events(ctx context.Context, options *QueueOptions) iter.Seq2[*Event, error] {
	return func(yield func(*Event, error) bool) {
		queue, err := w.startedQueue("events", options)
		if err != nil {
			yield(nil, err)
			return
		}
		defer queue.Close()
		queue.All(ctx)(yield)
	}
}
