package criwatchprom_test

import (
	"context"
	"strings"
	"testing"
	"time"

	criwatch "github.com/criwatch/criwatch/bindings/go"
	"github.com/criwatch/criwatch/bindings/go/criwatchprom"
	"github.com/criwatch/criwatch/bindings/go/criwatchtest"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	dto "github.com/prometheus/client_model/go"
)

// startSim starts a simulated engine with one pod; its endpoint.
func startSim(t *testing.T) string {
	t.Helper()
	engine := criwatchtest.StartSim(t)
	engine.Tell(t, "pod web ns=shop nginx")
	return engine.Endpoint()
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func gather(t *testing.T, watcher *criwatch.Watcher) map[string]*dto.MetricFamily {
	t.Helper()
	// Pedantic: it refuses what is not consistent.
	registry := prometheus.NewPedanticRegistry()
	must(t, registry.Register(criwatchprom.New(watcher)))
	families, err := registry.Gather()
	must(t, err)
	problems, err := promlint.NewWithMetricFamilies(families).Lint()
	must(t, err)
	for _, problem := range problems {
		t.Errorf("%s: %s", problem.Metric, problem.Text)
	}
	byName := map[string]*dto.MetricFamily{}
	for _, family := range families {
		byName[family.GetName()] = family
	}
	return byName
}

// value is the sum of the metrics with a label of this value; "": of all. -1: there is none.
func value(family *dto.MetricFamily, label string) float64 {
	sum, found := 0.0, false
	for _, metric := range family.GetMetric() {
		is := label == ""
		for _, pair := range metric.GetLabel() {
			is = is || pair.GetValue() == label
		}
		if is {
			sum, found = sum+metric.GetCounter().GetValue()+metric.GetGauge().GetValue(), true
		}
	}
	if !found {
		return -1
	}
	return sum
}

func TestCollector(t *testing.T) {
	watcher, err := criwatch.New(startSim(t))
	must(t, err)
	defer watcher.Close()
	if metrics := gather(t, watcher); value(metrics["criwatch_watcher_state"], "new") != 1 {
		t.Errorf("before the start: %v", metrics["criwatch_watcher_state"])
	}
	must(t, watcher.Start())
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	must(t, watcher.WaitReady(ctx))
	metrics := gather(t, watcher)
	if value(metrics["criwatch_connects_total"], "") != 1 || value(metrics["criwatch_requests_total"], "ListContainers") < 1 {
		t.Errorf("numbers: %v %v", metrics["criwatch_connects_total"], metrics["criwatch_requests_total"])
	}
	if value(metrics["criwatch_watcher_state"], "watching") != 1 || value(metrics["criwatch_watcher_state"], "new") != 0 {
		t.Errorf("state: %v", metrics["criwatch_watcher_state"])
	}
	if value(metrics["criwatch_engine_info"], "") != 1 || value(metrics["criwatch_last_list_timestamp_seconds"], "") < 1e9 {
		t.Errorf("engine: %v, list: %v", metrics["criwatch_engine_info"], metrics["criwatch_last_list_timestamp_seconds"])
	}
	for _, row := range criwatch.Metrics() {
		name := row.Family
		if row.Kind == "counter" {
			name += "_total"
		}
		if kind := strings.ToLower(metrics[name].GetType().String()); metrics[name] == nil || kind != row.Kind {
			t.Errorf("%s is a %s, and has to be a %s", name, kind, row.Kind)
		}
	}
	lists := metrics["criwatch_request_duration_seconds"].GetMetric()[0].GetHistogram()
	if lists.GetSampleCount() < 1 || len(lists.GetBucket()) < 10 || lists.GetSampleSum() <= 0 {
		t.Errorf("durations: %v", lists)
	}
	if metrics["criwatch_consumers"].GetType() != dto.MetricType_GAUGE {
		t.Errorf("consumers: %v", metrics["criwatch_consumers"])
	}
}

// What cannot be read is an error of the scrape, and no silence.
func TestClosedWatcherFailsTheScrape(t *testing.T) {
	watcher, err := criwatch.New("unix:///nowhere/cri.sock")
	must(t, err)
	must(t, watcher.Close())
	for _, dead := range []*criwatch.Watcher{watcher, nil} {
		registry := prometheus.NewRegistry()
		must(t, registry.Register(criwatchprom.New(dead)))
		if _, err := registry.Gather(); err == nil || !strings.Contains(err.Error(), "the watcher is") {
			t.Errorf("a scrape of a closed watcher: %v", err)
		}
	}
}
