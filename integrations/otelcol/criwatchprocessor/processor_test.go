package criwatchprocessor

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/client"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pprofile"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/processor/processortest"
	"go.opentelemetry.io/collector/processor/xprocessor"

	"github.com/criwatch/criwatch/integrations/otelcol/internal/simtest"
)

// through sends a resource through a processor of logs: what becomes of its attributes.
type through func(ctx context.Context, attributes map[string]any) map[string]any

func start(t *testing.T, engine *simtest.Engine, change func(*Config)) through {
	t.Helper()
	config := createDefaultConfig()
	config.Endpoint, config.WaitReady = engine.Endpoint, simtest.Patience
	if change != nil {
		change(config)
	}
	sink := &consumertest.LogsSink{}
	p, err := NewFactory().CreateLogs(context.Background(), processortest.NewNopSettings(Type), config, sink)
	require.NoError(t, err)
	require.NoError(t, p.Start(context.Background(), componenttest.NewNopHost()))
	t.Cleanup(func() { require.NoError(t, p.Shutdown(context.Background())) })
	return func(ctx context.Context, attributes map[string]any) map[string]any {
		sink.Reset()
		logs := plog.NewLogs()
		require.NoError(t, logs.ResourceLogs().AppendEmpty().Resource().Attributes().FromRaw(attributes))
		require.NoError(t, p.ConsumeLogs(ctx, logs))
		return sink.AllLogs()[0].ResourceLogs().At(0).Resource().Attributes().AsRaw()
	}
}

func TestFindsTheContainer(t *testing.T) {
	engine := simtest.Start(t)
	made := engine.Tell("pod web ns=shop label=app=web nginx proxy")
	sandbox, id := made.Field("id"), made.Fields("id")[1]
	pid, err := strconv.Atoi(made.Fields("pid")[1])
	require.NoError(t, err)
	send := start(t, engine, func(c *Config) {
		c.Associations = append(c.Associations, byPID)
		c.Extract.PodLabels = []string{"app"}
		c.NodeName = "node-1"
	})
	ctx := context.Background()
	byID := send(ctx, map[string]any{"container.id": id})
	uid := byID["k8s.pod.uid"]
	require.Equal(t, map[string]any{
		"container.id": id, "container.image.name": byID["container.image.name"],
		"container.image.tags": byID["container.image.tags"], "k8s.container.name": "nginx",
		"k8s.container.restart_count": int64(0), "k8s.namespace.name": "shop", "k8s.pod.name": "web", "k8s.pod.uid": uid,
		"k8s.pod.label.app": "web", "k8s.node.name": "node-1",
	}, byID)
	require.Len(t, byID["container.image.tags"], 1)

	for way, attributes := range map[string]map[string]any{
		"a shortened id":          {"container.id": id[:12]},
		"Kubernetes' spelling":    {"container.id": "containerd://" + id},
		"a process":               {"process.pid": pid, "process.creation.time": began(t, pid, 0)},
		"a pid alone":             {"process.pid": pid},
		"a cgroup":                {"process.linux.cgroup": cgroup(t, pid)},
		"the pod and a container": {"k8s.pod.uid": uid, "k8s.container.name": "nginx"},
	} {
		found := send(ctx, attributes)
		require.Contains(t, found["container.id"], id[:12], way)
		require.Equal(t, "web", found["k8s.pod.name"], way)
		require.Equal(t, "nginx", found["k8s.container.name"], way)
	}
	// A sandbox is no container that anybody asks for.
	pod := map[string]any{"k8s.namespace.name": "shop", "k8s.pod.name": "web", "k8s.pod.uid": uid, "k8s.pod.label.app": "web",
		"k8s.node.name": "node-1"}
	require.Equal(t, pod, send(ctx, map[string]any{"k8s.pod.uid": uid}))
	pod["container.id"] = sandbox
	require.Equal(t, pod, send(ctx, map[string]any{"container.id": sandbox}))
}

func TestFindsThePodOfAnAddress(t *testing.T) {
	engine := simtest.Start(t)
	id := engine.Tell("pod web ns=shop nginx").Fields("id")[1]
	send := start(t, engine, func(c *Config) { c.Extract.Attributes = []string{"k8s.pod.name", "k8s.pod.uid", "k8s.pod.ip"} })
	var ip string
	// The sandbox's status has it, which the library asks for when it is ready.
	simtest.Until(t, "the pod's address", func() bool {
		ip, _ = send(context.Background(), map[string]any{"container.id": id})["k8s.pod.ip"].(string)
		return ip != ""
	})
	byAttribute := send(context.Background(), map[string]any{"k8s.pod.ip": ip})
	require.Equal(t, "web", byAttribute["k8s.pod.name"])
	peer := client.NewContext(context.Background(), client.Info{Addr: &net.TCPAddr{IP: net.ParseIP(ip), Port: 4711}})
	require.Equal(t, byAttribute, send(peer, map[string]any{}))
	// The connection is a proxy's: the resource says that it is another's.
	other := map[string]any{"k8s.pod.name": "other"}
	require.Equal(t, other, send(peer, other))
}

func TestWritesOnlyWhatIsMissing(t *testing.T) {
	engine := simtest.Start(t)
	id := engine.Tell("pod web ns=shop nginx").Fields("id")[1]
	send := start(t, engine, nil)
	found := send(context.Background(), map[string]any{"container.id": id, "k8s.namespace.name": "mine", "container.image.name": ""})
	require.Equal(t, "mine", found["k8s.namespace.name"])
	require.NotEmpty(t, found["container.image.name"])
	for way, attributes := range map[string]map[string]any{
		"nothing":                        {"service.name": "x"},
		"a name in the place of an id":   {"container.id": "nginx"},
		"an unknown id":                  {"container.id": strings.Repeat("0", 64)},
		"a process of the host":          {"process.pid": os.Getpid(), "process.creation.time": began(t, os.Getpid(), 0)},
		"a pid of another pid namespace": {"process.pid": 1, "process.creation.time": time.Now().Format(time.RFC3339)},
		"a pid without its time":         {"process.pid": os.Getpid()},
		"an unknown pod":                 {"k8s.pod.uid": "none", "k8s.container.name": "nginx"},
		"another pod":                    {"container.id": id, "k8s.pod.uid": "none"},
	} {
		require.Equal(t, toInt64(attributes), send(context.Background(), attributes), way)
	}
}

func TestAPidThatAnotherHasByNowIsNotTaken(t *testing.T) {
	engine := simtest.Start(t)
	pid, err := strconv.Atoi(engine.Tell("pod web ns=shop nginx").Fields("pid")[1])
	require.NoError(t, err)
	send := start(t, engine, nil)
	ctx := context.Background()
	require.Contains(t, send(ctx, map[string]any{"process.pid": pid, "process.creation.time": began(t, pid, 0)}), "k8s.pod.name")
	for _, off := range []time.Duration{-time.Hour, time.Hour} {
		attributes := map[string]any{"process.pid": int64(pid), "process.creation.time": began(t, pid, off)}
		require.Equal(t, attributes, send(ctx, attributes))
	}
}

func TestFollowsWhatChanges(t *testing.T) {
	engine := simtest.Start(t)
	engine.Tell("pod web ns=shop nginx")
	send := start(t, engine, nil)
	id := engine.Tell("create web job -- sh -c 'exit 3'").Field("id")
	has := func() bool {
		return send(context.Background(), map[string]any{"container.id": id})["k8s.container.name"] == "job"
	}
	simtest.Until(t, "a new container", has)
	engine.Tell("start web/job")
	engine.Tell("wait web/job exited")
	// What it sent last may come late.
	require.True(t, has())
}

func TestEverySignal(t *testing.T) {
	engine := simtest.Start(t)
	id := engine.Tell("pod web ns=shop nginx").Fields("id")[1]
	factory := NewFactory().(xprocessor.Factory)
	config := createDefaultConfig()
	config.Endpoint, config.WaitReady = engine.Endpoint, simtest.Patience
	ctx, host, set := context.Background(), componenttest.NewNopHost(), processortest.NewNopSettings(Type)
	is := func(resource pcommon.Resource) {
		t.Helper()
		name, _ := resource.Attributes().Get("k8s.pod.name")
		require.Equal(t, "web", name.AsString())
	}

	traces := ptrace.NewTraces()
	traces.ResourceSpans().AppendEmpty().Resource().Attributes().PutStr("container.id", id)
	ofTraces, err := factory.CreateTraces(ctx, set, config, consumertest.NewNop())
	require.NoError(t, err)
	require.NoError(t, ofTraces.Start(ctx, host))
	require.NoError(t, ofTraces.ConsumeTraces(ctx, traces))
	is(traces.ResourceSpans().At(0).Resource())

	metrics := pmetric.NewMetrics()
	metrics.ResourceMetrics().AppendEmpty().Resource().Attributes().PutStr("container.id", id)
	ofMetrics, err := factory.CreateMetrics(ctx, set, config, consumertest.NewNop())
	require.NoError(t, err)
	require.NoError(t, ofMetrics.Start(ctx, host))
	require.NoError(t, ofMetrics.ConsumeMetrics(ctx, metrics))
	is(metrics.ResourceMetrics().At(0).Resource())

	profiles := pprofile.NewProfiles()
	profiles.ResourceProfiles().AppendEmpty().Resource().Attributes().PutStr("container.id", id)
	ofProfiles, err := factory.CreateProfiles(ctx, set, config, consumertest.NewNop())
	require.NoError(t, err)
	require.NoError(t, ofProfiles.Start(ctx, host))
	require.NoError(t, ofProfiles.ConsumeProfiles(ctx, profiles))
	is(profiles.ResourceProfiles().At(0).Resource())

	require.NoError(t, ofTraces.Shutdown(ctx))
	require.NoError(t, ofMetrics.Shutdown(ctx))
	require.NoError(t, ofProfiles.Shutdown(ctx))
}

// began is when a process began, as an SDK tells it, off by so much.
func began(t *testing.T, pid int, off time.Duration) string {
	t.Helper()
	stat, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	require.NoError(t, err)
	ticks, is := ticksOf(string(stat))
	require.True(t, is)
	return bootTime().Add(time.Duration(ticks) * 10 * time.Millisecond).Add(off).UTC().Format(time.RFC3339Nano)
}

// cgroup is where a process is, as hostmetrics tells it.
func cgroup(t *testing.T, pid int) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "cgroup"))
	require.NoError(t, err)
	for line := range strings.Lines(string(text)) {
		if parts := strings.SplitN(strings.TrimSpace(line), ":", 3); strings.Contains(parts[2], "kubepods") {
			return parts[2]
		}
	}
	t.Skip("the simulated engine could make no cgroup here")
	return ""
}

func toInt64(attributes map[string]any) map[string]any {
	for key, value := range attributes {
		if number, is := value.(int); is {
			attributes[key] = int64(number)
		}
	}
	return attributes
}
