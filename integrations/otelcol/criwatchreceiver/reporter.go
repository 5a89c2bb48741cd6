package criwatchreceiver

import (
	"context"
	"time"

	criwatch "github.com/criwatch/criwatch/bindings/go"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
)

// cache is what the reporter asks the watcher for.
type cache interface {
	// List answers from memory.
	List(*criwatch.Query) (*criwatch.ContainerList, error)
	// Inspect asks the engine.
	Inspect(ctx context.Context, idOrName string, flags criwatch.InspectFlags) (*criwatch.Inspection, error)
}

// inspection is how long the engine may take to tell how all that has ended did: what it has not told by then is reported without its
// code. Events wait meanwhile in the library's queue.
const inspection = time.Minute

// reporter makes records of events.
type reporter struct {
	config   *Config
	cache    cache
	batches  *batches
	node     pcommon.Map
	isReplay bool
	replay   int64
	// The batch with which the replay began.
	replayFirst int64
	// The containers and sandboxes that run, as far as the replay has shown.
	running map[string]bool
	// runs are the numbers of the runs of containers that had more than one: an engine may show what had ended running again.
	runs map[string]int
	// inspected are those that had ended before the watcher began, as the engine told once: when they are removed, it no longer can.
	inspected map[string]*criwatch.Container
	// descriptions are fingerprints of what was reported of entities that live.
	descriptions map[string]uint64
}

func newReporter(config *Config, cache cache) *reporter {
	node := pcommon.NewMap()
	if config.NodeName != "" {
		node.PutStr("k8s.node.name", config.NodeName)
	}
	return &reporter{
		config: config, cache: cache, batches: newBatches(config.Delivery.MaxRecords), node: node, runs: map[string]int{},
		descriptions: map[string]uint64{},
	}
}

// due is when the records that are there have to be handed on; zero: there are none.
func (r *reporter) due() time.Time {
	if r.batches.since.IsZero() {
		return time.Time{}
	}
	return r.batches.since.Add(r.config.Delivery.MaxDelay)
}

// isDue tells whether records have to be handed on now.
func (r *reporter) isDue() bool {
	due := r.due()
	return len(r.batches.full) > 0 || !due.IsZero() && !time.Now().Before(due)
}

func (r *reporter) take() []plog.Logs { return r.batches.take() }

func (r *reporter) event(ctx context.Context, event *criwatch.Event) {
	switch event.Type {
	case criwatch.EventReplayBegin:
		r.isReplay, r.running = true, map[string]bool{}
		clear(r.descriptions)
		r.replay++
		r.batches.seal()
		r.replayFirst = r.batches.number + 1
	case criwatch.EventReplayEnd:
		r.endReplay(ctx, event)
	case criwatch.EventOverflow:
		r.overflow(event)
	case criwatch.EventState:
		r.state(event)
	case criwatch.EventStarted, criwatch.EventExited, criwatch.EventUpdated:
		r.run(event)
	}
}

// run reports what happened to a container or sandbox.
func (r *reporter) run(event *criwatch.Event) {
	if event.Container == nil {
		return
	}
	if event.Flags&criwatch.EventFlagReappeared != 0 {
		r.runs[event.Container.ID] = r.runOf(event.Container.ID) + 1
	}
	if r.isReplay && event.Type == criwatch.EventStarted {
		r.running[event.Container.ID] = true
	}
	if r.isReported(event.Container) {
		r.lifecycle(event)
	}
	// The first replay has no entities to end: they were never reported by this instance.
	if r.config.Entities.Enabled && !(r.isReplay && r.replay == 1 && event.Type == criwatch.EventExited) {
		r.entity(event)
	}
}

// isReported tells whether records of events are wanted of it.
func (r *reporter) isReported(container *criwatch.Container) bool {
	return r.config.Events.Enabled && (r.config.Events.Sandboxes || container.Kind != criwatch.KindSandbox)
}

func (r *reporter) runOf(id string) int { return max(r.runs[id], 1) }

// endReplay says that nothing runs but what the replay has shown; and, before that, what has ended and is still known.
func (r *reporter) endReplay(ctx context.Context, event *criwatch.Event) {
	if r.config.Events.ReplayEnded {
		r.replayEnded(ctx, event.Observed)
	}
	if r.config.Events.Enabled {
		record := r.batches.add(r.node)
		stamp(record, event, "criwatch.replay.completed", "replay completed")
		record.Attributes().PutInt("criwatch.replay", r.replay)
		record.Attributes().PutInt("criwatch.replay.first_batch", r.replayFirst)
		record.Attributes().PutInt("criwatch.replay.running", int64(len(r.running)))
	}
	r.isReplay = false
	r.batches.seal()
}

// confirmation is how long the library waits at most before it makes an end final.
const confirmation = 2 * time.Second

// replayEnded reports ends that may have been missed: while the collector did not run, or when the queue overflowed.
func (r *reporter) replayEnded(ctx context.Context, observed time.Time) {
	ctx, cancel := context.WithTimeout(ctx, inspection)
	defer cancel()
	list, err := r.cache.List(&criwatch.Query{States: []criwatch.State{criwatch.StateExited}, Gone: true})
	if err != nil {
		// The watcher has stopped: there will be another replay.
		return
	}
	inspected := map[string]*criwatch.Container{}
	for _, container := range list.Containers {
		if container.State != criwatch.StateExited {
			continue
		}
		known := r.howItEnded(ctx, container)
		if known != container {
			inspected[container.ID] = known
		}
		r.replayEnd(known, observed)
	}
	// Less those that are forgotten.
	r.inspected = inspected
}

// howItEnded asks for what lists do not have: of what had ended before the watcher began, nobody has asked for the status.
func (r *reporter) howItEnded(ctx context.Context, container *criwatch.Container) *criwatch.Container {
	if container.Kind == criwatch.KindSandbox || container.ExitCode != -1 {
		return container
	}
	if known := r.inspected[container.ID]; known != nil {
		return known
	}
	answer, err := r.cache.Inspect(ctx, container.ID, 0)
	if err != nil || answer.Container == nil {
		// It is gone by now, or the engine is: the end is reported all the same.
		return container
	}
	return answer.Container
}

// replayEnd reports a run that has ended by the same events as when it happened, so that they have the same ids: a start, and an
// end; where the reason could still change, two.
func (r *reporter) replayEnd(container *criwatch.Container, observed time.Time) {
	event := criwatch.Event{
		Type: criwatch.EventExited, Flags: criwatch.EventFlagInitial | criwatch.EventFlagSynthetic,
		Time: container.FinishedAt, Observed: observed, Container: container,
	}
	if event.Time.IsZero() {
		event.Time = observed
	}
	// It may have ended since the replay began.
	delete(r.running, container.ID)
	if neverStarted(container) {
		event.Flags |= criwatch.EventFlagNeverStarted
	} else {
		r.replayStart(event)
	}
	if container.Reason != "Error" && container.Reason != "OOMKilled" {
		r.run(&event)
		return
	}
	final := event
	event.Flags |= criwatch.EventFlagProvisional
	r.run(&event)
	// The library's own follows if it has seen the end just now.
	if r.replay == 1 || observed.Sub(event.Time) > confirmation {
		final.Type, final.Changed = criwatch.EventUpdated, criwatch.ChangedExit
		final.Flags |= criwatch.EventFlagConfirmed
		r.run(&final)
	}
}

// replayStart reports the start of what has ended by now: nobody may have been there to see it. It is no news of what runs.
func (r *reporter) replayStart(event criwatch.Event) {
	if !r.isReported(event.Container) {
		return
	}
	event.Type = criwatch.EventStarted
	event.Time = event.Container.StartedAt
	if event.Time.IsZero() {
		event.Time = event.Container.CreatedAt
	}
	r.lifecycle(&event)
}

// neverStarted tells a container that was made, and could not be started. containerd then says no time of start; CRI-O says the same
// for all its times. Without the exit code nobody has asked for its status, and nothing is known.
func neverStarted(container *criwatch.Container) bool {
	return container.Kind == criwatch.KindContainer && container.ExitCode != -1 && (container.StartedAt.IsZero() ||
		container.StartedAt.Equal(container.CreatedAt) && container.StartedAt.Equal(container.FinishedAt))
}

func (r *reporter) overflow(event *criwatch.Event) {
	if r.config.Events.Enabled {
		record := r.batches.add(r.node)
		stamp(record, event, "criwatch.events.lost", "events were lost; a replay follows")
		record.SetSeverityNumber(plog.SeverityNumberWarn)
		record.Attributes().PutInt("criwatch.events.lost", int64(event.Lost))
	}
}

func (r *reporter) state(event *criwatch.Event) {
	if r.config.Events.Enabled {
		record := r.batches.add(r.node)
		stamp(record, event, "criwatch.engine.state", event.String())
		record.Attributes().PutStr("criwatch.engine.state", event.State.String())
		if event.State == criwatch.WatcherBackoff {
			record.SetSeverityNumber(plog.SeverityNumberWarn)
		}
	}
}

// stamp gives a record what all have.
func stamp(record plog.LogRecord, event *criwatch.Event, name, body string) {
	record.SetEventName(name)
	record.SetTimestamp(pcommon.NewTimestampFromTime(event.Time))
	record.SetObservedTimestamp(pcommon.NewTimestampFromTime(event.Observed))
	record.SetSeverityNumber(plog.SeverityNumberInfo)
	record.Body().SetStr(body)
}
