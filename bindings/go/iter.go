//go:build go1.23

package criwatch

import (
	"context"
	"errors"
	"iter"
)

// All are the queue's events, for a range loop. It ends when no more will come; if the context ends first, its error comes last,
// with a nil event.
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

// Events are the watcher's events, for a range loop: those of a queue that is made for the loop and closed at its end. See
// [Queue.All]; an error of NewQueue comes alone. On a watcher that was never started it gives ErrState at once: there would
// be nothing to wait for. To wait while another goroutine starts the watcher, make a queue and range over [Queue.All].
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
