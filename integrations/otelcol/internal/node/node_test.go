package node

import (
	"errors"
	"strings"
	"sync"
	"testing"

	criwatch "github.com/criwatch/criwatch/bindings/go"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.uber.org/goleak"
	"go.uber.org/zap"

	"github.com/criwatch/criwatch/integrations/otelcol/internal/simtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// host keeps the states that a component reports.
type host struct {
	mu     sync.Mutex
	events []*componentstatus.Event
}

func (*host) GetExtensions() map[component.ID]component.Component { return nil }

func (h *host) Report(event *componentstatus.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.events = append(h.events, event)
}

// last is the last report, once there is one.
func (h *host) last() (componentstatus.Status, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.events) == 0 {
		return componentstatus.StatusNone, nil
	}
	last := h.events[len(h.events)-1]
	return last.Status(), last.Err()
}

func join(t *testing.T, config Config) (*Link, *host) {
	t.Helper()
	of := &host{}
	link, err := Join(config, of, zap.NewNop())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, link.Leave()) })
	return link, of
}

func TestEqualConfigurationsShareAWatcher(t *testing.T) {
	engine := simtest.Start(t)
	config := Config{Endpoint: engine.Endpoint}
	one, _ := join(t, config)
	two, _ := join(t, config)
	other, _ := join(t, Config{Endpoint: engine.Endpoint, Options: map[string]string{"queue.capacity": "64"}})
	require.Same(t, one.Watcher, two.Watcher)
	require.NotSame(t, one.Watcher, other.Watcher)

	watcher := one.Watcher
	require.NoError(t, one.Leave())
	require.NotEqual(t, criwatch.WatcherStopped, watcher.State())
	require.NoError(t, two.Leave())
	require.Equal(t, criwatch.WatcherStopped, watcher.State())
	fresh, _ := join(t, config)
	require.NotSame(t, watcher, fresh.Watcher)
}

func TestTheStatusFollowsTheEngine(t *testing.T) {
	engine := simtest.Start(t)
	_, of := join(t, Config{Endpoint: engine.Endpoint})
	is := func(status componentstatus.Status) func() bool {
		return func() bool { last, _ := of.last(); return last == status }
	}
	simtest.Until(t, "the engine", is(componentstatus.StatusOK))
	engine.Tell("down")
	simtest.Until(t, "the error", is(componentstatus.StatusRecoverableError))
	_, err := of.last()
	require.ErrorContains(t, err, "the engine cannot be reached")
	engine.Tell("up")
	simtest.Until(t, "the engine to be back", is(componentstatus.StatusOK))
}

func TestAnOptionThatIsUnknownIsNamed(t *testing.T) {
	config := Config{Options: map[string]string{"no.such.option": "1"}}
	require.ErrorContains(t, config.Validate(), "no.such.option")
	_, err := Join(config, &host{}, zap.NewNop())
	require.True(t, errors.Is(err, criwatch.ErrOption))
	require.True(t, strings.HasPrefix(err.Error(), "watch the engine of the node: "))
}
