package criwatchtest_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	criwatch "github.com/criwatch/criwatch/bindings/go"
	"github.com/criwatch/criwatch/bindings/go/criwatchtest"
)

// How long anything on a slow, busy machine may take before a test gives up on it.
const patience = 60 * time.Second

// node is the simulated engine under the library's watcher, and a fake on which the same runs.
type node struct {
	sim     *criwatchtest.Sim
	fake    *criwatchtest.Fake
	library *criwatch.Watcher
}

func newNode(t *testing.T) *node {
	t.Helper()
	sim := criwatchtest.StartSim(t)
	library, err := criwatch.New(sim.Endpoint())
	if errors.Is(err, criwatch.ErrUnsupported) {
		t.Skip(err)
	}
	must(t, err)
	n := &node{sim: sim, fake: criwatchtest.New(), library: library}
	t.Cleanup(func() { library.Close(); n.fake.Watcher().Close() })
	return n
}

// both are the watchers, the library's first.
func (n *node) both() []*criwatch.Watcher { return []*criwatch.Watcher{n.library, n.fake.Watcher()} }

// copyAll has the fake run what the library sees.
func (n *node) copyAll(t *testing.T) {
	t.Helper()
	list, err := n.library.List(&criwatch.Query{All: true})
	must(t, err)
	for _, container := range list.Containers {
		n.fake.Run(container)
		if container.State == criwatch.StateExited {
			n.fake.Exit(container.ID, container.ExitCode, container.Reason)
		}
	}
}

// Queries and names select from a fake what they select from the library.
func TestFakeSelectsAsTheLibrary(t *testing.T) {
	n := newNode(t)
	for _, line := range []string{
		"pod web ns=shop label=app=web label=tier=front label=weight=7 nginx proxy", "pod web ns=test label=app=web nginx",
		"pod api ns=shop label=app=api annotation=team=a app", "run-pod job ns=batch", "create job run -- false", "start run",
		"stop run",
	} {
		n.sim.Tell(t, line)
	}
	ctx := within(t)
	must(t, n.library.Resync(ctx))
	n.copyAll(t)
	must(t, n.fake.Watcher().Resync(ctx))

	everything, err := n.library.List(&criwatch.Query{All: true})
	must(t, err)
	if len(everything.Containers) != 9 {
		t.Fatalf("there are %d containers and sandboxes", len(everything.Containers))
	}
	first := everything.Containers[0]
	for _, query := range []*criwatch.Query{
		nil, {}, {All: true}, {States: []criwatch.State{criwatch.StateExited}}, {Kind: criwatch.KindSandbox}, {Kind: criwatch.KindContainer},
		{Namespace: "shop"}, {Pod: "web"}, {Pod: "shop/web"}, {Pod: first.Pod.ID}, {Pod: first.Pod.ID[:8]}, {Pod: first.Pod.ID[:5]},
		{UID: first.Pod.UID}, {Name: "nginx"}, {Name: "web"}, {Namespace: "nowhere"}, {Selector: "app"}, {Selector: "!app"},
		{Selector: "app=web"}, {Selector: "app==web,tier"}, {Selector: "app!=web"}, {Selector: "tier!=front"}, {Selector: " app in (web, api) "},
		{Selector: "app notin (web),!tier"}, {Selector: "weight>6"}, {Selector: "weight<7"}, {Selector: "io.kubernetes.pod.name=api"},
		{Selector: "io.kubernetes.sandbox"}, {Selector: "io.kubernetes.container.name in (app)"}, {Selector: "app in web"}, {Selector: "a,,b"},
		{Selector: "io.kubernetes.annotation/team=a"}, {Selector: "!"}, {States: []criwatch.State{77}},
	} {
		var answers []string
		for _, watcher := range n.both() {
			list, err := watcher.List(query)
			answers = append(answers, told(list, err))
		}
		if answers[0] != answers[1] {
			t.Errorf("query %+v: the library has\n%s\nand the fake\n%s", query, answers[0], answers[1])
		}
	}
	for _, name := range []string{
		first.ID, first.ID[:6], first.ID[:5], first.Path(), "shop/web/nginx", "shop/web", "nginx", "web", "api", "app", "proxy", "run", "batch/job/run", "none", "",
	} {
		var answers []string
		for _, watcher := range n.both() {
			container, err := watcher.Get(name)
			answers = append(answers, fmt.Sprint(container, " ", statusOf(err)))
		}
		if answers[0] != answers[1] {
			t.Errorf("%q: the library has %s, and the fake %s", name, answers[0], answers[1])
		}
	}
}

// What a consumer is told, in the same order: a replay, and then what happens.
func TestFakeTellsAsTheLibrary(t *testing.T) {
	n := newNode(t)
	n.sim.Tell(t, "pod web ns=shop nginx")
	must(t, n.library.Resync(within(t)))
	n.copyAll(t)

	all := []criwatch.EventType{
		criwatch.EventStarted, criwatch.EventExited, criwatch.EventCreated, criwatch.EventRemoved,
	}
	var stories []string
	for i, watcher := range n.both() {
		must(t, watcher.Start())
		must(t, watcher.WaitReady(within(t)))
		queue, err := watcher.NewQueue(&criwatch.QueueOptions{Types: all})
		must(t, err)
		if i == 0 {
			for _, line := range []string{"create web job", "start job", "stop job", "rm job", "stop nginx", "stop-pod web"} {
				n.sim.Tell(t, line)
			}
		} else {
			n.fake.Create(criwatchtest.Container("shop/web/job"))
			n.fake.Run(criwatchtest.Container("shop/web/job"))
			n.fake.Exit("job", 143, "Error")
			n.fake.Remove("job")
			n.fake.Exit("nginx", 143, "Error")
			n.fake.Exit("shop/web", 0, "")
		}
		stories = append(stories, story(t, queue, "exited shop/web"))
		must(t, watcher.Stop())
		for {
			_, err := queue.Next(within(t))
			if errors.Is(err, criwatch.ErrClosed) {
				break
			}
			must(t, err)
		}
	}
	if stories[0] != stories[1] {
		t.Errorf("the library tells\n%s\nand the fake\n%s", stories[0], stories[1])
	}
}

// The states that a watcher goes through, and what it then answers.
func TestFakeRefusesAsTheLibrary(t *testing.T) {
	n := newNode(t)
	var answers [][]string
	for _, watcher := range n.both() {
		var said []string
		say := func(err error) { said = append(said, statusOf(err).String()) }
		_, err := watcher.List(nil)
		say(err)
		_, err = watcher.Snapshot()
		say(err)
		_, err = watcher.Get("nginx")
		say(err)
		say(watcher.WaitReady(within(t)))
		say(watcher.Resync(within(t)))
		say(watcher.Attach("nginx", []byte("{}")))
		_, err = watcher.List(nil)
		say(err)
		_, err = watcher.Raw().List(`{"color":"red"}`)
		say(err)
		_, err = watcher.List(&criwatch.Query{IfGeneration: watcher.Generation()})
		say(err)
		say(watcher.Start())
		say(watcher.Start())
		say(watcher.Stop())
		say(watcher.Stop())
		_, err = watcher.List(nil)
		say(err)
		say(watcher.Resync(within(t)))
		say(watcher.WaitReady(within(t)))
		said = append(said, watcher.State().String())
		say(watcher.Close())
		_, err = watcher.List(nil)
		say(err)
		answers = append(answers, said)
	}
	if !reflect.DeepEqual(answers[0], answers[1]) {
		t.Errorf("the library answers\n%q\nand the fake\n%q", answers[0], answers[1])
	}
}

func told(list *criwatch.ContainerList, err error) string {
	if err != nil {
		return statusOf(err).String()
	}
	var lines []string
	for _, container := range list.Containers {
		lines = append(lines, fmt.Sprint(container, " ", container.ID[:8], " ", container.Pod.Labels))
	}
	return strings.Join(lines, "\n")
}

// story is what a queue tells until an event. The runs of a replay have no order.
func story(t *testing.T, queue *criwatch.Queue, end string) string {
	t.Helper()
	var lines, initial []string
	for ctx := within(t); ; {
		event, err := queue.Next(ctx)
		if err != nil {
			t.Fatalf("after %q: %v", lines, err)
		}
		line := event.String()
		if event.Flags&criwatch.EventFlagInitial != 0 {
			initial = append(initial, line+" initial")
			continue
		}
		if event.Type == criwatch.EventReplayEnd {
			slices.Sort(initial)
			lines = append(lines, initial...)
		}
		if lines = append(lines, line); line == end {
			return strings.Join(lines, "\n")
		}
	}
}

func statusOf(err error) criwatch.Status {
	var failure *criwatch.Error
	if errors.As(err, &failure) {
		return failure.Status
	}
	if err != nil {
		return criwatch.ErrInternal
	}
	return criwatch.OK
}

func within(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
