// Follows every engine of a node, one watcher for each, and writes what starts and ends on all of them, until SIGTERM or Ctrl-C.
// Engines of one id (one host) belong together: each line begins with that id.
//
//	go run ./allengines -option discover.nested=true -option host.root=/host
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"

	criwatch "github.com/criwatch/criwatch/bindings/go"
)

func main() {
	var options []criwatch.Option
	flag.Func("option", "an option of the library, `KEY=VALUE`; may be repeated", func(pair string) error {
		key, value, is := strings.Cut(pair, "=")
		if !is {
			return errors.New("it is not KEY=VALUE")
		}
		options = append(options, criwatch.WithOption(key, value))
		return nil
	})
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	node := &node{to: os.Stdout, options: options, log: log, engines: map[string]*engine{}}
	if err := node.follow(ctx); err != nil {
		log.Error("the search for engines ended", "error", err)
		os.Exit(1)
	}
}

// node is what is followed.
type node struct {
	to      io.Writer
	options []criwatch.Option
	log     *slog.Logger
	mutex   sync.Mutex
	// By endpoint.
	engines map[string]*engine
	running sync.WaitGroup
}

type engine struct {
	id   string
	stop context.CancelFunc
}

// follow keeps a watcher for each engine until the context ends, which is no error.
func (n *node) follow(ctx context.Context) error {
	defer n.running.Wait()
	finder, err := criwatch.NewFinder(n.options...)
	if err != nil {
		return err
	}
	defer finder.Close()
	for {
		news, err := finder.Next(ctx)
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		n.take(ctx, news)
	}
}

func (n *node) take(ctx context.Context, news *criwatch.EngineNews) {
	endpoint, id := news.Engine.API, news.Engine.ID
	if id == "" {
		id = endpoint
	}
	known := n.engines[endpoint]
	switch {
	case news.Type == criwatch.EngineFound && known == nil:
		inner, stop := context.WithCancel(ctx)
		n.engines[endpoint] = &engine{id: id, stop: stop}
		n.running.Add(1)
		go func() {
			defer n.running.Done()
			if err := n.watch(inner, endpoint, id); err != nil {
				n.log.Error("an engine cannot be followed", "endpoint", endpoint, "error", err)
			}
		}()
	case news.Type == criwatch.EngineLost && known != nil:
		known.stop()
		delete(n.engines, endpoint)
	default:
		return
	}
	together := 0
	for _, one := range n.engines {
		if one.id == id {
			together++
		}
	}
	n.line("%s  engine %s at %s (%d of this id)\n", id, news.Type, endpoint, together)
}

// watch writes what one engine does until the context ends.
func (n *node) watch(ctx context.Context, endpoint, id string) error {
	watcher, err := criwatch.New(endpoint, append(n.options[:len(n.options):len(n.options)], criwatch.WithLogger(n.log))...)
	if err != nil {
		return err
	}
	defer watcher.Close()
	queue, err := watcher.NewQueue(&criwatch.QueueOptions{Types: []criwatch.EventType{criwatch.EventStarted, criwatch.EventExited}})
	if err != nil {
		return err
	}
	defer queue.Close()
	if err := watcher.Start(); err != nil {
		return err
	}
	for event := range queue.Chan(ctx) {
		if event.Container != nil {
			n.line("%s  %-7s  %s  pid %d\n", id, event.Type, event.Container.Path(), event.Container.PID)
		}
	}
	return nil
}

func (n *node) line(format string, values ...any) {
	n.mutex.Lock()
	defer n.mutex.Unlock()
	fmt.Fprintf(n.to, format, values...)
}
