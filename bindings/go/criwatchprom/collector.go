package criwatchprom

import (
	criwatch "github.com/criwatch/criwatch/bindings/go"
	"github.com/prometheus/client_golang/prometheus"
)

var (
	requests    = described("requests")
	duration    = described("requestDuration")
	lag         = described("eventLag")
	state       = described("watcherState")
	generation  = described("generation")
	listed      = described("lastListTimestamp")
	engine      = described("engineInfo")
	scrapeError = prometheus.NewDesc("criwatch_scrape_error", "The watcher cannot be read.", nil, nil)
)

var states = []criwatch.WatcherState{
	criwatch.WatcherNew, criwatch.WatcherConnecting, criwatch.WatcherSyncing, criwatch.WatcherWatching,
	criwatch.WatcherPolling, criwatch.WatcherBackoff, criwatch.WatcherStopped,
}

// table has the rows of criwatch.Metrics by their keys.
var table = func() map[string]criwatch.Metric {
	rows := map[string]criwatch.Metric{}
	for _, row := range criwatch.Metrics() {
		rows[row.Key] = row
	}
	return rows
}()

// described is the description of a row of the table.
func described(key string) *prometheus.Desc {
	for _, row := range criwatch.Metrics() {
		if row.Key == key {
			return describe(row)
		}
	}
	panic("criwatch.Metrics has no " + key)
}

func describe(row criwatch.Metric) *prometheus.Desc {
	name := row.Family
	if row.Kind == "counter" {
		name += "_total"
	}
	return prometheus.NewDesc(name, row.Help, row.Labels, nil)
}

// Collector is a [prometheus.Collector] of one watcher. Its metrics begin with "criwatch_". After the watcher's Close a
// scrape fails with the watcher's error: unregister it before.
type Collector struct{ watcher *criwatch.Watcher }

// New makes a collector of a watcher, which may be started before or after.
func New(watcher *criwatch.Watcher) *Collector { return &Collector{watcher} }

// Describe gives no descriptions: the library decides which counts there are, and newer libraries have more.
func (c *Collector) Describe(chan<- *prometheus.Desc) {}

// Collect reads the watcher's numbers.
func (c *Collector) Collect(to chan<- prometheus.Metric) {
	stats, err := c.watcher.Stats()
	if err != nil {
		to <- prometheus.NewInvalidMetric(scrapeError, err)
		return
	}
	gauge := func(desc *prometheus.Desc, value float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, labels...)
	}
	counter := func(desc *prometheus.Desc, value float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(desc, prometheus.CounterValue, value, labels...)
	}
	for name, count := range stats.Counts {
		// A newer library counts more than this module knows: its kind is not known, so it is left out.
		if row, isKnown := table[name]; isKnown && row.Kind == "gauge" {
			gauge(describe(row), float64(count))
		} else if isKnown {
			counter(describe(row), float64(count))
		}
	}
	for rpc, cost := range stats.Requests {
		counter(requests, float64(cost.Count-cost.Failures-cost.NotFound), rpc, "ok")
		counter(requests, float64(cost.NotFound), rpc, "not_found")
		counter(requests, float64(cost.Failures), rpc, "failed")
		to <- histogram(duration, stats.BucketMicros, cost.Buckets, cost.TotalMicros, rpc)
	}
	late := criwatch.EventLag{}
	if stats.EventLag != nil {
		late = *stats.EventLag
	}
	to <- histogram(lag, stats.BucketMicros, late.Buckets, late.TotalMicros)
	for _, one := range states {
		is := 0.0
		if one == stats.State {
			is = 1
		}
		gauge(state, is, one.String())
	}
	gauge(generation, float64(stats.Generation))
	if !stats.AsOf.IsZero() {
		gauge(listed, float64(stats.AsOf.UnixNano())/1e9)
	}
	if who := stats.Engine; who.RuntimeName != "" {
		gauge(engine, 1, who.RuntimeName, who.RuntimeVersion, who.RuntimeAPIVersion, who.API, who.Events)
	}
}

// histogram cumulates the library's buckets, each of which counts by itself.
func histogram(desc *prometheus.Desc, bounds, buckets []uint64, totalMicros uint64, labels ...string) prometheus.Metric {
	cumulated := make(map[float64]uint64, len(bounds))
	var upTo uint64
	for i, count := range buckets {
		upTo += count
		if i < len(bounds) {
			cumulated[float64(bounds[i])/1e6] = upTo
		}
	}
	return prometheus.MustNewConstHistogram(desc, upTo, float64(totalMicros)/1e6, cumulated, labels...)
}
