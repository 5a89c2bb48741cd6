package criwatchreceiver

import (
	"time"

	criwatch "github.com/criwatch/criwatch/bindings/go"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
)

// cache is what the reporter asks the watcher for, from memory.
type cache interface {
	List(*criwatch.Query) (*criwatch.ContainerList, error)
}

// reporter makes records of events. It does no I/O.
type reporter struct {
	config   *Config
	cache    cache
	batches  *batches
	node     pcommon.Map
	isReplay bool
	replay   int64
	// How many containers and sandboxes the replay has shown so far.
	running int64
	// runs are the numbers of the runs of containers that had more than one: an engine may show what had ended running again.
	runs map[string]int
}

func newReporter(config *Config, cache cache) *reporter {
	node := pcommon.NewMap()
	if config.NodeName != "" {
		node.PutStr("k8s.node.name", config.NodeName)
	}
	return &reporter{
		config: config, cache: cache, batches: newBatches(config.Delivery.MaxRecords), node: node, runs: map[string]int{},
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

func (r *reporter) event(event *criwatch.Event) {
	switch event.Type {
	case criwatch.EventReplayBegin:
		r.isReplay, r.running = true, 0
		r.replay++
		r.batches.seal()
	case criwatch.EventReplayEnd:
		r.endReplay(event)
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
		r.running++
	}
	if r.config.Events.Enabled && (r.config.Events.Sandboxes || event.Container.Kind != criwatch.KindSandbox) {
		r.lifecycle(event)
	}
	if r.config.Entities.Enabled {
		r.entity(event)
	}
}

func (r *reporter) runOf(id string) int { return max(r.runs[id], 1) }

// endReplay says that nothing runs but what the replay has shown; and, before that, what has ended and is still known.
func (r *reporter) endReplay(event *criwatch.Event) {
	if !r.config.Events.Enabled {
		r.isReplay = false
		return
	}
	if r.config.Events.ReplayEnded {
		r.replayEnded(event.Observed)
	}
	record := r.batches.add(r.node)
	stamp(record, event, "criwatch.replay.completed", "replay completed")
	record.Attributes().PutInt("criwatch.replay", r.replay)
	record.Attributes().PutInt("criwatch.replay.running", r.running)
	r.isReplay = false
	r.batches.seal()
}

// replayEnded reports ends that may have been missed: while the collector did not run, or when the queue overflowed.
func (r *reporter) replayEnded(observed time.Time) {
	list, err := r.cache.List(&criwatch.Query{States: []criwatch.State{criwatch.StateExited}, Gone: true})
	if err != nil {
		// The watcher has stopped: there will be another replay.
		return
	}
	for _, container := range list.Containers {
		if container.State != criwatch.StateExited {
			continue
		}
		at := container.FinishedAt
		if at.IsZero() {
			at = observed
		}
		flags := criwatch.EventFlagInitial | criwatch.EventFlagSynthetic
		r.lifecycle(&criwatch.Event{
			Type: criwatch.EventExited, Flags: flags, Time: at, Observed: observed, Container: container,
		})
	}
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
