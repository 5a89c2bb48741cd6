package criwatch

import (
	"context"
	"fmt"
	"log/slog"
)

// logger takes a watcher's messages from a queue and hands them on.
type logger struct {
	// It does not keep the watcher from its finalizer: the end of the watcher is the end of the queue.
	queue *Queue
	to    *slog.Logger
	done  chan struct{}
}

func (w *Watcher) startLogger(to *slog.Logger) (*logger, error) {
	queue, err := newQueue(w, &QueueOptions{Types: []EventType{EventLog}, Flags: SubscribeLiveOnly})
	if err != nil {
		return nil, err
	}
	log := &logger{queue: queue, to: to, done: make(chan struct{})}
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
		l.tell(event)
	}
}

// wait waits until the last message was handed on.
func (l *logger) wait() {
	if l != nil {
		<-l.done
	}
}

func (l *logger) tell(event *Event) {
	level, message := slogLevel(event.Level), event.Message
	if event.Type == EventOverflow {
		level, message = slog.LevelWarn, fmt.Sprintf("%d messages were lost: the log handler is too slow", event.Lost)
	}
	ctx := context.Background()
	if message == "" || !l.to.Enabled(ctx, level) {
		return
	}
	record := slog.NewRecord(event.Observed, level, message, 0)
	record.AddAttrs(slog.String("watcher", event.State.String()))
	// A handler's error has nowhere to go, in slog's own functions neither.
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
