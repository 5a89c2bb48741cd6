package criwatchprom

import (
	"strings"
	"unicode"

	criwatch "github.com/criwatch/criwatch/bindings/go"
	"github.com/prometheus/client_golang/prometheus"
)

// The names of Stats.Counts that go up and down; all others only grow. Names are only added there, so that they are not listed.
var gauges = map[string]bool{"consumers": true, "openStatusRequests": true, "rememberedRuns": true}

var (
	requests    = describe("requests_total", "Requests to the engine that came to an end.", "rpc")
	failures    = describe("request_failures_total", "Requests to the engine that ended with an error.", "rpc")
	seconds     = describe("request_duration_seconds_total", "How long all requests took together.", "rpc")
	slowest     = describe("request_duration_max_seconds", "How long the longest request took.", "rpc")
	lag         = describe("event_lag_seconds", "How late the engine's last event came, by the engine's clock.")
	longestLag  = describe("event_lag_max_seconds", "How late an event of the engine came at most, by the engine's clock.")
	state       = describe("watcher_state", "What the watcher is doing: 1 for the state that it is in.", "state")
	generation  = describe("generation", "Grows with every change of what is watched.")
	listed      = describe("last_list_timestamp_seconds", "When the newest full list began.")
	engine      = describe("engine_info", "The engine: always 1.", "runtime", "version", "api_version", "endpoint", "events")
	scrapeError = prometheus.NewDesc("criwatch_scrape_error", "The watcher cannot be read.", nil, nil)
)

var states = []criwatch.WatcherState{
	criwatch.WatcherNew, criwatch.WatcherConnecting, criwatch.WatcherSyncing, criwatch.WatcherWatching,
	criwatch.WatcherPolling, criwatch.WatcherBackoff, criwatch.WatcherStopped,
}

func describe(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("criwatch_"+name, help, labels, nil)
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
		if help := "The watcher's " + name + ", as in its stats."; gauges[name] {
			gauge(describe(snake(name), help), float64(count))
		} else {
			counter(describe(snake(name)+"_total", help), float64(count))
		}
	}
	for rpc, cost := range stats.Requests {
		counter(requests, float64(cost.Count), rpc)
		counter(failures, float64(cost.Failures), rpc)
		counter(seconds, float64(cost.TotalMicros)/1e6, rpc)
		gauge(slowest, float64(cost.MaxMicros)/1e6, rpc)
	}
	if stats.EventLag != nil {
		gauge(lag, float64(stats.EventLag.LastMicros)/1e6)
		gauge(longestLag, float64(stats.EventLag.MaxMicros)/1e6)
	}
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
	who := stats.Engine
	gauge(engine, 1, who.RuntimeName, who.RuntimeVersion, who.RuntimeAPIVersion, who.API, who.Events)
}

// snake is "events_published" for "eventsPublished".
func snake(name string) string {
	var words strings.Builder
	for _, letter := range name {
		if unicode.IsUpper(letter) {
			words.WriteByte('_')
		}
		words.WriteRune(unicode.ToLower(letter))
	}
	return words.String()
}
