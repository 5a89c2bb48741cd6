//go:build linux

package capi

// #include <criwatch.h>
import "C"

import "unsafe"

// FindPID is cri_snapshot_find_pid. The view ends with the snapshot.
func (s Snapshot) FindPID(pid int32, startTicks uint64) (ContainerView, *Failure) {
	var view ContainerView
	var err *C.cri_error
	f := failure(C.cri_snapshot_find_pid(s.c, C.int32_t(pid), C.uint64_t(startTicks), &view.c, &err), err)
	return view, f
}

// FindCgroup is cri_snapshot_find_cgroup. The view ends with the snapshot.
func (s Snapshot) FindCgroup(id uint64) (ContainerView, *Failure) {
	var view ContainerView
	var err *C.cri_error
	f := failure(C.cri_snapshot_find_cgroup(s.c, C.uint64_t(id), &view.c, &err), err)
	return view, f
}

// FindCgroupPath is cri_snapshot_find_cgroup_path. The view ends with the snapshot.
func (s Snapshot) FindCgroupPath(path string) (ContainerView, *Failure) {
	// Not a copy for C: the length is given, and C keeps nothing of it.
	text := (*C.char)(unsafe.Pointer(unsafe.StringData(path)))
	if path == "" {
		text = (*C.char)(unsafe.Pointer(&[1]byte{}))
	}
	var view ContainerView
	var err *C.cri_error
	f := failure(C.cri_snapshot_find_cgroup_path(s.c, text, C.size_t(len(path)), &view.c, &err), err)
	return view, f
}

// FindNamespace is cri_snapshot_find_namespace: the view, which ends with the snapshot, and how many are in the namespace.
func (s Snapshot) FindNamespace(kind uint32, inode uint64) (ContainerView, uint, *Failure) {
	var view ContainerView
	var sharing C.size_t
	var err *C.cri_error
	status := C.cri_snapshot_find_namespace(s.c, C.uint32_t(kind), C.uint64_t(inode), &view.c, &sharing, &err)
	return view, uint(sharing), failure(status, err)
}

// FindPIDs is cri_snapshot_find_pids, with as many start times as pids: the views, which end with the snapshot, and the status
// of each.
func (s Snapshot) FindPIDs(pids []int32, startTicks []uint64) ([]ContainerView, []int32, *Failure) {
	views, statuses := make([]ContainerView, len(pids)), make([]int32, len(pids))
	if len(pids) == 0 {
		return views, statuses, nil
	}
	var err *C.cri_error
	status := C.cri_snapshot_find_pids(s.c, (*C.int32_t)(unsafe.Pointer(&pids[0])), (*C.uint64_t)(unsafe.Pointer(&startTicks[0])),
		C.size_t(len(pids)), &views[0].c, (*C.cri_status)(unsafe.Pointer(&statuses[0])), &err)
	return views, statuses, failure(status, err)
}

// FindCgroups is cri_snapshot_find_cgroups: the views, which end with the snapshot, and the status of each.
func (s Snapshot) FindCgroups(ids []uint64) ([]ContainerView, []int32, *Failure) {
	views, statuses := make([]ContainerView, len(ids)), make([]int32, len(ids))
	if len(ids) == 0 {
		return views, statuses, nil
	}
	var err *C.cri_error
	status := C.cri_snapshot_find_cgroups(s.c, (*C.uint64_t)(unsafe.Pointer(&ids[0])), C.size_t(len(ids)), &views[0].c,
		(*C.cri_status)(unsafe.Pointer(&statuses[0])), &err)
	return views, statuses, failure(status, err)
}

// LookupPID is cri_watcher_lookup_pid. The view is the caller's, to be released with Unref.
func (w Watcher) LookupPID(pid int32, startTicks uint64, timeoutMS int64) (ContainerView, *Failure) {
	var view ContainerView
	var err *C.cri_error
	status := C.cri_watcher_lookup_pid(w.c, C.int32_t(pid), C.uint64_t(startTicks), C.int64_t(timeoutMS), &view.c, &err)
	return view, failure(status, err)
}

// LookupCgroup is cri_watcher_lookup_cgroup. The view is the caller's, to be released with Unref.
func (w Watcher) LookupCgroup(id uint64, timeoutMS int64) (ContainerView, *Failure) {
	var view ContainerView
	var err *C.cri_error
	status := C.cri_watcher_lookup_cgroup(w.c, C.uint64_t(id), C.int64_t(timeoutMS), &view.c, &err)
	return view, failure(status, err)
}

// Find is cri_watcher_find. The view is the caller's, to be released with Unref.
func (w Watcher) Find(idOrName string) (ContainerView, *Failure) {
	return named(idOrName, func(name *C.char, out **C.cri_container, err **C.cri_error) C.cri_status {
		return C.cri_watcher_find(w.c, name, out, err)
	})
}

// Unref is cri_container_unref.
func (v ContainerView) Unref() { C.cri_container_unref(v.c) }
