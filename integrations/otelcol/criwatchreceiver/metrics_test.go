package criwatchreceiver

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.yaml.in/yaml/v3"

	"github.com/criwatch/criwatch/integrations/otelcol/internal/simtest"
)

// collect starts a receiver of metrics, and waits until one collection has what is asked for.
func collect(t *testing.T, engine *simtest.Engine, change func(*Config), has func(pmetric.Metrics) bool) pmetric.Metrics {
	t.Helper()
	config := createDefaultConfig()
	config.Endpoint, config.NodeName = engine.Endpoint, "node-1"
	config.CollectionInterval, config.InitialDelay = 10*time.Millisecond, 0
	if change != nil {
		change(config)
	}
	sink := &consumertest.MetricsSink{}
	made, err := NewFactory().CreateMetrics(context.Background(), receivertest.NewNopSettings(Type), config, sink)
	require.NoError(t, err)
	require.NoError(t, made.Start(context.Background(), componenttest.NewNopHost()))
	defer func() { require.NoError(t, made.Shutdown(context.Background())) }()
	var found pmetric.Metrics
	simtest.Until(t, "the metrics", func() bool {
		for _, one := range sink.AllMetrics() {
			if has(one) {
				found = one
				return true
			}
		}
		sink.Reset()
		return false
	})
	return found
}

// metric finds one by its name, in the resource of a container; "": of the node.
func metric(metrics pmetric.Metrics, name, container string) (pmetric.Metric, bool) {
	for _, of := range metrics.ResourceMetrics().All() {
		if is, _ := of.Resource().Attributes().AsRaw()["k8s.container.name"].(string); is != container {
			continue
		}
		for _, one := range of.ScopeMetrics().At(0).Metrics().All() {
			if one.Name() == name {
				return one, true
			}
		}
	}
	return pmetric.Metric{}, false
}

func value(points pmetric.NumberDataPointSlice, key, is string) int64 {
	for _, point := range points.All() {
		if key == "" || point.Attributes().AsRaw()[key] == is {
			return point.IntValue()
		}
	}
	return -1
}

func TestCollects(t *testing.T) {
	engine := simtest.Start(t)
	engine.Tell("pod web ns=shop nginx")
	engine.Tell("stop web/nginx")
	engine.Tell("create web nginx attempt=3")
	engine.Tell("start web/nginx")
	everything := func(c *Config) {
		c.Metrics.State.Enabled = true
		c.Metrics.Uptime.Enabled = true
	}
	metrics := collect(t, engine, everything, func(metrics pmetric.Metrics) bool {
		_, has := metric(metrics, "container.uptime", "nginx")
		return has
	})
	restarts, _ := metric(metrics, "k8s.container.restart.count", "nginx")
	require.Equal(t, int64(3), value(restarts.Sum().DataPoints(), "", ""))
	require.False(t, restarts.Sum().IsMonotonic())
	state, _ := metric(metrics, "k8s.container.status.state", "nginx")
	require.Equal(t, int64(1), value(state.Sum().DataPoints(), "k8s.container.status.state", "running"))
	require.Equal(t, int64(0), value(state.Sum().DataPoints(), "k8s.container.status.state", "terminated"))
	uptime, _ := metric(metrics, "container.uptime", "nginx")
	require.Positive(t, uptime.Gauge().DataPoints().At(0).DoubleValue())
	pods, _ := metric(metrics, "criwatch.pods", "")
	require.Equal(t, int64(1), value(pods.Sum().DataPoints(), "", ""))
	containers, _ := metric(metrics, "criwatch.containers", "")
	require.Equal(t, int64(1), value(containers.Sum().DataPoints(), "state", "running"))
	connects, _ := metric(metrics, "criwatch.connects", "")
	require.Equal(t, int64(1), value(connects.Sum().DataPoints(), "", ""))
	require.Equal(t, "{connections}", connects.Unit())
	watcher, _ := metric(metrics, "criwatch.watcher_state", "")
	require.Equal(t, int64(1), value(watcher.Gauge().DataPoints(), "state", "watching"))
	durations, has := metric(metrics, "criwatch.request_duration", "")
	require.True(t, has)
	point := durations.Histogram().DataPoints().At(0)
	require.Equal(t, point.ExplicitBounds().Len()+1, point.BucketCounts().Len())
	require.Positive(t, point.Count())
	require.Equal(t, "s", durations.Unit())
	for _, of := range metrics.ResourceMetrics().All() {
		require.Equal(t, "node-1", of.Resource().Attributes().AsRaw()["k8s.node.name"])
	}
}

func TestMetricsCanBeSwitchedOff(t *testing.T) {
	engine := simtest.Start(t)
	engine.Tell("pod web ns=shop nginx")
	off := func(c *Config) { c.Metrics = MetricsConfig{Pods: MetricConfig{Enabled: true}} }
	metrics := collect(t, engine, off, func(metrics pmetric.Metrics) bool { return metrics.MetricCount() > 0 })
	require.Equal(t, 1, metrics.MetricCount())
	require.Equal(t, 1, metrics.ResourceMetrics().Len())
}

// metadata.yaml describes what is emitted.
func TestMetadataIsTrue(t *testing.T) {
	text, err := os.ReadFile("metadata.yaml")
	require.NoError(t, err)
	var metadata struct {
		Metrics map[string]struct {
			Enabled           bool
			Description, Unit string
		}
	}
	require.NoError(t, yaml.Unmarshal(text, &metadata))
	engine := simtest.Start(t)
	engine.Tell("pod web ns=shop nginx")
	everything := func(c *Config) {
		c.Metrics.State.Enabled, c.Metrics.Uptime.Enabled, c.Metrics.Statistics.Enabled = true, true, false
	}
	metrics := collect(t, engine, everything, func(metrics pmetric.Metrics) bool {
		_, has := metric(metrics, "container.uptime", "nginx")
		return has
	})
	seen := map[string]bool{}
	for _, of := range metrics.ResourceMetrics().All() {
		for _, one := range of.ScopeMetrics().At(0).Metrics().All() {
			described, is := metadata.Metrics[one.Name()]
			require.True(t, is, one.Name())
			require.Equal(t, described.Description, one.Description())
			require.Equal(t, described.Unit, one.Unit())
			seen[one.Name()] = true
		}
	}
	require.Len(t, seen, len(metadata.Metrics))
	defaults := createDefaultConfig().Metrics
	for name, enabled := range map[string]bool{
		"k8s.container.restart.count": defaults.RestartCount.Enabled, "k8s.container.status.state": defaults.State.Enabled,
		"container.uptime": defaults.Uptime.Enabled, "criwatch.containers": defaults.Containers.Enabled,
		"criwatch.pods": defaults.Pods.Enabled,
	} {
		require.Equal(t, metadata.Metrics[name].Enabled, enabled, name)
	}
}
