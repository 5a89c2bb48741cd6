// Package simtest runs the simulated engine of the repository (sim/) for tests.
package simtest

import (
	"fmt"
	"testing"
	"time"

	"github.com/criwatch/criwatch/bindings/go/criwatchtest"
)

// Patience is how long anything may take on a slow, busy machine before a test gives up on it.
const Patience = 60 * time.Second

// Engine is a simulated engine of a test's own.
type Engine struct {
	// Endpoint is its socket.
	Endpoint string

	t   testing.TB
	sim *criwatchtest.Sim
}

// Start starts an engine, which ends with the test. Without the program cri-sim, the test is skipped.
func Start(t testing.TB, arguments ...string) *Engine {
	t.Helper()
	sim := criwatchtest.StartSim(t, arguments...)
	return &Engine{Endpoint: sim.Endpoint(), t: t, sim: sim}
}

// Tell has the engine do what one line of a script says.
func (e *Engine) Tell(format string, arguments ...any) criwatchtest.Answer {
	e.t.Helper()
	return e.sim.Tell(e.t, fmt.Sprintf(format, arguments...))
}

// Refuses has the engine do what one line of a script says, which it cannot.
func (e *Engine) Refuses(format string, arguments ...any) {
	e.t.Helper()
	if answer, err := e.sim.Do(fmt.Sprintf(format, arguments...)); err == nil {
		e.t.Fatalf("it was not refused: %s", answer.Text)
	}
}

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
