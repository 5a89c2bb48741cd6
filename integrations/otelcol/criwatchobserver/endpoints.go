package criwatchobserver

import (
	"reflect"
	"time"

	criwatch "github.com/criwatch/criwatch/bindings/go"
	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/observer"
)

// endpoints are those that there are. It does no I/O.
type endpoints struct {
	config *Config
	// What all ids begin with.
	prefix  string
	entries map[observer.EndpointID]entry
	// shown are the containers that the replay that goes on has shown; nil: none goes on.
	shown map[string]bool
}

type entry struct {
	observer.Endpoint
	// owner is the id of the container or sandbox that it is of. The next attempt takes it over.
	owner string
	// expires is when it goes; zero: while its owner runs.
	expires time.Time
}

// changes are what subscribers are told.
type changes struct{ added, removed, changed []observer.Endpoint }

func newEndpoints(config *Config, prefix string) *endpoints {
	return &endpoints{config: config, prefix: prefix, entries: map[observer.EndpointID]entry{}}
}

func (e *endpoints) all() []observer.Endpoint {
	all := make([]observer.Endpoint, 0, len(e.entries))
	for _, one := range e.entries {
		all = append(all, one.Endpoint)
	}
	return all
}

func (e *endpoints) event(event *criwatch.Event) (made changes) {
	switch event.Type {
	case criwatch.EventReplayBegin:
		e.shown = map[string]bool{}
	case criwatch.EventReplayEnd:
		made = e.endReplay(event.Observed)
	case criwatch.EventStarted:
		if e.shown != nil {
			e.shown[event.Container.ID] = true
		}
		made = e.put(event.Container)
	case criwatch.EventUpdated:
		// Addresses and ports often become known only after the start.
		if event.Container.State == criwatch.StateRunning {
			made = e.put(event.Container)
		}
	case criwatch.EventExited:
		made = e.end(event.Container.ID, event.Observed)
	}
	return made
}

// put adds the endpoints of what runs, or changes them.
func (e *endpoints) put(container *criwatch.Container) (made changes) {
	for _, one := range e.of(container) {
		known, is := e.entries[one.ID]
		if is && known.owner == container.ID && known.expires.IsZero() && same(known.Endpoint, one) {
			continue
		}
		e.entries[one.ID] = entry{Endpoint: one, owner: container.ID}
		if is {
			made.changed = append(made.changed, one)
		} else {
			made.added = append(made.added, one)
		}
	}
	return made
}

func same(a, b observer.Endpoint) bool {
	return a.Target == b.Target && reflect.DeepEqual(a.Details, b.Details)
}

// end removes the endpoints of what has ended; a container's own stays for a while.
func (e *endpoints) end(owner string, now time.Time) (made changes) {
	for id, one := range e.entries {
		if one.owner != owner || !one.expires.IsZero() {
			continue
		}
		if one.Details.Type() == observer.PodContainerType && e.config.TerminatedTTL > 0 {
			one.expires = now.Add(e.config.TerminatedTTL)
			e.entries[id] = one
			continue
		}
		delete(e.entries, id)
		made.removed = append(made.removed, one.Endpoint)
	}
	return made
}

// endReplay ends what the replay has not shown: its end was lost.
func (e *endpoints) endReplay(now time.Time) (made changes) {
	owners := map[string]bool{}
	for _, one := range e.entries {
		if !e.shown[one.owner] {
			owners[one.owner] = true
		}
	}
	for owner := range owners {
		made.removed = append(made.removed, e.end(owner, now).removed...)
	}
	e.shown = nil
	return made
}

// nextExpiry is when the next endpoint goes; zero: none does.
func (e *endpoints) nextExpiry() (next time.Time) {
	for _, one := range e.entries {
		if !one.expires.IsZero() && (next.IsZero() || one.expires.Before(next)) {
			next = one.expires
		}
	}
	return next
}

func (e *endpoints) expire(now time.Time) (made changes) {
	for id, one := range e.entries {
		if !one.expires.IsZero() && !one.expires.After(now) {
			delete(e.entries, id)
			made.removed = append(made.removed, one.Endpoint)
		}
	}
	return made
}
