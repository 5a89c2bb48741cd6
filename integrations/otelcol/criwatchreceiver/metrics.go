package criwatchreceiver

import (
	"context"
	"errors"
	"time"

	criwatch "github.com/criwatch/criwatch/bindings/go"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver"
	"go.uber.org/zap"

	"github.com/criwatch/criwatch/integrations/otelcol/internal/node"
)

// metricsScraper makes metrics of what the watcher has in memory: the engine is asked nothing.
type metricsScraper struct {
	config *Config
	logger *zap.Logger
	link   *node.Link
}

func newMetricsScraper(set receiver.Settings, config *Config) *metricsScraper {
	return &metricsScraper{config: config, logger: set.Logger}
}

func (s *metricsScraper) start(_ context.Context, host component.Host) (err error) {
	s.link, err = node.Join(s.config.Config, host, s.logger)
	return err
}

func (s *metricsScraper) shutdown(context.Context) error { return s.link.Leave() }

func (s *metricsScraper) scrape(context.Context) (pmetric.Metrics, error) {
	made := newSheet(s.config, s.link.Began(), time.Now())
	if s.config.Metrics.Statistics.Enabled {
		stats, err := s.link.Stats()
		if err != nil {
			return made.metrics, err
		}
		made.statistics(stats)
	}
	list, err := s.link.List(&criwatch.Query{All: true})
	if errors.Is(err, criwatch.ErrNotReady) {
		// No zeros: nothing is known yet.
		return made.metrics, nil
	}
	if err != nil {
		return made.metrics, err
	}
	made.node(list.Containers)
	for _, container := range newest(list.Containers) {
		made.container(container)
	}
	return made.metrics, nil
}

// newest are the last attempts of each container: the engine keeps earlier ones for a while.
func newest(containers []*criwatch.Container) map[string]*criwatch.Container {
	last := map[string]*criwatch.Container{}
	for _, one := range containers {
		if one.Kind != criwatch.KindContainer || one.Pod == nil {
			continue
		}
		key := one.Pod.UID + "/" + one.Name
		if known := last[key]; known == nil || one.Attempt >= known.Attempt {
			last[key] = one
		}
	}
	return last
}

// sheet is one collection.
type sheet struct {
	config     *Config
	metrics    pmetric.Metrics
	began, now pcommon.Timestamp
	ofNode     pmetric.MetricSlice
}

func newSheet(config *Config, began, now time.Time) *sheet {
	s := &sheet{
		config: config, metrics: pmetric.NewMetrics(),
		began: pcommon.NewTimestampFromTime(began), now: pcommon.NewTimestampFromTime(now),
	}
	resource := pcommon.NewMap()
	if config.NodeName != "" {
		resource.PutStr("k8s.node.name", config.NodeName)
	}
	s.ofNode = s.resource(resource)
	return s
}

func (s *sheet) resource(attributes pcommon.Map) pmetric.MetricSlice {
	of := s.metrics.ResourceMetrics().AppendEmpty()
	attributes.CopyTo(of.Resource().Attributes())
	scope := of.ScopeMetrics().AppendEmpty()
	scope.Scope().SetName(scopeName)
	return scope.Metrics()
}

// node counts what there is.
func (s *sheet) node(containers []*criwatch.Container) {
	byState := map[criwatch.State]int64{
		criwatch.StateCreated: 0, criwatch.StateRunning: 0, criwatch.StateExited: 0, criwatch.StateUnknown: 0,
	}
	var pods int64
	for _, one := range containers {
		if one.Kind == criwatch.KindContainer {
			byState[one.State]++
		} else if one.State == criwatch.StateRunning {
			pods++
		}
	}
	if s.config.Metrics.Containers.Enabled {
		points := s.sum(s.ofNode, "criwatch.containers", "{container}", "Containers that the engine has, by their state.", false)
		for state, count := range byState {
			s.point(points, count).PutStr("state", state.String())
		}
	}
	if s.config.Metrics.Pods.Enabled {
		points := s.sum(s.ofNode, "criwatch.pods", "{pod}", "Pods whose sandbox is ready.", false)
		s.point(points, pods)
	}
}

// container has the metrics of the semantic conventions that a node knows.
func (s *sheet) container(container *criwatch.Container) {
	switches := s.config.Metrics
	if !switches.RestartCount.Enabled && !switches.State.Enabled && !switches.Uptime.Enabled {
		return
	}
	attributes := s.config.Extract.Of(container)
	if s.config.NodeName != "" {
		attributes.PutStr("k8s.node.name", s.config.NodeName)
	}
	// It is the value of the metric; in the resource it would begin a new series with each restart.
	attributes.Remove("k8s.container.restart_count")
	to := s.resource(attributes)
	if switches.RestartCount.Enabled {
		points := s.sum(to, "k8s.container.restart.count", "{restart}", "How many times the container has been restarted.", false)
		s.point(points, int64(container.Attempt))
	}
	if switches.State.Enabled {
		points := s.sum(to, "k8s.container.status.state", "{container}", "1 for the state that the container is in, 0 for all others.", false)
		for _, state := range []string{"running", "terminated", "waiting"} {
			s.point(points, oneIf(state == stateOf(container))).PutStr("k8s.container.status.state", state)
		}
	}
	if switches.Uptime.Enabled && container.State == criwatch.StateRunning && !container.StartedAt.IsZero() {
		metric := describe(to, "container.uptime", "s", "How long the container has run.")
		point := metric.SetEmptyGauge().DataPoints().AppendEmpty()
		point.SetTimestamp(s.now)
		point.SetDoubleValue(s.now.AsTime().Sub(container.StartedAt).Seconds())
	}
}

// stateOf is the state in the words of Kubernetes.
func stateOf(container *criwatch.Container) string {
	switch container.State {
	case criwatch.StateRunning:
		return "running"
	case criwatch.StateExited:
		return "terminated"
	case criwatch.StateCreated:
		return "waiting"
	}
	return ""
}

func oneIf(is bool) int64 {
	if is {
		return 1
	}
	return 0
}

func describe(to pmetric.MetricSlice, name, unit, description string) pmetric.Metric {
	metric := to.AppendEmpty()
	metric.SetName(name)
	metric.SetUnit(unit)
	metric.SetDescription(description)
	return metric
}

func (s *sheet) sum(
	to pmetric.MetricSlice, name, unit, description string, isMonotonic bool,
) pmetric.NumberDataPointSlice {
	sum := describe(to, name, unit, description).SetEmptySum()
	sum.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
	sum.SetIsMonotonic(isMonotonic)
	return sum.DataPoints()
}

func (s *sheet) point(to pmetric.NumberDataPointSlice, value int64) pcommon.Map {
	point := to.AppendEmpty()
	point.SetStartTimestamp(s.began)
	point.SetTimestamp(s.now)
	point.SetIntValue(value)
	return point.Attributes()
}
