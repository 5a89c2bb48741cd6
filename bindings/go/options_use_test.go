package criwatch_test

import (
	"errors"
	"testing"
	"time"

	criwatch "github.com/criwatch/criwatch/bindings/go"
)

// The library understands what a typed option sets, and its refusals name the key.
func TestTypedOptionsAreUnderstood(t *testing.T) {
	newWatcher(t, "", criwatch.WithEvents(criwatch.EventsPoll), criwatch.WithPollInterval(1500*time.Millisecond),
		criwatch.WithEnginePID(7), criwatch.WithEngineID("node-17"), criwatch.WithCallShowEnv(true),
		criwatch.WithReconnectMinDelay(time.Microsecond), nil)
	for _, wrong := range []criwatch.Option{
		criwatch.WithPollInterval(-time.Second), criwatch.WithEvents("sometimes"), criwatch.WithMessageMaxBytes(1),
	} {
		_, err := criwatch.New("", wrong)
		if !errors.Is(err, criwatch.ErrOption) {
			t.Errorf("a value that is not allowed: %v", err)
		}
	}
}
