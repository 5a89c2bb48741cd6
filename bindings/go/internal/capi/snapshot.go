//go:build linux

package capi

// #include <criwatch.h>
import "C"

import "unsafe"

// Snapshot is a cri_snapshot.
type Snapshot struct{ c *C.cri_snapshot }

// Snapshot is cri_watcher_snapshot.
func (w Watcher) Snapshot() (Snapshot, *Failure) {
	var snapshot Snapshot
	var err *C.cri_error
	f := failure(C.cri_watcher_snapshot(w.c, &snapshot.c, &err), err)
	return snapshot, f
}

// Select is cri_snapshot_select. Query "" is NULL.
func (s Snapshot) Select(query string) (Snapshot, *Failure) {
	if f := noNUL("query", query); f != nil {
		return Snapshot{}, f
	}
	text := cstring(query, true)
	defer free(text)
	var selection Snapshot
	var err *C.cri_error
	f := failure(C.cri_snapshot_select(s.c, text, &selection.c, &err), err)
	return selection, f
}

// Generation is cri_snapshot_generation.
func (s Snapshot) Generation() uint64 { return uint64(C.cri_snapshot_generation(s.c)) }

// Containers is cri_snapshot_containers. The views end with the snapshot.
func (s Snapshot) Containers() ([]ContainerView, *Failure) {
	var out **C.cri_container
	var length C.size_t
	var err *C.cri_error
	if f := failure(C.cri_snapshot_containers(s.c, &out, &length, &err), err); f != nil {
		return nil, f
	}
	views := make([]ContainerView, length)
	for i, record := range unsafe.Slice(out, int(length)) {
		views[i] = ContainerView{record}
	}
	return views, nil
}

// Pods is cri_snapshot_pods. The views end with the snapshot.
func (s Snapshot) Pods() ([]PodView, *Failure) {
	var out **C.cri_pod
	var length C.size_t
	var err *C.cri_error
	if f := failure(C.cri_snapshot_pods(s.c, &out, &length, &err), err); f != nil {
		return nil, f
	}
	views := make([]PodView, length)
	for i, record := range unsafe.Slice(out, int(length)) {
		views[i] = PodView{record}
	}
	return views, nil
}

// Find is cri_snapshot_find. The view ends with the snapshot.
func (s Snapshot) Find(idOrName string) (ContainerView, *Failure) {
	return named(idOrName, func(name *C.char, out **C.cri_container, err **C.cri_error) C.cri_status {
		return C.cri_snapshot_find(s.c, name, out, err)
	})
}

// named gives C a name, and takes the record that it finds.
func named(
	idOrName string, find func(*C.char, **C.cri_container, **C.cri_error) C.cri_status,
) (ContainerView, *Failure) {
	if f := noNUL("id or name", idOrName); f != nil {
		return ContainerView{}, f
	}
	name := cstring(idOrName, false)
	defer free(name)
	var view ContainerView
	var err *C.cri_error
	status := find(name, &view.c, &err)
	return view, failure(status, err)
}

// Free is cri_snapshot_free.
func (s Snapshot) Free() { C.cri_snapshot_free(s.c) }
