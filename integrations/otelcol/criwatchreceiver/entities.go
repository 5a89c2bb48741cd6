package criwatchreceiver

import (
	"fmt"
	"hash/fnv"
	"time"

	criwatch "github.com/criwatch/criwatch/bindings/go"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
)

// Entities as OpenTelemetry's specification draws them (entities/entity-events.md, in development): the pod is k8s.pod, known by
// its uid; the container is container, known by its id, and part of the pod.
const (
	podEntity       = "k8s.pod"
	containerEntity = "container"
)

// What an entity's description shows.
const described = criwatch.ChangedPod | criwatch.ChangedLabels | criwatch.ChangedImage | criwatch.ChangedStartedAt

// entity reports an entity's state when it begins and changes, and its end.
func (r *reporter) entity(event *criwatch.Event) {
	switch {
	case event.Type == criwatch.EventExited:
		r.entityDelete(event)
	case event.Type == criwatch.EventStarted:
		r.entityState(event.Container, event.Observed)
	case event.Changed&described != 0 && event.Container.State == criwatch.StateRunning && r.looksOther(event.Container):
		r.entityState(event.Container, event.Observed)
	}
}

// looksOther tells whether the description is another than the one that was reported: much that changes is no part of it.
func (r *reporter) looksOther(container *criwatch.Container) bool {
	return r.descriptions[container.ID] != fingerprint(r.config.Extract.Of(container))
}

func fingerprint(description pcommon.Map) uint64 {
	hash := fnv.New64a()
	fmt.Fprint(hash, description.AsRaw())
	return hash.Sum64()
}

// states repeats the state of everything that runs: who misses an end sees that the repetitions end.
func (r *reporter) states() {
	list, err := r.cache.List(nil)
	if err != nil {
		return
	}
	for _, container := range list.Containers {
		r.entityState(container, time.Now())
	}
}

func (r *reporter) entityState(container *criwatch.Container, at time.Time) {
	if container.Pod == nil && container.Kind == criwatch.KindSandbox {
		return
	}
	record := r.batches.add(r.node)
	record.SetEventName("entity.state")
	r.putEntity(record, container, at)
	r.describe(record.Attributes().PutEmptyMap("entity.description"), container)
	r.descriptions[container.ID] = fingerprint(r.config.Extract.Of(container))
	if r.config.Entities.Interval > 0 {
		record.Attributes().PutInt("entity.report.interval", int64(r.config.Entities.Interval.Round(time.Second)/time.Second))
	}
	if container.Kind == criwatch.KindContainer && container.Pod != nil && container.Pod.UID != "" {
		relation := record.Attributes().PutEmptySlice("entity.relationships").AppendEmpty().SetEmptyMap()
		relation.PutStr("relationship.type", "part_of")
		relation.PutStr("entity.type", podEntity)
		relation.PutEmptyMap("entity.id").PutStr("k8s.pod.uid", container.Pod.UID)
	}
}

func (r *reporter) entityDelete(event *criwatch.Event) {
	container := event.Container
	delete(r.descriptions, container.ID)
	if container.Kind == criwatch.KindSandbox && (container.Pod == nil || r.hasAnotherSandbox(container)) {
		return
	}
	record := r.batches.add(r.node)
	record.SetEventName("entity.delete")
	r.putEntity(record, container, event.Time)
	reason := container.Reason
	if reason == "" {
		reason = "terminated"
	}
	record.Attributes().PutStr("entity.delete.reason", reason)
}

// hasAnotherSandbox tells whether the pod goes on in another sandbox: the kubelet makes it a new one when the old one has died.
func (r *reporter) hasAnotherSandbox(container *criwatch.Container) bool {
	list, err := r.cache.List(&criwatch.Query{UID: container.Pod.UID, Kind: criwatch.KindSandbox})
	if err != nil {
		return false
	}
	for _, one := range list.Containers {
		if one.ID != container.ID {
			return true
		}
	}
	return false
}

func (r *reporter) putEntity(record plog.LogRecord, container *criwatch.Container, at time.Time) {
	record.SetTimestamp(pcommon.NewTimestampFromTime(at))
	record.SetObservedTimestamp(pcommon.NewTimestampFromTime(time.Now()))
	record.SetSeverityNumber(plog.SeverityNumberInfo)
	attributes := record.Attributes()
	if container.Kind == criwatch.KindSandbox {
		attributes.PutStr("entity.type", podEntity)
		attributes.PutEmptyMap("entity.id").PutStr("k8s.pod.uid", container.Pod.UID)
		return
	}
	attributes.PutStr("entity.type", containerEntity)
	attributes.PutEmptyMap("entity.id").PutStr("container.id", container.ID)
}

// describe has what the resource of its records has, less what identifies it.
func (r *reporter) describe(to pcommon.Map, container *criwatch.Container) {
	r.config.Extract.Of(container).CopyTo(to)
	if container.Kind == criwatch.KindSandbox {
		to.Remove("k8s.pod.uid")
		return
	}
	to.Remove("container.id")
}
