// Package simtest runs the simulated engine of the repository (sim/) for tests.
package simtest

import (
	"os"
	"testing"
	"time"

	"github.com/criwatch/criwatch/integrations/otelcol/internal/sim"
)

// Patience is how long anything may take on a slow, busy machine before a test gives up on it.
const Patience = 60 * time.Second

// Engine is a simulated engine of a test's own.
type Engine struct {
	// Endpoint is its socket.
	Endpoint string

	t      testing.TB
	engine *sim.Engine
}

// Start starts an engine, which ends with the test. Without CRI_SIM, the path of cri-sim, the test is skipped.
func Start(t testing.TB, arguments ...string) *Engine {
	t.Helper()
	program := os.Getenv("CRI_SIM")
	if program == "" {
		t.Skip("CRI_SIM is not set: it has to name the simulated engine's program, cri-sim")
	}
	engine, err := sim.Start(program, arguments...)
	must(t, err)
	t.Cleanup(func() {
		if err := engine.Close(); err != nil {
			t.Errorf("the simulated engine: %v", err)
		}
	})
	return &Engine{Endpoint: engine.Endpoint, t: t, engine: engine}
}

// Tell has the engine do what one line of a script says; its answer.
func (e *Engine) Tell(format string, arguments ...any) string {
	e.t.Helper()
	answer, err := e.engine.Tell(format, arguments...)
	must(e.t, err)
	return answer
}

// Refuses has the engine do what one line of a script says, which it cannot.
func (e *Engine) Refuses(format string, arguments ...any) {
	e.t.Helper()
	if answer, err := e.engine.Tell(format, arguments...); err == nil {
		e.t.Fatalf("it was not refused: %s", answer)
	}
}

// Field is the value of KEY=VALUE in an answer: the nth, from 0.
func Field(answer, key string, nth int) string { return sim.Field(answer, key, nth) }

// Until waits until a condition holds.
func Until(t testing.TB, what string, holds func() bool) {
	t.Helper()
	deadline := time.Now().Add(Patience)
	for !holds() {
		if time.Now().After(deadline) {
			t.Fatalf("waited %v for %s", Patience, what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
