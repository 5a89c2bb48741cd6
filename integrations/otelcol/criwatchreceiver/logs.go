package criwatchreceiver

import (
	"context"
	"errors"
	"time"

	criwatch "github.com/criwatch/criwatch/bindings/go"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/receiver"
	"go.uber.org/zap"

	"github.com/criwatch/criwatch/integrations/otelcol/internal/node"
)

// logsReceiver takes events from the library's queue, and hands on batches of records. While a batch is refused, the queue
// fills; when it overflows, a replay heals what was lost.
type logsReceiver struct {
	config   *Config
	logger   *zap.Logger
	delivery *delivery

	link   *node.Link
	queue  *criwatch.Queue
	cancel context.CancelFunc
	done   chan struct{}
}

func newLogsReceiver(set receiver.Settings, config *Config, next consumer.Logs) (*logsReceiver, error) {
	delivery, err := newDelivery(set, config.Delivery, next)
	if err != nil {
		return nil, err
	}
	return &logsReceiver{config: config, logger: set.Logger, delivery: delivery}, nil
}

func (r *logsReceiver) Start(_ context.Context, host component.Host) (err error) {
	if r.link, err = node.Join(r.config.Config, host, r.logger); err != nil {
		return err
	}
	if r.queue, err = r.link.NewQueue(nil); err != nil {
		return errors.Join(err, r.link.Leave())
	}
	ctx, cancel := context.WithCancel(context.Background())
	r.cancel, r.done = cancel, make(chan struct{})
	go func() {
		defer close(r.done)
		r.run(ctx)
	}()
	return nil
}

func (r *logsReceiver) Shutdown(context.Context) error {
	if r.cancel == nil {
		return nil
	}
	r.cancel()
	<-r.done
	r.cancel = nil
	return errors.Join(r.queue.Close(), r.link.Leave())
}

// run goes on until the context ends; what was taken by then is offered once more.
func (r *logsReceiver) run(ctx context.Context) {
	reporter := newReporter(r.config, r.link.Watcher)
	states, replays := newPeriod(r.config.Entities.Enabled, r.config.Entities.Interval), newPeriod(true, r.config.Events.ReplayInterval)
	for ctx.Err() == nil {
		event, err := r.next(ctx, earliest(reporter.due(), states.next, replays.next))
		switch {
		case err == nil:
			reporter.event(ctx, event)
		case errors.Is(err, context.DeadlineExceeded):
			// Something is due.
		default:
			if ctx.Err() == nil {
				r.logger.Error("no more events come", zap.Error(err))
			}
			r.flush(ctx, reporter)
			return
		}
		if states.isOver() {
			reporter.states()
		}
		if replays.isOver() {
			r.replay(ctx, reporter)
		}
		if err != nil || reporter.isDue() {
			r.flush(ctx, reporter)
		}
	}
	r.flush(ctx, reporter)
}

// next takes an event. It waits no longer than until a time; zero: there is none.
func (r *logsReceiver) next(ctx context.Context, until time.Time) (*criwatch.Event, error) {
	if event, err := r.queue.TryNext(); !errors.Is(err, criwatch.ErrAgain) {
		return event, err
	}
	if until.IsZero() {
		return r.queue.Next(ctx)
	}
	limited, cancel := context.WithDeadline(ctx, until)
	defer cancel()
	return r.queue.Next(limited)
}

// replay goes on with a new queue, which begins with a replay. What waits in the old one is taken first: nothing is left out.
func (r *logsReceiver) replay(ctx context.Context, reporter *reporter) {
	fresh, err := r.link.NewQueue(nil)
	if err != nil {
		r.logger.Warn("there is no replay this time", zap.Error(err))
		return
	}
	for event, err := r.queue.TryNext(); err == nil; event, err = r.queue.TryNext() {
		reporter.event(ctx, event)
		if reporter.isDue() {
			r.flush(ctx, reporter)
		}
	}
	r.queue.Close()
	r.queue = fresh
}

func (r *logsReceiver) flush(ctx context.Context, reporter *reporter) {
	for _, batch := range reporter.take() {
		r.delivery.send(ctx, batch)
	}
}

// period is the time between two repetitions.
type period struct {
	every time.Duration
	// Zero: there are none.
	next time.Time
}

func newPeriod(enabled bool, every time.Duration) *period {
	if !enabled || every == 0 {
		return &period{}
	}
	return &period{every: every, next: time.Now().Add(every)}
}

// isOver begins the next period if this one is over.
func (p *period) isOver() bool {
	if p.next.IsZero() || time.Now().Before(p.next) {
		return false
	}
	p.next = time.Now().Add(p.every)
	return true
}

// earliest is the first of some times; zero ones do not count.
func earliest(times ...time.Time) (first time.Time) {
	for _, one := range times {
		if !one.IsZero() && (first.IsZero() || one.Before(first)) {
			first = one
		}
	}
	return first
}
