package criwatch_test

import (
	"context"
	"encoding/json"
	"errors"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	criwatch "github.com/criwatch/criwatch/bindings/go"
	"github.com/criwatch/criwatch/bindings/go/criwatchtest"
)

func TestAnswersFromMemory(t *testing.T) {
	engine := criwatchtest.StartSim(t)
	pod := engine.Tell(t, "pod web ns=shop label=app=web nginx proxy")
	watcher := newWatcher(t, engine.Endpoint())
	if _, err := watcher.List(nil); !errors.Is(err, criwatch.ErrNotReady) {
		t.Errorf("before the first lists: %v", err)
	}
	must(t, watcher.Resync(within(t, patience)))

	list, err := watcher.List(nil)
	must(t, err)
	names := []string{}
	for _, container := range list.Containers {
		names = append(names, container.Kind.String()+" "+container.Name)
	}
	if want := []string{"sandbox web", "container nginx", "container proxy"}; !reflect.DeepEqual(names, want) {
		t.Errorf("listed %q, not %q", names, want)
	}
	if list.Engine.RuntimeName != "containerd" || list.AsOf.IsZero() || list.Generation != watcher.Generation() {
		t.Errorf("meta: %+v", list.Meta)
	}

	one, err := watcher.List(&criwatch.Query{Kind: criwatch.KindContainer, Name: "nginx", Selector: "app=web"})
	must(t, err)
	if len(one.Containers) != 1 || one.Containers[0].Name != "nginx" || one.Containers[0].Pod.Labels["app"] != "web" {
		t.Errorf("the query gave %+v", one.Containers)
	}
	_, err = watcher.List(&criwatch.Query{IfGeneration: list.Generation})
	if !errors.Is(err, criwatch.ErrNone) || !strings.Contains(err.Error(), "nothing has changed") {
		t.Errorf("the same generation: %v", err)
	}
	if _, err := watcher.Raw().List(`{"color":"red"}`); !errors.Is(err, criwatch.ErrQuery) {
		t.Errorf("an odd query: %v", err)
	}

	pods, err := watcher.Pods(nil)
	must(t, err)
	if len(pods.Pods) != 1 || len(pods.Pods[0].Containers) != 3 || pods.Pods[0].Containers[1].Pod.ID != pod.Field("id") {
		t.Errorf("pods: %+v", pods.Pods)
	}
	info, err := watcher.Engine()
	must(t, err)
	if info.Type != criwatch.EngineType || info.PID != engine.PID() {
		t.Errorf("engine: %+v, its pid is %d", info, engine.PID())
	}
	if info.Ready == nil || !info.Ready.Complete && info.Ready.Open == 0 || info.Candidates != nil {
		t.Errorf("how complete it is: %+v", info.Ready)
	}
	stats, err := watcher.Stats()
	must(t, err)
	if stats.Counts["connects"] != 1 || stats.Requests["ListContainers"].Count == 0 {
		t.Errorf("stats: %+v", stats)
	}
	text, err := watcher.Metrics()
	must(t, err)
	families := 0
	for _, row := range criwatch.Metrics() {
		families += strings.Count("\n"+string(text), "\n# TYPE "+row.Family+" "+row.Kind+"\n")
	}
	if !strings.HasSuffix(string(text), "\n# EOF\n") || families != len(criwatch.Metrics()) {
		t.Errorf("metrics: %s", text)
	}
}

func TestInspectAndCall(t *testing.T) {
	engine := criwatchtest.StartSim(t)
	engine.Tell(t, "pod web ns=shop nginx")
	watcher := newWatcher(t, engine.Endpoint())
	ctx := within(t, patience)
	inspection, err := watcher.Inspect(ctx, "shop/web/nginx", criwatch.InspectRequireProcess)
	must(t, err)
	if inspection.Container.Name != "nginx" || !json.Valid(inspection.Info) {
		t.Errorf("inspection: %+v", inspection)
	}
	var status struct{ LogPath string }
	must(t, json.Unmarshal(inspection.Status, &status))
	var info struct{ Pid int }
	must(t, json.Unmarshal(inspection.Info, &info))
	if status.LogPath == "" || info.Pid != inspection.Container.PID {
		t.Errorf("status: %s, info: %s", inspection.Status, inspection.Info)
	}
	reply, err := watcher.Call(ctx, "RuntimeService/Version", "")
	must(t, err)
	var version struct{ RuntimeName string }
	must(t, json.Unmarshal(reply, &version))
	if version.RuntimeName != "containerd" {
		t.Errorf("reply: %s", reply)
	}
	_, err = watcher.Call(ctx, "RuntimeService/StopContainer", `{"containerId":"x"}`)
	if !errors.Is(err, criwatch.ErrPermission) {
		t.Errorf("a call that changes something: %v", err)
	}
	_, err = watcher.Call(ctx, "RuntimeService/ContainerStatus", `{"containerId":"no-such"}`)
	var failure *criwatch.Error
	if !errors.As(err, &failure) || failure.Status != criwatch.ErrNotFound || failure.GRPCCode != 5 {
		t.Errorf("a container that does not exist: %#v", err)
	}
}

func TestErrors(t *testing.T) {
	_, err := criwatch.New("", criwatch.WithOption("no.such", "1"))
	if !errors.Is(err, criwatch.ErrOption) || !strings.Contains(err.Error(), "no.such") {
		t.Errorf("an unknown option: %v", err)
	}
	_, err = criwatch.New("unix:///a\x00b")
	if !errors.Is(err, criwatch.ErrInvalidArgument) {
		t.Errorf("a NUL: %v", err)
	}
	watcher := newWatcher(t, "unix://"+filepath.Join(t.TempDir(), "absent.sock"))
	err = watcher.Resync(within(t, patience))
	var failure *criwatch.Error
	var errno syscall.Errno
	if !errors.As(err, &failure) || failure.Status != criwatch.ErrConnect || !failure.Retriable || failure.GRPCCode != -1 {
		t.Errorf("no socket: %#v", err)
	}
	if !errors.Is(err, syscall.ENOENT) || !errors.As(err, &errno) || !errors.Is(err, criwatch.ErrConnect) {
		t.Errorf("no socket: %v is not ENOENT", err)
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, criwatch.ErrTimeout) {
		t.Errorf("no socket: %v is no timeout", err)
	}
	if err := watcher.WaitReady(context.Background()); !errors.Is(err, criwatch.ErrState) {
		t.Errorf("waiting before the start: %v", err)
	}
}

func TestDeadlineNamesTheCause(t *testing.T) {
	watcher := newWatcher(t, "unix://"+filepath.Join(t.TempDir(), "absent.sock"))
	must(t, watcher.Start())
	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	err := watcher.WaitReady(ctx)
	if !errors.Is(err, criwatch.ErrTimeout) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("at the deadline: %v", err)
	}
	if err == nil || !strings.Contains(err.Error(), "absent.sock") {
		t.Errorf("%v does not have the cause", err)
	}
	if err := watcher.Resync(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("after the deadline: %v", err)
	}
}

// Whether an error is retriable depends on the cause, not on which call fails.
func TestRetriableIsTheSameForEveryCall(t *testing.T) {
	watcher := newWatcher(t, "unix://"+filepath.Join(t.TempDir(), "absent.sock"))
	queue := newQueue(t, watcher, nil)
	ended, cancel := context.WithDeadline(context.Background(), time.Unix(1, 0))
	defer cancel()
	list := func() error { _, err := watcher.List(nil); return err }
	get := func() error { _, err := watcher.Get("nginx"); return err }
	snapshot := func() error { _, err := watcher.Snapshot(); return err }
	raw := func() error { _, err := watcher.Raw().List(""); return err }
	take := func() error { _, err := queue.TryNext(); return err }
	next := func() error { _, err := queue.Next(ended); return err }
	ready := func() error { return watcher.WaitReady(ended) }
	all := func(what string, want bool, calls ...func() error) {
		t.Helper()
		for i, call := range calls {
			var failure *criwatch.Error
			if err := call(); !errors.As(err, &failure) || failure.Retriable != want {
				t.Errorf("%s, call %d: %#v", what, i, err)
			}
		}
	}
	all("never started", false, list, get, snapshot, raw, ready)
	for _, call := range []func() error{list, get, ready} {
		if err := call(); strings.Contains(err.Error(), "_ready") {
			t.Errorf("%v names a function that Go has not", err)
		}
	}
	all("later", true, take, next)
	must(t, watcher.Start())
	for watcher.State() != criwatch.WatcherBackoff {
		_, err := queue.Next(within(t, patience))
		must(t, err)
	}
	all("no engine yet", true, list, get, snapshot, raw, ready, func() error { return watcher.Resync(ended) })
	must(t, watcher.Stop())
	all("stopped", false, list, get, snapshot, raw, ready, func() error { return watcher.Resync(context.Background()) })
	must(t, watcher.Close())
	all("closed", false, list, get, snapshot, raw, func() error { return watcher.Resync(context.Background()) })
}

// A timeout of the library's own is not the context's.
func TestOwnTimeoutIsNotTheContexts(t *testing.T) {
	engine := criwatchtest.StartSim(t)
	watcher := newWatcher(t, engine.Endpoint(), criwatch.WithOption("connect.timeout_ms", "50"))
	engine.Tell(t, "fault stall on")
	err := watcher.Resync(within(t, patience))
	if err == nil || errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a stalled engine: %v", err)
	}
}

func TestCancelEndsEveryWait(t *testing.T) {
	engine := criwatchtest.StartSim(t)
	engine.Tell(t, "pod web ns=shop nginx")
	watcher := follow(t, engine.Endpoint())
	engine.Tell(t, "fault stall on")
	waits := map[string]func(context.Context) error{
		"resync":  watcher.Resync,
		"inspect": func(ctx context.Context) error { _, err := watcher.Inspect(ctx, "nginx", 0); return err },
		"call":    func(ctx context.Context) error { _, err := watcher.Call(ctx, "RuntimeService/Status", ""); return err },
	}
	// There are far more calls than places. The number of threads stays limited, and no cancelled call waits for the
	// engine.
	before := threads(t)
	for round := 0; round < 20; round++ {
		for name, wait := range waits {
			ctx, cancel := context.WithCancel(context.Background())
			ended := make(chan error, 1)
			go func() { ended <- wait(ctx) }()
			cancel()
			select {
			case err := <-ended:
				if !errors.Is(err, context.Canceled) {
					t.Fatalf("%s: %v", name, err)
				}
			case <-time.After(patience):
				t.Fatalf("%s goes on", name)
			}
		}
	}
	if now := threads(t); now > before+24 {
		t.Errorf("%d threads, before it %d", now, before)
	}
	// The waits in the background end with the watcher. Otherwise the process of this test could not end.
	must(t, watcher.Close())
}

func TestCloseEndsEverything(t *testing.T) {
	engine := criwatchtest.StartSim(t)
	engine.Tell(t, "pod web ns=shop nginx")
	watcher := follow(t, engine.Endpoint())
	queue := newQueue(t, watcher, nil)
	snapshot, err := watcher.Snapshot()
	must(t, err)
	engine.Tell(t, "fault stall on")
	ended := make(chan error)
	go func() { ended <- watcher.Resync(context.Background()) }()
	go func() {
		for {
			if _, err := queue.Next(context.Background()); err != nil {
				ended <- err
				return
			}
		}
	}()
	must(t, watcher.Close())
	must(t, watcher.Close())
	for range [2]struct{}{} {
		if err := <-ended; !errors.Is(err, criwatch.ErrStopped) && !errors.Is(err, criwatch.ErrClosed) {
			t.Errorf("a wait that Close ended: %v", err)
		}
	}
	if _, err := watcher.List(nil); !errors.Is(err, criwatch.ErrClosed) {
		t.Errorf("a closed watcher: %v", err)
	}
	if watcher.State() != criwatch.WatcherStopped || watcher.Generation() != 0 {
		t.Error("a closed watcher is not stopped")
	}
	if _, err := snapshot.Find("nginx"); err != nil {
		t.Errorf("the snapshot of a closed watcher: %v", err)
	}
	must(t, snapshot.Close())
	must(t, snapshot.Close())
	if _, err := snapshot.Containers(); !errors.Is(err, criwatch.ErrClosed) {
		t.Errorf("a closed snapshot: %v", err)
	}
}

// Using an object while it is closed neither crashes nor hangs.
func TestCloseAmidUse(t *testing.T) {
	engine := criwatchtest.StartSim(t, "--workload", "--pace", "5ms")
	for round := 0; round < 5; round++ {
		watcher := follow(t, engine.Endpoint())
		queue := newQueue(t, watcher, nil)
		ctx, cancel := context.WithCancel(context.Background())
		var everybody sync.WaitGroup
		for worker := 0; worker < 8; worker++ {
			everybody.Add(1)
			go func() {
				defer everybody.Done()
				for ctx.Err() == nil {
					queue.Next(ctx)
					watcher.List(nil)
					watcher.Resync(ctx)
					if snapshot, err := watcher.Snapshot(); err == nil {
						snapshot.Containers()
						snapshot.Close()
					}
				}
			}()
		}
		for event := 0; event < 20; event++ {
			queue.Next(ctx)
		}
		queue.Close()
		watcher.Close()
		cancel()
		everybody.Wait()
	}
}

// Finalizers close what was not closed.
func TestForgottenWatcherEnds(t *testing.T) {
	engine := criwatchtest.StartSim(t)
	before := threads(t)
	func() {
		watcher, err := criwatch.New(engine.Endpoint())
		must(t, err)
		must(t, watcher.Start())
		must(t, watcher.WaitReady(within(t, patience)))
		_, err = watcher.NewQueue(nil)
		must(t, err)
		_, err = watcher.Snapshot()
		must(t, err)
		if named("cri-io") == 0 {
			t.Error("a started watcher has no thread")
		}
	}()
	for deadline := time.Now().Add(patience); named("cri-io") > 0; runtime.Gosched() {
		if runtime.GC(); time.Now().After(deadline) {
			t.Fatalf("the watcher is still there: %d threads, before it %d", threads(t), before)
		}
	}
}
