package criwatchreceiver

import (
	"fmt"
	"hash/fnv"

	criwatch "github.com/criwatch/criwatch/bindings/go"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
)

// flags are what records say of how an event is known.
var flags = []struct {
	flag criwatch.EventFlags
	name string
}{
	{criwatch.EventFlagInitial, "criwatch.event.replayed"},
	{criwatch.EventFlagSynthetic, "criwatch.event.synthetic"},
	{criwatch.EventFlagReappeared, "criwatch.event.reappeared"},
	{criwatch.EventFlagNeverStarted, "criwatch.event.never_started"},
	{criwatch.EventFlagProvisional, "criwatch.event.provisional"},
	{criwatch.EventFlagWitnessed, "criwatch.event.witnessed"},
	{criwatch.EventFlagConfirmed, "criwatch.event.confirmed"},
}

// lifecycle makes the record of a start, an end, or a change of an end.
func (r *reporter) lifecycle(event *criwatch.Event) {
	kind, is := kindOf(event)
	if !is {
		return
	}
	container := event.Container
	record := r.batches.add(r.resource(container))
	stamp(record, event, eventName(event), container.String())
	attributes := record.Attributes()
	attributes.PutStr("criwatch.event.id", fmt.Sprintf("%s/%d/%s", container.ID, r.runOf(container.ID), kind))
	if container.Kind == criwatch.KindSandbox {
		attributes.PutStr("criwatch.sandbox.id", container.ID)
	}
	for _, one := range flags {
		if event.Flags&one.flag != 0 {
			attributes.PutBool(one.name, true)
		}
	}
	if r.isReplay {
		attributes.PutInt("criwatch.replay", r.replay)
	}
	if container.PID != 0 {
		attributes.PutInt("process.pid", int64(container.PID))
	}
	if event.Type != criwatch.EventStarted {
		putExit(record, container)
	}
}

// kindOf is the part of an event's id that tells the events of one run apart. The same fact gets the same id, whoever reports it and
// however often: receivers may drop what they have.
func kindOf(event *criwatch.Event) (kind string, is bool) {
	switch {
	case event.Type == criwatch.EventStarted:
		return "started", true
	case event.Type == criwatch.EventExited:
		return "exited", true
	case event.Changed&criwatch.ChangedExit == 0:
		return "", false
	case event.Flags&criwatch.EventFlagConfirmed != 0:
		return "exit-final", true
	}
	// A correction: there may be several.
	hash := fnv.New32a()
	fmt.Fprint(hash, event.Container.ExitCode, event.Container.Reason, event.Container.FinishedAt.UnixNano())
	return fmt.Sprintf("exit-corrected-%08x", hash.Sum32()), true
}

func eventName(event *criwatch.Event) string {
	what := map[criwatch.EventType]string{
		criwatch.EventStarted: "started", criwatch.EventExited: "exited", criwatch.EventUpdated: "exit_updated",
	}[event.Type]
	return fmt.Sprintf("criwatch.%v.%s", event.Container.Kind, what)
}

func putExit(record plog.LogRecord, container *criwatch.Container) {
	attributes := record.Attributes()
	if container.ExitCode != -1 {
		attributes.PutInt("process.exit.code", int64(container.ExitCode))
	}
	if container.Reason != "" {
		attributes.PutStr("criwatch.exit.reason", container.Reason)
	}
	if container.Message != "" {
		attributes.PutStr("criwatch.exit.message", container.Message)
	}
	if container.ExitCode > 0 {
		record.SetSeverityNumber(plog.SeverityNumberWarn)
	}
}

// resource is who a record is about.
func (r *reporter) resource(container *criwatch.Container) pcommon.Map {
	attributes := r.config.Extract.Of(container)
	for name, value := range r.node.All() {
		value.CopyTo(attributes.PutEmpty(name))
	}
	return attributes
}
