package criwatchobserver

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/observer"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/extension/extensiontest"
	"go.uber.org/goleak"

	"github.com/criwatch/criwatch/integrations/otelcol/internal/lifecycletest"
	"github.com/criwatch/criwatch/integrations/otelcol/internal/simtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestLifecycle(t *testing.T) {
	factory := NewFactory()
	lifecycletest.Check(t, factory, extensiontest.NewNopSettings(Type), map[string]lifecycletest.Create[extension.Settings]{
		"observer": lifecycletest.Last(factory.Create),
	})
}

func TestRefusesWhatMakesNoSense(t *testing.T) {
	config := createDefaultConfig()
	require.NoError(t, confmap.Validate(config))
	config.TerminatedTTL = -1
	require.ErrorContains(t, confmap.Validate(config), "terminated_ttl: -1ns is negative")
	require.ErrorContains(t, confmap.Validate(&Config{}), "has to be true")
}

// table is a subscriber: what there is, and what there ever was.
type table struct {
	sync.Mutex
	id    string
	there map[observer.EndpointID]observer.Endpoint
	ever  map[observer.EndpointID]observer.Endpoint
}

func newTable(id string) *table {
	return &table{
		id: id, there: map[observer.EndpointID]observer.Endpoint{}, ever: map[observer.EndpointID]observer.Endpoint{},
	}
}

func (t *table) ID() observer.NotifyID { return observer.NotifyID(t.id) }

func (t *table) OnAdd(added []observer.Endpoint) {
	t.Lock()
	defer t.Unlock()
	for _, one := range added {
		t.there[one.ID], t.ever[one.ID] = one, one
	}
}

func (t *table) OnRemove(removed []observer.Endpoint) {
	t.Lock()
	defer t.Unlock()
	for _, one := range removed {
		delete(t.there, one.ID)
	}
}

func (t *table) OnChange(changed []observer.Endpoint) { t.OnAdd(changed) }

func (t *table) get(id observer.EndpointID) (observer.Endpoint, bool) {
	t.Lock()
	defer t.Unlock()
	one, is := t.there[id]
	return one, is
}

func (t *table) has(id observer.EndpointID) func() bool {
	return func() bool { _, is := t.get(id); return is }
}

func (t *table) lacks(id observer.EndpointID) func() bool {
	return func() bool { _, is := t.get(id); return !is }
}

func start(t *testing.T, engine *simtest.Engine, change func(*Config)) *nodeObserver {
	t.Helper()
	config := createDefaultConfig()
	config.Endpoint, config.TerminatedTTL = engine.Endpoint, 0
	if change != nil {
		change(config)
	}
	made, err := NewFactory().Create(context.Background(), extensiontest.NewNopSettings(Type), config)
	require.NoError(t, err)
	require.NoError(t, made.Start(context.Background(), componenttest.NewNopHost()))
	t.Cleanup(func() { require.NoError(t, made.Shutdown(context.Background())) })
	return made.(*nodeObserver)
}

// podID is the id of the pod's endpoint.
func podID(made *nodeObserver) observer.EndpointID {
	return observer.EndpointID(made.known.prefix + "/uid-1")
}

// web is a pod as the kubelet makes it: the ports stand in an annotation of the container.
const web = `pod web ns=shop uid=uid-1 label=app=web`

const nginx = `create web nginx annotation='io.kubernetes.container.ports=[{"name":"http","containerPort":8080,"protocol":"TCP"}]'`

func TestObservesPodsContainersAndPorts(t *testing.T) {
	engine := simtest.Start(t)
	engine.Tell(web)
	made := start(t, engine, nil)
	first, late := newTable("first"), newTable("late")
	made.ListAndWatch(first)
	prefix := podID(made)
	simtest.Until(t, "the pod", first.has(prefix))
	id := engine.Tell(nginx).Field("id")
	engine.Tell("start nginx")
	simtest.Until(t, "the port", first.has(prefix+"/http(8080)"))
	pod, _ := first.get(prefix)
	require.Equal(t, "web", pod.Details.(*observer.Pod).Labels["app"])
	port, _ := first.get(prefix + "/http(8080)")
	require.Equal(t, pod.Target+":8080", port.Target)
	details := port.Details.(*observer.Port)
	require.Equal(t, uint16(8080), details.Port)
	require.Equal(t, observer.ProtocolTCP, details.Transport)
	require.Equal(t, id, details.ContainerID)
	container, _ := first.get(prefix + "/nginx")
	require.Equal(t, "nginx", container.Details.(*observer.PodContainer).Name)
	require.Equal(t, id, container.Details.(*observer.PodContainer).ContainerID)
	require.Equal(t, "shop", container.Details.(*observer.PodContainer).Pod.Namespace)

	made.ListAndWatch(late)
	require.Len(t, late.there, 3)
	made.Unsubscribe(late)
	engine.Tell("rm-pod web")
	simtest.Until(t, "the end of all", func() bool {
		return first.lacks(prefix)() && first.lacks(prefix+"/nginx")() && first.lacks(prefix+"/http(8080)")()
	})
	require.Len(t, late.there, 3)
}

func TestSeesWhatRunsShortly(t *testing.T) {
	engine := simtest.Start(t)
	engine.Tell(web + " first")
	made := start(t, engine, nil)
	seen := newTable("seen")
	made.ListAndWatch(seen)
	// What has ended before the first list was never there for the watcher.
	simtest.Until(t, "the first", seen.has(podID(made)+"/first"))
	for n := range 20 {
		engine.Tell("create web job-%d -- sh -c 'exit 0'", n)
		engine.Tell("start job-%d", n)
	}
	engine.Tell("create web last")
	engine.Tell("start last")
	simtest.Until(t, "all", func() bool {
		seen.Lock()
		defer seen.Unlock()
		containers := 0
		for _, one := range seen.ever {
			if one.Details.Type() == observer.PodContainerType {
				containers++
			}
		}
		return containers == 22
	})
}

func TestKeepsAContainerForAWhile(t *testing.T) {
	engine := simtest.Start(t)
	engine.Tell(web)
	made := start(t, engine, func(c *Config) { c.TerminatedTTL = 300 * time.Millisecond })
	seen := newTable("seen")
	made.ListAndWatch(seen)
	engine.Tell(nginx)
	engine.Tell("start nginx")
	prefix := podID(made)
	simtest.Until(t, "the port", seen.has(prefix+"/http(8080)"))
	engine.Tell("stop nginx")
	simtest.Until(t, "the port to go", seen.lacks(prefix+"/http(8080)"))
	simtest.Until(t, "the container to go", seen.lacks(prefix+"/nginx"))
}

func TestTheNextAttemptTakesOver(t *testing.T) {
	engine := simtest.Start(t)
	engine.Tell(web + " nginx")
	made := start(t, engine, func(c *Config) { c.TerminatedTTL = time.Hour })
	seen := newTable("seen")
	made.ListAndWatch(seen)
	engine.Tell("stop nginx")
	second := engine.Tell("create web nginx attempt=1").Field("id")
	engine.Tell("start web/nginx")
	simtest.Until(t, "the second attempt", func() bool {
		one, is := seen.get(podID(made) + "/nginx")
		return is && one.Details.(*observer.PodContainer).ContainerID == second
	})
}
