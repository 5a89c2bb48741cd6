package criwatchtest

import (
	"context"
	"encoding/json"
	"time"

	criwatch "github.com/criwatch/criwatch/bindings/go"
	"github.com/criwatch/criwatch/bindings/go/internal/backend"
	"github.com/criwatch/criwatch/bindings/go/internal/capi"
)

// What a queue gives that asks for nothing special, and what it cannot refuse.
const (
	usual   = 1<<criwatch.EventStarted | 1<<criwatch.EventExited | 1<<criwatch.EventUpdated | 1<<criwatch.EventState
	control = 1<<criwatch.EventReplayBegin | 1<<criwatch.EventReplayEnd | 1<<criwatch.EventOverflow
)

// queue is the fake of an event queue. It has no bound: it overflows when the test says so. The fake's mutex is its own.
type queue struct {
	fake     *Fake
	mask     uint32
	liveOnly bool
	pending  []*criwatch.Event
	// Closed, and another in its place, when there is something to tell.
	woken chan struct{}
	ended chan struct{}
}

func (f *Fake) newQueue(mask, flags uint32) *queue {
	if mask == 0 {
		mask = usual
	}
	queue := &queue{
		fake: f, mask: mask | control, liveOnly: criwatch.SubscribeFlags(flags)&criwatch.SubscribeLiveOnly != 0,
		woken: make(chan struct{}), ended: make(chan struct{}),
	}
	f.queues[queue] = struct{}{}
	f.announce()
	if f.started && !f.stopped {
		f.replay(queue)
	}
	return queue
}

// WaitForQueue waits until the program under test has made a queue on a started watcher, so that it gets every event from then on; or
// gives the context's error.
func (f *Fake) WaitForQueue(ctx context.Context) error {
	for {
		f.mutex.Lock()
		is, made := f.started && len(f.queues) > 0, f.made
		f.mutex.Unlock()
		if is {
			return nil
		}
		select {
		case <-made:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// announce wakes WaitForQueue.
func (f *Fake) announce() {
	close(f.made)
	f.made = make(chan struct{})
}

// publish tells all queues. Before the start there is nobody to tell: a replay will show it.
func (f *Fake) publish(event *criwatch.Event) {
	if !f.started || f.stopped {
		return
	}
	for queue := range f.queues {
		f.deliver(queue, event)
	}
}

func (f *Fake) deliver(to *queue, event *criwatch.Event) {
	if to.mask&(1<<event.Type) == 0 {
		return
	}
	own := *event
	own.Container = cloned(event.Container)
	if own.Seq == 0 {
		f.seq++
		own.Seq = f.seq
	}
	if own.Generation == 0 {
		own.Generation = f.generation
	}
	if own.Observed.IsZero() {
		own.Observed = time.Now()
	}
	if own.Time.IsZero() {
		own.Time = own.Observed
	}
	if own.State == 0 {
		own.State = f.state
	}
	to.pending = append(to.pending, &own)
	to.wake()
}

// replay shows a queue what runs.
func (f *Fake) replay(to *queue) {
	if to.liveOnly {
		return
	}
	f.deliver(to, &criwatch.Event{Type: criwatch.EventReplayBegin})
	for _, entry := range f.entries {
		if entry.State == criwatch.StateRunning {
			f.deliver(to, &criwatch.Event{
				Type: criwatch.EventStarted, Flags: criwatch.EventFlagInitial, Container: entry, Time: began(entry),
			})
		}
	}
	f.deliver(to, &criwatch.Event{Type: criwatch.EventReplayEnd})
}

func (q *queue) wake() {
	close(q.woken)
	q.woken = make(chan struct{})
}

func (q *queue) TryNext() (*criwatch.Event, *capi.Failure) {
	q.fake.mutex.Lock()
	defer q.fake.mutex.Unlock()
	if failure := q.fake.fails(OpNext); failure != nil {
		return nil, failure
	}
	if len(q.pending) > 0 {
		event := q.pending[0]
		q.pending = q.pending[1:]
		return event, nil
	}
	if q.fake.stopped {
		return nil, note(criwatch.ErrClosed)
	}
	return nil, note(criwatch.ErrAgain)
}

func (q *queue) TryNextJSON() ([]byte, *capi.Failure) {
	event, failure := q.TryNext()
	if failure != nil {
		return nil, failure
	}
	text, err := json.Marshal(event)
	return text, failureOf(err)
}

func (q *queue) Ready() bool {
	q.fake.mutex.Lock()
	defer q.fake.mutex.Unlock()
	return len(q.pending) > 0 || q.fake.stopped
}

func (q *queue) Wait(ctx context.Context, attempt func() bool) error {
	for {
		q.fake.mutex.Lock()
		woken := q.woken
		q.fake.mutex.Unlock()
		if err := ctx.Err(); err != nil {
			return err
		}
		select {
		case <-q.ended:
			return backend.ErrEnded
		default:
		}
		if attempt() {
			return nil
		}
		select {
		case <-woken:
		case <-ctx.Done():
		case <-q.ended:
		}
	}
}

func (q *queue) End() { close(q.ended) }

func (q *queue) Free() {
	q.fake.mutex.Lock()
	defer q.fake.mutex.Unlock()
	delete(q.fake.queues, q)
}
