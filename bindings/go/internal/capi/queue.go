//go:build linux

package capi

/*
#include <poll.h>
#include <criwatch.h>

// Whether a descriptor is readable now. Never waits.
static int cri_go_readable(int fd) {
	struct pollfd one = { fd, POLLIN, 0 };
	return poll(&one, 1, 0) == 1;
}
*/
import "C"

import "syscall"

// Queue is a cri_event_queue.
type Queue struct{ c *C.cri_event_queue }

// NewQueue is cri_event_queue_new.
func (w Watcher) NewQueue(mask, flags uint32, capacity uint) (Queue, *Failure) {
	var queue Queue
	var err *C.cri_error
	status := C.cri_event_queue_new(w.c, C.uint32_t(mask), C.uint32_t(flags), C.size_t(capacity), &queue.c, &err)
	return queue, failure(status, err)
}

// DupFD gives a duplicate of cri_event_queue_fd, which is the caller's to close.
func (q Queue) DupFD() (uintptr, error) {
	fd, _, errno := syscall.Syscall(syscall.SYS_FCNTL, uintptr(C.cri_event_queue_fd(q.c)), syscall.F_DUPFD_CLOEXEC, 0)
	if errno != 0 {
		return 0, errno
	}
	return fd, nil
}

// TryNext is cri_event_queue_next without waiting.
func (q Queue) TryNext() (EventView, *Failure) {
	var view EventView
	var err *C.cri_error
	f := failure(C.cri_event_queue_next(q.c, 0, &view.c, &err), err)
	return view, f
}

// Free is cri_event_queue_free.
func (q Queue) Free() { C.cri_event_queue_free(q.c) }

// Ready reports whether cri_event_queue_fd is readable now.
func (q Queue) Ready() bool { return C.cri_go_readable(C.cri_event_queue_fd(q.c)) != 0 }
