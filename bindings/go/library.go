//go:build linux && cgo

package criwatch

import (
	"errors"
	"fmt"
	"syscall"

	"github.com/criwatch/criwatch/bindings/go/internal/backend"
	"github.com/criwatch/criwatch/bindings/go/internal/capi"
)

// The library as a backend: it calls package capi, and copies its views into records.

func openWatcher(endpoint string, options []capi.Option, shown shown) (watcherBackend, *capi.Failure) {
	object, failure := capi.NewWatcher(endpoint, options)
	return libraryWatcher{object, shown}, failure
}

func discover(options []capi.Option, timeoutMS int64) ([]byte, *capi.Failure) {
	return capi.Discover(options, timeoutMS)
}

func describeOptions() ([]byte, *capi.Failure) { return capi.DescribeOptions() }

type libraryWatcher struct {
	capi.Watcher
	shown shown
}

func (w libraryWatcher) Find(idOrName string) (*Container, *capi.Failure) {
	return w.owned(w.Watcher.Find(idOrName))
}

func (w libraryWatcher) LookupPID(pid int32, startTicks uint64, timeoutMS int64) (*Container, *capi.Failure) {
	return w.owned(w.Watcher.LookupPID(pid, startTicks, timeoutMS))
}

func (w libraryWatcher) LookupCgroup(id uint64, timeoutMS int64) (*Container, *capi.Failure) {
	return w.owned(w.Watcher.LookupCgroup(id, timeoutMS))
}

// owned copies a record that the caller owns, and releases it.
func (w libraryWatcher) owned(view capi.ContainerView, failure *capi.Failure) (*Container, *capi.Failure) {
	if failure != nil {
		return nil, failure
	}
	defer view.Unref()
	return newContainer(view, w.shown, newPod), nil
}

func (w libraryWatcher) Snapshot() (snapshotBackend, *capi.Failure) {
	object, failure := w.Watcher.Snapshot()
	return librarySnapshot{object, w.shown}, failure
}

type librarySnapshot struct {
	capi.Snapshot
	shown shown
}

func (s librarySnapshot) Select(query, attributes string) (snapshotBackend, *capi.Failure) {
	object, failure := s.Snapshot.Select(query)
	shown := s.shown
	if attributes != "" {
		shown.attributes = AttributesOption(attributes)
	}
	return librarySnapshot{object, shown}, failure
}

func (s librarySnapshot) Containers() ([]*Container, *capi.Failure) {
	views, failure := s.Snapshot.Containers()
	pods := map[capi.PodView]*Pod{}
	podOf := func(view capi.PodView) *Pod {
		if pods[view] == nil {
			pods[view] = newPod(view)
		}
		return pods[view]
	}
	containers := make([]*Container, len(views))
	for i, view := range views {
		containers[i] = newContainer(view, s.shown, podOf)
	}
	return containers, failure
}

func (s librarySnapshot) Pods() ([]*Pod, *capi.Failure) {
	views, failure := s.Snapshot.Pods()
	pods := make([]*Pod, len(views))
	for i, view := range views {
		pods[i] = newPod(view)
	}
	return pods, failure
}

func (s librarySnapshot) Find(idOrName string) (*Container, *capi.Failure) {
	return s.lent(s.Snapshot.Find(idOrName))
}

func (s librarySnapshot) Attributes(idOrName, schema string) (map[string]string, *capi.Failure) {
	view, failure := s.Snapshot.Find(idOrName)
	if failure != nil {
		return nil, failure
	}
	return view.Attributes(schema)
}

func (s librarySnapshot) FindPID(pid int32, startTicks uint64) (*Container, *capi.Failure) {
	return s.lent(s.Snapshot.FindPID(pid, startTicks))
}

func (s librarySnapshot) FindCgroup(id uint64) (*Container, *capi.Failure) {
	return s.lent(s.Snapshot.FindCgroup(id))
}

func (s librarySnapshot) FindCgroupPath(path string) (*Container, *capi.Failure) {
	return s.lent(s.Snapshot.FindCgroupPath(path))
}

func (s librarySnapshot) FindNamespace(kind uint32, inode uint64) (*Container, uint, *capi.Failure) {
	view, sharing, failure := s.Snapshot.FindNamespace(kind, inode)
	container, failure := s.lent(view, failure)
	return container, sharing, failure
}

func (s librarySnapshot) FindPIDs(pids []int32, startTicks []uint64) ([]*Container, []int32, *capi.Failure) {
	views, statuses, failure := s.Snapshot.FindPIDs(pids, startTicks)
	return s.found(views, statuses), statuses, failure
}

func (s librarySnapshot) FindCgroups(ids []uint64) ([]*Container, []int32, *capi.Failure) {
	views, statuses, failure := s.Snapshot.FindCgroups(ids)
	return s.found(views, statuses), statuses, failure
}

// lent copies a record that the snapshot owns.
func (s librarySnapshot) lent(view capi.ContainerView, failure *capi.Failure) (*Container, *capi.Failure) {
	if failure != nil {
		return nil, failure
	}
	return newContainer(view, s.shown, newPod), nil
}

// found copies each record once, even if it was found several times.
func (s librarySnapshot) found(views []capi.ContainerView, statuses []int32) []*Container {
	copies, containers := map[capi.ContainerView]*Container{}, make([]*Container, len(views))
	for i, view := range views {
		if Status(statuses[i]) != OK {
			continue
		}
		if copies[view] == nil {
			copies[view] = newContainer(view, s.shown, newPod)
		}
		containers[i] = copies[view]
	}
	return containers
}

type libraryQueue struct {
	capi.Queue
	*pollable
	shown shown
}

func (w libraryWatcher) NewQueue(mask, flags uint32, capacity uint) (queueBackend, *capi.Failure) {
	object, failure := w.Watcher.NewQueue(mask, flags, capacity)
	if failure != nil {
		return nil, failure
	}
	fd, err := object.DupFD()
	waiter, err := newPollable("queue", fd, err)
	if err != nil {
		object.Free()
		return nil, notPolled(err)
	}
	return libraryQueue{object, waiter, w.shown}, nil
}

func (q libraryQueue) TryNext() (*Event, *capi.Failure) {
	view, failure := q.Queue.TryNext()
	if failure != nil {
		return nil, failure
	}
	defer view.Free()
	return newEvent(view, q.shown), nil
}

func (q libraryQueue) TryNextJSON() ([]byte, *capi.Failure) {
	view, failure := q.Queue.TryNext()
	if failure != nil {
		return nil, failure
	}
	defer view.Free()
	return view.JSON()
}

type libraryFinder struct {
	capi.Finder
	*pollable
}

func openFinder(options []capi.Option) (backend.Finder, *capi.Failure) {
	object, failure := capi.NewFinder(options)
	if failure != nil {
		return nil, failure
	}
	fd, err := object.DupFD()
	waiter, err := newPollable("finder", fd, err)
	if err != nil {
		object.Free()
		return nil, notPolled(err)
	}
	return libraryFinder{object, waiter}, nil
}

// notPolled is the error if Go's poller refuses the library's descriptor.
func notPolled(err error) *capi.Failure {
	failure := &capi.Failure{
		Status: int32(ErrOS), Message: fmt.Sprintf("the descriptor cannot be polled: %v", err), GRPCCode: -1,
	}
	var errno syscall.Errno
	if errors.As(err, &errno) {
		failure.OSCode = int32(errno)
	}
	return failure
}
