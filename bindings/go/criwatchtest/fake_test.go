package criwatchtest_test

import (
	"context"
	"encoding/json"
	"errors"
	"os/exec"
	"testing"
	"time"

	criwatch "github.com/criwatch/criwatch/bindings/go"
	"github.com/criwatch/criwatch/bindings/go/criwatchtest"
)

// started is a fake with a started watcher.
func started(t *testing.T) (*criwatchtest.Fake, *criwatch.Watcher) {
	t.Helper()
	fake := criwatchtest.New()
	t.Cleanup(func() { fake.Watcher().Close() })
	must(t, fake.Watcher().Start())
	return fake, fake.Watcher()
}

// What one reader does to its record, and what the test does to its own afterwards, is nobody else's business.
func TestRecordsAreTheirReadersOwn(t *testing.T) {
	fake, watcher := started(t)
	mine := criwatchtest.Container("shop/web/nginx")
	mine.Labels["tier"] = "front"
	fake.Run(mine)
	mine.Labels["tier"] = "spoilt"
	read, err := watcher.Get("nginx")
	must(t, err)
	read.Labels["tier"], read.Pod.Name = "spoilt", "spoilt"
	again, err := watcher.Get("nginx")
	must(t, err)
	if again.Labels["tier"] != "front" || again.Path() != "shop/web/nginx" {
		t.Errorf("the record has changed: %v %v", again, again.Labels)
	}
}

// A snapshot stays what it is, a wait ends with what it waits for, and a closed queue ends its wait.
func TestSnapshotsAndQueuesOfAFake(t *testing.T) {
	fake, watcher := started(t)
	fake.Run(criwatchtest.Container("shop/web"))
	fake.Run(criwatchtest.Container("shop/web/nginx"))
	snapshot, err := watcher.Snapshot()
	must(t, err)
	defer snapshot.Close()
	fake.Exit("nginx", 1, "Error")
	before, err := snapshot.Containers()
	must(t, err)
	if len(before) != 2 || before[0].Pod != before[1].Pod {
		t.Errorf("the snapshot shows %v", before)
	}

	queue, err := watcher.NewQueue(&criwatch.QueueOptions{Flags: criwatch.SubscribeLiveOnly})
	must(t, err)
	short, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	if _, err := queue.Next(short); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("nothing happens, and Next gives %v", err)
	}
	waited := make(chan error)
	go func() { waited <- queue.Wait(context.Background()) }()
	fake.SetState(criwatch.WatcherBackoff, "the engine is away")
	must(t, <-waited)
	event, err := queue.TryNext()
	must(t, err)
	if event.String() != "state backoff: the engine is away" || watcher.State() != criwatch.WatcherBackoff {
		t.Errorf("told: %v", event)
	}
	go func() {
		_, err := queue.Next(context.Background())
		waited <- err
	}()
	must(t, queue.Close())
	if err := <-waited; !errors.Is(err, criwatch.ErrClosed) {
		t.Errorf("a closed queue gives %v", err)
	}
}

func TestOverflowAndUpdatesOfAFake(t *testing.T) {
	fake, watcher := started(t)
	fake.Run(criwatchtest.Container("shop/web"))
	queue, err := watcher.NewQueue(nil)
	must(t, err)
	defer queue.Close()
	fake.Run(criwatchtest.Container("shop/web/nginx"))
	fake.Overflow()
	event, err := queue.Next(within(t))
	must(t, err)
	if event.Type != criwatch.EventOverflow || event.Lost != 4 {
		t.Errorf("%v lost %d", event, event.Lost)
	}
	if told := story(t, queue, "replayEnd"); told != "replayBegin\nstarted shop/web initial\nstarted shop/web/nginx initial\nreplayEnd" {
		t.Errorf("after it: %s", told)
	}
	fake.Update("nginx", criwatch.ChangedLabels, func(c *criwatch.Container) { c.Pod.Labels["app"] = "web" })
	must(t, watcher.Attach("nginx", []byte(`{"team":"a"}`)))
	for _, changed := range []criwatch.Changed{criwatch.ChangedLabels, criwatch.ChangedRucksack} {
		text, err := queue.NextJSON(within(t))
		must(t, err)
		var event criwatch.Event
		must(t, json.Unmarshal(text, &event))
		if event.Changed != changed {
			t.Errorf("%s, not %v", text, changed)
		}
	}
	fake.Run(criwatchtest.Container("shop/web/proxy"))
	sandbox, err := watcher.Get("shop/web")
	must(t, err)
	if sandbox.Pod.Labels["app"] != "web" {
		t.Error("the pod has changed for one container only, or was forgotten")
	}
	_, err = queue.Next(within(t))
	must(t, err)
	fake.Emit(&criwatch.Event{Type: criwatch.EventExited, Flags: criwatch.EventFlagWitnessed, Container: sandbox})
	if event, err = queue.Next(within(t)); err != nil || event.Flags != criwatch.EventFlagWitnessed {
		t.Errorf("emitted: %v %v", event, err)
	}
}

func TestLookupsRequestsAndMistakesOfAFake(t *testing.T) {
	fake, watcher := started(t)
	nginx := criwatchtest.Container("shop/web/nginx")
	nginx.PID, nginx.CgroupID, nginx.CgroupPath, nginx.Namespaces.Net = 4671, 99, "/kubepods/x", 7
	nginx.Annotations["team"] = "a"
	fake.Run(nginx)
	snapshot, err := watcher.Snapshot()
	must(t, err)
	found, err := snapshot.FindPIDs([]criwatch.Process{{PID: 4671}, {PID: 1}})
	must(t, err)
	if found[0].Container.Name != "nginx" || found[1].Status != criwatch.ErrNone {
		t.Errorf("pids: %+v", found)
	}
	for name, find := range map[string]func() (*criwatch.Container, error){
		"cgroup": func() (*criwatch.Container, error) { return watcher.LookupCgroup(within(t), 99) },
		"path":   func() (*criwatch.Container, error) { return snapshot.FindCgroupPath("/kubepods/x/below") },
		"net": func() (*criwatch.Container, error) {
			container, _, err := snapshot.FindNamespace(criwatch.NamespaceNet, 7)
			return container, err
		},
	} {
		if container, err := find(); err != nil || container.Name != "nginx" {
			t.Errorf("by %s: %v %v", name, container, err)
		}
	}

	fake.OnInspect(func(c *criwatch.Container) (string, error) { return `{"pid":4671}`, nil })
	inspection, err := watcher.Inspect(within(t), "nginx", 0)
	must(t, err)
	if string(inspection.Info) != `{"pid":4671}` || inspection.Container.Annotations["team"] != "a" || len(inspection.Container.Labels) != 0 {
		t.Errorf("inspected: %s %+v", inspection.Info, inspection.Container)
	}
	if _, err := watcher.Call(within(t), "RuntimeService/Status", ""); !errors.Is(err, criwatch.ErrUnsupported) {
		t.Errorf("a call that nobody answers: %v", err)
	}
	fake.OnCall("RuntimeService/Status", func(string) (string, error) { return "{}", nil })
	reply, err := watcher.Call(within(t), "RuntimeService/Status", "")
	if must(t, err); string(reply) != "{}" {
		t.Errorf("the reply is %s", reply)
	}
	pods, err := watcher.Pods(nil)
	if must(t, err); len(pods.Pods) != 1 || len(pods.Pods[0].Containers) != 1 || pods.Engine.Type != criwatch.EngineType {
		t.Errorf("pods: %+v", pods)
	}

	fake.Fail(criwatchtest.OpNext, criwatch.ErrProtocol)
	queue, err := watcher.NewQueue(nil)
	must(t, err)
	if _, err := queue.Next(within(t)); !errors.Is(err, criwatch.ErrProtocol) {
		t.Errorf("Next gives %v", err)
	}
	for name, mistake := range map[string]func(){
		"a second run":          func() { fake.Run(nginx) },
		"an exit of nothing":    func() { fake.Exit("none", 0, "") },
		"a path":                func() { criwatchtest.Container("nginx") },
		"an unknown operation":  func() { fake.Fail("nothing", nil) },
		"an exit a second time": func() { fake.Exit("nginx", 0, ""); fake.Exit("nginx", 0, "") },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s is no mistake", name)
				}
			}()
			mistake()
		}()
	}
}

// Without the program a test is skipped, and says what would help.
func TestWithoutTheSimulator(t *testing.T) {
	t.Setenv("CRI_SIM", "")
	t.Setenv("PATH", t.TempDir())
	if _, err := exec.LookPath("cri-sim"); err == nil {
		t.Fatal("PATH has it all the same")
	}
	if _, err := criwatchtest.NewSim(); !errors.Is(err, criwatchtest.ErrNoSim) {
		t.Errorf("without cri-sim: %v", err)
	}
	t.Setenv("CRI_SIM", "/nonexistent/cri-sim")
	if _, err := criwatchtest.NewSim(); err == nil || errors.Is(err, criwatchtest.ErrNoSim) {
		t.Errorf("with one that is not there: %v", err)
	}
}

// A script's answer has several values of one key.
func TestFieldsOfAnAnswer(t *testing.T) {
	engine := criwatchtest.StartSim(t)
	ids := engine.Tell(t, "pod web ns=shop nginx").Fields("id")
	listed := engine.Tell(t, "list")
	if len(ids) != 2 || len(listed.Details) != 2 || engine.Tell(t, "stop nginx").Field("id") != ids[1] || listed.Field("nothing") != "" {
		t.Errorf("ids %q, listed %q", ids, listed.Details)
	}
	if _, err := engine.Do("stop nobody"); err == nil {
		t.Error("what cannot be done is no error")
	}
}
