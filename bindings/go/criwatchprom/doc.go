// Package criwatchprom has a Prometheus collector of what a criwatch watcher did: its requests to the engine, what it
// published, how late the engine's events come, and its state.
//
//	watcher, err := criwatch.New("")
//	...
//	prometheus.MustRegister(criwatchprom.New(watcher))
//
// A program with more than one watcher gives each a label:
//
//	prometheus.WrapRegistererWith(prometheus.Labels{"engine": "containerd"}, registerer).MustRegister(criwatchprom.New(watcher))
//
// A scrape reads memory; it never asks the engine.
package criwatchprom
