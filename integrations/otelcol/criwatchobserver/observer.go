package criwatchobserver

import (
	"context"
	"errors"
	"sync"
	"time"

	criwatch "github.com/criwatch/criwatch/bindings/go"
	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/observer"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension"
	"go.uber.org/zap"

	"github.com/criwatch/criwatch/integrations/otelcol/internal/node"
)

var _ observer.Observable = (*nodeObserver)(nil)

// nodeObserver follows the events: a container that runs for a few milliseconds is reported, which one who lists now and then
// does not see.
type nodeObserver struct {
	config *Config
	logger *zap.Logger

	link   *node.Link
	queue  *criwatch.Queue
	cancel context.CancelFunc
	done   chan struct{}

	// Held while subscribers are called, so that each sees all changes in their order.
	mu sync.Mutex
	// Changed by run only, with mu held.
	known       *endpoints
	subscribers map[observer.NotifyID]observer.Notify
}

func newObserver(set extension.Settings, config *Config) *nodeObserver {
	return &nodeObserver{
		config: config, logger: set.Logger,
		known: newEndpoints(config, set.ID.String()), subscribers: map[observer.NotifyID]observer.Notify{},
	}
}

func (o *nodeObserver) Start(_ context.Context, host component.Host) (err error) {
	if o.link, err = node.Join(o.config.Config, host, o.logger); err != nil {
		return err
	}
	if o.queue, err = o.link.NewQueue(nil); err != nil {
		return errors.Join(err, o.link.Leave())
	}
	ctx, cancel := context.WithCancel(context.Background())
	o.cancel, o.done = cancel, make(chan struct{})
	go func() {
		defer close(o.done)
		o.run(ctx)
	}()
	return nil
}

func (o *nodeObserver) Shutdown(context.Context) error {
	if o.cancel == nil {
		return nil
	}
	o.cancel()
	<-o.done
	o.cancel = nil
	return errors.Join(o.queue.Close(), o.link.Leave())
}

// ListAndWatch reports what there is, and then what changes.
func (o *nodeObserver) ListAndWatch(notify observer.Notify) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.subscribers[notify.ID()] = notify
	if there := o.known.all(); len(there) > 0 {
		notify.OnAdd(there)
	}
}

// Unsubscribe ends the reports.
func (o *nodeObserver) Unsubscribe(notify observer.Notify) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.subscribers, notify.ID())
}

func (o *nodeObserver) run(ctx context.Context) {
	for {
		event, err := o.next(ctx)
		switch {
		case err == nil:
			o.report(func() changes { return o.known.event(event) })
		case ctx.Err() != nil:
			return
		case errors.Is(err, context.DeadlineExceeded):
			o.report(func() changes { return o.known.expire(time.Now()) })
		default:
			o.logger.Error("no more events come", zap.Error(err))
			return
		}
	}
}

// next waits for an event, no longer than until an endpoint's time is over.
func (o *nodeObserver) next(ctx context.Context) (*criwatch.Event, error) {
	until := o.known.nextExpiry()
	if until.IsZero() {
		return o.queue.Next(ctx)
	}
	limited, cancel := context.WithDeadline(ctx, until)
	defer cancel()
	return o.queue.Next(limited)
}

// report makes a change, and tells all subscribers.
func (o *nodeObserver) report(change func() changes) {
	o.mu.Lock()
	defer o.mu.Unlock()
	made := change()
	for _, subscriber := range o.subscribers {
		if len(made.removed) > 0 {
			subscriber.OnRemove(made.removed)
		}
		if len(made.added) > 0 {
			subscriber.OnAdd(made.added)
		}
		if len(made.changed) > 0 {
			subscriber.OnChange(made.changed)
		}
	}
}
