package main

import "sync"

// fact is an event that happened on a node, known from the simulated engine itself.
type fact struct {
	// How the container ended; -1: no end.
	code int
	// Its container was removed as soon as it had ended: who was not there at that moment cannot know.
	isHasty bool
}

// record is what happened on a node, by the ids that the events have to have.
type record struct {
	mutex sync.Mutex
	facts map[string]fact
}

func newRecord() *record { return &record{facts: map[string]fact{}} }

func (r *record) add(id string, one fact) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.facts[id] = one
}

// Containers and sandboxes have one run each: a restart is a new container.

func (r *record) began(id string, isHasty bool) { r.add(id+"/1/started", fact{-1, isHasty}) }

func (r *record) sandboxEnded(id string, isHasty bool) { r.add(id+"/1/exited", fact{-1, isHasty}) }

func (r *record) containerEnded(id string, code int, isHasty bool) {
	r.add(id+"/1/exited", fact{code, isHasty})
	if code != 0 {
		// Its reason is Error, which may become OOMKilled: the final word follows.
		r.add(id+"/1/exit-final", fact{code, isHasty})
	}
}

func (r *record) count() int {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	return len(r.facts)
}
