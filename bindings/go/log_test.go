package criwatch_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	criwatch "github.com/criwatch/criwatch/bindings/go"
	"github.com/criwatch/criwatch/bindings/go/criwatchtest"
)

func TestLogger(t *testing.T) {
	engine := criwatchtest.StartSim(t)
	// No lock is needed, because Close waits for the last message.
	var text bytes.Buffer
	to := slog.New(slog.NewJSONHandler(&text, &slog.HandlerOptions{Level: slog.LevelDebug}))
	watcher := follow(t, engine.Endpoint(), criwatch.WithLogger(to))
	must(t, watcher.Close())
	found := false
	for _, line := range strings.Split(strings.TrimSpace(text.String()), "\n") {
		var reported struct{ Level, Msg, State, Endpoint string }
		must(t, json.Unmarshal([]byte(line), &reported))
		if reported.State == "" || reported.Endpoint != engine.Endpoint() {
			t.Errorf("attributes are missing: %s", line)
		}
		found = found || reported.Level == "INFO" && strings.HasPrefix(reported.Msg, "connected: the engine is containerd")
	}
	if !found {
		t.Errorf("the log does not mention the connection:\n%s", text.String())
	}
}

// Records and errors are attributes for log/slog, and no sentences.
func TestRecordsAreLoggedAsAttributes(t *testing.T) {
	var text bytes.Buffer
	log := slog.New(slog.NewJSONHandler(&text, nil))
	container := &criwatch.Container{ID: "ab", Name: "run", Kind: criwatch.KindContainer, State: criwatch.StateExited,
		ExitCode: 3, Reason: "Error", Pod: &criwatch.Pod{Name: "job", Namespace: "batch"}}
	log.Info("it ended", "event", &criwatch.Event{Type: criwatch.EventExited, Container: container})
	watcher := newWatcher(t, "unix://"+filepath.Join(t.TempDir(), "absent.sock"))
	err := watcher.Resync(within(t, patience))
	log.Error("it failed", "error", err)
	lines := strings.Split(text.String(), "\n")

	var ended struct {
		Event struct {
			Type      string
			Container struct {
				Namespace, Pod, Name, State, Reason string
				ExitCode                            int
			}
		}
	}
	must(t, json.Unmarshal([]byte(lines[0]), &ended))
	got := ended.Event.Container
	if ended.Event.Type != "exited" || got.Namespace != "batch" || got.Pod != "job" || got.Name != "run" || got.State != "exited" ||
		got.Reason != "Error" || got.ExitCode != 3 {
		t.Errorf("an event: %s", lines[0])
	}
	var failed struct {
		Error struct {
			Op, Status, Errno string
			Retriable         bool
		}
	}
	must(t, json.Unmarshal([]byte(lines[1]), &failed))
	if failed.Error.Op != "resync" || failed.Error.Status != "CRI_E_CONNECT" || failed.Error.Errno == "" || !failed.Error.Retriable {
		t.Errorf("an error: %s", lines[1])
	}
	if !errors.Is(err, criwatch.ErrConnect) {
		t.Error(err)
	}
}
