package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// outcome is what an output has of what happened.
type outcome struct {
	// Events of which there is exactly one after the ids, and how many records brought them.
	events, copies int
	// Of pods that were removed in the moment of their end.
	hasty, hastyLost int
	// Ends of which some copy does not say the code.
	codeless int
}

// expected is what happened on all nodes.
func (f *fleet) expected() (facts map[string]fact, of map[string]string) {
	facts, of = map[string]fact{}, map[string]string{}
	for _, one := range f.nodes {
		one.done.mutex.Lock()
		for id, what := range one.done.facts {
			facts[id], of[id] = what, one.name
		}
		one.done.mutex.Unlock()
	}
	return facts, of
}

// hasAll tells whether everything has arrived that has to.
func (l *ledger) hasAll(facts map[string]fact) bool {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	for id, what := range facts {
		if l.events[id] == nil && !what.isHasty {
			return false
		}
	}
	return true
}

// judge compares what has arrived with what happened.
func (l *ledger) judge(facts map[string]fact, of map[string]string) (outcome, error) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	found := outcome{}
	var wrong []string
	for id, what := range facts {
		if what.isHasty {
			found.hasty++
		}
		arrived := l.events[id]
		switch {
		case arrived != nil:
			found.events++
			found.copies += arrived.copies
			wrong = append(wrong, arrived.compare(id, of[id], what, &found)...)
		case what.isHasty:
			found.hastyLost++
		default:
			wrong = append(wrong, fmt.Sprintf("%s of %s is missing", id, of[id]))
		}
	}
	for id, arrived := range l.events {
		if _, is := facts[id]; !is {
			wrong = append(wrong, fmt.Sprintf("%s of %s did not happen", id, arrived.node))
		}
	}
	wrong = append(wrong, l.faults...)
	if open := l.holes.open(); open > 0 {
		wrong = append(wrong, fmt.Sprintf("%d batches are missing that no replay has made up for", open))
	}
	return found, list(wrong)
}

func (a *arrival) compare(id, node string, what fact, found *outcome) (wrong []string) {
	if a.node != node {
		wrong = append(wrong, fmt.Sprintf("%s is of %s, and was reported by %s", id, node, a.node))
	}
	for code := range a.codes {
		switch {
		case code == -1 && what.code != -1:
			if !what.isHasty {
				found.codeless++
			}
		case code != int64(what.code) && !strings.HasSuffix(id, "/started"):
			wrong = append(wrong, fmt.Sprintf("%s has ended with %d, and was reported with %d", id, what.code, code))
		}
	}
	if what.code != -1 && !what.isHasty && !a.codes[int64(what.code)] {
		wrong = append(wrong, fmt.Sprintf("%s has ended with %d, and no record says so", id, what.code))
	}
	return wrong
}

// compareRunning tells where the last replay shows other containers than those that run.
func (f *fleet) compareRunning(l *ledger) error {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	var wrong []string
	for _, one := range f.nodes {
		runs := one.running()
		maps.DeleteFunc(runs, func(_ string, is bool) bool { return !is })
		if shown := l.running[one.name]; !maps.Equal(shown, runs) {
			wrong = append(wrong, fmt.Sprintf("on %s run %d, and its last replay shows %d: %v, %v", one.name, len(runs), len(shown),
				slices.Collect(maps.Keys(runs)), slices.Collect(maps.Keys(shown))))
		}
	}
	return list(wrong)
}

// checkMemory tells who had more than it may have.
func (f *fleet) checkMemory() error {
	var wrong []string
	for _, one := range f.programs() {
		limit := f.options.agentMemory
		if one == f.gateway {
			limit = f.options.gatewayMemory
		}
		if one.peakKiB > limit<<10 {
			wrong = append(wrong, fmt.Sprintf("%s had %d KiB of memory, and may have %d MiB", one.name, one.peakKiB, limit))
		}
	}
	return list(wrong)
}

// list is an error of several; only the first are shown.
func list(wrong []string) error {
	if len(wrong) == 0 {
		return nil
	}
	slices.Sort(wrong)
	return errors.New(fmt.Sprintf("%d faults:\n", len(wrong)) + strings.Join(wrong[:min(20, len(wrong))], "\n"))
}
