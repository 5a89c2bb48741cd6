// Package criwatchtest is for the tests of programs that use package criwatch: a watcher without an engine, and the simulated
// engine cri-sim.
//
// A [Fake] is what unit tests want: its watcher is a *criwatch.Watcher as any other, with queues and snapshots, and shows
// what the test makes up. It needs neither Linux nor cgo nor a library, and nothing happens in the background.
//
//	fake := criwatchtest.New()
//	defer fake.Watcher().Close()
//	agent := newAgent(fake.Watcher())
//	fake.Run(criwatchtest.Container("shop/web/nginx"))
//	fake.Exit("shop/web/nginx", 137, "OOMKilled")
//
// A [Sim] is what integration tests want: the real library, asking a process that speaks CRI over a socket and runs
// containers that do nothing.
package criwatchtest
