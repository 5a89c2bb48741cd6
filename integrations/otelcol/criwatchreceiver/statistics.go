package criwatchreceiver

import (
	"maps"
	"slices"
	"strings"

	criwatch "github.com/criwatch/criwatch/bindings/go"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// table are the library's own metrics, by their keys.
var table = func() map[string]criwatch.Metric {
	rows := map[string]criwatch.Metric{}
	for _, row := range criwatch.Metrics() {
		rows[row.Key] = row
	}
	return rows
}()

// otelName is the name of a metric of the library here: criwatch_request_duration_seconds is criwatch.request_duration.
func otelName(row criwatch.Metric) string {
	return strings.TrimSuffix(strings.Replace(row.Family, "_", ".", 1), "_seconds")
}

func otelUnit(row criwatch.Metric) string {
	if row.Unit == "seconds" {
		return "s"
	}
	return "{" + row.Unit + "}"
}

// statistics is what the library measures of itself and of the engine (docs/metrics.md).
func (s *sheet) statistics(stats *criwatch.Stats) {
	for _, key := range slices.Sorted(maps.Keys(stats.Counts)) {
		// A newer library counts more than this module knows: its kind is not known, so it is left out.
		if row, is := table[key]; is {
			s.point(s.own(row), int64(stats.Counts[key]))
		}
	}
	s.requests(stats)
	if lag := stats.EventLag; lag != nil {
		points := s.ownHistogram("eventLag")
		s.spread(points, stats.BucketMicros, lag.Buckets, lag.TotalMicros)
	}
	states := s.own(table["watcherState"])
	for state := criwatch.WatcherNew; state <= criwatch.WatcherStopped; state++ {
		s.point(states, oneIf(state == stats.State)).PutStr("state", state.String())
	}
	s.point(s.own(table["generation"]), int64(stats.Generation))
}

func (s *sheet) requests(stats *criwatch.Stats) {
	if len(stats.Requests) == 0 {
		return
	}
	counts, durations := s.own(table["requests"]), s.ownHistogram("requestDuration")
	for _, rpc := range slices.Sorted(maps.Keys(stats.Requests)) {
		cost := stats.Requests[rpc]
		for _, one := range []struct {
			outcome string
			count   uint64
		}{
			{"ok", cost.Count - cost.Failures - cost.NotFound}, {"not_found", cost.NotFound}, {"failed", cost.Failures},
		} {
			attributes := s.point(counts, int64(one.count))
			attributes.PutStr("rpc", rpc)
			attributes.PutStr("outcome", one.outcome)
		}
		s.spread(durations, stats.BucketMicros, cost.Buckets, cost.TotalMicros).Attributes().PutStr("rpc", rpc)
	}
}

func (s *sheet) own(row criwatch.Metric) pmetric.NumberDataPointSlice {
	if row.Kind == "gauge" {
		return describe(s.ofNode, otelName(row), otelUnit(row), row.Help).SetEmptyGauge().DataPoints()
	}
	return s.sum(s.ofNode, otelName(row), otelUnit(row), row.Help, true)
}

func (s *sheet) ownHistogram(key string) pmetric.HistogramDataPointSlice {
	row := table[key]
	histogram := describe(s.ofNode, otelName(row), otelUnit(row), row.Help).SetEmptyHistogram()
	histogram.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
	return histogram.DataPoints()
}

// spread is a histogram's point. The library's buckets count by themselves, as OTLP's do; the last has no bound.
func (s *sheet) spread(
	to pmetric.HistogramDataPointSlice, bounds, buckets []uint64, totalMicros uint64,
) pmetric.HistogramDataPoint {
	point := to.AppendEmpty()
	point.SetStartTimestamp(s.began)
	point.SetTimestamp(s.now)
	seconds := make([]float64, len(bounds))
	for i, bound := range bounds {
		seconds[i] = float64(bound) / 1e6
	}
	var count uint64
	for _, one := range buckets {
		count += one
	}
	point.ExplicitBounds().FromRaw(seconds)
	point.BucketCounts().FromRaw(buckets)
	point.SetCount(count)
	point.SetSum(float64(totalMicros) / 1e6)
	return point
}
