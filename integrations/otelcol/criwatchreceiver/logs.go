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
	interval := newPeriod(r.config.Entities)
	for ctx.Err() == nil {
		event, err := r.next(ctx, reporter, interval)
		switch {
		case err == nil:
			reporter.event(ctx, event)
		case errors.Is(err, errPeriod):
			reporter.states()
		case errors.Is(err, context.DeadlineExceeded):
			// The oldest record has waited for long enough.
		default:
			if ctx.Err() == nil {
				r.logger.Error("no more events come", zap.Error(err))
			}
			r.flush(ctx, reporter)
			return
		}
		if err != nil || reporter.isDue() {
			r.flush(ctx, reporter)
		}
	}
	r.flush(ctx, reporter)
}

var errPeriod = errors.New("the states are to be repeated")

// next takes an event. It waits no longer than the records that are there may wait, and than until the next repetition.
func (r *logsReceiver) next(ctx context.Context, reporter *reporter, interval *period) (*criwatch.Event, error) {
	if interval.isOver() {
		return nil, errPeriod
	}
	if event, err := r.queue.TryNext(); !errors.Is(err, criwatch.ErrAgain) {
		return event, err
	}
	until, is := interval.end()
	if due := reporter.due(); !due.IsZero() && (!is || due.Before(until)) {
		until, is = due, true
	}
	if !is {
		return r.queue.Next(ctx)
	}
	limited, cancel := context.WithDeadline(ctx, until)
	defer cancel()
	return r.queue.Next(limited)
}

func (r *logsReceiver) flush(ctx context.Context, reporter *reporter) {
	for _, batch := range reporter.take() {
		r.delivery.send(ctx, batch)
	}
}

// period is the time between two repetitions of all states.
type period struct {
	every time.Duration
	next  time.Time
}

func newPeriod(config EntitiesConfig) *period {
	if !config.Enabled || config.Interval == 0 {
		return &period{}
	}
	return &period{every: config.Interval, next: time.Now().Add(config.Interval)}
}

func (p *period) end() (time.Time, bool) { return p.next, p.every > 0 }

// isOver begins the next period if this one is over.
func (p *period) isOver() bool {
	if p.every == 0 || time.Now().Before(p.next) {
		return false
	}
	p.next = time.Now().Add(p.every)
	return true
}
