// Package backend is what the types of package criwatch stand on: the library, or the fake of package criwatchtest.
//
// The records (containers, pods, events) are type parameters, because their package imports this one. They are the caller's
// own: nothing changes them any more.
package backend

import (
	"context"

	"github.com/criwatch/criwatch/bindings/go/internal/capi"
)

// Watcher is what criwatch.Watcher asks. Timeouts are in milliseconds; -1: none.
type Watcher[Container, Pod, Event any] interface {
	Start() *capi.Failure
	WaitReady(timeoutMS int64) *capi.Failure
	Resync(timeoutMS int64) *capi.Failure
	State() uint32
	Generation() uint64
	Attach(idOrName string, rucksack []byte) *capi.Failure
	Stop() *capi.Failure
	Free()

	Find(idOrName string) (*Container, *capi.Failure)
	LookupPID(pid int32, startTicks uint64, timeoutMS int64) (*Container, *capi.Failure)
	LookupCgroup(id uint64, timeoutMS int64) (*Container, *capi.Failure)
	Snapshot() (Snapshot[Container, Pod], *capi.Failure)
	NewQueue(mask, flags uint32, capacity uint) (Queue[Event], *capi.Failure)

	// The library's JSON. Query "" is everything that runs.
	List(query string) ([]byte, *capi.Failure)
	Pods(query string) ([]byte, *capi.Failure)
	Get(idOrName string) ([]byte, *capi.Failure)
	EngineInfo() ([]byte, *capi.Failure)
	Stats() ([]byte, *capi.Failure)
	Metrics() ([]byte, *capi.Failure)
	Inspect(idOrName string, flags uint32, timeoutMS int64) ([]byte, *capi.Failure)
	Call(method, request string, timeoutMS int64) ([]byte, *capi.Failure)
}

// Snapshot is what criwatch.Snapshot asks. Containers that one call gives share their pods.
type Snapshot[Container, Pod any] interface {
	// Select takes, besides the query, in whose names the records are to have attributes; "": as in this snapshot.
	Select(query, attributes string) (Snapshot[Container, Pod], *capi.Failure)
	Generation() uint64
	Containers() ([]*Container, *capi.Failure)
	Pods() ([]*Pod, *capi.Failure)
	Find(idOrName string) (*Container, *capi.Failure)
	Attributes(idOrName, schema string) (map[string]string, *capi.Failure)
	FindPID(pid int32, startTicks uint64) (*Container, *capi.Failure)
	FindCgroup(id uint64) (*Container, *capi.Failure)
	FindCgroupPath(path string) (*Container, *capi.Failure)
	// FindNamespace gives, besides, how many are in the namespace.
	FindNamespace(kind uint32, inode uint64) (*Container, uint, *capi.Failure)
	// FindPIDs and FindCgroups give the status of each; a container only with status 0.
	FindPIDs(pids []int32, startTicks []uint64) ([]*Container, []int32, *capi.Failure)
	FindCgroups(ids []uint64) ([]*Container, []int32, *capi.Failure)
	Free()
}

// Queue is what criwatch.Queue takes events from.
type Queue[Event any] interface {
	TryNext() (*Event, *capi.Failure)
	TryNextJSON() ([]byte, *capi.Failure)
	// Ready is whether TryNext has something to tell now: an event, or that no more will come.
	Ready() bool
	Free()
	Waiter
}

// Finder is what criwatch.Finder takes news from.
type Finder interface {
	TryNext() ([]byte, *capi.Failure)
	Free()
	Waiter
}

// Waiter waits for what comes. Both methods may be called after Free, too.
type Waiter interface {
	// Wait returns nil once attempt is true, which it tries at first and whenever something may have come; or the error of the
	// context that ended first; or ErrEnded.
	Wait(ctx context.Context, attempt func() bool) error
	// End ends all waiting. It is called once.
	End()
}

type ended struct{}

func (ended) Error() string { return "ended" }

// ErrEnded is what Wait answers after End.
var ErrEnded error = ended{}

// NewWatcher makes a *criwatch.Watcher of a backend; package criwatch sets it, for package criwatchtest. It is a
// func(Watcher[criwatch.Container, criwatch.Pod, criwatch.Event]) *criwatch.Watcher.
var NewWatcher any
