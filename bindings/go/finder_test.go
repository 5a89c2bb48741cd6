package criwatch_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	criwatch "github.com/criwatch/criwatch/bindings/go"
	"github.com/criwatch/criwatch/bindings/go/criwatchtest"
)

// findingOnly are options under which no other engine is found than these.
func findingOnly(t *testing.T, engines ...*criwatchtest.Sim) []criwatch.Option {
	t.Helper()
	var sockets []string
	for _, engine := range engines {
		sockets = append(sockets, strings.TrimPrefix(engine.Endpoint(), "unix://"))
	}
	return []criwatch.Option{
		criwatch.WithHostRoot(t.TempDir()),
		criwatch.WithDiscoverSockets(strings.Join(sockets, ":")),
		criwatch.WithDiscoverInterval(100 * time.Millisecond),
	}
}

func TestTheEngineInUseIsTheBest(t *testing.T) {
	empty, used := criwatchtest.StartSim(t), criwatchtest.StartSim(t)
	used.Tell(t, "pod web ns=shop nginx")
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	options := findingOnly(t, empty, used)
	found, err := criwatch.Discover(ctx, options...)
	must(t, err)
	if len(found.Engines) != 2 || found.Engines[0].API != used.Endpoint() || found.Engines[1].API != empty.Endpoint() {
		t.Fatalf("found %+v", found)
	}
	best := found.Engines[0]
	if !best.Answers || best.Error != nil || best.Sandboxes == nil || *best.Sandboxes != 1 || best.Reasons[0].Evidence != "rootless" {
		t.Errorf("the best is %+v", best)
	}
	if len(found.Absent) == 0 || len(found.Notes) == 0 {
		t.Errorf("nothing is absent, and there is a /proc: %+v", found)
	}
	watcher, err := criwatch.New("", options...)
	must(t, err)
	defer watcher.Close()
	must(t, watcher.Resync(ctx))
	info, err := watcher.Engine()
	must(t, err)
	if info.API != used.Endpoint() {
		t.Errorf("the watcher took %s", info.API)
	}
	if len(info.Candidates) != 1 || info.Candidates[0].API == info.API || !info.Candidates[0].Answers {
		t.Errorf("the others: %+v", info.Candidates)
	}
	_, err = criwatch.Discover(ctx, criwatch.WithHostRoot("/nowhere/at/all"))
	if !errors.Is(err, criwatch.ErrOption) {
		t.Errorf("no such root: %v", err)
	}
}

func TestAFinderReportsWhatComesAndGoes(t *testing.T) {
	engine := criwatchtest.StartSim(t)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	finder, err := criwatch.NewFinder(findingOnly(t, engine)...)
	must(t, err)
	defer finder.Close()
	news, err := finder.Next(ctx)
	must(t, err)
	if news.Type != criwatch.EngineFound || news.Engine.API != engine.Endpoint() || news.Type.String() != "found" {
		t.Fatalf("it reported %+v", news)
	}
	if _, err := finder.TryNext(); !errors.Is(err, criwatch.ErrAgain) {
		t.Errorf("more news: %v", err)
	}
	short, end := context.WithTimeout(ctx, time.Millisecond)
	defer end()
	if _, err := finder.Next(short); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the context has ended: %v", err)
	}
	engine.Stop()
	news, err = finder.Next(ctx)
	must(t, err)
	if news.Type != criwatch.EngineLost || news.Engine.API != engine.Endpoint() {
		t.Errorf("it reported %+v", news)
	}
}

func TestCloseEndsTheWaitForAnEngine(t *testing.T) {
	finder, err := criwatch.NewFinder(findingOnly(t)...)
	must(t, err)
	ended := make(chan error)
	go func() {
		_, err := finder.Next(context.Background())
		ended <- err
	}()
	must(t, finder.Close())
	if err := <-ended; !errors.Is(err, criwatch.ErrClosed) {
		t.Errorf("it ended with %v", err)
	}
	var none *criwatch.Finder
	if _, err := none.Next(context.Background()); !errors.Is(err, criwatch.ErrClosed) {
		t.Errorf("of nil: %v", err)
	}
	must(t, none.Close())
}
