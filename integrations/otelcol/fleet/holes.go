package main

import "time"

// holes follows the numbers of batches, as a consumer should: it sees what is missing, and which replay makes up for it.
type holes struct {
	instances map[string]*instance
	nodes     map[string]*nodeReplays

	// How many batches were missed; how many of them came late after all, and for how many a replay made up.
	missed, late, replaced int
	// Batches that came again.
	repeated int
}

// instance is one start of a receiver.
type instance struct {
	node string
	next int64
	// What has not come. False: a replay has made up for it.
	missing map[int64]bool
	// Replays whose end was seen, but of which batches are missing.
	pending []replay
}

// replay is one that has ended, by the numbers of its batches.
type replay struct {
	name        string
	first, last int64
	// How many containers and sandboxes run, as it says.
	running int64
	ended   time.Time
}

type nodeReplays struct {
	// In the order in which they appeared.
	instances []*instance
	// The last replay that was there from its first batch to its last.
	last replay
}

func newHoles() *holes {
	return &holes{instances: map[string]*instance{}, nodes: map[string]*nodeReplays{}}
}

func (h *holes) node(name string) *nodeReplays {
	if h.nodes[name] == nil {
		h.nodes[name] = &nodeReplays{}
	}
	return h.nodes[name]
}

// has tells whether a batch was there before.
func (h *holes) has(id string, number int64) bool {
	of := h.instances[id]
	return of != nil && number < of.next && !of.misses(number)
}

// arrived notes a batch; the replays that are whole with it.
func (h *holes) arrived(node, id string, number int64) []replay {
	of := h.instances[id]
	if of == nil {
		of = &instance{node: node, next: 1, missing: map[int64]bool{}}
		h.instances[id] = of
		at := h.node(node)
		at.instances = append(at.instances, of)
	}
	switch {
	case number >= of.next:
		for ; of.next < number; of.next++ {
			of.missing[of.next] = true
			h.missed++
		}
		of.next++
	case of.misses(number):
		if !of.missing[number] {
			h.replaced--
		}
		delete(of.missing, number)
		h.late++
	default:
		h.repeated++
	}
	return h.complete(of)
}

// completed notes that a replay has ended; it itself if it is whole.
func (h *holes) completed(id string, one replay) []replay {
	of := h.instances[id]
	of.pending = append(of.pending, one)
	return h.complete(of)
}

// complete looks which replays are whole by now. Such a one shows all that runs: it makes up for whatever was missed before it.
func (h *holes) complete(of *instance) (whole []replay) {
	var pending []replay
	for _, one := range of.pending {
		if of.lacks(one) {
			pending = append(pending, one)
			continue
		}
		whole = append(whole, one)
		at := h.node(of.node)
		if one.ended.After(at.last.ended) {
			at.last = one
		}
		for _, earlier := range at.instances {
			h.forget(earlier, func(number int64) bool { return earlier != of || number < one.first })
			if earlier == of {
				break
			}
		}
	}
	of.pending = pending
	return whole
}

func (i *instance) misses(number int64) bool {
	_, is := i.missing[number]
	return is
}

func (i *instance) lacks(one replay) bool {
	for number := range i.missing {
		if one.first <= number && number <= one.last {
			return true
		}
	}
	return false
}

func (h *holes) forget(of *instance, is func(int64) bool) {
	for number, open := range of.missing {
		if open && is(number) {
			of.missing[number] = false
			h.replaced++
		}
	}
}

// open is how many batches are missing now.
func (h *holes) open() (count int) {
	for _, of := range h.instances {
		for _, isOpen := range of.missing {
			if isOpen {
				count++
			}
		}
	}
	return count
}
