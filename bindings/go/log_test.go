package criwatch_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	criwatch "github.com/criwatch/criwatch/bindings/go"
)

func TestLogger(t *testing.T) {
	engine := startSim(t)
	// No lock: Close waits for the last message.
	var text bytes.Buffer
	to := slog.New(slog.NewTextHandler(&text, &slog.HandlerOptions{Level: slog.LevelDebug}))
	watcher := follow(t, engine.endpoint, criwatch.WithLogger(to))
	must(t, watcher.Close())
	if !strings.Contains(text.String(), "level=INFO") || !strings.Contains(text.String(), "connected: the engine is containerd") {
		t.Errorf("the log does not tell of the connection:\n%s", text.String())
	}
}
