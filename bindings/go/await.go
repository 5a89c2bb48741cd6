package criwatch

import (
	"context"
	"errors"
	"math"
	"time"
)

// places limits how many calls wait inside C at a time, and so how many OS threads they hold.
type places chan struct{}

// grace is how long to wait for the answer of a call whose deadline has passed. The answer has the last cause, which
// the context does not have.
const grace = 100 * time.Millisecond

type result[T any] struct {
	value T
	err   error
}

// await runs a call that waits inside C, as long as the context allows. See "Contexts" in the package's documentation.
func await[T any](ctx context.Context, op string, free places, call func(timeoutMS int64) (T, error)) (T, error) {
	var none T
	switch err := ctx.Err(); {
	case errors.Is(err, context.DeadlineExceeded):
		// This does not wait. C returns the answer if it has come after all, otherwise the last cause.
		value, err := call(0)
		return value, blame(ctx, err)
	case err != nil:
		return none, interrupted(op, err)
	}
	if free == nil {
		return call(0) // Of a zero value, which New has not made: it answers that it is closed.
	}
	select {
	case free <- struct{}{}:
	case <-ctx.Done():
		return none, interrupted(op, ctx.Err())
	}
	if ctx.Done() == nil {
		defer func() { <-free }()
		return call(-1)
	}
	answer := make(chan result[T], 1)
	go func() {
		defer func() { <-free }()
		value, err := call(untilDeadline(ctx))
		answer <- result[T]{value, err}
	}()
	return receive(ctx, op, answer)
}

func receive[T any](ctx context.Context, op string, answer <-chan result[T]) (T, error) {
	var late <-chan time.Time
	select {
	case r := <-answer:
		return r.value, blame(ctx, r.err)
	case <-ctx.Done():
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			timer := time.NewTimer(grace)
			defer timer.Stop()
			late = timer.C
		}
	}
	if late != nil {
		select {
		case r := <-answer:
			return r.value, blame(ctx, r.err)
		case <-late:
		}
	}
	var none T
	return none, interrupted(op, ctx.Err())
}

// untilDeadline is the time until the context's deadline, as a timeout for C. It is rounded up, so that the deadline
// has passed when the timeout ends.
func untilDeadline(ctx context.Context) int64 {
	deadline, is := ctx.Deadline()
	if !is {
		return -1
	}
	left := math.Ceil(float64(time.Until(deadline)) / float64(time.Millisecond))
	return int64(math.Max(left, 0))
}

// blame adds the context's error to an error that the context's deadline has caused: a timeout, or ErrAgain of a
// lookup.
func blame(ctx context.Context, err error) error {
	var failure *Error
	if !errors.As(err, &failure) || failure.Status != ErrTimeout && failure.Status != ErrAgain {
		return err
	}
	if deadline, is := ctx.Deadline(); is && !time.Now().Before(deadline) {
		failure.ended = context.DeadlineExceeded
	}
	return err
}
