package criwatch

import "slices"

// MetricsContentType is the content type of what [Watcher.Metrics] returns.
const MetricsContentType = "application/openmetrics-text; version=1.0.0; charset=utf-8"

// Metric is a row of the table of a watcher's metrics.
type Metric struct {
	// Key is its name in JSON, e.g. "eventsPublished": for a counter or gauge without labels, the key in Stats.Counts.
	Key string
	// Family is its name in OpenMetrics, e.g. "criwatch_events_published". The samples of a counter have the suffix
	// "_total".
	Family string
	// Kind is "counter" (it only grows), "gauge" or "histogram".
	Kind string
	// Unit is "seconds", or the thing that is counted.
	Unit string
	// Labels are the labels by which its samples differ.
	Labels []string
	// Help is its meaning, in whole sentences.
	Help string
}

// Metrics returns the table of this version of the module. A newer library may have more.
func Metrics() []Metric { return slices.Clone(metrics) }
