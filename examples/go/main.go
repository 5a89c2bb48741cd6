// Writes what happens on this node as JSON, one event a line, until SIGTERM or Ctrl-C: for jq, or for a log collector.
//
//	go run . -endpoint unix:///run/containerd/containerd.sock | jq -r '[.type, .container.name] | @tsv'
//
// The lines are the library's own: docs/json.md describes "criwatch.event/1". They begin with what runs already
// (REPLAY_BEGIN, STARTED with flag "initial" for each, REPLAY_END). What the watcher does is logged to stderr.
package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	criwatch "github.com/criwatch/criwatch/bindings/go"
)

func main() {
	endpoint := flag.String("endpoint", "", "the engine's `socket`; none: the best engine of the node")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	if err := export(ctx, *endpoint, log, os.Stdout); err != nil {
		log.Error("the export ended", "error", err)
		os.Exit(1)
	}
}

// export writes events until the context ends, which is no error.
func export(ctx context.Context, endpoint string, log *slog.Logger, to io.Writer) error {
	watcher, err := criwatch.New(endpoint, criwatch.WithLogger(log))
	if err != nil {
		return err
	}
	defer watcher.Close()
	// Before the start, so that not even the first change of state is missed.
	queue, err := watcher.NewQueue(nil)
	if err != nil {
		return err
	}
	defer queue.Close()
	if err := watcher.Start(); err != nil {
		return err
	}
	lines := bufio.NewWriter(to)
	for {
		event, err := queue.NextJSON(ctx)
		if errors.Is(err, context.Canceled) {
			return nil
		} else if err != nil {
			return err
		}
		lines.Write(event)
		lines.WriteByte('\n')
		if err := lines.Flush(); err != nil {
			return err
		}
	}
}
