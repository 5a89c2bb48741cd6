package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
)

// ledger is what has arrived at one end of the fleet, as a consumer keeps it: each event once, by its id.
type ledger struct {
	mutex  sync.Mutex
	events map[string]*arrival
	holes  *holes
	// The newest instance of each node.
	newest map[string]string
	// What replays show, until they are complete: by instance and number.
	shown map[string]*shown
	// What ran on each node according to its last replay.
	running map[string]map[string]bool
	// Faults of the records themselves.
	faults []string

	records, replayed int
}

// shown is what a replay shows so far: what was started and has not ended runs. Its batches may come in any order.
type shown struct{ started, ended map[string]bool }

func (s *shown) running() map[string]bool {
	runs := maps.Clone(s.started)
	maps.DeleteFunc(runs, func(id string, _ bool) bool { return s.ended[id] })
	return runs
}

// arrival is an event that has arrived.
type arrival struct {
	node   string
	copies int
	// The codes of its copies; -1: a copy had none.
	codes map[int64]bool
}

func newLedger() *ledger {
	return &ledger{
		events: map[string]*arrival{}, holes: newHoles(), newest: map[string]string{}, shown: map[string]*shown{},
		running: map[string]map[string]bool{},
	}
}

// batch is the number of a batch of an instance.
type batch struct {
	node, instance string
	number         int64
}

// add notes what a request or message has brought.
func (l *ledger) add(logs plog.Logs) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	var fresh, again []batch
	var ended []completion
	for _, resource := range logs.ResourceLogs().All() {
		node := text(resource.Resource().Attributes(), "k8s.node.name")
		for _, scope := range resource.ScopeLogs().All() {
			for _, record := range scope.LogRecords().All() {
				of := batchOf(node, record)
				l.records++
				l.event(of, record.Attributes())
				if l.holes.has(of.instance, of.number) {
					again = appendNew(again, of)
					continue
				}
				fresh = appendNew(fresh, of)
				if one, is := l.replay(of, record); is {
					ended = append(ended, completion{of.instance, one})
				}
			}
		}
	}
	// Only now: a replay is judged with all that its batches show.
	for _, of := range slices.Concat(fresh, again) {
		if l.holes.instances[of.instance] == nil {
			l.newest[of.node] = of.instance
		}
		l.whole(of.node, l.holes.arrived(of.node, of.instance, of.number))
	}
	for _, one := range ended {
		l.whole(l.holes.instances[one.instance].node, l.holes.completed(one.instance, one.replay))
	}
}

type completion struct {
	instance string
	replay
}

func appendNew(to []batch, one batch) []batch {
	if len(to) > 0 && to[len(to)-1] == one {
		return to
	}
	return append(to, one)
}

func batchOf(node string, record plog.LogRecord) batch {
	return batch{node, text(record.Attributes(), "criwatch.instance"), integer(record.Attributes(), "criwatch.batch")}
}

// replay notes what a record is to a replay; the replay, if it ends with this record.
func (l *ledger) replay(of batch, record plog.LogRecord) (ended replay, is bool) {
	attributes := record.Attributes()
	if _, is := attributes.Get("criwatch.replay"); !is {
		return replay{}, false
	}
	l.replayed++
	name := fmt.Sprintf("%s/%d", of.instance, integer(attributes, "criwatch.replay"))
	if l.shown[name] == nil {
		l.shown[name] = &shown{map[string]bool{}, map[string]bool{}}
	}
	if record.EventName() == "criwatch.replay.completed" {
		return replay{
			name: name, first: integer(attributes, "criwatch.replay.first_batch"), last: of.number,
			running: integer(attributes, "criwatch.replay.running"), ended: record.ObservedTimestamp().AsTime(),
		}, true
	}
	switch container, kind, _ := strings.Cut(text(attributes, "criwatch.event.id"), "/1/"); kind {
	case "started":
		l.shown[name].started[container] = true
	case "exited":
		l.shown[name].ended[container] = true
	}
	return replay{}, false
}

func (l *ledger) event(of batch, attributes pcommon.Map) {
	id := text(attributes, "criwatch.event.id")
	if id == "" {
		return
	}
	known := l.events[id]
	if known == nil {
		known = &arrival{node: of.node, codes: map[int64]bool{}}
		l.events[id] = known
	}
	known.copies++
	code := int64(-1)
	if value, is := attributes.Get("process.exit.code"); is {
		code = value.Int()
	}
	known.codes[code] = true
	if known.node != of.node {
		l.faults = append(l.faults, fmt.Sprintf("%s is of %s and of %s", id, known.node, of.node))
	}
}

// whole notes what runs, according to replays of which every batch is there.
func (l *ledger) whole(node string, replays []replay) {
	for _, one := range replays {
		runs := l.shown[one.name].running()
		if int64(len(runs)) != one.running {
			l.faults = append(l.faults,
				fmt.Sprintf("replay %s of %s shows %d that run, and says %d", one.name, node, len(runs), one.running))
		}
		if l.holes.node(node).last.name == one.name {
			l.running[node] = runs
		}
		delete(l.shown, one.name)
	}
}

// hasReplayedSince tells whether a replay of a node is whole that ended after a time.
func (l *ledger) hasReplayedSince(node string, since time.Time) bool {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.holes.node(node).last.ended.After(since)
}

// isNewest tells whether a record is of the instance of its node that was last heard of.
func (l *ledger) isNewest(node, instance string) bool {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.newest[node] == instance
}

func text(of pcommon.Map, key string) string {
	value, is := of.Get(key)
	if !is {
		return ""
	}
	return value.AsString()
}

func integer(of pcommon.Map, key string) int64 {
	value, is := of.Get(key)
	if !is {
		return 0
	}
	return value.Int()
}
