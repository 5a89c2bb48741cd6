package criwatch_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	criwatch "github.com/criwatch/criwatch/bindings/go"
	"github.com/criwatch/criwatch/bindings/go/criwatchtest"
)

const nobodysID = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

func TestLookupsFindTheContainer(t *testing.T) {
	engine := criwatchtest.StartSim(t)
	engine.Tell(t, "pod web ns=shop nginx")
	watcher := follow(t, engine.Endpoint())
	nginx, err := watcher.Get("nginx")
	must(t, err)
	snapshot, err := watcher.Snapshot()
	must(t, err)
	defer snapshot.Close()
	is := func(what string, found *criwatch.Container, err error) {
		t.Helper()
		if err != nil || found == nil || found.ID != nginx.ID || found.Pod.Path() != "shop/web" {
			t.Errorf("%s: %v, %v", what, found, err)
		}
	}
	ctx := within(t, patience)
	found, err := snapshot.FindPID(nginx.PID, nginx.PIDStartTicks)
	is("by pid", found, err)
	found, err = watcher.LookupPID(ctx, nginx.PID, nginx.PIDStartTicks)
	is("waiting, by pid", found, err)
	found, err = snapshot.FindCgroupPath("/kubepods/pod1/" + nginx.ID)
	is("by path", found, err)
	if nginx.CgroupID != 0 {
		found, err = snapshot.FindCgroup(nginx.CgroupID)
		is("by cgroup", found, err)
		found, err = watcher.LookupCgroup(ctx, nginx.CgroupID)
		is("waiting, by cgroup", found, err)
	}
	many, err := snapshot.FindPIDs([]criwatch.Process{
		{PID: nginx.PID, StartTicks: nginx.PIDStartTicks}, {PID: 0}, {PID: nginx.PID, StartTicks: nginx.PIDStartTicks},
	})
	must(t, err)
	is("in a batch", many[0].Container, nil)
	if len(many) != 3 || many[0] != many[2] || many[1] != (criwatch.Found{Status: criwatch.ErrNone}) {
		t.Errorf("a batch: %+v", many)
	}
	cgroups, err := snapshot.FindCgroups([]uint64{nginx.CgroupID, 1 << 62})
	must(t, err)
	if len(cgroups) != 2 || (cgroups[0].Status == criwatch.OK) != (cgroups[0].Container != nil) || cgroups[1].Container != nil {
		t.Errorf("a batch of cgroups: %+v", cgroups)
	}
	none, err := snapshot.FindCgroups(nil)
	if len(none) != 0 || err != nil {
		t.Errorf("an empty batch: %v, %v", none, err)
	}
}

func TestLookupsSayWhyTheyFindNothing(t *testing.T) {
	engine := criwatchtest.StartSim(t)
	engine.Tell(t, "pod web ns=shop nginx")
	watcher := follow(t, engine.Endpoint())
	snapshot, err := watcher.Snapshot()
	must(t, err)
	defer snapshot.Close()
	if _, err := snapshot.FindPID(0, 0); !errors.Is(err, criwatch.ErrNone) || !strings.Contains(err.Error(), "to the host") {
		t.Errorf("the idle task: %v", err)
	}
	if _, err := snapshot.FindPID(os.Getpid(), 1); !errors.Is(err, criwatch.ErrNotFound) {
		t.Errorf("an earlier process of this pid: %v", err)
	}
	if found, err := snapshot.FindPID(1<<40+os.Getpid(), 0); err == nil || errors.Is(err, criwatch.ErrNone) {
		t.Errorf("no pid at all: %v, %v", found, err)
	}
	_, err = snapshot.FindCgroupPath("/kubepods/pod1/" + nobodysID)
	if !errors.Is(err, criwatch.ErrAgain) || !strings.Contains(err.Error(), "in a container") {
		t.Errorf("a container to come: %v", err)
	}
	for _, path := range []string{"", "/", "/user.slice"} {
		if _, err := snapshot.FindCgroupPath(path); !errors.Is(err, criwatch.ErrNone) {
			t.Errorf("path %q: %v", path, err)
		}
	}
	if _, _, err := snapshot.FindNamespace(criwatch.NamespaceNet, 7); !errors.Is(err, criwatch.ErrNotFound) {
		t.Errorf("nobody's namespace: %v", err)
	}
	if _, _, err := snapshot.FindNamespace(99, 7); !errors.Is(err, criwatch.ErrInvalidArgument) {
		t.Errorf("no kind: %v", err)
	}
	past, cancel := context.WithDeadline(context.Background(), time.Now())
	defer cancel()
	if _, err := watcher.LookupPID(past, 0, 0); !errors.Is(err, criwatch.ErrNone) {
		t.Errorf("what needs no wait: %v", err)
	}
}

// On a made-up host, a process is in a container that the engine has not reported. The wait for it ends with its
// context.
func TestAWaitingLookupEndsWithItsContext(t *testing.T) {
	engine := criwatchtest.StartSim(t)
	engine.Tell(t, "pod web ns=shop nginx")
	root := t.TempDir()
	must(t, os.MkdirAll(filepath.Join(root, "proc", "71"), 0o755))
	cgroup := filepath.Join(root, "proc", "71", "cgroup")
	must(t, os.WriteFile(cgroup, []byte("0::/k8s.io/"+nobodysID+"\n"), 0o644))
	watcher := follow(t, engine.Endpoint(), criwatch.WithHostRoot(root))
	for _, after := range []time.Duration{0, 30 * time.Millisecond} {
		ctx, cancel := context.WithTimeout(context.Background(), after)
		found, err := watcher.LookupPID(ctx, 71, 0)
		cancel()
		if found != nil || !errors.Is(err, criwatch.ErrAgain) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("after %v: %v, %v", after, found, err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if found, err := watcher.LookupPID(ctx, 71, 0); found != nil || !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v, %v", found, err)
	}
	// The same process, now in a container that the engine has: the wait gets an answer.
	nginx, err := watcher.Get("nginx")
	must(t, err)
	must(t, os.WriteFile(cgroup, []byte("0::/k8s.io/"+nginx.ID+"\n"), 0o644))
	found, err := watcher.LookupPID(within(t, patience), 71, 0)
	if err != nil || found.ID != nginx.ID {
		t.Errorf("one that is known: %v, %v", found, err)
	}
	// The end of the watcher ends a wait.
	must(t, os.WriteFile(cgroup, []byte("0::/k8s.io/"+nobodysID+"\n"), 0o644))
	ended := make(chan error)
	go func() {
		_, err := watcher.LookupPID(context.Background(), 71, 0)
		ended <- err
	}()
	must(t, watcher.Stop())
	if err := <-ended; !errors.Is(err, criwatch.ErrStopped) {
		t.Errorf("after the watcher's end: %v", err)
	}
}

// The call, the query or the option decides whose names the attributes have.
func TestAttributesHaveTheNamesOfAThirdParty(t *testing.T) {
	engine := criwatchtest.StartSim(t)
	engine.Tell(t, "pod web ns=shop nginx")
	watcher := follow(t, engine.Endpoint(), criwatch.WithAttributes(criwatch.AttributesFalco))
	snapshot, err := watcher.Snapshot()
	must(t, err)
	defer snapshot.Close()
	otel, err := snapshot.Attributes("nginx", criwatch.AttributesOtel)
	must(t, err)
	nginx, err := watcher.Get("nginx")
	must(t, err)
	if otel["k8s.namespace.name"] != "shop" || otel["container.id"] != nginx.ID || nginx.Attributes["k8s.ns.name"] != "shop" {
		t.Errorf("%v, and of the option %v", otel, nginx.Attributes)
	}
	for _, schema := range []criwatch.AttributesOption{"", criwatch.AttributesNone, "OTel", "a\x00b"} {
		if got, err := snapshot.Attributes("nginx", schema); !errors.Is(err, criwatch.ErrInvalidArgument) {
			t.Errorf("%q: %v, %v", schema, got, err)
		}
	}
	for schema, key := range map[criwatch.AttributesOption]string{
		criwatch.AttributesNone: "", "": "k8s.ns.name", criwatch.AttributesEcs: "kubernetes.namespace",
	} {
		list, err := watcher.List(&criwatch.Query{Name: "nginx", Attributes: schema})
		must(t, err)
		if got := list.Containers[0].Attributes; (key == "") != (got == nil) || key != "" && got[key] != "shop" {
			t.Errorf("a query for %q: %v", schema, got)
		}
		text, err := json.Marshal(list.Containers[0])
		must(t, err)
		var again criwatch.Container
		must(t, json.Unmarshal(text, &again))
		if !reflect.DeepEqual(again.Attributes, list.Containers[0].Attributes) {
			t.Errorf("in JSON: %s", text)
		}
	}
}

// A namespace belongs to the containers in it. The simulated containers are in those of their sandbox, or of the host.
func TestANamespaceIsFound(t *testing.T) {
	engine := criwatchtest.StartSim(t)
	engine.Tell(t, "pod web ns=shop nginx")
	watcher := follow(t, engine.Endpoint())
	snapshot, err := watcher.Snapshot()
	must(t, err)
	defer snapshot.Close()
	containers, err := snapshot.Containers()
	must(t, err)
	for _, container := range containers {
		if container.Namespaces.Net == 0 {
			continue
		}
		found, sharing, err := snapshot.FindNamespace(criwatch.NamespaceNet, container.Namespaces.Net)
		if errors.Is(err, criwatch.ErrNone) {
			continue // The simulated processes may stay in the host's.
		}
		if err != nil || found.Pod.ID != container.Pod.ID || sharing == 0 {
			t.Errorf("the network of %v: %v, %d, %v", container, found, sharing, err)
		}
	}
}
