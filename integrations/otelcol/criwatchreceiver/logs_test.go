package criwatchreceiver

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/criwatch/criwatch/integrations/otelcol/internal/simtest"
)

// entry is a log record with its resource.
type entry struct {
	name       string
	attributes map[string]any
	resource   map[string]any
	plog.LogRecord
}

// inbox is a consumer that a test can make refuse.
type inbox struct {
	consumertest.LogsSink
	refuses atomic.Pointer[error]
	offers  atomic.Int64
}

func (i *inbox) ConsumeLogs(ctx context.Context, logs plog.Logs) error {
	i.offers.Add(1)
	if err := i.refuses.Load(); err != nil {
		// What was changed must not matter for the next try.
		logs.ResourceLogs().RemoveIf(func(plog.ResourceLogs) bool { return true })
		return *err
	}
	return i.LogsSink.ConsumeLogs(ctx, logs)
}

func (i *inbox) entries() (entries []entry) {
	for _, logs := range i.AllLogs() {
		for _, of := range logs.ResourceLogs().All() {
			for _, record := range of.ScopeLogs().At(0).LogRecords().All() {
				entries = append(entries, entry{
					record.EventName(), record.Attributes().AsRaw(), of.Resource().Attributes().AsRaw(), record,
				})
			}
		}
	}
	return entries
}

// find waits for a record with this name, of this container; the sandbox's is "".
func (i *inbox) find(t *testing.T, name, container string) entry {
	t.Helper()
	var found entry
	simtest.Until(t, name+" of "+container, func() bool {
		entries := i.entries()
		at := slices.IndexFunc(entries, func(e entry) bool {
			is, _ := e.resource["k8s.container.name"].(string)
			return e.name == name && is == container
		})
		if at >= 0 {
			found = entries[at]
		}
		return at >= 0
	})
	return found
}

func startLogs(t *testing.T, engine *simtest.Engine, next consumer.Logs, change func(*Config)) (stop func()) {
	t.Helper()
	config := createDefaultConfig()
	config.Endpoint, config.NodeName = engine.Endpoint, "node-1"
	config.Delivery.MaxDelay = 10 * time.Millisecond
	config.Delivery.RetryInitialInterval = time.Millisecond
	if change != nil {
		change(config)
	}
	made, err := NewFactory().CreateLogs(context.Background(), receivertest.NewNopSettings(Type), config, next)
	require.NoError(t, err)
	require.NoError(t, made.Start(context.Background(), componenttest.NewNopHost()))
	stop = func() { require.NoError(t, made.Shutdown(context.Background())) }
	t.Cleanup(stop)
	return stop
}

func TestReportsEachStartAndEnd(t *testing.T) {
	engine := simtest.Start(t)
	ids := engine.Tell("pod web ns=shop nginx")
	next := &inbox{}
	startLogs(t, engine, next, nil)
	started := next.find(t, "criwatch.container.started", "nginx")
	id := ids.Fields("id")[1]
	require.Equal(t, id+"/1/started", started.attributes["criwatch.event.id"])
	require.Equal(t, true, started.attributes["criwatch.event.replayed"])
	require.Equal(t, int64(1), started.attributes["criwatch.replay"])
	require.Equal(t, id, started.resource["container.id"])
	require.Equal(t, "web", started.resource["k8s.pod.name"])
	require.Equal(t, "node-1", started.resource["k8s.node.name"])
	require.NotZero(t, started.Timestamp())
	sandbox := next.find(t, "criwatch.sandbox.started", "")
	require.Equal(t, ids.Field("id"), sandbox.attributes["criwatch.sandbox.id"])
	completed := next.find(t, "criwatch.replay.completed", "")
	require.Equal(t, int64(2), completed.attributes["criwatch.replay.running"])
	require.Equal(t, started.attributes["criwatch.batch"], completed.attributes["criwatch.replay.first_batch"])

	engine.Tell("create web job -- sh -c 'exit 3'")
	engine.Tell("start job")
	exited := next.find(t, "criwatch.container.exited", "job")
	require.Equal(t, int64(3), exited.attributes["process.exit.code"])
	require.Equal(t, "Error", exited.attributes["criwatch.exit.reason"])
	require.Equal(t, plog.SeverityNumberWarn, exited.SeverityNumber())
	require.NotContains(t, exited.attributes, "criwatch.event.replayed")
	require.Equal(t, true, exited.attributes["criwatch.event.provisional"])
	final := next.find(t, "criwatch.container.exit_updated", "job")
	require.Equal(t, true, final.attributes["criwatch.event.confirmed"])
	require.Equal(t, strings.Replace(exited.attributes["criwatch.event.id"].(string), "exited", "exit-final", 1),
		final.attributes["criwatch.event.id"])
}

func TestARestartReportsAgainUnderTheSameIds(t *testing.T) {
	engine := simtest.Start(t)
	engine.Tell("pod web ns=shop nginx")
	before, after := &inbox{}, &inbox{}
	stop := startLogs(t, engine, before, nil)
	first := before.find(t, "criwatch.container.started", "nginx")
	stop()
	// It ends while nobody listens.
	engine.Tell("stop nginx")
	engine.Tell("create web job -- sh -c 'exit 3'")
	engine.Tell("start job")
	engine.Tell("wait job exited")
	startLogs(t, engine, after, nil)
	// In three events, as if somebody had listened.
	begun := after.find(t, "criwatch.container.started", "job")
	require.Equal(t, true, begun.attributes["criwatch.event.replayed"])
	job := after.find(t, "criwatch.container.exited", "job")
	require.Equal(t, true, job.attributes["criwatch.event.provisional"])
	require.Equal(t, strings.Replace(job.attributes["criwatch.event.id"].(string), "exited", "started", 1),
		begun.attributes["criwatch.event.id"])
	// It is no news of what runs: that is the sandbox.
	completed := after.find(t, "criwatch.replay.completed", "")
	require.Equal(t, int64(1), completed.attributes["criwatch.replay.running"])
	final := after.find(t, "criwatch.container.exit_updated", "job")
	require.Equal(t, int64(3), final.attributes["process.exit.code"])
	require.Equal(t, true, final.attributes["criwatch.event.confirmed"])
	missed := after.find(t, "criwatch.container.exited", "nginx")
	require.Equal(t, true, missed.attributes["criwatch.event.replayed"])
	require.Equal(t, strings.Replace(first.attributes["criwatch.event.id"].(string), "started", "exited", 1),
		missed.attributes["criwatch.event.id"])
	require.NotEqual(t, first.attributes["criwatch.instance"], missed.attributes["criwatch.instance"])
	sandboxes := func(in *inbox) any { return in.find(t, "criwatch.sandbox.started", "").attributes["criwatch.event.id"] }
	require.Equal(t, sandboxes(before), sandboxes(after))
}

func TestARefusedBatchIsOfferedAgain(t *testing.T) {
	engine := simtest.Start(t)
	engine.Tell("pod web ns=shop nginx")
	next := &inbox{}
	busy := errors.New("busy")
	next.refuses.Store(&busy)
	startLogs(t, engine, next, nil)
	simtest.Until(t, "several offers", func() bool { return next.offers.Load() > 3 })
	require.Empty(t, next.entries())
	next.refuses.Store(nil)
	next.find(t, "criwatch.container.started", "nginx")
	contiguous(t, next)
}

func TestWhatIsRefusedForGoodLeavesAHole(t *testing.T) {
	engine := simtest.Start(t)
	next := &inbox{}
	never := consumererror.NewPermanent(errors.New("never"))
	next.refuses.Store(&never)
	startLogs(t, engine, next, nil)
	simtest.Until(t, "an offer", func() bool { return next.offers.Load() > 0 })
	next.refuses.Store(nil)
	engine.Tell("pod web ns=shop nginx")
	next.find(t, "criwatch.container.started", "nginx")
	require.Greater(t, numbers(next)[0], int64(1))
}

func TestAnOverflowIsHealed(t *testing.T) {
	engine := simtest.Start(t)
	next := &inbox{}
	busy := errors.New("busy")
	startLogs(t, engine, next, func(c *Config) { c.Options = map[string]string{"queue.capacity": "16"} })
	next.find(t, "criwatch.replay.completed", "")
	next.refuses.Store(&busy)
	engine.Tell("pod web ns=shop nginx")
	for n := range 10 {
		engine.Tell("create web job attempt=%d -- sh -c 'exit 1'", n)
		engine.Tell("start job")
		engine.Tell("wait job exited")
		engine.Tell("create web other attempt=%d -- sh -c 'exit 0'", n)
		engine.Tell("start other")
		engine.Tell("wait other exited")
	}
	engine.Tell("create web last")
	engine.Tell("start last")
	simtest.Until(t, "the queue to overflow", func() bool { return next.offers.Load() > 5 })
	next.refuses.Store(nil)
	lost := next.find(t, "criwatch.events.lost", "")
	require.Positive(t, lost.attributes["criwatch.events.lost"])
	next.find(t, "criwatch.container.started", "last")
	// Each end is there, and none twice after the ids.
	ends := func() int {
		ids := map[any]bool{}
		for _, one := range next.entries() {
			if one.name == "criwatch.container.exited" {
				ids[one.attributes["criwatch.event.id"]] = true
			}
		}
		return len(ids)
	}
	simtest.Until(t, "all ends", func() bool { return ends() == 20 })
	contiguous(t, next)
}

func TestWhatCouldNotBeStartedHasNoStartInAReplay(t *testing.T) {
	engine := simtest.Start(t)
	engine.Tell("pod web ns=shop nginx")
	engine.Tell("create web broken -- /no/such/program")
	engine.Refuses("start broken")
	next := &inbox{}
	startLogs(t, engine, next, nil)
	exited := next.find(t, "criwatch.container.exited", "broken")
	require.Equal(t, true, exited.attributes["criwatch.event.never_started"])
	next.find(t, "criwatch.replay.completed", "")
	for _, one := range next.entries() {
		require.False(t, one.name == "criwatch.container.started" && one.resource["k8s.container.name"] == "broken")
	}
}

func TestAReplayComesAgainAndAgain(t *testing.T) {
	engine := simtest.Start(t)
	engine.Tell("pod web ns=shop nginx")
	next := &inbox{}
	startLogs(t, engine, next, func(c *Config) { c.Events.ReplayInterval = 50 * time.Millisecond })
	completed := func() (replays []entry) {
		for _, one := range next.entries() {
			if one.name == "criwatch.replay.completed" {
				replays = append(replays, one)
			}
		}
		return replays
	}
	simtest.Until(t, "a replay", func() bool { return len(completed()) > 0 })
	engine.Tell("create web job -- sh -c 'exit 3'")
	engine.Tell("start job")
	engine.Tell("wait job exited")
	// What has ended is told again, under its id.
	ids := func() map[any]int {
		ids := map[any]int{}
		for _, one := range next.entries() {
			if one.name == "criwatch.container.exited" && one.resource["k8s.container.name"] == "job" {
				ids[one.attributes["criwatch.event.id"]]++
			}
		}
		return ids
	}
	simtest.Until(t, "the end, three times", func() bool {
		copies := 0
		for _, count := range ids() {
			copies += count
		}
		return copies >= 3
	})
	require.Len(t, ids(), 1)
	replays := completed()
	for at, one := range replays {
		require.Equal(t, int64(at+1), one.attributes["criwatch.replay"])
		require.Equal(t, replays[0].attributes["criwatch.instance"], one.attributes["criwatch.instance"])
	}
	contiguous(t, next)
}

// The engine tells the code of what had ended before only as long as it has it.
func TestAReplayKnowsTheCodeOfWhatWasRemovedMeanwhile(t *testing.T) {
	engine := simtest.Start(t)
	engine.Tell("pod web ns=shop nginx")
	engine.Tell("create web job -- sh -c 'exit 3'")
	engine.Tell("start job")
	engine.Tell("wait job exited")
	next := &inbox{}
	startLogs(t, engine, next, func(c *Config) { c.Events.ReplayInterval = 50 * time.Millisecond })
	next.find(t, "criwatch.container.exited", "job")
	engine.Tell("rm job")
	replays := func() int {
		return len(slices.DeleteFunc(next.entries(), func(e entry) bool { return e.name != "criwatch.replay.completed" }))
	}
	before := replays()
	simtest.Until(t, "replays after the removal", func() bool { return replays() >= before+3 })
	for _, one := range next.entries() {
		if one.name == "criwatch.container.exited" && one.resource["k8s.container.name"] == "job" {
			require.Equal(t, int64(3), one.attributes["process.exit.code"])
		}
	}
}

func TestALargeReplayComesInSeveralBatches(t *testing.T) {
	engine := simtest.Start(t, "--containers", "20")
	next := &inbox{}
	startLogs(t, engine, next, func(c *Config) { c.Delivery.MaxRecords = 8 })
	completed := next.find(t, "criwatch.replay.completed", "")
	require.Equal(t, int64(30), completed.attributes["criwatch.replay.running"])
	for _, logs := range next.AllLogs() {
		require.LessOrEqual(t, logs.LogRecordCount(), 8)
	}
	contiguous(t, next)
}

// numbers are the batches' numbers, in the order in which they came.
func numbers(in *inbox) (numbers []int64) {
	for _, one := range in.entries() {
		number := one.attributes["criwatch.batch"].(int64)
		if len(numbers) == 0 || numbers[len(numbers)-1] != number {
			numbers = append(numbers, number)
		}
	}
	return numbers
}

func contiguous(t *testing.T, in *inbox) {
	t.Helper()
	for at, number := range numbers(in) {
		require.Equal(t, int64(at+1), number)
	}
}
