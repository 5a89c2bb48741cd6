// Package node shares one watcher among the components of a collector that follow the same engine.
package node

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	criwatch "github.com/criwatch/criwatch/bindings/go"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.uber.org/zap"
)

// shared are the watchers in use, by their configurations.
var shared = struct {
	sync.Mutex
	watchers map[string]*watcher
}{watchers: map[string]*watcher{}}

type watcher struct {
	*criwatch.Watcher
	key   string
	users int
	began time.Time
}

// Link is a component's use of a watcher. It must not be used after Leave.
type Link struct {
	// Watcher is started. It is shared: nobody but Leave may stop it.
	*criwatch.Watcher

	shared *watcher
	cancel context.CancelFunc
	done   chan struct{}
}

// Join starts the watcher of a configuration, or takes part in one that runs. From then on the component's status follows the
// watcher's state: an engine that cannot be reached is an error that may pass, because the watcher tries for ever.
func Join(config Config, host component.Host, logger *zap.Logger) (*Link, error) {
	taken, err := take(&config)
	if err != nil {
		return nil, fmt.Errorf("watch %s: %w", engineName(config.Endpoint), err)
	}
	states, err := taken.NewQueue(&criwatch.QueueOptions{Types: []criwatch.EventType{criwatch.EventState}})
	if err != nil {
		return nil, errors.Join(err, release(taken))
	}
	ctx, cancel := context.WithCancel(context.Background())
	link := &Link{Watcher: taken.Watcher, shared: taken, cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(link.done)
		defer states.Close()
		link.followStates(ctx, states, host, logger)
	}()
	return link, nil
}

// Began is when the watcher began to count.
func (l *Link) Began() time.Time { return l.shared.began }

// Leave ends the use; the last one stops the watcher. More than once, and of nil, is fine.
func (l *Link) Leave() error {
	if l == nil || l.shared == nil {
		return nil
	}
	l.cancel()
	<-l.done
	err := release(l.shared)
	l.shared = nil
	return err
}

// followStates reports the state as it is, and then each change.
func (l *Link) followStates(ctx context.Context, states *criwatch.Queue, host component.Host, logger *zap.Logger) {
	last := l.State()
	report(host, last, "")
	for {
		event, err := states.Next(ctx)
		if err != nil {
			return
		}
		if event.Type != criwatch.EventState {
			continue
		}
		if event.State != last {
			logger.Info("engine", zap.Stringer("state", event.State), zap.String("reason", event.Message))
		}
		last = event.State
		report(host, last, event.Message)
	}
}

func report(host component.Host, state criwatch.WatcherState, message string) {
	switch state {
	case criwatch.WatcherWatching, criwatch.WatcherPolling:
		componentstatus.ReportStatus(host, componentstatus.NewEvent(componentstatus.StatusOK))
	case criwatch.WatcherBackoff:
		err := fmt.Errorf("the engine cannot be reached: %s", message)
		componentstatus.ReportStatus(host, componentstatus.NewRecoverableErrorEvent(err))
	}
}

func take(config *Config) (*watcher, error) {
	shared.Lock()
	defer shared.Unlock()
	key := config.key()
	if known := shared.watchers[key]; known != nil {
		known.users++
		return known, nil
	}
	made, err := config.newWatcher()
	if err != nil {
		return nil, err
	}
	if err := made.Start(); err != nil {
		return nil, errors.Join(err, made.Close())
	}
	fresh := &watcher{Watcher: made, key: key, users: 1, began: time.Now()}
	shared.watchers[key] = fresh
	return fresh, nil
}

func release(of *watcher) error {
	shared.Lock()
	defer shared.Unlock()
	if of.users--; of.users > 0 {
		return nil
	}
	delete(shared.watchers, of.key)
	return of.Close()
}

func engineName(endpoint string) string {
	if endpoint == "" {
		return "the engine of the node"
	}
	return endpoint
}
