package criwatch

import (
	"context"
	"log/slog"
)

// logger takes a watcher's messages from a queue and passes them to a slog.Logger.
type logger struct {
	// The queue does not keep the watcher from being finalized. It ends when the watcher ends.
	queue    *Queue
	to       *slog.Logger
	endpoint string
	done     chan struct{}
}

func (w *Watcher) startLogger(to *slog.Logger, endpoint string) (*logger, error) {
	queue, err := newQueue(w, &QueueOptions{Types: []EventType{EventLog}, Flags: SubscribeLiveOnly})
	if err != nil {
		return nil, err
	}
	log := &logger{queue: queue, to: to, endpoint: endpoint, done: make(chan struct{})}
	go log.run()
	return log, nil
}

func (l *logger) run() {
	defer close(l.done)
	defer l.queue.Close()
	for {
		event, err := l.queue.Next(context.Background())
		if err != nil {
			return
		}
		l.log(event)
	}
}

// wait waits until the last message was passed on.
func (l *logger) wait() {
	if l != nil {
		<-l.done
	}
}

func (l *logger) log(event *Event) {
	level, message := slogLevel(event.Level), event.Message
	attributes := []slog.Attr{slog.String("state", event.State.String()), slog.Uint64("generation", event.Generation)}
	if event.Type == EventOverflow {
		level, message = slog.LevelWarn, "log messages were lost: the log handler is too slow"
		attributes = append(attributes, slog.Uint64("lost", event.Lost))
	}
	if l.endpoint != "" {
		attributes = append(attributes, slog.String("endpoint", l.endpoint))
	}
	ctx := context.Background()
	if message == "" || !l.to.Enabled(ctx, level) {
		return
	}
	record := slog.NewRecord(event.Observed, level, message, 0)
	record.AddAttrs(attributes...)
	// The handler's error is dropped, as in slog's own functions.
	_ = l.to.Handler().Handle(ctx, record)
}

func slogLevel(level LogLevel) slog.Level {
	switch level {
	case LogError:
		return slog.LevelError
	case LogWarn:
		return slog.LevelWarn
	case LogInfo:
		return slog.LevelInfo
	default:
		return slog.LevelDebug
	}
}
